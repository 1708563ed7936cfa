//! Charts as SVG: a curve of percentiles, bars over time, a line over time.

use std::fmt::Write as _;

use super::Latency;
use super::table::{mebibytes, thousands, time};
use crate::bench::timeline::Timeline;

/// The drawing's size, and the room that labels take at its edges; in units of its own.
const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 26.0;

/// Bars over the time of a run.
const BARS: usize = 80;

/// A line of a percentile chart.
pub(super) struct Curve<'a> {
    pub(super) name: String,
    /// `a` to `j`: the colour.
    pub(super) colour: char,
    pub(super) dashed: bool,
    pub(super) latency: &'a Latency,
}

fn x(share: f64) -> f64 {
    LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
}

fn y(share: f64) -> f64 {
    HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
}

fn svg(title: &str, content: &str) -> String {
    format!(r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{content}</svg>"#)
}

/// A line across at this share of the height, and its label.
fn across(out: &mut String, share: f64, label: &str) {
    let (at, right) = (y(share), x(1.0));
    let _ = write!(
        out,
        r#"<line class="grid" x1="{LEFT}" y1="{at:.1}" x2="{right}" y2="{at:.1}"/><text class="end" x="{:.1}" y="{:.1}">{label}</text>"#,
        LEFT - 8.0,
        at + 4.0
    );
}

/// Percentiles to the right, each step ten times rarer; times upwards, logarithmic.
pub(super) fn percentiles(curves: &[Curve]) -> String {
    let rarity = |quantile: f64| -(1.0 - quantile).log10();
    let points = || curves.iter().flat_map(|curve| &curve.latency.curve);
    let rarest = points().map(|point| rarity(point.0)).fold(1.0, f64::max);
    let steps = steps(
        points().map(|point| point.1).fold(f64::INFINITY, f64::min),
        points().map(|point| point.1).fold(0.0, f64::max),
    );
    let (Some(low), Some(high)) = (steps.first(), steps.last()) else { return String::new() };
    let height = |us: f64| (us / low).ln() / (high / low).ln();

    let mut out = String::new();
    // Over many decades a label for every step would be a smear.
    let is_labelled = |us: f64| steps.len() <= 7 || (us.log10() - us.log10().round()).abs() < 1e-9;
    steps
        .iter()
        .filter(|us| is_labelled(**us))
        .for_each(|us| across(&mut out, height(*us), &plain(time(*us))));
    let ticks = [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999_999];
    for quantile in ticks.into_iter().filter(|quantile| rarity(*quantile) <= rarest + 1e-9) {
        let at = x(rarity(quantile) / rarest);
        let label = format!("{:.4}", quantile * 100.0);
        let label = label.trim_end_matches('0').trim_end_matches('.');
        let _ = write!(
            out,
            r#"<line class="grid" x1="{at:.1}" y1="{}" x2="{at:.1}" y2="{}"/><text class="middle" x="{at:.1}" y="{}">{label} %</text>"#,
            y(1.0),
            y(0.0),
            HEIGHT - 6.0
        );
    }
    for curve in curves {
        let place = |(quantile, us): &(f64, f64)| {
            format!("{:.1},{:.1}", x(rarity(*quantile) / rarest), y(height(*us)))
        };
        let places: Vec<_> = curve.latency.curve.iter().map(place).collect();
        let dashed = if curve.dashed { " dashed" } else { "" };
        let _ = write!(
            out,
            r#"<polyline class="curve {}{dashed}" points="{}"/>"#,
            curve.colour,
            places.join(" ")
        );
    }
    svg("Latency by percentile", &out)
}

/// The round numbers 1, 2 and 5 times a power of ten from below `least` to above `most`.
fn steps(least: f64, most: f64) -> Vec<f64> {
    let all = (-2..9).flat_map(|exponent| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(exponent)));
    let all: Vec<f64> = all.collect();
    let from = all.partition_point(|step| *step <= least).saturating_sub(1);
    let to = all.partition_point(|step| *step < most);
    all.get(from..=to.max(from + 1)).unwrap_or_default().to_vec()
}

/// `5.00 ms` as `5 ms`: on an axis there are round numbers only.
fn plain(time: String) -> String {
    let (number, unit) = time.split_once(' ').unwrap_or((&time, ""));
    let number =
        if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    format!("{number} {unit}")
}

