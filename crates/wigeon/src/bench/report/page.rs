//! The report as one self-contained page: no script, nothing fetched, light and dark as the reader has it.

use std::fmt::Write as _;

use super::chart::{self, Curve};
use super::table::{Cell, columns, thousands, time};
use super::{Phase, Report};

const STYLE: &str = include_str!("page.css");

impl Report {
    pub(in crate::bench) fn page(&self) -> String {
        let verdict = if self.is_good() { "good" } else { "bad" };
        format!(
            r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wigeon bench {scenario}</title>
<style>{STYLE}</style>
<header>
<h1>{scenario}</h1>
<p>{load}.<br>{setting}.</p>
<p class="verdict {verdict}">{promise}: {said}.</p>
</header>
<dl class="tiles">{tiles}</dl>
{charts}
<div class="all"><table>{table}</table></div>
<footer>wigeon bench {version}. Latency is from just before {latency}, by one clock. CPU time is the kernel's and the program's together.</footer>
</html>
"#,
            scenario = self.scenario,
            load = escaped(&self.load),
            setting = escaped(&self.setting()),
            promise = if self.archive.is_some() { "Answers" } else { "Exactly once" },
            latency = if self.archive.is_some() {
                "a question is sent until its whole answer is here"
            } else {
                "a message is sent until a reader has it"
            },
            said = escaped(&self.verdict()),
            tiles = self.tiles(),
            charts = self.charts(),
            table = self.html_table(),
            version = self.version,
        )
    }

    /// The few numbers that one looks for first.
    fn tiles(&self) -> String {
        let mut out = String::new();
        let mut tile = |name: &str, number: &str, unit: &str| {
            let _ = write!(out, "<div><dt>{name}</dt><dd>{number} <small>{unit}</small></dd></div>");
        };
        if let Some(storm) = &self.storm {
            tile("all level after", &format!("{:.2}", storm.all_level_after_s), "s");
        }
        if let Some(archive) = &self.archive {
            for (phases, when) in [(&archive.alone, "alone"), (&archive.writing, "beside writers")] {
                let all = phases.iter().filter_map(|phase| Some(phase.latency_us.as_ref()?.p99));
                let text = time(all.fold(0.0, f64::max));
                let (number, unit) = text.split_once(' ').unwrap_or((&text, ""));
                tile(&format!("greatest p99, {when}"), number, unit);
            }
            tile("filled with", &thousands(archive.filled.messages_per_s as u64), "messages/s");
            if let Some(bytes) = archive.filled.disk_bytes_per_message {
                tile("disk a message", &format!("{bytes:.0}"), "bytes");
            }
        }
        if let Some(cluster) = &self.cluster {
            if let Some(ms) = cluster.added_p50_ms() {
                tile("added to an acknowledgement, p50", &format!("{ms:.2}"), "ms");
            }
            for one in &cluster.installations {
                let rate = thousands(one.sends.acknowledged_per_s as u64);
                tile(&format!("sends, {}", one.name), &rate, "/s");
            }
            tile("entries, a new node", &thousands(cluster.catch_up.entries_per_s as u64), "/s");
        }
        if let Some(slow) = &self.slow {
            tile("caught up after", &format!("{:.2}", slow.caught_up_after_s), "s");
        }
        if let Some(main) = self.main_phase() {
            if self.phases.len() == 1 {
                tile("deliveries", &thousands(main.deliveries_per_s as u64), "/s");
            }
            if let Some(latency) = &main.latency_us {
                let name = |which: &str| {
                    if self.phases.len() > 1 {
                        format!("{which}, {}", main.name)
                    } else {
                        format!("latency {which}")
                    }
                };
                for (which, us) in [("p50", latency.p50), ("p99", latency.p99)] {
                    let text = time(us);
                    let (number, unit) = text.split_once(' ').unwrap_or((&text, ""));
                    tile(&name(which), number, unit);
                }
            }
            if let Some(us) = main.server_cpu_us_per_delivery {
                tile("server CPU a delivery", &format!("{us:.2}"), "µs");
            }
        }
        if let Some(memory) = &self.memory {
            tile("RSS a connection", &format!("{:.1}", memory.rss_kib_per_connection), "KiB");
        }
        out
    }

    /// The phase that the scenario is about.
    fn main_phase(&self) -> Option<&Phase> {
        let about = ["measured", "storm", "stalled", "five messages"];
        self.phases.iter().find(|phase| about.contains(&phase.name))
    }

    fn charts(&self) -> String {
        let mut curves = curves(&self.phases);
        if let [only] = &mut curves[..] {
            "delivered".clone_into(&mut only.name);
        }
        if let Some(latency) = &self.acknowledged_us
            && self.archive.is_none()
        {
            curves.push(Curve {
                name: "acknowledged to its sender".to_owned(),
                colour: 'd',
                dashed: true,
                latency,
            });
        }
        let mut out = String::new();
        let mut figure = |title: &str, legend: &str, chart: String| {
            let _ =
                writeln!(out, "<figure><figcaption><h2>{title}</h2>{legend}</figcaption>{chart}</figure>");
        };
        let mut latency = |title: &str, curves: &[Curve]| {
            if !curves.is_empty() {
                figure(title, &legend(curves), chart::percentiles(curves));
            }
        };
        latency("Latency by percentile", &curves);
        if let Some(archive) = &self.archive {
            latency("Latency by percentile, alone", &self::curves(&archive.alone));
            latency("Latency by percentile, beside writers", &self::curves(&archive.writing));
        }
        if let Some(cluster) = &self.cluster {
            // The installations had their times one after the other: there is none that they share.
            latency("Latency by percentile", &cluster.curves());
            return out;
        }
        let (title, what) =
            if self.archive.is_some() { ("Answers", "answers") } else { ("Deliveries", "deliveries") };
        figure(&format!("{title} a second"), "", chart::rates(&self.timeline, what));
        if let Some(chart) = chart::memory(&self.timeline) {
            figure("Memory of the server", "<span>resident</span>", chart);
        }
        out
    }

    fn html_table(&self) -> String {
        let mut out = String::new();
        let cells = self.cells();
        let all = columns(&cells);
        for Cell { label, values, is_head } in &cells {
            let tag = if *is_head { "th" } else { "td" };
            let columns = if values.len() == 1 { all } else { 1 };
            let _ = write!(out, "<tr><th>{label}</th>");
            for value in values {
                let _ = write!(out, r#"<{tag} colspan="{columns}">{}</{tag}>"#, escaped(value));
            }
            out.push_str("</tr>");
        }
        out
    }
}

/// A curve for each phase that has one.
fn curves(phases: &[Phase]) -> Vec<Curve<'_>> {
    let known = phases.iter().filter_map(|phase| Some((phase.name, phase.latency_us.as_ref()?)));
    known
        .zip('a'..)
        .map(|((name, latency), colour)| Curve { name: name.to_owned(), colour, dashed: false, latency })
        .collect()
}

fn legend(curves: &[Curve]) -> String {
    let mut legend = String::new();
    for Curve { name, colour, dashed, .. } in curves {
        let dashed = if *dashed { " dashed" } else { "" };
        let _ = write!(legend, r#"<span><i class="{colour}{dashed}"></i>{name}</span>"#);
    }
    legend
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
