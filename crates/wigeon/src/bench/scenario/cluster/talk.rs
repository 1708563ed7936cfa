//! Pairs who talk at a modest pace, the two of each at different nodes: what a message takes when nothing else
//! is in its way.

use std::rc::Rc;

use anyhow::Result;

use super::super::load::measured;
use super::super::paced;
use super::{Rooms, node};
use crate::bench::arguments::{Cluster, Load, Read};
use crate::bench::limits::WARM_UP_S;
use crate::bench::progress::Goal;
use crate::bench::reader::{Reader, Reading};
use crate::bench::report::{Latency, Talk};
use crate::bench::sender::{Sender, answered};
use crate::bench::tally::histogram;
use crate::bench::world::World;

/// A pair for each of these rooms. Returns its readers, too: they go on.
pub(super) async fn talk(
    world: &Rc<World>,
    asked: &Cluster,
    rooms: Rooms,
) -> Result<(Talk, Vec<Rc<Reader>>)> {
    let (tally, answers, doors) = (world.group(), answered(), world.host.doors());
    world.progress.begin("connecting", Goal::Count(rooms.len() as u64));
    let mut senders = Vec::with_capacity(rooms.len());
    for room in rooms.clone() {
        senders.push(Sender::open_at(world, node(doors, room), room, &tally, &answers).await?);
    }
    let start = |room: usize| {
        let reading = Reading::new(Read::Websocket, room, vec![room], &tally);
        Reader::start(world, Reading { at: Some(node(doors, room + 1).clone()), ..reading })
    };
    let readers: Vec<_> = rooms.clone().map(start).collect();
    world.until_ready(&tally, readers.len()).await?;

    let send = |number: u64| {
        let pair = (number % senders.len() as u64) as usize;
        senders[pair].send(rooms.start + pair);
    };
    let load = |seconds| Load {
        window: 1,
        rate: Some(asked.rate),
        size: asked.size,
        seconds,
        warm_up: 0,
        messages: None,
    };
    let talking = || paced(asked.rate, u64::MAX, send, || {});
    measured(world, &tally, &load(WARM_UP_S), talking(), || {}, &readers).await;
    answers.replace(histogram());
    let phase = measured(world, &tally, &load(asked.seconds), talking(), || {}, &readers).await;
    let talk = Talk {
        messages_per_s: phase.deliveries_per_s,
        acknowledged_us: Latency::of(&answers.borrow()),
        delivered_us: phase.latency_us,
    };
    Ok((talk, readers))
}
