//! The index's file: beside the tables, since it can always be made from them again.
//!
//! A file of its own, so that filling it never waits for the fold's transactions, nor the fold for it. It
//! belongs to one epoch of one log, and to one way of cutting texts; any other is begun anew. Its names begin
//! with `search_`, so that a reader who has both files open needs not say which.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use wigeon_proto::cursor::Epoch;
use wigeon_proto::limits::SEARCH_FILE_WAIT_MS_MAX;

use super::terms;
use crate::{Fault, rows};

/// The form of the tables below.
const FORMAT: u64 = 1;

/// search_piece: the messages after `low`, up to `high`, by term. search_stretch: in which rooms they are, four
/// bytes for each position, 0 for what is no message; and their first and last time. search_late: texts that
/// replaced others which are in a piece already. search_gone: what no piece should name any more.
const TABLES: &str = "
CREATE TABLE search_meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE search_piece (n INTEGER PRIMARY KEY, level INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL);
CREATE TABLE search_posting (piece INTEGER NOT NULL, term TEXT NOT NULL, list BLOB NOT NULL, PRIMARY KEY (piece, term))
  WITHOUT ROWID;
CREATE TABLE search_stretch (
  high INTEGER PRIMARY KEY, low INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, rooms BLOB NOT NULL
);
CREATE INDEX search_stretch_time ON search_stretch (first_at, last_at, low, high);
CREATE TABLE search_late (term TEXT NOT NULL, pos INTEGER NOT NULL, PRIMARY KEY (term, pos)) WITHOUT ROWID;
CREATE INDEX search_late_pos ON search_late (pos);
CREATE TABLE search_gone (pos INTEGER PRIMARY KEY);
";

/// Opens the index of a log whose tables hold `position`, or begins it anew.
pub(crate) fn open(file: &Path, epoch: Epoch, position: u64) -> Result<Connection, Fault> {
    match connect(file) {
        Ok(db) if fits(&db, epoch, position).unwrap_or(false) => return Ok(db),
        // Of a log without entries there is nothing to build.
        _ if position > 0 => tracing::info!(position, "the search index is built anew"),
        _ => {}
    }
    for suffix in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    let db = connect(file)?;
    db.execute_batch(TABLES)?;
    for (key, value) in
        [("format", FORMAT), ("terms", terms::VERSION), ("epoch", epoch.bits()), ("position", 0)]
    {
        db.execute("INSERT INTO search_meta (key, value) VALUES (?1, ?2)", rusqlite::params![key, value])?;
    }
    Ok(db)
}

/// Whether an index is one of that log, made as this program makes it.
pub(crate) fn fits(db: &Connection, epoch: Epoch, position: u64) -> Result<bool, Fault> {
    let is_ours = meta(db, "format")? == FORMAT
        && meta(db, "terms")? == terms::VERSION
        && meta(db, "epoch")? == epoch.bits();
    Ok(is_ours && watermark(db)? <= position)
}

/// How long the index's thread, and whoever takes words out of the index, wait for one another.
const PATIENCE: Duration = Duration::from_millis(SEARCH_FILE_WAIT_MS_MAX);

/// Opens the file for writing.
pub(crate) fn connect(file: &Path) -> Result<Connection, Fault> {
    let db = Connection::open(file)?;
    db.busy_timeout(PATIENCE)?;
    db.pragma_update(None, "journal_mode", "wal")?;
    // What is taken out is overwritten, too.
    db.pragma_update(None, "secure_delete", true)?;
    // What a power failure takes is indexed again.
    db.pragma_update(None, "synchronous", "normal")?;
    db.pragma_update(None, "wal_autocheckpoint", 1_000)?;
    db.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    db.pragma_update(None, "cache_size", -16 * 1024)?;
    rows::keep_plans(&db)?;
    Ok(db)
}

fn meta(db: &Connection, key: &str) -> Result<u64, Fault> {
    let mut statement = db.prepare_cached("SELECT value FROM search_meta WHERE key = ?1")?;
    Ok(statement.query_row([key], |row| row.get(0))?)
}

/// Everything up to this position is in the index.
pub(crate) fn watermark(db: &Connection) -> Result<u64, Fault> {
    meta(db, "position")
}

/// Moves the watermark.
pub(crate) fn set_watermark(db: &Connection, position: u64) -> Result<(), Fault> {
    let mut statement = db.prepare_cached("UPDATE search_meta SET value = ?1 WHERE key = 'position'")?;
    statement.execute([position])?;
    Ok(())
}
