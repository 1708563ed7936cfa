//! How deliveries and memory went over the run, for the chart.

/// One look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// Seconds since the first look.
    pub(super) at_s: f64,
    /// Deliveries so far.
    pub(super) delivered: u64,
    pub(super) rss_kib: Option<u64>,
}

/// The looks of a run, and where its phases began.
#[derive(Debug, Default, Clone)]
pub(super) struct Timeline {
    pub(super) samples: Vec<Sample>,
    pub(super) phases: Vec<(f64, &'static str)>,
}

impl Timeline {
    /// The name of what begins now.
    pub(super) fn begin(&mut self, name: &'static str) {
        let at_s = self.samples.last().map_or(0.0, |sample| sample.at_s);
        self.phases.push((at_s, name));
    }

    /// Deliveries a second in at most `bars` equal parts of the run, and the length of a part in seconds.
    pub(super) fn rates(&self, bars: usize) -> (Vec<f64>, f64) {
        let (Some(first), Some(last)) = (self.samples.first(), self.samples.last()) else {
            return (Vec::new(), 0.0);
        };
        let parts = bars.min(self.samples.len() - 1);
        let part_s = (last.at_s - first.at_s) / parts.max(1) as f64;
        let delivered_at = |at_s: f64| {
            let after = self.samples.partition_point(|sample| sample.at_s < at_s).min(self.samples.len() - 1);
            let (a, b) = (self.samples[after.saturating_sub(1)], self.samples[after]);
            let share = if b.at_s > a.at_s { (at_s - a.at_s) / (b.at_s - a.at_s) } else { 1.0 };
            a.delivered as f64 + share * (b.delivered - a.delivered) as f64
        };
        let start = |part: usize| first.at_s + part as f64 * part_s;
        let rate = |part| (delivered_at(start(part + 1)) - delivered_at(start(part))).max(0.0) / part_s;
        ((0..parts).map(rate).collect(), part_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_hold_all_deliveries_whenever_one_looked() {
        let sample = |at_s: f64, delivered| Sample { at_s, delivered, rss_kib: None };
        let samples =
            vec![sample(0.0, 0), sample(0.1, 10), sample(0.35, 10), sample(0.5, 110), sample(1.0, 200)];
        let timeline = Timeline { samples, phases: Vec::new() };
        for bars in [1, 3, 4, 60] {
            let (rates, part_s) = timeline.rates(bars);
            assert_eq!(rates.len(), bars.min(4));
            let all: f64 = rates.iter().map(|rate| rate * part_s).sum();
            assert!((all - 200.0).abs() < 1e-6, "{bars}: {all}");
        }
        assert!(Timeline::default().rates(10).0.is_empty());
    }
}