/// Deliveries a second over the run, or `what` else was counted.
pub(super) fn rates(timeline: &Timeline, what: &str) -> String {
    let (rates, part_s) = timeline.rates(BARS);
    let top = ceiling(rates.iter().copied().fold(0.0, f64::max));
    let mut out = String::new();
    for quarter in 0..=4 {
        across(&mut out, f64::from(quarter) / 4.0, &short(top * f64::from(quarter) / 4.0));
    }
    let width = (x(1.0) - x(0.0)) / rates.len().max(1) as f64;
    for (i, rate) in rates.iter().enumerate() {
        let (left, upper) = (x(0.0) + i as f64 * width, y(rate / top));
        let gap = (width * 0.18).min(3.0);
        let _ = write!(
            out,
            r#"<rect class="bar" x="{:.1}" y="{upper:.1}" width="{:.1}" height="{:.1}" rx="1.5"><title>{:.1} s: {} {what}/s</title></rect>"#,
            left + gap / 2.0,
            width - gap,
            y(0.0) - upper,
            i as f64 * part_s,
            thousands(*rate as u64)
        );
    }
    over_time(&mut out, timeline);
    svg(&format!("{what} a second over time"), &out)
}

/// Resident memory over the run; `None` where it is not known.
pub(super) fn memory(timeline: &Timeline) -> Option<String> {
    let length = timeline.samples.last()?.at_s.max(0.001);
    let known: Vec<_> = timeline.samples.iter().filter_map(|s| Some((s.at_s, s.rss_kib?))).collect();
    let top = ceiling(known.iter().map(|(_, kib)| *kib).max()? as f64 / 1024.0);
    let mut out = String::new();
    for quarter in 0..=4 {
        across(
            &mut out,
            f64::from(quarter) / 4.0,
            &mebibytes((top * 256.0) as u64 * quarter as u64).replace(".0", ""),
        );
    }
    let place =
        |(at_s, kib): &(f64, u64)| format!("{:.1},{:.1}", x(at_s / length), y(*kib as f64 / 1024.0 / top));
    let line = known.iter().map(place).collect::<Vec<_>>().join(" ");
    let (left, right, ground) = (x(0.0), x(known.last()?.0 / length), y(0.0));
    let _ = write!(
        out,
        r#"<polygon class="area d" points="{left:.1},{ground:.1} {line} {right:.1},{ground:.1}"/><polyline class="curve d" points="{line}"/>"#
    );
    over_time(&mut out, timeline);
    Some(svg("Memory of the server over time", &out))
}

/// Seconds below, and where phases began.
fn over_time(out: &mut String, timeline: &Timeline) {
    let length = timeline.samples.last().map_or(0.001, |sample| sample.at_s.max(0.001));
    let step = ceiling(length / 8.0);
    let mut at_s = 0.0;
    while at_s <= length {
        let label = format!("{at_s:.2}");
        let label = label.trim_end_matches('0').trim_end_matches('.');
        let _ = write!(
            out,
            r#"<text class="middle" x="{:.1}" y="{}">{label} s</text>"#,
            x(at_s / length),
            HEIGHT - 6.0
        );
        at_s += step;
    }
    let mut last = f64::NEG_INFINITY;
    for (at_s, name) in &timeline.phases {
        let at = x(at_s / length);
        let _ = write!(
            out,
            r#"<line class="phase" x1="{at:.1}" y1="{}" x2="{at:.1}" y2="{}"/>"#,
            TOP - 12.0,
            y(0.0)
        );
        // Phases that begin almost together would write over each other.
        if at - last > 70.0 {
            let (class, from) = if at > WIDTH - 90.0 { ("end", at - 5.0) } else { ("start", at + 5.0) };
            let _ = write!(out, r#"<text class="{class}" x="{from:.1}" y="{}">{name}</text>"#, TOP - 6.0);
            last = at;
        }
    }
}

/// The next round number: 1, 2, 4, 6 or 8 times a power of ten, so that quarters are round, too.
fn ceiling(number: f64) -> f64 {
    let power = 10_f64.powf(number.max(0.01).log10().floor());
    [1.0, 2.0, 4.0, 6.0, 8.0]
        .map(|digit| digit * power)
        .into_iter()
        .find(|round| *round >= number)
        .unwrap_or(10.0 * power)
}

/// `250k`, `1.5M`.
fn short(number: f64) -> String {
    let (value, unit) = match number {
        _ if number < 1e3 => (number, ""),
        _ if number < 1e6 => (number / 1e3, "k"),
        _ => (number / 1e6, "M"),
    };
    let text = format!("{value:.2}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers_around_the_data() {
        assert_eq!(steps(130.0, 900.0), [100.0, 200.0, 500.0, 1000.0]);
        assert_eq!(steps(100.0, 100.0), [100.0, 200.0]);
        for (number, round) in [(0.3, 0.4), (1.0, 1.0), (7.0, 8.0), (9.1, 10.0), (21_000.0, 40_000.0)] {
            assert!((ceiling(number) - round).abs() < 1e-9 * round, "{number}: {}", ceiling(number));
        }
        assert_eq!([0.0, 750.0, 2500.0, 1e6].map(short), ["0", "750", "2.5k", "1M"]);
        assert_eq!(
            ["5.00 ms", "100 µs", "20.0 s"].map(|text| plain(text.to_owned())),
            ["5 ms", "100 µs", "20 s"]
        );
    }
}
