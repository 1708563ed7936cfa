//! NATS servers of one's own: real processes, one to three of them, that may be killed, stopped and started again.

use crate::replicas;
use crate::single::{Scratch, free_port, soon};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::sleep;

/// Between two looks at something that cannot be waited for in another way.
const LOOK: Duration = Duration::from_millis(20);

/// Servers that know each other.
#[derive(Debug)]
pub(crate) struct Nats {
    scratch: Scratch,
    servers: Vec<Server>,
}

#[derive(Debug)]
struct Server {
    client: u16,
    monitor: u16,
    arguments: Vec<String>,
    process: Option<Child>,
}

impl Nats {
    /// Starts so many servers, and waits until JetStream has a leader.
    pub(crate) async fn start(count: usize) -> Self {
        Self::start_with(count, &[]).await
    }

    /// As [`Self::start`], with more arguments for each.
    pub(crate) async fn start_with(count: usize, more: &[&str]) -> Self {
        let scratch = Scratch::new();
        let ports: Vec<[u16; 3]> = (0..count).map(|_| [free_port(), free_port(), free_port()]).collect();
        let routes: Vec<_> = ports.iter().map(|[.., route]| format!("nats://127.0.0.1:{route}")).collect();
        let server = |(n, [client, monitor, route]): (usize, &[u16; 3])| {
            let store = store(&scratch, n);
            let mut arguments = vec![
                "--addr=127.0.0.1".to_owned(),
                format!("--port={client}"),
                format!("--http_port={monitor}"),
                "--jetstream".to_owned(),
                format!("--store_dir={}", store.display()),
                format!("--server_name=n{n}"),
            ];
            if count > 1 {
                arguments.push("--cluster_name=tests".to_owned());
                arguments.push(format!("--cluster=nats://127.0.0.1:{route}"));
                arguments.push(format!("--routes={}", routes.join(",")));
            }
            arguments.extend(more.iter().map(ToString::to_string));
            Server { client: *client, monitor: *monitor, arguments, process: None }
        };
        let servers = ports.iter().enumerate().map(server).collect();
        let mut nats = Self { scratch, servers };
        for n in 0..count {
            nats.restart(n);
        }
        nats.healthy().await;
        nats
    }

    /// For `--nats`.
    pub(crate) fn urls(&self) -> String {
        let urls: Vec<_> =
            self.servers.iter().map(|server| format!("nats://127.0.0.1:{}", server.client)).collect();
        urls.join(",")
    }

    /// Where clients reach the servers.
    pub(crate) fn ports(&self) -> Vec<u16> {
        self.servers.iter().map(|server| server.client).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.servers.len()
    }

    pub(crate) fn restart(&mut self, n: usize) {
        let path = self.scratch.path().join(format!("nats-{n}.log"));
        let log = std::fs::File::options().create(true).append(true).open(path).expect("a log");
        let server = &mut self.servers[n];
        let child = Command::new("nats-server")
            .args(&server.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn();
        server.process = Some(child.expect("nats-server is installed"));
    }

    /// kill -9.
    pub(crate) fn kill(&mut self, n: usize) {
        let mut process = self.servers[n].process.take().expect("it was running");
        process.kill().expect("it was running");
        process.wait().expect("it is gone");
    }

    /// SIGSTOP or SIGCONT.
    pub(crate) fn signal(&self, n: usize, name: &str) {
        let process = self.servers[n].process.as_ref().expect("it runs");
        crate::node::signal(process.id(), name);
    }

    /// Waits until every server has JetStream ready and is level with the others.
    pub(crate) async fn healthy(&self) {
        for server in &self.servers {
            soon("a healthy NATS", async {
                while !ask(server.monitor, "/healthz").contains("\"ok\"") {
                    sleep(LOOK).await;
                }
            })
            .await;
        }
    }

    /// Waits until a stream has a leader, and every other server is level with it. The servers' own word for
    /// their health asks for more than that, and may not come for minutes.
    pub(crate) async fn level(&self, stream: &str) {
        soon("level replicas", async {
            while !self.is_level(stream) {
                sleep(LOOK).await;
            }
        })
        .await;
    }

    fn is_level(&self, stream: &str) -> bool {
        let Some(leader) = self.leader(stream) else { return false };
        let answer = ask(self.servers[leader].monitor, "/jsz?streams=true");
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let all: Value = serde_json::from_str(body).unwrap_or_default();
        let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
        let mut streams = list(&all, "account_details").into_iter().flat_map(|of| list(&of, "stream_detail"));
        let found = streams.find(|found| found["name"] == stream).unwrap_or_default();
        let replicas = list(&found["cluster"], "replicas");
        let is_level = |of: &Value| of["current"] == true && of["offline"] != true;
        replicas.len() + 1 == self.count() && replicas.iter().all(is_level)
    }

    /// The first message of a stream that servers differ about; see [`replicas`].
    pub(crate) fn come_apart(&self, stream: &str) -> Option<u64> {
        let stores: Vec<_> = (0..self.count()).map(|n| store(&self.scratch, n)).collect();
        replicas::come_apart(stores.iter().map(PathBuf::as_path), stream)
    }

    /// Which server leads a stream.
    pub(crate) fn leader(&self, stream: &str) -> Option<usize> {
        self.servers.iter().filter(|server| server.process.is_some()).find_map(|server| {
            let all = ask(server.monitor, "/jsz?streams=true");
            let (_, of) = all.split_once(&format!("\"name\": \"{stream}\""))?;
            let (_, leader) = of.split_once("\"leader\": \"n")?;
            leader.split('"').next()?.parse().ok()
        })
    }
}

/// Where a server keeps its streams.
fn store(scratch: &Scratch, n: usize) -> PathBuf {
    scratch.path().join(format!("nats-{n}"))
}

/// A server's answer; empty where there is none. Short and blocking: it is on this machine.
fn ask(port: u16, path: &str) -> String {
    let mut answer = String::new();
    let asked = TcpStream::connect(("127.0.0.1", port)).and_then(|mut connection| {
        connection.set_read_timeout(Some(Duration::from_secs(1)))?;
        write!(connection, "GET {path} HTTP/1.0\r\n\r\n")?;
        connection.read_to_string(&mut answer)
    });
    asked.map(|_| answer).unwrap_or_default()
}

impl Drop for Nats {
    fn drop(&mut self) {
        for n in 0..self.servers.len() {
            if self.servers[n].process.is_some() {
                self.kill(n);
            }
        }
    }
}
