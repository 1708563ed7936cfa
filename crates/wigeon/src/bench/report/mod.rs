//! What came of a run, as data: the table, the JSON and the page are made from it.

mod chart;
mod cluster;
mod page;
mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use serde::Serialize;

pub(super) use cluster::{CatchUp, Cluster, Cpu, Installation, Sends, Talk};
pub(super) use table::thousands;

use super::arguments::Output;
use super::tally::us;
use super::timeline::Timeline;
use crate::speak;

/// A whole run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) scenario: &'static str,
    pub(super) version: &'static str,
    /// The server's address, or `own`.
    pub(super) server: String,
    /// What was asked of our own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) durability: Option<&'static str>,
    pub(super) transport: &'static str,
    /// In words: how many readers, how many messages, when.
    pub(super) load: String,
    pub(super) connections: usize,
    #[serde(flatten)]
    pub(super) counts: Counts,
    pub(super) phases: Vec<Phase>,
    /// From a message to its reply: until it is stored as `durability` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) acknowledged_us: Option<Latency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) memory: Option<Memory>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) idle: Option<Idle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) storm: Option<Storm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) slow: Option<Slow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<Group>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) archive: Option<Archive>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cluster: Option<Cluster>,
    #[serde(skip)]
    pub(super) timeline: Timeline,
}

/// What was sent, and what came of it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Counts {
    /// Messages sent, with those that were never measured.
    pub(super) messages: u64,
    /// Deliveries that had to be, and that were.
    pub(super) expected: u64,
    pub(super) delivered: u64,
    pub(super) lost: u64,
    pub(super) doubled: u64,
    /// Messages that the server did not take.
    pub(super) refused: u64,
    pub(super) failed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_failure: Option<String>,
}

impl Counts {
    /// Whether every reader got every message once and in order, and nothing else went wrong.
    fn are_good(&self) -> bool {
        self.lost + self.doubled + self.refused + self.failed == 0 && self.delivered == self.expected
    }

    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            messages: self.messages + other.messages,
            expected: self.expected + other.expected,
            delivered: self.delivered + other.delivered,
            lost: self.lost + other.lost,
            doubled: self.doubled + other.doubled,
            refused: self.refused + other.refused,
            failed: self.failed + other.failed,
            first_failure: self.first_failure.or(other.first_failure),
        }
    }
}

/// A part of a run, measured for itself.
#[derive(Debug, Serialize)]
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) seconds: f64,
    pub(super) deliveries: u64,
    pub(super) deliveries_per_s: f64,
    /// From just before a message is sent until a reader has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latency_us: Option<Latency>,
    /// CPU time of the server, user and system, by the number of deliveries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_us_per_delivery: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) driver_cpu_us_per_delivery: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) driver_cpu_percent: Option<f64>,
}

/// A distribution, in microseconds.
#[derive(Debug, Serialize)]
pub(super) struct Latency {
    pub(super) count: u64,
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
    pub(super) p99_9: f64,
    pub(super) max: f64,
    /// Points of the curve: quantile and microseconds.
    #[serde(skip)]
    curve: Vec<(f64, f64)>,
}

impl Latency {
    /// `None` where nothing was measured.
    pub(super) fn of(nanoseconds: &Histogram<u64>) -> Option<Self> {
        let at = |quantile| us(nanoseconds.value_at_quantile(quantile));
        // Five steps halve what is still slower. The fastest tenth, which nobody waits for, is left out.
        let quantiles = (1..=100).map(|step| 1.0 - 0.5_f64.powf(f64::from(step) / 5.0));
        // Beyond the last message there is only the greatest again.
        let told = quantiles.filter(|quantile| (1.0 - quantile) * nanoseconds.len() as f64 >= 1.0);
        (!nanoseconds.is_empty()).then(|| Self {
            count: nanoseconds.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            max: us(nanoseconds.max()),
            curve: told.map(|quantile| (quantile, at(quantile))).collect(),
        })
    }
}

/// Resident memory of the server.
#[derive(Debug, Serialize)]
#[allow(
    clippy::struct_field_names,
    reason = "the JSON has no other place for what is measured, and in which unit"
)]
pub(super) struct Memory {
    pub(super) rss_kib_before: u64,
    pub(super) rss_kib_connected: u64,
    pub(super) rss_kib_at_end: u64,
    pub(super) rss_kib_per_connection: f64,
}

