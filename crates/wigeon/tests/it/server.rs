//! A server process of one's own: started, killed, started again over the same data.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::time::{sleep, timeout};
use wigeon_client::{Client, Method, fresh_id};

pub(crate) const SECRET: &str = "tests-secret-tests-secret-tests-secret";

/// How long anything may take before the test has failed: generous, for a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks at something that cannot be waited for in another way.
const LOOK: Duration = Duration::from_millis(5);

/// What `future` brings, unless it takes too long.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let in_time = timeout(PATIENCE, future).await;
    in_time.unwrap_or_else(|_| panic!("waited {PATIENCE:?} for {what}"))
}

/// Waits until `look` is true.
pub(crate) async fn until(what: &str, mut look: impl FnMut() -> bool) {
    soon(what, async {
        while !look() {
            sleep(LOOK).await;
        }
    })
    .await;
}

/// A directory that goes when the test goes; with `WIGEON_KEEP` set, one of a test that failed stays.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(fresh_id());
        std::fs::create_dir_all(&path).expect("a scratch directory");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::thread::panicking() && std::env::var_os("WIGEON_KEEP").is_some() {
            return eprintln!("--- kept: {}", self.0.display());
        }
        // What is left over is only rubbish in the target directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server, running or not.
#[derive(Debug)]
pub(crate) struct Server {
    scratch: Scratch,
    data: PathBuf,
    port: u16,
    environment: Vec<(String, String)>,
    process: Option<Child>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(environment: &[(&str, &str)]) -> Self {
        let scratch = Scratch::new();
        let data = scratch.path().join("data");
        Self::begin(scratch, data, environment).await
    }

    /// A server over data that is there.
    pub(crate) async fn start_over(data: &Path) -> Self {
        Self::begin(Scratch::new(), data.to_owned(), &[]).await
    }

    async fn begin(scratch: Scratch, data: PathBuf, environment: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment = environment.iter().map(own).collect();
        let mut server = Self { scratch, data, port: free_port(), environment, process: None };
        server.restart().await;
        server
    }

    /// Runs an errand over its data.
    pub(crate) fn errand(&self, arguments: &[&str]) -> Output {
        let output = Command::new(program()).args(arguments).arg("--data").arg(&self.data).output();
        output.expect("the program runs")
    }

    /// kill -9, and whatever it left behind is what its log says. Returns what the check had to say.
    pub(crate) fn kill_and_check(&mut self) -> String {
        self.kill();
        let said = self.errand(&["check"]);
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.status.success(), "{text}{}", String::from_utf8_lossy(&said.stderr));
        text
    }

    /// Starts it (again) and waits until it answers.
    pub(crate) async fn restart(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.log_path()).expect("a log");
        let child = Command::new(program())
            .args(["serve", "--listen", &format!("127.0.0.1:{}", self.port), "--data"])
            .arg(&self.data)
            .env("WIGEON_AUTH_SECRET", SECRET)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the server starts");
        self.process = Some(child);
        let client = self.anybody();
        soon("an answer of the new server", async {
            loop {
                let answer = client.raw(Method::GET, "/healthz", &[], "").await;
                if answer.is_ok_and(|answer| answer.status == 200) {
                    return;
                }
                if let Some(status) = self.child().try_wait().expect("a child of ours") {
                    panic!("the server ended with {status}:\n{}", self.log());
                }
                sleep(LOOK).await;
            }
        })
        .await;
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        self.child().kill().expect("it was running");
        self.child().wait().expect("it is gone");
        self.process = None;
    }

    /// SIGTERM: asks it to go.
    pub(crate) fn terminate(&mut self) {
        let id = self.child().id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("there is kill");
        assert!(told.success());
    }

    /// How it went.
    pub(crate) async fn exited(&mut self) -> ExitStatus {
        let mut status = None;
        until("the server to end", || {
            status = self.child().try_wait().expect("a child of ours");
            status.is_some()
        })
        .await;
        self.process = None;
        status.expect("waited for")
    }

    /// Resident memory in KiB.
    pub(crate) fn resident_kib(&mut self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child().id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says so");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Where its data is: for who changes it while the server stands.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A client without a token.
    pub(crate) fn anybody(&self) -> Client {
        Client::new(&self.base()).expect("a base")
    }

    pub(crate) fn user(&self, id: &str) -> Client {
        self.client(&["--user", id])
    }

    pub(crate) fn service(&self) -> Client {
        self.client(&["--user", "backend", "--role", "service"])
    }

    fn client(&self, who: &[&str]) -> Client {
        let output = Command::new(program())
            .arg("token")
            .args(who)
            .env("WIGEON_AUTH_SECRET", SECRET)
            .output()
            .expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.anybody().with_token(String::from_utf8_lossy(&output.stdout).trim())
    }

    fn child(&mut self) -> &mut Child {
        self.process.as_mut().expect("the server runs")
    }

    fn log_path(&self) -> PathBuf {
        self.scratch.path().join("log")
    }

    fn log(&self) -> String {
        let log = std::fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(4000)..]).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
        if std::thread::panicking() {
            eprintln!("--- the server's last words\n{}", self.log());
        }
    }
}

/// The build under test; `WIGEON=<path>` tries another, such as the release build.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("WIGEON").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_wigeon")), PathBuf::from)
}

/// A port nobody listens on. Below the range the system gives to outgoing connections: a client that
/// knocks there while the server is down could else be connected to itself, and hold the port. Only bound to see
/// whether it can be: a process that another test starts in this moment has a copy of every socket for a while, and
/// one that listened would be in the server's way.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 150) as u16 * 100;
    loop {
        let port = 12_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 15_000;
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("an option that every socket has");
        if socket.bind(([127, 0, 0, 1], port).into()).is_ok() {
            return port;
        }
    }
}

/// `send` to a room.
pub(crate) fn send(room: &str, text: &str) -> Value {
    json!({ "id": fresh_id(), "type": "send", "room": room, "body": { "text": text } })
}
