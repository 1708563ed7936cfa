//! A new node with an empty directory: how long it takes until it is level with a log of so many entries.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::task::spawn_local;
use tokio::time::sleep;
use wigeon_client::{Client, Method};
use wigeon_proto::limits::{BODY_BYTES_MAX, COMMANDS_PER_REQUEST_MAX};

use super::{Rooms, Spent, cost, node};
use crate::bench::arguments::Cluster;
use crate::bench::host::Host;
use crate::bench::limits::{CAUGHT_UP, LOOK, QUIET, QUIET_LOOK};
use crate::bench::own::Own;
use crate::bench::process;
use crate::bench::progress::Goal;
use crate::bench::report::CatchUp;
use crate::bench::tally::Tally;
use crate::bench::world::World;

/// While nodes and NATS spend less of a processor together, they are quiet: heartbeats, and the lease.
const QUIET_SHARE: f64 = 0.1;

/// Fills the log, by messages to these rooms, and starts a node. Returns it, too.
pub(super) async fn catch_up(world: &Rc<World>, asked: &Cluster, rooms: Rooms) -> Result<(CatchUp, Own)> {
    fill(world, rooms, asked.entries.into()).await?;
    quiet(world).await;
    let entries = world.position().await?;
    world.progress.begin("catching up", Goal::Count(1));
    let before = Spent::now(&world.host);
    let node = world.host.another()?;
    ready(&node).await?;
    let (after, spent) = (Spent::now(&world.host), process::cpu(node.pid()));
    let seconds = (after.at - before.at).as_secs_f64();
    let caught_up = CatchUp {
        entries,
        seconds,
        entries_per_s: entries as f64 / seconds,
        node: cost(Some(Duration::ZERO), spent, entries, seconds),
        nats: cost(before.nats, after.nats, entries, seconds),
        rss_kib: process::rss_kib(node.pid()),
    };
    Ok((caught_up, node))
}

/// Sends messages by all nodes until the log has so many entries.
async fn fill(world: &Rc<World>, rooms: Rooms, entries: u64) -> Result<()> {
    let (tally, lanes) = (world.group(), rooms.len() as u64);
    let missing = entries.saturating_sub(world.position().await?);
    let so_far = world.sum(|tally| tally.ready.get() as u64);
    world.progress.begin("filling", Goal::Count(so_far + missing));
    let mut filling = Vec::new();
    for (lane, room) in rooms.enumerate() {
        let share = missing / lanes + u64::from((lane as u64) < missing % lanes);
        let client = world.client_at(node(world.host.doors(), lane))?;
        filling.push(spawn_local(lane_of(world.clone(), client, room, share, tally.clone())));
    }
    for lane in filling {
        lane.await.context("who fills")??;
    }
    Ok(())
}

/// Sends so many messages to one room, as many at once as one request may have.
async fn lane_of(
    world: Rc<World>,
    client: Client,
    room: usize,
    messages: u64,
    tally: Rc<Tally>,
) -> Result<()> {
    let mut left = messages;
    while left > 0 {
        let (mut commands, mut taken) = (String::from("["), 0);
        while taken < left.min(COMMANDS_PER_REQUEST_MAX as u64) && commands.len() < BODY_BYTES_MAX / 2 {
            commands.push_str(if taken == 0 { "" } else { "," });
            commands.push_str(&world.rooms.next(room));
            taken += 1;
        }
        commands.push(']');
        world.post_all(&client, commands).await?;
        (0..taken).for_each(|_| world.rooms.taken(room));
        tally.ready.set(tally.ready.get() + taken as usize);
        left -= taken;
    }
    Ok(())
}

/// Waits until the others have done what filling has left them to do: else it is they who are measured.
async fn quiet(world: &World) {
    world.progress.begin("indexing", Goal::Count(1));
    let spent = |host: &Host| host.cpu().zip(host.nats_cpu()).map(|(nodes, nats)| nodes + nats);
    let begun = Instant::now();
    let mut before = spent(&world.host);
    while begun.elapsed() < QUIET {
        sleep(QUIET_LOOK).await;
        let after = spent(&world.host);
        let Some((after, before)) = after.zip(std::mem::replace(&mut before, after)) else { return };
        if after.saturating_sub(before).as_secs_f64() < QUIET_SHARE * QUIET_LOOK.as_secs_f64() {
            return;
        }
    }
}

/// Waits until a node takes traffic.
async fn ready(node: &Own) -> Result<()> {
    let client = Client::new(&node.door.base)?;
    let begun = Instant::now();
    loop {
        let answer = client.raw(Method::GET, "/readyz", &[], "").await;
        if answer.is_ok_and(|answer| answer.status == 200) {
            return Ok(());
        }
        ensure!(begun.elapsed() < CAUGHT_UP, "the new node was not level within {} s", CAUGHT_UP.as_secs());
        sleep(LOOK).await;
    }
}
