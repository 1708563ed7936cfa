//! `slow-readers`: some stop to read, the others must not notice, and in the end nobody misses anything.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::sync::watch;
use tokio::time::sleep;

use super::storm::until_level;
use super::{Findings, expected, latency, steadily};
use crate::bench::arguments::SlowReaders;
use crate::bench::limits::STALLED_BUFFER_BYTES;
use crate::bench::meter::Meter;
use crate::bench::progress::Goal;
use crate::bench::reader::{Reader, Reading};
use crate::bench::report::{Memory, Slow, thousands};
use crate::bench::sender::{Sender, answered};
use crate::bench::world::World;

pub(super) async fn run(world: &Rc<World>, asked: &SlowReaders) -> Result<Findings> {
    let (awake, asleep) = (world.group(), world.group());
    let answers = answered();
    let sender = Sender::open(world, 0, &awake, &answers).await?;
    let before = world.rss_kib();
    let (count, stalled) = (asked.readers as usize, asked.stalled as usize);
    let transport = asked.way.transport;
    let (stall, stalling) = watch::channel(false);
    world.progress.begin("connecting", Goal::Count(count as u64));
    let sleeper = |number| {
        let reading = Reading::new(transport, number, vec![0], &asleep);
        let (stall, receive_buffer) = (Some(stalling.clone()), Some(STALLED_BUFFER_BYTES));
        Reader::start(world, Reading { stall, receive_buffer, ..reading })
    };
    let sleepers: Vec<_> = (1..=stalled).map(sleeper).collect();
    let start = |number| Reader::start(world, Reading::new(transport, number, vec![0], &awake));
    let others: Vec<_> = (stalled + 1..=count).map(start).collect();
    world.until_ready(&asleep, stalled).await?;
    world.until_ready(&awake, count - stalled).await?;
    let connected = world.rss_kib();

    let length = Duration::from_secs(asked.seconds.into());
    let mut live = std::pin::pin!(steadily(&sender, 0, asked.rate));
    let mut phases = Vec::new();
    let mut rss = Vec::new();
    for name in ["quiet", "stalled"] {
        stall.send_replace(name == "stalled");
        world.progress.begin(name, Goal::Time(Instant::now(), length));
        let meter = Meter::begin(world, name, &awake);
        tokio::select! { () = &mut live => {}, () = sleep(length) => {} }
        phases.push(meter.end());
        rss.push(world.rss_kib());
    }
    let missed = expected(&sleepers).saturating_sub(asleep.delivered.get());

    world.progress.begin("catching up", Goal::Count(count as u64));
    let begun_ns = world.clock.now_ns();
    let meter = Meter::begin(world, "catching up", &awake);
    for reader in &sleepers {
        reader.aim();
    }
    stall.send_replace(false);
    tokio::select! { () = &mut live => {}, () = until_level(&sleepers) => {} }
    phases.push(meter.end());
    let level: Vec<_> = sleepers.iter().filter_map(|reader| reader.level_ns()).collect();
    if level.len() < stalled {
        asleep.fail(format!("only {} of {stalled} stalled readers caught up", level.len()));
    }
    let caught_up_ns = level.iter().max().copied().unwrap_or(begun_ns).saturating_sub(begun_ns);

    let readers = [sleepers, others].concat();
    world.drain(&readers, &awake).await;
    Ok(Findings {
        load: format!(
            "{} readers of one room at {} messages a second of {} bytes; {stalled} of them stop to read for {} s",
            thousands(count as u64),
            asked.rate,
            asked.size,
            asked.seconds
        ),
        connections: count + 1,
        expected: expected(&readers),
        phases,
        acknowledged: latency(&answers),
        memory: Memory::of(before, connected, world.rss_kib(), count),
        slow: Some(Slow {
            stalled,
            missed_each: missed / stalled as u64,
            rss_kib_quiet: rss[0],
            rss_kib_stalled: rss[1],
            caught_up_after_s: Duration::from_nanos(caught_up_ns).as_secs_f64(),
        }),
        ..Findings::default()
    })
}
