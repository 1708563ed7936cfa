//! Checking a data directory: are the tables what the log says?
//!
//! The log is folded again, from its beginning or its base, by the same rules, into tables of its own; then
//! every table is compared row by row, and the tables among each other. Nothing of the directory is changed.
//!
//! The tables may be behind the log, as a crash leaves them. They are compared at the position they are at;
//! that the rest of the log can be folded is checked, too.

mod compare;
mod facts;
mod values;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use wigeon_proto::cursor::Epoch;

use crate::base;
use crate::log::walk;
use crate::open::{self, Durability, LastRun};
use crate::refold::Refold;
use crate::rows::open_reader;
use crate::schema::{self, MigrateError};
use crate::search::file as search;
use crate::search::verify::{Wrong, verify_index};
use crate::{Fault, rows};

/// Differences that are told; the rest is only counted.
const TOLD_MAX: usize = 20;
/// Entries between two words on how far the fold is.
const TOLD_EVERY: u64 = 1000;

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// The position the tables are at, and were compared at.
    pub position: u64,
    /// Where the fold began: 0, or the position of the base.
    pub from: u64,
    /// Entries of the log after the tables' position: the next start folds them.
    pub waiting: u64,
    /// Up to where the search index was compared with the messages; none where there is none, or none that the
    /// next start would use.
    pub indexed: Option<u64>,
    /// Each table that was compared, and how many rows it has.
    pub tables: Vec<(String, u64)>,
    /// How many differences there are.
    pub count: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// The row, by its key.
    pub key: String,
    /// The column; none where a whole row is missing or too many.
    pub column: Option<String>,
    /// What the log says.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// What a check is doing.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// It folds the log, and is at this position, of about so many.
    Folding(u64, u64),
    /// It compares a table.
    Comparing(&'a str),
    /// It reads the file of the tables from end to end.
    Reading,
}

/// Why there is nothing to report.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// No server has ever kept anything there.
    #[error("{0} is no data directory of wigeon: it has no wigeon.db")]
    NoData(PathBuf),
    /// A server uses it.
    #[error("the data directory {0} is in use by a running wigeon")]
    Running(PathBuf),
    /// The last run was to keep nothing.
    #[error(
        "there is no log here to compare the tables with: the last run was with durability memory, or of a node of a cluster"
    )]
    NoLog,
    /// Another version of the program wrote it.
    #[error(
        "the data has schema {found}, this wigeon knows {known}: check it with the version that wrote it"
    )]
    Schema {
        /// The tables' version.
        found: usize,
        /// The program's.
        known: usize,
    },
    /// The log is not what was written: no fold can be made of it.
    #[error("the log is damaged: {0}")]
    Log(String),
    /// The medium.
    #[error("cannot check: {0}")]
    Fault(#[source] Fault),
}

impl From<Fault> for CheckError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Log(what) => Self::Log(what),
            fault => Self::Fault(fault),
        }
    }
}

impl From<MigrateError> for CheckError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Newer { found, known } => Self::Schema { found, known },
            MigrateError::Fault(fault) => fault.into(),
        }
    }
}

impl From<rusqlite::Error> for CheckError {
    fn from(error: rusqlite::Error) -> Self {
        Fault::from(error).into()
    }
}

impl Report {
    fn tell(&mut self, difference: Difference) {
        // What the log and other rows both contradict is one fault.
        if self.differences.contains(&difference) {
            return;
        }
        self.count += 1;
        if self.differences.len() < TOLD_MAX {
            self.differences.push(difference);
        }
    }

    /// Whether everything is as it should be.
    pub fn is_right(&self) -> bool {
        self.count == 0
    }
}

/// Checks a data directory that no server uses. `scratch` is an empty directory for tables as large as those
/// that are checked.
pub fn check(
    directory: &Path,
    scratch: &Path,
    told: &mut dyn FnMut(Progress<'_>),
) -> Result<Report, CheckError> {
    let (file, _lock) = hold(directory)?;
    let found = open_reader(&file)?;
    let (version, known) = (schema::version(&found)?, schema::known());
    if version != known {
        return Err(CheckError::Schema { found: version, known });
    }
    let mut report = Report { position: rows::position(&found)?, ..Report::default() };
    let run = LastRun::read(&found)?;
    let log = directory.join("log");
    let scratch = scratch.join("wigeon.db");
    report.from = base::place(&log, &scratch)?;
    let mut refold = Refold::open(&scratch, run.epoch.unwrap_or(Epoch::new(0)))?;

    let end = report.position;
    walk(&log, report.from, run.whole, |position, bytes| {
        if position % TOLD_EVERY == 0 {
            told(Progress::Folding(position.min(end), end));
        }
        if position <= end { refold.entry(position, bytes) } else { Ok(()) }
    })?;
    refold.flush()?;
    if refold.position() < end {
        return Err(match run.durability {
            Some(Durability::Memory) => CheckError::NoLog,
            _ => CheckError::Log(format!("it ends at {}, the tables are at {end}", refold.position())),
        });
    }
    for table in compare::tables(refold.tables(), &found, &mut report)? {
        told(Progress::Comparing(&table));
        let rows = compare::rows(refold.tables(), &found, &table, &mut report)?;
        report.tables.push((table, rows));
    }
    told(Progress::Reading);
    facts::check(&found, &mut report)?;
    drop(found);
    report.indexed = index(directory, &file, run, &mut report)?;

    walk(&log, end, run.whole, |position, bytes| {
        report.waiting += 1;
        refold.entry(position, bytes)
    })?;
    refold.flush()?;
    Ok(report)
}

/// Compares the search index with the tables. One that does not fit them is none: the next start makes it anew.
fn index(
    directory: &Path,
    tables: &Path,
    run: LastRun,
    report: &mut Report,
) -> Result<Option<u64>, CheckError> {
    let file = directory.join("search.db");
    let fits = |db: &Connection| search::fits(db, run.epoch?, report.position).ok();
    if !open_reader(&file).is_ok_and(|db| fits(&db) == Some(true)) {
        return Ok(None);
    }
    let watermark = verify_index(&file, tables, |Wrong { position, term, missing }| {
        let (expected, found) = if missing { ("the word", "none") } else { ("none", "the word") };
        report.tell(Difference {
            table: "search.db".to_owned(),
            key: format!("pos={position} word={term:?}"),
            column: None,
            expected: expected.to_owned(),
            found: found.to_owned(),
        });
    })?;
    Ok(Some(watermark))
}

/// Finds the tables, and keeps servers out. Nothing is made where there is nothing.
fn hold(directory: &Path) -> Result<(PathBuf, Option<File>), CheckError> {
    // A copy that no server has used yet has nothing but its base.
    let files = [directory.join("wigeon.db"), base::file(&directory.join("log"))];
    let Some(tables) = files.into_iter().find(|file| file.is_file()) else {
        return Err(CheckError::NoData(directory.to_owned()));
    };
    let Ok(file) = File::open(directory.join("lock")) else { return Ok((tables, None)) };
    match open::claim(&file) {
        Ok(()) => Ok((tables, Some(file))),
        Err(TryLockError::WouldBlock) => Err(CheckError::Running(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(Fault::from(error).into()),
    }
}
