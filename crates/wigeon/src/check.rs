//! `wigeon check`: whether the tables of a data directory are what its log says.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use wigeon_store::check::{CheckError, Difference, Progress, Report, check};

use crate::bar::Bar;
use crate::cli::CheckArguments;
use crate::config::Loaded;
use crate::speak::{say, sentence};

/// Something is not as it should be, and that was said.
#[derive(Debug, thiserror::Error)]
#[error("the data directory is not right")]
pub(crate) struct NotRight;

/// Nothing could be found out.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unable(String);

/// Checks, and prints what was found.
pub(crate) fn run(arguments: &CheckArguments, loaded: &Loaded) -> Result<()> {
    let data = loaded.settings.data.as_ref().expect("the defaults name a directory");
    let began = Instant::now();
    let outcome = look(data).map_err(|error| Unable(sentence(&error)))?;
    let text = match (&outcome, arguments.json) {
        (Ok(report), false) => sentences(data, report, began.elapsed()),
        (Ok(report), true) => format!("{}\n", of(report)),
        (Err(damage), false) => format!("{} is not right: {damage}\n", data.display()),
        (Err(damage), true) => format!("{}\n", json!({ "right": false, "log": damage })),
    };
    say(&text);
    match outcome {
        Ok(report) if report.is_right() => Ok(()),
        _ => Err(NotRight.into()),
    }
}

/// What there is to report, or how the log is damaged.
fn look(data: &Path) -> Result<Result<Report, String>> {
    let scratch = tempfile::Builder::new().prefix("wigeon-check-").tempdir();
    let scratch = scratch.context("cannot make a temporary directory")?;
    let bar = Bar::new();
    let report = check(data, scratch.path(), &mut |progress| match progress {
        Progress::Folding(position, of) => bar.show("folding", position, of),
        Progress::Comparing(table) => bar.show(&format!("comparing {table}"), 1, 1),
        Progress::Reading => bar.show("reading", 1, 1),
    });
    bar.end();
    match report {
        Ok(report) => Ok(Ok(report)),
        Err(error @ CheckError::Log(_)) => Ok(Err(error.to_string())),
        Err(CheckError::Running(path)) => Err(Unable(format!(
            "the data directory {} is in use by a running wigeon\n  hint: stop it first",
            path.display()
        ))
        .into()),
        Err(CheckError::NoData(path)) => Err(Unable(format!(
            "{} is no data directory of wigeon\n  hint: say where the server's data is with --data",
            path.display()
        ))
        .into()),
        Err(error) => Err(error.into()),
    }
}

fn sentences(data: &Path, report: &Report, took: Duration) -> String {
    let mut text = String::new();
    for Difference { table, key, column, expected, found } in &report.differences {
        let place = column.as_ref().map_or_else(String::new, |column| format!(" {column}:"));
        let _ = writeln!(text, "{table} {key}{place}\n  expected {expected}\n  found    {found}");
    }
    let rows: u64 = report.tables.iter().map(|(_, rows)| rows).sum();
    let from =
        if report.from == 0 { "its beginning".to_owned() } else { format!("its base at {}", report.from) };
    let verdict = match report.count {
        0 => "is right".to_owned(),
        1 => "is not right: 1 difference".to_owned(),
        count if count as usize > report.differences.len() => {
            format!("is not right: {count} differences, of which these are the first")
        }
        count => format!("is not right: {count} differences"),
    };
    let _ = writeln!(text, "{} {verdict}", data.display());
    let _ = writeln!(
        text,
        "  the log from {from} to {}, folded again, and {rows} rows of {} tables compared, in {:.1} s",
        report.position,
        report.tables.len(),
        took.as_secs_f64()
    );
    if let Some(indexed) = report.indexed {
        let _ = writeln!(text, "  the search index, up to {indexed}, compared with the messages");
    }
    if report.waiting > 0 {
        let _ = writeln!(text, "  {} more entries are in the log; the next start folds them", report.waiting);
    }
    text
}

fn of(report: &Report) -> serde_json::Value {
    let told = |Difference { table, key, column, expected, found }: &Difference| json!({ "table": table, "key": key, "column": column, "expected": expected, "found": found });
    let differences: Vec<_> = report.differences.iter().map(told).collect();
    let tables = report.tables.iter().map(|(name, rows)| (name.clone(), json!(rows)));
    json!({
        "right": report.is_right(),
        "position": report.position,
        "from": report.from,
        "waiting": report.waiting,
        "indexed": report.indexed,
        "tables": tables.collect::<serde_json::Map<_, _>>(),
        "count": report.count,
        "differences": differences,
    })
}
