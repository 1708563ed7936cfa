//! The report as one self-contained page: no script, nothing fetched, light and dark as the reader has it.

use std::fmt::Write as _;

use super::chart::{self, Curve};
use super::table::{Cell, thousands, time};
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
<p class="verdict {verdict}">Exactly once: {said}.</p>
</header>
<dl class="tiles">{tiles}</dl>
{charts}
<div class="all"><table>{table}</table></div>
<footer>wigeon bench {version}. Latency is from just before a message is sent until a reader has it, by one clock. CPU time is the kernel's and the program's together.</footer>
</html>
"#,
            scenario = self.scenario,
            load = escaped(&self.load),
            setting = escaped(&self.setting()),
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
        let mut curves = Vec::new();
        for (phase, colour) in self.phases.iter().filter(|phase| phase.latency_us.is_some()).zip('a'..) {
            if let Some(latency) = &phase.latency_us {
                let name = if self.phases.len() > 1 { phase.name } else { "delivered" };
                curves.push(Curve { name: name.to_owned(), colour, dashed: false, latency });
            }
        }
        if let Some(latency) = &self.acknowledged_us {
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
        let mut legend = String::new();
        for Curve { name, colour, dashed, .. } in &curves {
            let dashed = if *dashed { " dashed" } else { "" };
            let _ = write!(legend, r#"<span><i class="{colour}{dashed}"></i>{name}</span>"#);
        }
        if !curves.is_empty() {
            figure("Latency by percentile", &legend, chart::percentiles(&curves));
        }
        figure("Deliveries a second", "", chart::deliveries(&self.timeline));
        if let Some(chart) = chart::memory(&self.timeline) {
            figure("Memory of the server", "<span>resident</span>", chart);
        }
        out
    }

    fn html_table(&self) -> String {
        let mut out = String::new();
        for (i, Cell { label, values }) in self.cells().iter().enumerate() {
            let is_head = i == 0 && self.phases.len() > 1;
            let tag = if is_head { "th" } else { "td" };
            let columns = if values.len() == 1 { self.phases.len() } else { 1 };
            let _ = write!(out, "<tr><th>{label}</th>");
            for value in values {
                let _ = write!(out, r#"<{tag} colspan="{columns}">{}</{tag}>"#, escaped(value));
            }
            out.push_str("</tr>");
        }
        out
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
