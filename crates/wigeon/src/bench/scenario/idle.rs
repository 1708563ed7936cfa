//! `idle`: what a connection weighs that says nothing.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use super::{Findings, expected, latency};
use crate::bench::arguments;
use crate::bench::meter::Meter;
use crate::bench::progress::Goal;
use crate::bench::reader::{Reader, Reading};
use crate::bench::report::{Idle, Memory, thousands};
use crate::bench::sender::{Sender, answered};
use crate::bench::world::World;

/// Readers before the first measurement, so that what the server makes once is not counted.
const FIRST: usize = 10;
/// Messages at the end, which show that all are alive and leave behind the buffers that a first message makes.
const MESSAGES: u64 = 5;

pub(super) async fn run(world: &Rc<World>, asked: &arguments::Idle) -> Result<Findings> {
    let tally = world.group();
    let answers = answered();
    let sender = Sender::open(world, 0, &tally, &answers).await?;
    let start = |number| Reader::start(world, Reading::new(asked.way.transport, number, vec![0], &tally));
    let mut readers: Vec<_> = (1..=FIRST).map(start).collect();
    world.until_ready(&tally, FIRST).await?;

    let count = asked.readers as usize;
    world.progress.begin("connecting", Goal::Count((FIRST + count) as u64));
    let (begun, before) = (Instant::now(), world.rss_kib());
    let cpu = || world.host.cpu();
    let cpu_before = cpu();
    readers.extend((FIRST + 1..=FIRST + count).map(start));
    world.until_ready(&tally, FIRST + count).await?;
    let connected_in_s = begun.elapsed().as_secs_f64();
    let spent = cpu().zip(cpu_before).map(|(after, before)| after.saturating_sub(before));

    let hold = Duration::from_secs(asked.hold.into());
    world.progress.begin("silence", Goal::Time(Instant::now(), hold));
    let meter = Meter::begin(world, "silence", &tally);
    sleep(hold).await;
    let silence = meter.end();
    let connected = world.rss_kib();

    world.progress.begin("five messages", Goal::Count(MESSAGES));
    let meter = Meter::begin(world, "five messages", &tally);
    for number in 1..=MESSAGES {
        sender.send(0);
        if !tally.reach(number * readers.len() as u64).await {
            break;
        }
    }
    let messages = meter.end();
    world.drain(&readers, &tally).await;
    let memory = Memory::of(before, connected, world.rss_kib(), count);
    Ok(Findings {
        load: format!("{} connections that say nothing for {} s", thousands(count as u64), asked.hold),
        connections: readers.len() + 1,
        expected: expected(&readers),
        phases: vec![silence, messages],
        acknowledged: latency(&answers),
        idle: Some(Idle {
            connected_in_s,
            server_cpu_us_per_connect: spent.map(|spent| spent.as_secs_f64() * 1e6 / count as f64),
            rss_kib_per_connection_at_end: memory
                .as_ref()
                .map(|m| (m.rss_kib_at_end as f64 - m.rss_kib_before as f64) / count as f64),
        }),
        memory,
        ..Findings::default()
    })
}
