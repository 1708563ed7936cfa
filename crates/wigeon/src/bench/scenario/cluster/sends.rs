//! Senders at all nodes who send on as soon as they are acknowledged: how many messages a second there can be.
//!
//! Nobody reads along, so that it is the log that is measured.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use super::{Rooms, Spent, cost, node};
use crate::bench::arguments::Cluster;
use crate::bench::limits::WARM_UP_S;
use crate::bench::progress::Goal;
use crate::bench::report::{Latency, Sends};
use crate::bench::sender::{Sender, answered};
use crate::bench::tally::histogram;
use crate::bench::volley::Volley;
use crate::bench::world::World;

/// A sender for each of these rooms, the first of which is the run's first.
pub(super) async fn sends(world: &Rc<World>, asked: &Cluster, rooms: Rooms) -> Result<Sends> {
    let (tally, answers, doors) = (world.group(), answered(), world.host.doors());
    let volley = Volley::new(u64::MAX);
    world.progress.begin("connecting", Goal::Count(rooms.len() as u64));
    let mut senders = Vec::with_capacity(rooms.len());
    for room in rooms {
        let sender = Sender::open_at(world, node(doors, room), room, &tally, &answers).await?;
        sender.answers_to(&volley);
        senders.push(sender);
    }
    volley.begin(&senders, 1);
    let warm_up = Duration::from_secs(WARM_UP_S.into());
    world.progress.begin("warming up", Goal::Time(Instant::now(), warm_up));
    sleep(warm_up).await;
    let length = Duration::from_secs(asked.seconds.into());
    world.progress.begin("sending", Goal::Time(Instant::now(), length));
    answers.replace(histogram());
    let before = Spent::now(&world.host);
    sleep(length).await;
    let after = Spent::now(&world.host);
    let answers = answers.replace(histogram());
    volley.end();
    world.drain(&[], &tally).await;
    let (seconds, acknowledged) = ((after.at - before.at).as_secs_f64(), answers.len());
    Ok(Sends {
        seconds,
        acknowledged,
        acknowledged_per_s: acknowledged as f64 / seconds,
        acknowledged_us: Latency::of(&answers),
        nodes: cost(before.nodes, after.nodes, acknowledged, seconds),
        nats: cost(before.nats, after.nats, acknowledged, seconds),
        driver: cost(before.driver, after.driver, acknowledged, seconds),
    })
}
