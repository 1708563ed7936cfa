//! A server of our own: this same program, as a process with a secret, a port and a directory for this run.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result};
use tempfile::TempDir;
use wigeon_client::fresh_id;

use super::arguments;
use super::child::{Started, last_words};
use super::host::Door;
use super::limits::START;
use super::nats::Nats;

/// The environment's name for the secret, the same as the server's.
pub(super) const SECRET_VARIABLE: &str = "WIGEON_AUTH_SECRET";

/// How servers of a run are started.
pub(super) struct Recipe {
    scratch: PathBuf,
    pub(super) secret: String,
    arguments: Vec<String>,
}

impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipe").field("arguments", &self.arguments).finish_non_exhaustive()
    }
}

impl Recipe {
    /// A server with a log of its own.
    pub(super) fn alone(asked: &arguments::Own) -> Self {
        Self::with(asked, &["--durability", asked.durability.as_str()])
    }

    /// A node whose log is there.
    pub(super) fn node(asked: &arguments::Own, nats: &Nats) -> Self {
        let replicas = nats.urls().len().to_string();
        let servers = nats.urls().iter().flat_map(|url| ["--nats", url]);
        Self::with(asked, &["--nats-replicas", &replicas].into_iter().chain(servers).collect::<Vec<_>>())
    }

    fn with(asked: &arguments::Own, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Self { scratch: asked.scratch(), secret: fresh_id(), arguments }
    }

    /// Starts one more.
    pub(super) fn start(&self) -> Result<Own> {
        let directory = directory(&self.scratch)?;
        let log = directory.path().join("log");
        let mut command = Command::new(std::env::current_exe().context("cannot tell where this program is")?);
        // Nothing of the surroundings is meant for it: neither their variables nor their wigeon.toml.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WIGEON_"))
        {
            command.env_remove(name);
        }
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data", "data", "--log", "warn"])
            .args(&self.arguments)
            .env(SECRET_VARIABLE, &self.secret)
            .current_dir(directory.path());
        let mut process = Started::new(&mut command, &log)?;
        let address =
            address(&mut process).with_context(|| format!("the server did not start{}", last_words(&log)))?;
        Ok(Own { door: Door::at(address), process, directory })
    }
}

/// A server of our own. Ends with this, and its data after it.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) door: Door,
    process: Started,
    directory: TempDir,
}

impl Own {
    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// A directory that goes with the run.
pub(super) fn directory(scratch: &Path) -> Result<TempDir> {
    let directory = tempfile::Builder::new().prefix("wigeon-bench-").tempdir_in(scratch);
    directory.with_context(|| format!("cannot make a directory in {}", scratch.display()))
}

/// Waits for the line that says where it is.
fn address(process: &mut Started) -> Result<SocketAddr> {
    let stdout = process.said().context("it has no output")?;
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
