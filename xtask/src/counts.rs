//! `cargo xtask bench-counts`: how many instructions one run of each hot path takes.
//!
//! Time differs from run to run by more than most changes are worth; instructions do not. Each operation of the
//! `counts` benches runs under valgrind twice, a few times and many times, and the difference is divided: so neither
//! the start of the program nor what is made ready counts. docs/performance-counts.md keeps the figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::workspace::Workspace;

/// The crates with a `counts` bench, in the order of the table.
const PACKAGES: [&str; 2] = ["wigeon-proto", "wigeon-core"];

/// Runs that only warm up: what is made at its first use is made in these.
const WARM_RUNS: u64 = 100;
/// Runs that are counted.
const COUNTED_RUNS: u64 = 1000;

/// Percent by which a count may differ from the recorded one: another libc or another place of the code in memory
/// moves it by less than one.
const TOLERANCE_PERCENT: u64 = 2;
/// Instructions a count may differ by in any case: percents of a very short path are single instructions.
const TOLERANCE_INSTRUCTIONS: u64 = 10;

const RECORD: &str = "docs/performance-counts.md";
const BEGIN: &str = "<!-- counts: written by `cargo xtask bench-counts --write` -->";
const END: &str = "<!-- /counts -->";

type Counts = BTreeMap<String, u64>;

/// Counts, and prints the table.
pub(crate) fn print(workspace: &Workspace) -> Result<()> {
    print!("{}", table(&count(workspace)?)?);
    Ok(())
}

/// Counts, and records the table.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    let path = workspace.root.join(RECORD);
    let text = fs::read_to_string(&path).with_context(|| RECORD.to_owned())?;
    let (before, _, after) = around(&text)?;
    fs::write(&path, format!("{before}{BEGIN}\n{}{END}{after}", table(&count(workspace)?)?))?;
    Ok(())
}

/// Counts, and fails where a count is not what was recorded, in either direction: a gain is recorded, too.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let text = fs::read_to_string(workspace.root.join(RECORD)).with_context(|| RECORD.to_owned())?;
    let (_, recorded, _) = around(&text)?;
    let wrong = differences(&parse(recorded), &as_map(&count(workspace)?));
    ensure!(
        wrong.is_empty(),
        "{}\nif that is meant: `cargo xtask bench-counts --write`, and the reason in the commit",
        wrong.join("\n")
    );
    println!("no count differs by more than {TOLERANCE_PERCENT} %");
    Ok(())
}

/// Each operation with its instructions, in the order of the benches.
fn count(workspace: &Workspace) -> Result<Vec<(String, u64)>> {
    let mut counts = Vec::new();
    for bench in benches(workspace)? {
        let list = Command::new(&bench).output()?;
        ensure!(list.status.success(), "{} does not list its operations", bench.display());
        for operation in String::from_utf8(list.stdout)?.lines() {
            let few = instructions(&bench, operation, WARM_RUNS)?;
            let many = instructions(&bench, operation, WARM_RUNS + COUNTED_RUNS)?;
            counts.push((operation.to_owned(), (many - few) / COUNTED_RUNS));
        }
    }
    Ok(counts)
}

/// Builds the benches, and says where they are.
fn benches(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let mut cargo = workspace.cargo(&["bench", "--locked", "--no-run", "--bench", "counts"]);
    cargo.arg("--message-format=json-render-diagnostics");
    cargo.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
    let output = cargo.stderr(std::process::Stdio::inherit()).output()?;
    ensure!(output.status.success(), "the benches do not build");
    let messages: Vec<Value> =
        String::from_utf8(output.stdout)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let of = |package: &str| {
        let source = Path::new("crates").join(package).join("benches/counts.rs");
        let built = messages.iter().find(|message| {
            message["target"]["src_path"].as_str().is_some_and(|path| Path::new(path).ends_with(&source))
        });
        let executable = built.and_then(|message| message["executable"].as_str());
        executable.map(PathBuf::from).with_context(|| format!("{package} has no bench `counts`"))
    };
    PACKAGES.iter().map(|package| of(package)).collect()
}

/// All instructions of a run, as cachegrind counts them without its model of caches.
fn instructions(bench: &Path, operation: &str, runs: u64) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(bench)
        .args([operation, &runs.to_string()])
        .output()
        .context("valgrind counts the instructions; on Debian: apt-get install valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{operation}` fails under valgrind:\n{said}");
    let line = said.lines().find_map(|line| line.split_once("I   refs:"));
    let Some((_, number)) = line else { bail!("valgrind said no count:\n{said}") };
    Ok(number.trim().replace(',', "").parse()?)
}

fn table(counts: &[(String, u64)]) -> Result<String> {
    let mut text = String::from("| operation | instructions |\n|---|---:|\n");
    for (operation, count) in counts {
        writeln!(text, "| {operation} | {count} |")?;
    }
    Ok(text)
}

/// Reads what [`table`] wrote; other lines are none.
fn parse(table: &str) -> Counts {
    let rows =
        table.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    rows.filter_map(|(operation, count)| Some((operation.to_owned(), count.parse().ok()?))).collect()
}

fn as_map(counts: &[(String, u64)]) -> Counts {
    counts.iter().cloned().collect()
}

fn differences(recorded: &Counts, counted: &Counts) -> Vec<String> {
    let mut wrong = Vec::new();
    for (operation, &now) in counted {
        match recorded.get(operation) {
            Some(&before) => {
                let tolerance = (before * TOLERANCE_PERCENT / 100).max(TOLERANCE_INSTRUCTIONS);
                if now.abs_diff(before) > tolerance {
                    let percent = (now as f64 / before as f64 - 1.0) * 100.0;
                    wrong.push(format!("{operation}: {before} recorded, {now} counted ({percent:+.1} %)"));
                }
            }
            None => wrong.push(format!("{operation}: {now} counted, not recorded")),
        }
    }
    let gone = recorded.keys().filter(|operation| !counted.contains_key(*operation));
    wrong.extend(gone.map(|operation| format!("{operation}: recorded, and no longer there")));
    wrong
}

fn around(text: &str) -> Result<(&str, &str, &str)> {
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("{RECORD} has no line `{BEGIN}`"))?;
    let (recorded, after) = rest.split_once(END).with_context(|| format!("{RECORD} has no line `{END}`"))?;
    Ok((before, recorded, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
        pairs.iter().map(|(operation, count)| ((*operation).to_owned(), *count)).collect()
    }

    #[test]
    fn a_table_is_read_as_it_was_written() {
        let counted = counts(&[("frame sse", 321), ("read masked command, deflated, 1 KiB", 41_000)]);
        assert_eq!(parse(&table(&counted).unwrap()), as_map(&counted));
    }

    #[test]
    fn what_differs_is_said_in_either_direction() {
        let recorded =
            as_map(&counts(&[("same", 5000), ("slow", 5000), ("fast", 5000), ("short", 40), ("old", 1)]));
        let counted =
            as_map(&counts(&[("same", 5100), ("slow", 5101), ("fast", 2500), ("short", 50), ("new", 9)]));
        assert_eq!(
            differences(&recorded, &counted),
            [
                "fast: 5000 recorded, 2500 counted (-50.0 %)",
                "new: 9 counted, not recorded",
                "slow: 5000 recorded, 5101 counted (+2.0 %)",
                "old: recorded, and no longer there",
            ]
        );
    }
}