impl Memory {
    pub(super) fn of(
        before: Option<u64>,
        connected: Option<u64>,
        at_end: Option<u64>,
        connections: usize,
    ) -> Option<Self> {
        let (before, connected) = (before?, connected?);
        Some(Self {
            rss_kib_before: before,
            rss_kib_connected: connected,
            rss_kib_at_end: at_end?,
            rss_kib_per_connection: (connected as f64 - before as f64) / connections.max(1) as f64,
        })
    }
}

/// What only `idle` tells.
#[derive(Debug, Serialize)]
pub(super) struct Idle {
    pub(super) connected_in_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_us_per_connect: Option<f64>,
    /// The connections' share of memory after the messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rss_kib_per_connection_at_end: Option<f64>,
}

/// What only `resume-storm` tells.
#[derive(Debug, Serialize)]
pub(super) struct Storm {
    pub(super) clients: usize,
    /// Messages that each had missed.
    pub(super) behind: usize,
    /// From the first SYN until the last client was level.
    pub(super) all_level_after_s: f64,
    /// From the first SYN until a client was level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) level_after_us: Option<Latency>,
}

/// What only `slow-readers` tells.
#[derive(Debug, Serialize)]
pub(super) struct Slow {
    pub(super) stalled: usize,
    /// Messages that a stalled reader had before it when it read on, those in the kernel's buffers with them.
    pub(super) missed_each: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rss_kib_quiet: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rss_kib_stalled: Option<u64>,
    pub(super) caught_up_after_s: f64,
}

/// What only `group` tells.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    pub(super) members: usize,
    /// Entries of the log for each message.
    pub(super) records_per_message: f64,
    pub(super) receipts: Receipts,
}

/// Every member has marked the group as read.
#[derive(Debug, Serialize)]
pub(super) struct Receipts {
    pub(super) count: usize,
    pub(super) seconds: f64,
    /// Entries of the log for each mark.
    pub(super) records_per_receipt: f64,
    /// Frames that came of it, to all who are there: their own marks, and whatever else.
    pub(super) frames: u64,
    pub(super) frames_per_reader: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_us_per_receipt: Option<f64>,
}

/// What only `archive` tells. Its deliveries are right answers.
#[derive(Debug, Serialize)]
pub(super) struct Archive {
    pub(super) filled: Filled,
    /// Messages a second that were written the second time.
    pub(super) rate: u32,
    /// Each question by itself.
    pub(super) alone: Vec<Phase>,
    /// The same while others write.
    pub(super) writing: Vec<Phase>,
}

/// How an archive came to be.
#[derive(Debug, Serialize)]
pub(super) struct Filled {
    pub(super) messages: u64,
    pub(super) seconds: f64,
    pub(super) messages_per_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_us_per_message: Option<f64>,
    /// From the last message until a search needs one answer; not there where it never came to that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) searchable_after_s: Option<f64>,
    /// On the disk, with the log and all tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) disk_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) disk_bytes_per_message: Option<f64>,
}

impl Report {
    /// Whether the run's promise was kept.
    pub(super) fn is_good(&self) -> bool {
        self.counts.are_good()
    }

    /// Fails where [`Self::publish`] would: before a long run and not after it.
    pub(super) fn can_publish(asked: &Output) -> Result<()> {
        for file in [&asked.json, &asked.plot].into_iter().flatten().filter(|file| *file != Path::new("-")) {
            let opened = fs::OpenOptions::new().append(true).create(true).open(file);
            opened.with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }

    /// Puts it where it was asked for; the table goes to stdout, unless the JSON is there.
    pub(super) fn publish(&self, asked: &Output) -> Result<()> {
        let json = serde_json::to_string_pretty(self)? + "\n";
        match &asked.json {
            Some(file) if file == Path::new("-") => speak::say(&json),
            Some(file) => {
                write(file, &json)?;
                speak::say(&self.table());
            }
            None => speak::say(&self.table()),
        }
        if let Some(file) = &asked.plot {
            write(file, &self.page())?;
        }
        Ok(())
    }
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}
