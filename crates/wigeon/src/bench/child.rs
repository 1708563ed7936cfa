//! A program that was started for the run, and ends with it.

use std::fs;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use super::limits::{END, LOOK};

#[derive(Debug)]
pub(super) struct Started(Child);

impl Started {
    /// Starts it, with stderr into this file; stdout is for [`Self::said`].
    pub(super) fn new(command: &mut Command, log: &Path) -> Result<Self> {
        let log = fs::File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn();
        Ok(Self(child.with_context(|| format!("cannot start {}", command.get_program().display()))?))
    }

    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// What it prints; once.
    pub(super) fn said(&mut self) -> Option<ChildStdout> {
        self.0.stdout.take()
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let told = Pid::from_raw(self.0.id() as i32).map(|pid| kill_process(pid, Signal::TERM));
        let until = Instant::now() + END;
        while told.is_some() && Instant::now() < until && !self.has_ended() {
            thread::sleep(LOOK);
        }
        // Both fail only where it is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The end of a log, as a part of an error.
pub(super) fn last_words(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let line = text.lines().rev().find(|line| line.starts_with("error: ")).or(text.lines().last());
    line.map(|line| format!(": {}", line.trim_start_matches("error: "))).unwrap_or_default()
}
