//! The scenarios: what happens, in which order. What is measured and told is the report's.

mod archive;
mod cluster;
mod group;
mod idle;
mod load;
mod slow_readers;
mod storm;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep_until};

use super::arguments::{Load, Read, Scenario};
use super::host::Host;
use super::progress::{Goal, Progress};
use super::reader::Reader;
use super::report::{
    Archive, Cluster, Counts, Group, Idle, Latency, Memory, Phase, Report, Slow, Storm, thousands,
};
use super::sender::Sender;
use super::timeline::Timeline;
use super::world::World;

/// What a scenario found.
#[derive(Debug, Default)]
struct Findings {
    load: String,
    connections: usize,
    expected: u64,
    phases: Vec<Phase>,
    acknowledged: Option<Latency>,
    memory: Option<Memory>,
    idle: Option<Idle>,
    storm: Option<Storm>,
    slow: Option<Slow>,
    group: Option<Group>,
    archive: Option<Archive>,
    cluster: Option<Cluster>,
}

/// Plays a scenario to its end: against this host, or where there is none, against what it starts itself.
pub(super) async fn run(scenario: &Scenario, host: Option<Host>) -> Result<Report> {
    let played = match (scenario, host) {
        (Scenario::Cluster(asked), _) => cluster::run(asked).await?,
        (_, Some(host)) => play(scenario, host).await?,
        (_, None) => unreachable!("who has no cluster has a host"),
    };
    let Played { server, durability, found, counts, timeline } = played;
    Ok(Report {
        scenario: scenario.name(),
        version: env!("CARGO_PKG_VERSION"),
        server,
        durability,
        transport: scenario.transport(),
        load: found.load,
        connections: found.connections,
        counts,
        phases: found.phases,
        acknowledged_us: found.acknowledged,
        memory: found.memory,
        idle: found.idle,
        storm: found.storm,
        slow: found.slow,
        group: found.group,
        archive: found.archive,
        cluster: found.cluster,
        timeline,
    })
}

/// A scenario that was played.
#[derive(Debug)]
struct Played {
    server: String,
    durability: Option<&'static str>,
    found: Findings,
    counts: Counts,
    timeline: Timeline,
}

/// Plays a scenario that has one server.
async fn play(scenario: &Scenario, host: Host) -> Result<Played> {
    let (place, _) = scenario.common();
    let durability = place.filter(|_| host.is_own()).map(|place| place.own.durability.as_str());
    let server = if host.is_own() { "a server of its own".to_owned() } else { host.door().base.clone() };
    let (rooms, size) = scenario.rooms()?;
    let world = World::new(host, rooms, size, Progress::new())?;
    if scenario.is_in_public() {
        world.progress.begin("rooms", Goal::Count(1));
        world.make_rooms().await?;
    }
    spawn_local(world.clone().sample());
    let found = match scenario {
        Scenario::Fanout(asked) => {
            load::fanout(&world, asked.readers, asked.way.transport, &asked.load).await
        }
        Scenario::Sse(asked) => load::fanout(&world, asked.readers, Read::Sse, &asked.load).await,
        Scenario::Longpoll(asked) => load::fanout(&world, asked.readers, Read::Longpoll, &asked.load).await,
        Scenario::Relay(asked) => load::relay(&world, asked).await,
        Scenario::Idle(asked) => idle::run(&world, asked).await,
        Scenario::ResumeStorm(asked) => storm::run(&world, asked).await,
        Scenario::SlowReaders(asked) => slow_readers::run(&world, asked).await,
        Scenario::Group(asked) => group::run(&world, asked).await,
        Scenario::Archive(asked) => archive::run(&world, asked).await,
        Scenario::Cluster(_) => unreachable!("it has several"),
    }?;
    world.over.set(true);
    world.progress.end();
    let (counts, timeline) = (world.counts(found.expected), world.timeline.borrow().clone());
    Ok(Played { server, durability, found, counts, timeline })
}

/// What all of these should have got.
fn expected(readers: &[Rc<Reader>]) -> u64 {
    readers.iter().map(|reader| reader.expected()).sum()
}

/// Calls `send` with 0, 1, 2, … at a steady rate, and `flush` after those that were due together.
async fn paced(rate: u32, messages: u64, mut send: impl FnMut(u64), mut flush: impl FnMut()) {
    let begun = Instant::now();
    let mut sent = 0;
    while sent < messages {
        let due = (begun.elapsed().as_secs_f64() * f64::from(rate)) as u64 + 1;
        while sent < due.min(messages) {
            send(sent);
            sent += 1;
        }
        flush();
        sleep_until(begun + Duration::from_secs_f64(sent as f64 / f64::from(rate))).await;
    }
}

/// The same to one room, for ever.
async fn steadily(sender: &Sender, room: usize, rate: u32) {
    paced(rate, u64::MAX, |_| sender.queue(room), || sender.flush()).await;
}

fn latency(histogram: &Rc<RefCell<Histogram<u64>>>) -> Option<Latency> {
    Latency::of(&histogram.borrow())
}

/// The pace in words.
fn pace(load: &Load) -> String {
    match load.rate {
        Some(rate) => format!("{} messages a second", thousands(rate.into())),
        None if load.window == 1 => "one message at a time".to_owned(),
        None => format!("{} messages at a time", load.window),
    }
}
