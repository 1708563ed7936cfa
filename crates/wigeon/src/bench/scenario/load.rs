//! `fanout` and `relay`, and with another transport `sse` and `longpoll`.

use std::future::{Future, pending};
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use super::{Findings, expected, latency, pace, paced};
use crate::bench::arguments::{Load, Read, Relay};
use crate::bench::meter::Meter;
use crate::bench::progress::Goal;
use crate::bench::reader::{Reader, Reading};
use crate::bench::report::{Memory, Phase, thousands};
use crate::bench::sender::{Sender, answered};
use crate::bench::tally::Tally;
use crate::bench::volley::Volley;
use crate::bench::world::World;

/// One sender, one room, many readers.
pub(super) async fn fanout(
    world: &Rc<World>,
    readers: u32,
    transport: Read,
    load: &Load,
) -> Result<Findings> {
    let tally = world.group();
    let answers = answered();
    let sender = Sender::open(world, 0, &tally, &answers).await?;
    let before = world.rss_kib();
    let count = readers as usize;
    world.progress.begin("connecting", Goal::Count(count as u64));
    let start = |number| Reader::start(world, Reading::new(transport, number, vec![0], &tally));
    let readers: Vec<_> = (1..=count).map(start).collect();
    world.until_ready(&tally, count).await?;
    let connected = world.rss_kib();

    let drive = driven(&sender, &tally, count as u64, load);
    let phase = measured(world, &tally, load, drive, || {}, &readers).await;
    Ok(Findings {
        load: format!("{} readers of one room, {}, {} bytes", thousands(count as u64), pace(load), load.size),
        connections: count + 1,
        expected: expected(&readers),
        phases: vec![phase],
        acknowledged: latency(&answers),
        memory: Memory::of(before, connected, world.rss_kib(), count),
        ..Findings::default()
    })
}

/// Sends to the first room as fast as the load says.
pub(super) async fn driven(sender: &Sender, tally: &Tally, readers: u64, load: &Load) {
    let messages = load.messages.map_or(u64::MAX, u64::from);
    match load.rate {
        Some(rate) => paced(rate, messages, |_| sender.queue(0), || sender.flush()).await,
        None => windowed(sender, tally, readers, load.window.into(), messages).await,
    }
}

/// Many senders, each with a room and a reader of its own.
pub(super) async fn relay(world: &Rc<World>, asked: &Relay) -> Result<Findings> {
    let (load, count) = (&asked.load, asked.pairs as usize);
    let tally = world.group();
    let answers = answered();
    let before = world.rss_kib();
    world.progress.begin("connecting", Goal::Count(count as u64));
    let mut senders = Vec::with_capacity(count);
    for number in 0..count {
        senders.push(Sender::open(world, number, &tally, &answers).await?);
    }
    let messages = load.messages.map_or(u64::MAX, u64::from);
    let volley = load.rate.is_none().then(|| Volley::new(messages));
    let start = |pair: usize| {
        let reading = Reading::new(asked.way.transport, count + pair, vec![pair], &tally);
        Reader::start(world, Reading { volley: volley.clone(), ..reading })
    };
    let readers: Vec<_> = (0..count).map(start).collect();
    world.until_ready(&tally, count).await?;
    let connected = world.rss_kib();

    let drive = async {
        match (&volley, load.rate) {
            (Some(volley), _) => {
                volley.begin(&senders, load.window);
                let all_are_there = tally.reach(messages).await;
                if !all_are_there {
                    tally.fail("nothing arrives any more");
                }
            }
            (None, rate) => {
                let send = |number: u64| {
                    let pair = (number % count as u64) as usize;
                    senders[pair].send(pair);
                };
                paced(rate.unwrap_or(1), messages, send, || {}).await;
            }
        }
    };
    let stop = || volley.iter().for_each(|volley| volley.end());
    let phase = measured(world, &tally, load, drive, stop, &readers).await;
    Ok(Findings {
        load: format!(
            "{} pairs, {}{}, {} bytes",
            thousands(count as u64),
            pace(load),
            if load.rate.is_none() { " in each" } else { "" },
            load.size
        ),
        connections: 2 * count,
        expected: expected(&readers),
        phases: vec![phase],
        acknowledged: latency(&answers),
        memory: Memory::of(before, connected, world.rss_kib(), 2 * count),
        ..Findings::default()
    })
}

/// Measures while `drive` sends: for a time, after a warm-up; or from first to last of a number of messages.
pub(super) async fn measured(
    world: &Rc<World>,
    tally: &Tally,
    load: &Load,
    drive: impl Future<Output = ()>,
    stop: impl FnOnce(),
    readers: &[Rc<Reader>],
) -> Phase {
    if let Some(messages) = load.messages {
        let deliveries = u64::from(messages) * readers.len() as u64;
        world.progress.begin("messages", Goal::Count(deliveries));
        let meter = Meter::begin(world, "measured", tally);
        drive.await;
        world.drain(readers, tally).await;
        return meter.end();
    }
    // A driver that gives up is seen by what is missing.
    let drive = async {
        drive.await;
        pending::<()>().await;
    };
    let mut drive = pin!(drive);
    let (warm_up, seconds) =
        (Duration::from_secs(load.warm_up.into()), Duration::from_secs(load.seconds.into()));
    world.progress.begin("warming up", Goal::Time(Instant::now(), warm_up));
    tokio::select! { () = &mut drive => {}, () = sleep(warm_up) => {} }
    world.progress.begin("measuring", Goal::Time(Instant::now(), seconds));
    let meter = Meter::begin(world, "measured", tally);
    tokio::select! { () = &mut drive => {}, () = sleep(seconds) => {} }
    let phase = meter.end();
    stop();
    world.drain(readers, tally).await;
    phase
}

/// Keeps `window` messages under way: half of the window, rounded up, must have reached everybody before more are
/// sent, so that what is sent together has a chance to stay together.
async fn windowed(sender: &Sender, tally: &Tally, readers: u64, window: u64, messages: u64) {
    let mut sent = 0;
    while sent < messages {
        while sent < messages && sent * readers < tally.delivered.get() + window * readers {
            sender.queue(0);
            sent += 1;
        }
        sender.flush();
        if !tally.reach((sent - window.min(sent) + window.div_ceil(2).min(sent)) * readers).await {
            return;
        }
    }
}
