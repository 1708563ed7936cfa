//! The server that is measured: our own, started for this run, or one that is already somewhere.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use wigeon_client::fresh_id;
use wigeon_proto::id::UserId;
use wigeon_server::auth::{Role, Secret, Tokens};

use super::arguments::Where;
use super::limits::{END, LOOK, START};
use super::process;

/// How long the tokens of a run are good, in seconds: longer than any run.
const TOKEN_S: u64 = 6 * 3600;
/// The environment's name for the secret, the same as the server's.
const SECRET_VARIABLE: &str = "WIGEON_AUTH_SECRET";
/// The environment's name for a token.
const TOKEN_VARIABLE: &str = "WIGEON_BENCH_TOKEN";

#[derive(Debug)]
pub(super) struct Host {
    /// `http://host:port`
    pub(super) base: String,
    /// `host:port`, for the `Host` header.
    pub(super) authority: String,
    pub(super) address: SocketAddr,
    /// Whose CPU time and memory are measured.
    pub(super) pid: Option<u32>,
    credentials: Credentials,
    own: Option<Own>,
}

enum Credentials {
    Sign(Box<Tokens>),
    Token(String),
}

impl Credentials {
    /// What opens a server that is already somewhere: a flag is stronger than the environment.
    fn find(place: &Where) -> Result<Self> {
        if let Some(token) = &place.token {
            return Ok(Self::Token(token.clone()));
        }
        if let Some(file) = &place.secret_file {
            let text = fs::read_to_string(file)
                .with_context(|| format!("cannot read the secret {}", file.display()))?;
            return sign_with(&text, &file.display().to_string());
        }
        if let Ok(token) = std::env::var(TOKEN_VARIABLE) {
            return Ok(Self::Token(token));
        }
        match std::env::var(SECRET_VARIABLE) {
            Ok(text) => sign_with(&text, SECRET_VARIABLE),
            Err(_) => bail!(
                "the server wants to know who asks\n  hint: --secret-file with the file `secret` of its data directory, or --token with what `wigeon token --user bench --role service` prints there"
            ),
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sign(_) => "Sign",
            Self::Token(_) => "Token",
        })
    }
}

impl Host {
    /// Starts a server, or finds the one that was named.
    pub(super) fn new(place: &Where) -> Result<Self> {
        match &place.url {
            Some(url) => Self::named(url, place),
            None => Self::started(place),
        }
    }

    /// A token for a service of this name: services may send as fast as they can.
    pub(super) fn token(&self, name: &str) -> Result<String> {
        self.token_of(name, Role::Service)
    }

    /// A token for a user, where we can make one; else the service's, which may act for them, and sees more.
    pub(super) fn user_token(&self, user: &str) -> Result<String> {
        self.token_of(user, Role::User)
    }

    fn token_of(&self, name: &str, role: Role) -> Result<String> {
        match &self.credentials {
            Credentials::Token(token) => Ok(token.clone()),
            Credentials::Sign(tokens) => {
                let now =
                    SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
                let user = UserId::parse(name)?;
                Ok(tokens.issue(&user, None, role, TOKEN_S, now.as_millis() as u64))
            }
        }
    }

    pub(super) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Bytes on the disk that our own server's data takes.
    pub(super) fn disk_bytes(&self) -> Option<u64> {
        self.own.as_ref().and_then(|own| process::disk_bytes(own.directory.path()).ok())
    }

    fn named(url: &str, place: &Where) -> Result<Self> {
        let base = url.trim_end_matches('/');
        let authority = base.strip_prefix("http://").with_context(|| {
            format!("{url} is not http://host:port; without TLS, so name the server's own port and not the proxy's")
        })?;
        let with_port =
            if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
        let address = with_port.to_socket_addrs().with_context(|| format!("cannot find {authority}"))?.next();
        let address = address.with_context(|| format!("{authority} has no address"))?;
        let credentials = Credentials::find(place)?;
        if let Some(pid) = place.pid.filter(|pid| process::cpu(*pid).is_none()) {
            bail!("no process {pid} on this machine, or no /proc to see it in");
        }
        Ok(Self {
            base: base.to_owned(),
            authority: authority.to_owned(),
            address,
            pid: place.pid,
            credentials,
            own: None,
        })
    }

    fn started(place: &Where) -> Result<Self> {
        let secret = fresh_id();
        let before = place.server_cpus.as_deref().map(process::run_on).transpose()?;
        let started = Own::start(place, &secret);
        if let Some(before) = before {
            process::run_on(&before)?;
        }
        let (own, address) = started?;
        Ok(Self {
            base: format!("http://{address}"),
            authority: address.to_string(),
            address,
            pid: Some(own.child.id()),
            credentials: sign_with(&secret, "this run")?,
            own: Some(own),
        })
    }
}

fn sign_with(secret: &str, from: &str) -> Result<Credentials> {
    Ok(Credentials::Sign(Box::new(Tokens::new(&Secret::from_text(secret, from)?))))
}

/// A server of our own. Ends with this, and its data too.
#[derive(Debug)]
struct Own {
    child: Child,
    directory: TempDir,
}

impl Own {
    fn start(place: &Where, secret: &str) -> Result<(Self, SocketAddr)> {
        let parent = place.scratch.clone().unwrap_or_else(std::env::temp_dir);
        let directory = tempfile::Builder::new().prefix("wigeon-bench-").tempdir_in(&parent);
        let directory =
            directory.with_context(|| format!("cannot make a directory in {}", parent.display()))?;
        let log = directory.path().join("log");
        let mut command = Command::new(program()?);
        // Nothing of the surroundings is meant for it: neither their variables nor their wigeon.toml.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WIGEON_"))
        {
            command.env_remove(name);
        }
        let child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--data", "data", "--log", "warn"])
            .args(["--durability", place.durability.as_str()])
            .env(SECRET_VARIABLE, secret)
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).context("cannot make the server's log")?)
            .spawn()
            .context("cannot start the server")?;
        let mut own = Self { child, directory };
        let address =
            own.address().with_context(|| format!("the server did not start{}", last_words(&log)))?;
        Ok((own, address))
    }

    /// Waits for the line that says where it is.
    fn address(&mut self) -> Result<SocketAddr> {
        let stdout = self.child.stdout.take().context("it has no output")?;
        let (say, heard) = mpsc::channel();
        // Reads on to the end, so that the server never writes into a closed pipe.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(url) = line.trim_start().strip_prefix("open").map(str::trim) {
                    let _ = say.send(url.trim_start_matches("http://").to_owned());
                }
            }
        });
        let text = heard.recv_timeout(START).context("it said nothing")?;
        text.parse().with_context(|| format!("it listens on {text}"))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let told = Pid::from_raw(self.child.id() as i32).map(|pid| kill_process(pid, Signal::TERM));
        let until = Instant::now() + END;
        while told.is_some() && Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(LOOK);
        }
        // Both fail only where it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Result<PathBuf> {
    std::env::current_exe().context("cannot tell where this program is")
}

/// The end of a log, as a part of an error.
fn last_words(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let line = text.lines().rev().find(|line| line.starts_with("error: ")).or(text.lines().last());
    line.map(|line| format!(": {}", line.trim_start_matches("error: "))).unwrap_or_default()
}
