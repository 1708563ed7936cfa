//! Servers of NATS for a cluster on this machine: processes that keep their streams in a directory of the run.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::time::sleep;
use wigeon_client::{Client, Method};

use super::child::{Started, last_words};
use super::limits::{LOOK, START};
use super::own::directory;

const PROGRAM: &str = "nats-server";

/// Servers that know each other. They end with this, and their streams after them.
#[derive(Debug)]
pub(super) struct Nats {
    urls: Vec<String>,
    servers: Vec<Started>,
    _directory: TempDir,
}

/// The ports of one server: for clients, for looking at it, and for the other servers.
type Ports = [u16; 3];

impl Nats {
    /// Fails where there is no NATS, with what to do about it.
    pub(super) fn is_there() -> Result<()> {
        let asked = Command::new(PROGRAM).arg("--version").output();
        if asked.is_ok_and(|answer| answer.status.success()) {
            return Ok(());
        }
        bail!(
            "no {PROGRAM} in PATH\n  hint: a cluster keeps its log in NATS: install the package {PROGRAM} of your system, or the program from https://nats.io/download"
        )
    }

    /// Starts so many, and waits until they have found together.
    pub(super) async fn start(scratch: &Path, count: usize) -> Result<Self> {
        let directory = directory(scratch)?;
        let ports = free_ports(count)?;
        let routes: Vec<_> = ports.iter().map(|[.., route]| format!("nats://127.0.0.1:{route}")).collect();
        let mut servers = Vec::new();
        for (number, [client, monitor, _]) in ports.iter().enumerate() {
            let store = directory.path().join(format!("nats-{number}"));
            let mut command = Command::new(PROGRAM);
            command.arg("--addr=127.0.0.1").arg("--jetstream");
            command.args([format!("--port={client}"), format!("--http_port={monitor}")]);
            command.args([format!("--store_dir={}", store.display()), format!("--server_name=n{number}")]);
            if count > 1 {
                let (own, all) = (&routes[number], routes.join(","));
                command.args(["--cluster_name=bench", "--cluster", own, "--routes", &all]);
            }
            let log = directory.path().join(format!("log-{number}"));
            let mut server = Started::new(&mut command, &log)?;
            if server.has_ended() {
                bail!("{PROGRAM} did not start{}", last_words(&log));
            }
            servers.push(server);
        }
        for (number, [_, monitor, _]) in ports.iter().enumerate() {
            healthy(*monitor).await.with_context(|| {
                let log = directory.path().join(format!("log-{number}"));
                format!("{PROGRAM} is not ready{}", last_words(&log))
            })?;
        }
        let urls = ports.iter().map(|[client, ..]| format!("nats://127.0.0.1:{client}")).collect();
        Ok(Self { urls, servers, _directory: directory })
    }

    /// Where clients reach them.
    pub(super) fn urls(&self) -> &[String] {
        &self.urls
    }

    pub(super) fn pids(&self) -> Vec<u32> {
        self.servers.iter().map(Started::pid).collect()
    }
}

/// Ports that nobody has at this moment. Servers have to be told of each other before they are there, so that
/// they cannot choose for themselves.
fn free_ports(servers: usize) -> Result<Vec<Ports>> {
    let listener = || TcpListener::bind("127.0.0.1:0").context("no port is free");
    // All are held before the first is let go, or one would be given out twice.
    let held: Vec<_> = (0..3 * servers).map(|_| listener()).collect::<Result<_>>()?;
    let port = |listener: &TcpListener| Ok(listener.local_addr()?.port());
    let ports: Vec<u16> = held.iter().map(port).collect::<Result<_>>()?;
    Ok(ports.chunks_exact(3).map(|ports| [ports[0], ports[1], ports[2]]).collect())
}

/// Waits until a server has its JetStream ready and is level with the others.
async fn healthy(monitor: u16) -> Result<()> {
    let client = Client::new(&format!("http://127.0.0.1:{monitor}"))?;
    let until = Instant::now() + START;
    loop {
        let answer = client.raw(Method::GET, "/healthz", &[], "").await;
        match answer {
            Ok(answer) if answer.status == 200 => return Ok(()),
            _ if Instant::now() > until => bail!("it was not healthy within {} s", START.as_secs()),
            _ => sleep(LOOK).await,
        }
    }
}
