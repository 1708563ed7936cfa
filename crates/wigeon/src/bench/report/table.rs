//! The report as a person reads it at the terminal.

use std::fmt::Write as _;

use super::{Archive, Group, Latency, Phase, Report};

/// What 99 of 100 answers should not exceed, in microseconds: of the tenth of a second that feels like none, half is
/// left to the network and the page.
const ANSWER_US: f64 = 50_000.0;

/// A line of the table: one value, or one for each phase.
pub(super) struct Cell {
    pub(super) label: &'static str,
    pub(super) values: Vec<String>,
    /// Whether it says what stands below.
    pub(super) is_head: bool,
}

impl Cell {
    pub(super) fn new(label: &'static str, values: Vec<String>) -> Self {
        Self { label, values, is_head: false }
    }

    pub(super) fn head(values: Vec<String>) -> Self {
        Self { label: "", values, is_head: true }
    }
}

impl Report {
    pub(in crate::bench) fn table(&self) -> String {
        let mut out = format!("{}: {}\n{}\n\n", self.scenario, self.load, self.setting());
        let cells = self.cells();
        let label = cells.iter().map(|cell| cell.label.len()).max().unwrap_or(0);
        let columns: Vec<usize> = (0..columns(&cells))
            .map(|column| {
                let abreast = cells.iter().filter(|cell| cell.values.len() > 1);
                let values = abreast.filter_map(|cell| cell.values.get(column));
                values.map(|value| value.chars().count()).max().unwrap_or(0)
            })
            .collect();
        for cell in &cells {
            let mut line = format!("  {:<label$}", cell.label);
            for (value, width) in cell.values.iter().zip(&columns) {
                let width = if cell.values.len() > 1 { *width } else { 0 };
                let _ = write!(line, "   {value:<width$}");
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    /// Who spoke to whom.
    pub(super) fn setting(&self) -> String {
        let durability = self.durability.map(|word| format!(", durability {word}")).unwrap_or_default();
        format!(
            "{} connections by {} to {}{durability}",
            thousands(self.connections as u64),
            self.transport,
            self.server
        )
    }

    /// All there is to say: what was measured in each phase, side by side, and then the rest.
    pub(super) fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        let mut by_phase = |label, value: &dyn Fn(&Phase) -> Option<String>| {
            let values: Vec<_> = self.phases.iter().map(value).collect();
            if values.iter().any(Option::is_some) {
                let values = values.into_iter().map(|v| v.unwrap_or_else(|| "-".to_owned())).collect();
                cells.push(Cell::new(label, values));
            }
        };
        if self.phases.len() > 1 {
            by_phase("", &|phase| Some(phase.name.to_owned()));
        }
        by_phase("deliveries", &|phase| Some(thousands(phase.deliveries)));
        by_phase("a second", &|phase| Some(thousands(phase.deliveries_per_s.round() as u64)));
        by_phase("latency p50", &|phase| Some(time(phase.latency_us.as_ref()?.p50)));
        by_phase("p99", &|phase| Some(time(phase.latency_us.as_ref()?.p99)));
        by_phase("p99.9", &|phase| Some(time(phase.latency_us.as_ref()?.p99_9)));
        by_phase("max", &|phase| Some(time(phase.latency_us.as_ref()?.max)));
        by_phase("server CPU", &|phase| {
            Some(cpu(phase.server_cpu_us_per_delivery, phase.server_cpu_percent?))
        });
        by_phase("driver CPU", &|phase| {
            Some(cpu(phase.driver_cpu_us_per_delivery, phase.driver_cpu_percent?))
        });
        if let Some(first) = cells.first_mut() {
            first.is_head = self.phases.len() > 1;
        }
        if let Some(archive) = &self.archive {
            cells.extend(questions(archive));
        }
        if let Some(cluster) = &self.cluster {
            cells.extend(cluster.cells());
        }
        let mut row = |label, value| cells.push(Cell::new(label, vec![value]));
        if self.phases.iter().any(|phase| phase.driver_cpu_percent.is_some_and(|percent| percent > 90.0)) {
            row("", "the driver was busy all the time: it was the limit, not the server".to_owned());
        }
        if let Some(latency) = &self.acknowledged_us {
            row("acknowledged", percentiles(latency));
        }
        if let Some(idle) = &self.idle {
            let cost = idle.server_cpu_us_per_connect.map(|us| format!(", {us:.0} µs of server CPU each"));
            row("connected", format!("in {:.2} s{}", idle.connected_in_s, cost.unwrap_or_default()));
        }
        if let Some(storm) = &self.storm {
            row("all level after", format!("{:.2} s", storm.all_level_after_s));
            if let Some(latency) = &storm.level_after_us {
                row("one level after", percentiles(latency));
            }
        }
        if let Some(slow) = &self.slow {
            let missed = thousands(slow.missed_each);
            row(
                "stalled",
                format!(
                    "{} readers missed {missed} messages each, and had them after {:.2} s",
                    slow.stalled, slow.caught_up_after_s
                ),
            );
        }
        if let Some(memory) = &self.memory {
            let mut text = format!("{:.1} KiB a connection", memory.rss_kib_per_connection);
            if let Some(at_end) = self.idle.as_ref().and_then(|idle| idle.rss_kib_per_connection_at_end) {
                let _ = write!(text, ", {at_end:.1} KiB after the messages");
            }
            let _ = write!(text, "; {} connected", mebibytes(memory.rss_kib_connected));
            if let Some((quiet, stalled)) =
                self.slow.as_ref().and_then(|slow| slow.rss_kib_quiet.zip(slow.rss_kib_stalled))
            {
                let _ = write!(
                    text,
                    ", {} after the quiet, {} after the stall",
                    mebibytes(quiet),
                    mebibytes(stalled)
                );
            }
            row("server memory", format!("{text}, {} at the end", mebibytes(memory.rss_kib_at_end)));
        }
        if let Some(Group { records_per_message, receipts, .. }) = &self.group {
            row("records", format!("{records_per_message:.2} a message"));
            let cpu = receipts.server_cpu_us_per_receipt.map(|us| format!(", {us:.0} µs of server CPU each"));
            row(
                "read marks",
                format!(
                    "{} in {:.2} s{}; {:.2} records each; {:.2} frames to each reader",
                    thousands(receipts.count as u64),
                    receipts.seconds,
                    cpu.unwrap_or_default(),
                    receipts.records_per_receipt,
                    receipts.frames_per_reader
                ),
            );
        }
        row(if self.archive.is_some() { "answers" } else { "exactly once" }, self.verdict());
        cells
    }

    /// Whether the promise was kept.
    pub(in crate::bench) fn verdict(&self) -> String {
        let counts = &self.counts;
        let of = format!("{} of {}", thousands(counts.delivered), thousands(counts.expected));
        if self.is_good() {
            return match self.archive {
                Some(_) => format!("{of} were right"),
                None => format!("yes, {of} delivered once and in order"),
            };
        }
        let first = counts.first_failure.as_ref().map(|why| format!("; first: {why}"));
        let counts = [
            (counts.lost, "lost"),
            (counts.doubled, "doubled"),
            (counts.refused, "refused"),
            (counts.failed, "failed"),
        ];
        let counts = counts.map(|(count, what)| format!("{} {what}", thousands(count))).join(", ");
        format!("no, {of} delivered, {counts}{}", first.unwrap_or_default())
    }
}

/// How many stand abreast at most.
pub(super) fn columns(cells: &[Cell]) -> usize {
    cells.iter().map(|cell| cell.values.len()).max().unwrap_or(0)
}

/// The questions of an archive, one to a line: alone, and beside writers.
fn questions(archive: &Archive) -> Vec<Cell> {
    let Archive { filled, rate, alone, writing } = archive;
    let cpu = filled.server_cpu_us_per_message.map(|us| format!(", {us:.0} µs of server CPU each"));
    let disk = filled.disk_bytes.zip(filled.disk_bytes_per_message);
    let disk = disk.map(|(all, each)| format!("; {each:.0} bytes of disk each, {}", mebibytes(all / 1024)));
    let searchable = filled.searchable_after_s.map(|s| format!("; all found {s:.1} s later"));
    let text = format!(
        "in {:.1} s, {} messages a second{}{}{}",
        filled.seconds,
        thousands(filled.messages_per_s as u64),
        cpu.unwrap_or_default(),
        disk.unwrap_or_default(),
        searchable.unwrap_or_default()
    );
    let mut cells = vec![Cell::new("filled", vec![text])];
    let beside = format!("at {rate}/s p50");
    let names = ["alone p50", "p99", "p99.9", "CPU", &beside, "p99", "p99.9", "CPU"];
    cells.push(Cell::head(names.map(str::to_owned).into()));
    for (alone, writing) in alone.iter().zip(writing) {
        let values = [alone, writing].into_iter().flat_map(|phase| {
            let at = |time_of: fn(&Latency) -> f64| {
                phase.latency_us.as_ref().map_or_else(|| "-".to_owned(), |latency| time(time_of(latency)))
            };
            let cpu = phase.server_cpu_us_per_delivery.map_or_else(|| "-".to_owned(), time);
            [at(|latency| latency.p50), at(|latency| latency.p99), at(|latency| latency.p99_9), cpu]
        });
        cells.push(Cell::new(alone.name, values.collect()));
    }
    let phases = || alone.iter().chain(writing);
    let p99 = |phase: &Phase| phase.latency_us.as_ref().map_or(f64::INFINITY, |latency| latency.p99);
    let worst = phases().map(p99).fold(0.0, f64::max);
    let over = phases().filter(|phase| p99(phase) >= ANSWER_US).count();
    let verdict = match over {
        0 => format!("all below {}; the greatest is {}", time(ANSWER_US), time(worst)),
        _ => format!(
            "{over} of {} at {} or above; the greatest is {}",
            phases().count(),
            time(ANSWER_US),
            time(worst)
        ),
    };
    cells.push(Cell::new("p99", vec![verdict]));
    cells
}

fn cpu(us_per_delivery: Option<f64>, percent: f64) -> String {
    let each = us_per_delivery.map(|us| format!("{us:.2} µs each, "));
    format!("{}{percent:.0} % of a core", each.unwrap_or_default())
}

pub(super) fn percentiles(latency: &Latency) -> String {
    let Latency { p50, p99, p99_9, max, .. } = latency;
    let times = [("p50", p50), ("p99", p99), ("p99.9", p99_9), ("max", max)];
    times.map(|(name, us)| format!("{name} {}", time(*us))).join(", ")
}

/// A time in the unit in which it has one to three digits before the point.
pub(super) fn time(us: f64) -> String {
    let (value, unit) = match us {
        _ if us < 1000.0 => (us, "µs"),
        _ if us < 1e6 => (us / 1e3, "ms"),
        _ => (us / 1e6, "s"),
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

pub(super) fn mebibytes(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}

pub(in crate::bench) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_one_reads() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        let times = [0.4, 56.78, 999.4, 1234.0, 12_345.0, 2_500_000.0].map(time);
        assert_eq!(times, ["0.40 µs", "56.8 µs", "999 µs", "1.23 ms", "12.3 ms", "2.50 s"]);
    }
}
