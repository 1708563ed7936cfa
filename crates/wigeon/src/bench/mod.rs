//! `wigeon bench`: plays a scenario against a server, and says what it cost and whether all was delivered.
//!
//! One thread drives all connections, so that a machine has something left for the server. Every reader keeps count:
//! whatever else is measured, a message that is lost, doubled or out of order makes the run a failure.
//! The server is a process of its own, this same program, since only then its memory and CPU time can be told apart.

mod account;
mod arguments;
mod child;
mod chunks;
mod frames;
mod host;
mod limits;
mod link;
mod message;
mod meter;
mod nats;
mod needs;
mod own;
mod process;
mod progress;
mod reader;
mod report;
mod scenario;
mod sender;
mod tally;
mod timeline;
mod volley;
mod world;

pub(crate) use arguments::Arguments;

use anyhow::{Context, Result, bail};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

use host::Host;
use report::Report;

/// Measures, reports, and fails when something was lost.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let scenario = &arguments.scenario;
    let (place, output) = scenario.common();
    scenario.rooms()?;
    Report::can_publish(output)?;
    process::allow_connections(scenario.connections())?;
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
    // Heard from now on: a server that is started must not outlive us.
    let (mut interrupted, mut terminated) = {
        let _in_it = runtime.enter();
        let listen = |kind| signal(kind).context("cannot listen for signals");
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?)
    };
    let host = place.map(Host::new).transpose()?;
    if let Some(cpus) = place.and_then(|place| place.client_cpus.as_ref()) {
        process::run_on(cpus)?;
    }
    let local = LocalSet::new();
    let report = local.block_on(&runtime, async {
        tokio::select! {
            report = scenario::run(scenario, host) => report,
            _ = interrupted.recv() => bail!("interrupted"),
            _ = terminated.recv() => bail!("terminated"),
        }
    })?;
    report.publish(output)?;
    if report.is_good() {
        return Ok(());
    }
    let hint = if report.counts.refused > 0 {
        "\n  hint: that was more than the server can take here; lower --rate or --window"
    } else {
        ""
    };
    bail!("{}{hint}", report.verdict())
}
