//! `resume-storm`: everybody comes back at once, with a cursor and something missed.
//!
//! Room 0 is the witnesses'. Each group of clients shares a run of rooms after it.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use super::{Findings, expected, latency, paced, steadily};
use crate::bench::arguments::ResumeStorm;
use crate::bench::limits::{LEVEL, LOOK};
use crate::bench::meter::Meter;
use crate::bench::progress::Goal;
use crate::bench::reader::{Reader, Reading};
use crate::bench::report::{Latency, Memory, Storm, thousands};
use crate::bench::sender::{Sender, answered};
use crate::bench::tally::histogram;
use crate::bench::world::World;

pub(super) async fn run(world: &Rc<World>, asked: &ResumeStorm) -> Result<Findings> {
    let cursor = world.cursor().await?;
    world.progress.begin("while away", Goal::Count(1));
    let missed = |group| (0..asked.behind as usize).zip(asked.rooms_of(group).into_iter().cycle());
    let missed: Vec<_> = (0..asked.groups())
        .flat_map(|group| missed(group).map(|(_, room)| room).collect::<Vec<_>>())
        .collect();
    world.send_to(&missed).await?;

    let (witnessed, returned) = (world.group(), world.group());
    let answers = answered();
    let sender = Sender::open(world, 0, &witnessed, &answers).await?;
    let witnesses = asked.witnesses as usize;
    let transport = asked.way.transport;
    world.progress.begin("connecting", Goal::Count(witnesses as u64));
    let start = |number| Reader::start(world, Reading::new(transport, number, vec![0], &witnessed));
    let mut readers: Vec<_> = (1..=witnesses).map(start).collect();
    world.until_ready(&witnessed, witnesses).await?;

    let length = Duration::from_secs(asked.quiet.into());
    world.progress.begin("quiet", Goal::Time(Instant::now(), length));
    let meter = Meter::begin(world, "quiet", &witnessed);
    tokio::select! { () = steadily(&sender, 0, asked.rate) => {}, () = sleep(length) => {} }
    let quiet = meter.end();

    let clients = asked.clients as usize;
    let before = world.rss_kib();
    world.progress.begin("storm", Goal::Count((witnesses + clients) as u64));
    let meter = Meter::begin(world, "storm", &witnessed);
    let begun_ns = world.clock.now_ns();
    let returning = |client: usize| {
        let rooms = asked.rooms_of(client % asked.groups());
        let reading = Reading::new(transport, 1 + witnesses + client, rooms, &returned);
        let reader = Reader::start(world, Reading { after: Some(cursor.clone()), ..reading });
        reader.aim();
        reader
    };
    let clients: Vec<_> = (0..clients).map(returning).collect();
    let live = |number: u64| {
        sender.queue(0);
        sender.queue(1 + number as usize % (world.rooms.count() - 1));
    };
    tokio::select! {
        () = paced(asked.rate, u64::MAX, live, || sender.flush()) => {}
        () = until_level(&clients) => {}
    }
    let storm = meter.end();
    let connected = world.rss_kib();

    let mut after = histogram();
    let level: Vec<_> = clients.iter().filter_map(|client| client.level_ns()).collect();
    for level_ns in &level {
        after.saturating_record(level_ns.saturating_sub(begun_ns));
    }
    if level.len() < clients.len() {
        let why = returned.first_failure().unwrap_or_else(|| "they wait in vain".to_owned());
        returned.fail(format!("only {} of {} clients became level: {why}", level.len(), clients.len()));
    }
    let all_level_ns = level.iter().max().copied().unwrap_or(begun_ns).saturating_sub(begun_ns);
    let storm_figures = Storm {
        clients: clients.len(),
        behind: asked.behind as usize,
        all_level_after_s: Duration::from_nanos(all_level_ns).as_secs_f64(),
        level_after_us: Latency::of(&after),
    };
    let count = clients.len();
    readers.extend(clients);
    world.drain(&readers, &witnessed).await;
    Ok(Findings {
        load: format!(
            "{} clients come back, each {} messages behind in {} rooms, beside {witnesses} witnesses at {} messages a second",
            thousands(count as u64),
            asked.behind,
            asked.rooms,
            asked.rate
        ),
        connections: readers.len() + 1,
        expected: expected(&readers),
        phases: vec![quiet, storm],
        acknowledged: latency(&answers),
        memory: Memory::of(before, connected, world.rss_kib(), count),
        storm: Some(storm_figures),
        ..Findings::default()
    })
}

/// Waits until all are level, or no further one becomes so.
pub(super) async fn until_level(readers: &[Rc<Reader>]) {
    let (mut before, mut since) = (0, Instant::now());
    loop {
        let level = readers.iter().filter(|reader| reader.level_ns().is_some()).count();
        if level == readers.len() || since.elapsed() > LEVEL {
            return;
        }
        if level != before {
            (before, since) = (level, Instant::now());
        }
        sleep(LOOK).await;
    }
}
