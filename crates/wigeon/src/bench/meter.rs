//! From one moment to another: deliveries, latency, and what they cost on both sides.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::process;
use super::report::{Latency, Phase};
use super::tally::Tally;
use super::world::World;

/// A phase that is being measured.
#[derive(Debug)]
pub(super) struct Meter<'a> {
    world: &'a World,
    name: &'static str,
    /// Whose latency it is.
    measured: &'a Tally,
    begun: Look,
}

#[derive(Debug)]
struct Look {
    at: Instant,
    server: Option<Duration>,
    driver: Option<Duration>,
    delivered: u64,
}

impl Look {
    fn now(world: &World) -> Self {
        Self {
            at: Instant::now(),
            server: world.host.cpu(),
            driver: process::cpu(std::process::id()),
            delivered: world.delivered(),
        }
    }
}

impl<'a> Meter<'a> {
    /// Begins a phase. Latency is that of `measured`, of messages sent from now on.
    pub(super) fn begin(world: &'a Rc<World>, name: &'static str, measured: &'a Tally) -> Self {
        world.timeline.borrow_mut().begin(name);
        measured.measure(world.clock.now_ns());
        Self { world, name, measured, begun: Look::now(world) }
    }

    /// Ends it.
    pub(super) fn end(self) -> Phase {
        let Look { at, server, driver, delivered } = Look::now(self.world);
        let latency = self.measured.measure_no_more();
        let seconds = (at - self.begun.at).as_secs_f64();
        let deliveries = delivered - self.begun.delivered;
        let between =
            |from: Option<Duration>, to: Option<Duration>| Some(to?.saturating_sub(from?).as_secs_f64());
        let per_delivery =
            |cpu: Option<f64>| cpu.filter(|_| deliveries > 0).map(|cpu| cpu * 1e6 / deliveries as f64);
        let percent = |cpu: Option<f64>| cpu.map(|cpu| cpu / seconds * 100.0);
        let (server, driver) = (between(self.begun.server, server), between(self.begun.driver, driver));
        Phase {
            name: self.name,
            seconds,
            deliveries,
            deliveries_per_s: deliveries as f64 / seconds,
            latency_us: Latency::of(&latency),
            server_cpu_us_per_delivery: per_delivery(server),
            server_cpu_percent: percent(server),
            driver_cpu_us_per_delivery: per_delivery(driver),
            driver_cpu_percent: percent(driver),
        }
    }
}
