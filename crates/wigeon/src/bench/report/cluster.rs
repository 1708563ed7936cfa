//! What only `cluster` tells: the same load to several installations, side by side, and a node that caught up.

use serde::Serialize;

use super::Latency;
use super::chart::Curve;
use super::table::{Cell, mebibytes, thousands, time};

#[derive(Debug, Serialize)]
pub(in crate::bench) struct Cluster {
    /// The first is a single machine; what the others add is added to it.
    pub(in crate::bench) installations: Vec<Installation>,
    /// Of the last of them.
    pub(in crate::bench) catch_up: CatchUp,
}

/// Servers that hold one log together.
#[derive(Debug, Serialize)]
pub(in crate::bench) struct Installation {
    pub(in crate::bench) name: String,
    pub(in crate::bench) nodes: usize,
    /// As many as there are copies of the log; none where a server has its own.
    pub(in crate::bench) nats_servers: usize,
    pub(in crate::bench) talk: Talk,
    pub(in crate::bench) sends: Sends,
}

/// Messages at a modest pace from one node to another.
#[derive(Debug, Serialize)]
pub(in crate::bench) struct Talk {
    pub(in crate::bench) messages_per_s: f64,
    /// From a message to its reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::bench) acknowledged_us: Option<Latency>,
    /// From a message until its reader has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::bench) delivered_us: Option<Latency>,
}

/// As many messages as there can be.
#[derive(Debug, Serialize)]
pub(in crate::bench) struct Sends {
    pub(in crate::bench) seconds: f64,
    pub(in crate::bench) acknowledged: u64,
    pub(in crate::bench) acknowledged_per_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::bench) acknowledged_us: Option<Latency>,
    /// CPU time of all nodes.
    pub(in crate::bench) nodes: Cpu,
    /// CPU time of all servers of NATS.
    pub(in crate::bench) nats: Cpu,
    /// CPU time of this program.
    pub(in crate::bench) driver: Cpu,
}

/// CPU time that was spent; unknown where there is no /proc, or nobody who could spend it.
#[derive(Debug, Default, Serialize)]
pub(in crate::bench) struct Cpu {
    /// For one message, or one entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::bench) us_each: Option<f64>,
    /// Of one processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::bench) percent: Option<f64>,
}

/// A new node, from its start with an empty directory until it takes traffic.
#[derive(Debug, Serialize)]
pub(in crate::bench) struct CatchUp {
    pub(in crate::bench) entries: u64,
    pub(in crate::bench) seconds: f64,
    pub(in crate::bench) entries_per_s: f64,
    /// CPU time of the node.
    pub(in crate::bench) node: Cpu,
    /// CPU time of all servers of NATS.
    pub(in crate::bench) nats: Cpu,
    /// The node's resident memory when it was level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::bench) rss_kib: Option<u64>,
}

impl Cpu {
    pub(in crate::bench) fn of(spent_s: Option<f64>, count: u64, seconds: f64) -> Self {
        Self {
            us_each: spent_s.filter(|_| count > 0).map(|spent| spent * 1e6 / count as f64),
            percent: spent_s.map(|spent| spent / seconds * 100.0),
        }
    }

    fn text(&self) -> String {
        let each = self.us_each.map_or_else(|| "-".to_owned(), |us| format!("{us:.1} µs each"));
        self.percent.map_or(each.clone(), |percent| format!("{each}, {percent:.0} % of a core"))
    }
}

impl Cluster {
    /// A column for each installation, and a line for the node that caught up.
    pub(super) fn cells(&self) -> Vec<Cell> {
        let row = |label, value: &dyn Fn(&Installation) -> String| {
            Cell::new(label, self.installations.iter().map(value).collect())
        };
        let acknowledged: Of = |talk| talk.acknowledged_us.as_ref();
        let delivered: Of = |talk| talk.delivered_us.as_ref();
        let mut cells = vec![Cell::head(self.installations.iter().map(|one| one.name.clone()).collect())];
        for (what, labels) in [
            (acknowledged, ["acknowledged p50", "p99", "p99.9"]),
            (delivered, ["delivered p50", "p99", "p99.9"]),
        ] {
            for (label, at) in labels.into_iter().zip(PERCENTILES) {
                cells.push(row(label, &|one| self.beside_the_first(one, what, at)));
            }
        }
        let sends = |at: At| {
            move |one: &Installation| {
                one.sends.acknowledged_us.as_ref().map_or("-".to_owned(), |us| time(at(us)))
            }
        };
        cells.extend([
            row("sends a second", &|one| thousands(one.sends.acknowledged_per_s.round() as u64)),
            row("at full load p50", &sends(PERCENTILES[0])),
            row("p99", &sends(PERCENTILES[1])),
            row("nodes' CPU", &|one| one.sends.nodes.text()),
            row("NATS' CPU", &|one| one.sends.nats.text()),
            row("driver CPU", &|one| one.sends.driver.text()),
        ]);
        let CatchUp { entries, seconds, entries_per_s, node, nats, rss_kib } = &self.catch_up;
        let memory = rss_kib.map(|kib| format!("; {} of memory then", mebibytes(kib))).unwrap_or_default();
        let text = format!(
            "{} entries in {seconds:.2} s, {} a second{memory}",
            thousands(*entries),
            thousands(entries_per_s.round() as u64)
        );
        cells.push(Cell::new("caught up", vec![text]));
        cells.push(Cell::new("CPU", vec![format!("the node {}; NATS {}", node.text(), nats.text())]));
        cells
    }

    /// A time, and what it is more than with a single machine.
    fn beside_the_first(&self, one: &Installation, of: Of, at: At) -> String {
        let us = |one: &Installation| of(&one.talk).map(at);
        match (us(one), us(&self.installations[0])) {
            (Some(here), Some(first)) if one.nats_servers > 0 => {
                format!("{} ({:+.2} ms)", time(here), (here - first) / 1e3)
            }
            (Some(here), _) => time(here),
            (None, _) => "-".to_owned(),
        }
    }

    /// What half of the acknowledgements take longer by the last installation than by the first, in milliseconds.
    pub(super) fn added_p50_ms(&self) -> Option<f64> {
        let p50 = |one: &Installation| Some(one.talk.acknowledged_us.as_ref()?.p50);
        Some((p50(self.installations.last()?)? - p50(self.installations.first()?)?) / 1e3)
    }

    /// A colour for each installation; acknowledgements are dashed.
    pub(super) fn curves(&self) -> Vec<Curve<'_>> {
        self.installations
            .iter()
            .zip('a'..)
            .flat_map(|(one, colour)| one.talk.curves(&one.name, colour))
            .collect()
    }
}

impl Talk {
    fn curves(&self, of: &str, colour: char) -> impl Iterator<Item = Curve<'_>> {
        let both = [
            ("delivered", false, self.delivered_us.as_ref()),
            ("acknowledged", true, self.acknowledged_us.as_ref()),
        ];
        let known = both.map(|(what, dashed, latency)| {
            Some(Curve { name: format!("{of}, {what}"), colour, dashed, latency: latency? })
        });
        known.into_iter().flatten()
    }
}

/// One of the two times of a talk.
type Of = fn(&Talk) -> Option<&Latency>;
/// One point of a distribution.
type At = fn(&Latency) -> f64;

const PERCENTILES: [At; 3] = [|latency| latency.p50, |latency| latency.p99, |latency| latency.p99_9];
