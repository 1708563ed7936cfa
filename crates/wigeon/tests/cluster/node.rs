//! One Wigeon node: a process with a data directory of its own, on a log that others share.

use crate::single::{SECRET, Scratch, free_port, program, soon};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tokio::time::sleep;
use wigeon_client::{Client, Method};

/// Between two looks at something that cannot be waited for in another way.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Node {
    scratch: Scratch,
    pub(crate) port: u16,
    environment: Vec<(String, String)>,
    process: Option<Child>,
}

impl Node {
    /// A node that is not started yet. What the environment names goes before what a cluster needs; an empty
    /// value is none.
    pub(crate) fn new(nats: &str, replicas: usize, environment: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let replicas = replicas.to_string();
        let cluster =
            [("WIGEON_AUTH_SECRET", SECRET), ("WIGEON_NATS", nats), ("WIGEON_NATS_REPLICAS", &replicas)];
        let named = |name: &str| environment.iter().any(|(other, _)| *other == name);
        let others = cluster.iter().filter(|(name, _)| !named(name));
        let environment = others.chain(environment).map(own).collect();
        Self { scratch: Scratch::new(), port: free_port(), environment, process: None }
    }

    /// The same directory, and another NATS.
    pub(crate) fn moved_to(mut self, nats: &str) -> Self {
        let names = self.environment.iter_mut().filter(|(name, _)| name == "WIGEON_NATS");
        names.for_each(|(_, value)| nats.clone_into(value));
        self
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn spawn(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.log_path()).expect("a log");
        let child = Command::new(program())
            .args(["serve", "--listen", &format!("127.0.0.1:{}", self.port), "--data"])
            .arg(self.data())
            .env_remove("WIGEON_AUTH_SECRET")
            .envs(self.environment.iter().filter(|(_, value)| !value.is_empty()).cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn();
        self.process = Some(child.expect("the program starts"));
    }

    /// Waits until it takes traffic.
    pub(crate) async fn ready(&mut self) {
        let client = Client::new(&self.base()).expect("a base");
        soon("a node that is ready", async {
            while !is_ready(&client).await {
                if let Some(status) = self.process().try_wait().expect("a child of ours") {
                    panic!("the node ended with {status}:\n{}", self.log());
                }
                sleep(LOOK).await;
            }
        })
        .await;
    }

    /// Whether it says that it takes traffic.
    pub(crate) async fn says_ready(&self) -> bool {
        is_ready(&Client::new(&self.base()).expect("a base")).await
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("it was running");
        process.kill().expect("it was running");
        process.wait().expect("it is gone");
    }

    /// SIGTERM, SIGSTOP or SIGCONT.
    pub(crate) fn signal(&mut self, name: &str) {
        signal(self.process().id(), name);
    }

    /// How it ended by itself.
    pub(crate) async fn exited(&mut self) -> ExitStatus {
        let status = soon("the node to end", async {
            loop {
                if let Some(status) = self.process().try_wait().expect("a child of ours") {
                    return status;
                }
                sleep(LOOK).await;
            }
        });
        let status = status.await;
        self.process = None;
        status
    }

    pub(crate) fn log(&self) -> String {
        let log = std::fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(4000)..]).into_owned()
    }

    fn log_path(&self) -> PathBuf {
        self.scratch.path().join("log")
    }

    fn process(&mut self) -> &mut Child {
        self.process.as_mut().expect("the node runs")
    }
}

async fn is_ready(client: &Client) -> bool {
    let answer = client.raw(Method::GET, "/readyz", &[], "").await;
    answer.is_ok_and(|answer| answer.status == 200)
}

/// Sends a signal to a process of ours.
pub(crate) fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
    assert!(sent.expect("there is kill").success(), "{name} to {process}");
}

impl Drop for Node {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
        if std::thread::panicking() {
            eprintln!("--- a node's last words\n{}", self.log());
        }
    }
}
