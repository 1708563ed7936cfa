//! Scrubbing: what somebody has taken back, or what has expired, leaves the log and the search index, too.
//!
//! The tables let go of a text at once. Its entry stays in the log, since a fold without it would come to
//! something else; but not the text in it. Which positions are meant stands in the table `scrub`, where
//! triggers put whatever loses its text, in the transaction in which it does (see [`crate::schema`]).
//!
//! Once in a while a thread looks there, and writes the segments that are concerned anew: beside the old one,
//! then in its place. The segment that is being appended to is left for the next one before. What was
//! scrubbed is struck off by the fold, which alone writes the tables; after a crash before that it is done
//! again, which changes nothing.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use wigeon_core::entry::Entry;
use wigeon_proto::limits::{SCRUB_AGAIN_S, SCRUB_EVERY_S, SCRUB_TURN_MS_MAX};

use crate::fold::Progress;
use crate::log::record::{Builder, Record, zeros_at_end};
use crate::log::{self, Segment};
use crate::rows::open_reader;
use crate::search::forget::forget;
use crate::{Fault, base};

const EVERY: Duration = Duration::from_secs(SCRUB_EVERY_S);
const AGAIN: Duration = Duration::from_secs(SCRUB_AGAIN_S);
const TURN: Duration = Duration::from_millis(SCRUB_TURN_MS_MAX);
/// Between two looks at whether the log has gone on to another segment.
const LOOK: Duration = Duration::from_millis(20);

/// Where a data directory has what a scrub looks at.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) log: PathBuf,
    pub(crate) tables: PathBuf,
    pub(crate) index: PathBuf,
}

/// The thread.
#[derive(Debug)]
pub(crate) struct Scrubber {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Stop {
    told: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Waits, and says whether it is time to stop.
    fn wait(&self, time: Duration) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(told, time, |told| !*told);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Scrubber {
    /// Starts the thread. `turn` asks for the log to go on in another segment; none where nobody appends.
    pub(crate) fn start(places: Places, fold: Progress, turn: Option<impl Fn() + Send + 'static>) -> Self {
        let stop = Arc::new(Stop::default());
        let theirs = stop.clone();
        let run = move || {
            let turn = turn.as_ref().map(|turn| turn as &dyn Fn());
            loop {
                let done = round(&places, &fold, turn, &theirs).unwrap_or_else(|error| {
                    tracing::warn!(%error, "the log was not scrubbed; it is tried again");
                    // What is damaged is so in a minute, too.
                    true
                });
                if theirs.wait(if done { EVERY } else { AGAIN }) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("scrub".into()).spawn(run);
        Self { stop, thread: Some(thread.expect("a thread at start-up")) }
    }
}

impl Drop for Scrubber {
    fn drop(&mut self) {
        *self.stop.told.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // What it has not done, the next start does.
            let _ = thread.join();
        }
    }
}

/// Scrubs what waits for it. False if the log did not go on in another segment in time.
fn round(places: &Places, fold: &Progress, turn: Option<&dyn Fn()>, stop: &Stop) -> Result<bool, Fault> {
    let Places { log, tables, index } = places;
    let positions = waiting(&open_reader(tables)?)?;
    let Some(last) = positions.last().copied() else { return Ok(true) };
    if let Some(turn) = turn
        && !leave(log, last, turn, stop)?
    {
        // The disk is slow, or nobody appends any more since the program is about to end.
        return Ok(false);
    }
    scrub(log, &positions)?;
    forget(index, &positions)?;
    fold.strike_off(positions);
    Ok(true)
}

/// The positions whose text is in the log for no reason.
pub(crate) fn waiting(tables: &Connection) -> Result<BTreeSet<u64>, Fault> {
    let mut statement = tables.prepare("SELECT pos FROM scrub")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Has the segment that holds `position` left for the next one, if it is the newest, and waits for that.
fn leave(log: &Path, position: u64, turn: &dyn Fn(), stop: &Stop) -> Result<bool, Fault> {
    let left = || Ok::<_, Fault>(log::segments(log)?.last().is_none_or(|newest| newest.first > position));
    if left()? {
        return Ok(true);
    }
    turn();
    let began = Instant::now();
    while began.elapsed() < TURN {
        if left()? {
            return Ok(true);
        }
        if stop.wait(LOOK) {
            return Ok(false);
        }
    }
    Ok(false)
}

/// Takes the texts at `positions` out of the base and out of every segment, which nobody may be appending to
/// where a position is in it.
pub(crate) fn scrub(log: &Path, positions: &BTreeSet<u64>) -> Result<(), Fault> {
    let segments = log::segments(log)?;
    let after = segments.iter().skip(1).map(|next| next.first).chain([u64::MAX]);
    let stretches: Vec<(&Segment, u64)> = segments.iter().zip(after).collect();
    // What took a text away must not be lost where the text is: without `fsync` it may not be on the disk yet.
    for (segment, _) in stretches.iter().filter(|(_, next)| positions.first() < Some(next)) {
        File::open(&segment.path)?.sync_data()?;
    }
    base::scrub(log, positions)?;
    let mut rewritten = false;
    for (segment, next) in stretches {
        if positions.range(segment.first..next).next().is_some() {
            rewritten |= rewrite(segment, positions)?;
        }
    }
    if rewritten {
        log::sync_directory(log)?;
    }
    Ok(())
}

/// Writes a segment anew without the texts at `positions`. False if there were none left.
fn rewrite(segment: &Segment, positions: &BTreeSet<u64>) -> Result<bool, Fault> {
    let unfinished = segment.path.with_extension("unfinished");
    let rewritten = write(segment, &unfinished, positions);
    if matches!(rewritten, Ok(true)) {
        fs::rename(&unfinished, &segment.path)?;
    } else {
        // On a disk that is full it would be in the way.
        let _ = fs::remove_file(&unfinished);
    }
    rewritten
}

/// Writes to a file what a segment is without the texts at `positions`. False if it is the same.
fn write(segment: &Segment, to: &Path, positions: &BTreeSet<u64>) -> Result<bool, Fault> {
    let damaged = |what: &str| Fault::Log(format!("{}: {what}", segment.path.display()));
    let bytes = fs::read(&segment.path)?;
    let mut file = BufWriter::new(File::create(to)?);
    let (mut rest, mut next, mut changed) = (bytes.as_slice(), segment.first, false);
    let mut builder = Builder::default();
    while let Some(record) = Record::parse(rest).filter(|record| record.first == next) {
        for entry in record.entries() {
            let entry = entry.ok_or_else(|| damaged("a record holds half an entry"))?;
            let blank = if positions.contains(&next) { without_text(entry)? } else { None };
            changed |= blank.is_some();
            builder.push(blank.as_deref().unwrap_or(entry));
            next += 1;
        }
        file.write_all(builder.seal(record.first))?;
        builder.clear();
        rest = &rest[record.len()..];
    }
    if zeros_at_end(rest) < rest.len() {
        return Err(damaged(&format!("damaged at byte {}", bytes.len() - rest.len())));
    }
    let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(changed)
}

/// An entry whose text is gone; none where it has gone before.
fn without_text(bytes: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    let mut entry = Entry::from_bytes(bytes).map_err(|error| Fault::Log(format!("an entry {error}")))?;
    Ok(entry.scrub().then(|| entry.to_bytes()))
}
