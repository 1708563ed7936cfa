//! `cluster`: the same load to a single machine, to one node over one NATS, and to a whole cluster, one after the
//! other; then a further node catches up with the last of them.
//!
//! All in one run and on one machine, so that their ratios hold where the figures themselves do not. What was
//! acknowledged anywhere must be on every node in the end.

mod catch_up;
mod sends;
mod talk;

use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::{LocalSet, spawn_local};
use wigeon_proto::limits::WATCH_ROOMS_MAX;

use super::{Findings, Played, expected};
use crate::bench::arguments::{self, Read};
use crate::bench::host::{Door, Host};
use crate::bench::nats::Nats;
use crate::bench::process;
use crate::bench::progress::{Goal, Progress};
use crate::bench::reader::{Reader, Reading};
use crate::bench::report::{CatchUp, Cluster, Counts, Cpu, Installation, thousands};
use crate::bench::tally::Tally;
use crate::bench::timeline::Timeline;
use crate::bench::world::World;

/// What is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    nodes: usize,
    nats_servers: usize,
}

pub(super) async fn run(asked: &arguments::Cluster) -> Result<Played> {
    Nats::is_there()?;
    let whole = Shape { nodes: asked.nodes as usize, nats_servers: asked.nats_servers.parse()? };
    let mut shapes = vec![Shape { nodes: 1, nats_servers: 0 }, Shape { nodes: 1, nats_servers: 1 }, whole];
    shapes.dedup();
    let (mut installations, mut counts, mut caught_up) = (Vec::new(), Counts::default(), None);
    for shape in &shapes {
        // With the set go its tasks, and with the last of them the servers.
        let played = LocalSet::new().run_until(play(asked, *shape, *shape == whole)).await?;
        installations.push(played.installation);
        counts = counts.and(played.counts);
        caught_up = played.caught_up.or(caught_up);
    }
    let found = Findings {
        load: format!(
            "{} pairs at {} messages a second; then {} senders, each one message at a time; {} bytes; then a new node",
            thousands(asked.pairs.into()),
            thousands(asked.rate.into()),
            thousands(asked.producers.into()),
            asked.size
        ),
        connections: (2 * asked.pairs + asked.producers) as usize,
        cluster: caught_up.map(|catch_up| Cluster { installations, catch_up }),
        ..Findings::default()
    };
    Ok(Played {
        server: format!("each of {} installations of its own", shapes.len()),
        durability: Some(asked.own.durability.as_str()),
        found,
        counts,
        timeline: Timeline::default(),
    })
}

/// What came of one installation.
#[derive(Debug)]
struct One {
    installation: Installation,
    counts: Counts,
    caught_up: Option<CatchUp>,
}

impl Shape {
    fn name(self) -> String {
        let several = |count, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        match self.nats_servers {
            0 => "one machine".to_owned(),
            servers => format!("{}, {servers} NATS", several(self.nodes, "node")),
        }
    }

    async fn start(self, own: &arguments::Own) -> Result<Host> {
        match self.nats_servers {
            0 => Host::alone(own),
            servers => Host::cluster(own, self.nodes, Nats::start(&own.scratch(), servers).await?),
        }
    }
}

/// Starts servers, and lets them do everything; a new node catches up where it is asked for.
async fn play(asked: &arguments::Cluster, shape: Shape, catches_up: bool) -> Result<One> {
    let name = shape.name();
    let progress = Progress::about(name.clone());
    progress.begin("starting", Goal::Count(1));
    let host = shape.start(&asked.own).await?;
    let world = World::new(host, asked.rooms(), asked.size, progress)?;
    world.make_rooms().await?;
    spawn_local(world.clone().sample());
    let start = world.cursor().await?;
    let producing = 0..asked.producers as usize;
    let talking = producing.end..producing.end + asked.pairs as usize;
    let filled = talking.end..world.rooms.count();

    let (talk, mut readers) = talk::talk(&world, asked, talking).await?;
    let sends = sends::sends(&world, asked, producing).await?;
    let late = if catches_up { Some(catch_up::catch_up(&world, asked, filled).await?) } else { None };

    // Every node has every message: whoever asks for all of them gets all of them, in order.
    let tally = world.group();
    let doors = world.host.doors().iter().chain(late.as_ref().map(|(_, node)| &node.door));
    readers.extend(doors.flat_map(|door| who_read_all(&world, door, &start, &tally)));
    world.drain(&readers, &tally).await;
    world.over.set(true);
    world.progress.end();
    Ok(One {
        installation: Installation {
            name,
            nodes: shape.nodes,
            nats_servers: shape.nats_servers,
            talk,
            sends,
        },
        counts: world.counts(expected(&readers)),
        caught_up: late.map(|(caught_up, _)| caught_up),
    })
}

/// Readers of all rooms at one node, from a cursor on.
fn who_read_all(world: &Rc<World>, door: &Door, start: &str, tally: &Rc<Tally>) -> Vec<Rc<Reader>> {
    let rooms: Vec<_> = (0..world.rooms.count()).collect();
    let read = |rooms: &[usize]| {
        let reading = Reading::new(Read::Websocket, rooms[0], rooms.to_vec(), tally);
        let (at, after) = (Some(door.clone()), Some(start.to_owned()));
        Reader::start(world, Reading { at, after, ..reading })
    };
    rooms.chunks(WATCH_ROOMS_MAX).map(read).collect()
}

/// What everybody has spent so far.
#[derive(Debug)]
struct Spent {
    at: Instant,
    nodes: Option<Duration>,
    nats: Option<Duration>,
    driver: Option<Duration>,
}

impl Spent {
    fn now(host: &Host) -> Self {
        let driver = process::cpu(std::process::id());
        Self { at: Instant::now(), nodes: host.cpu(), nats: host.nats_cpu(), driver }
    }
}

/// What was spent from one time to another on so many of something.
fn cost(before: Option<Duration>, after: Option<Duration>, count: u64, seconds: f64) -> Cpu {
    let spent = after.zip(before).map(|(after, before)| after.saturating_sub(before).as_secs_f64());
    Cpu::of(spent, count, seconds)
}

/// The `n`-th in a round of all nodes.
fn node(doors: &[Door], n: usize) -> &Door {
    &doors[n % doors.len()]
}

/// Some of the run's rooms, one after the other.
type Rooms = Range<usize>;
