//! The base: the tables as they were before the log's first entry.
//!
//! A log that was kept from its first entry has none. It is there where entries are missing: after
//! `memory`, which keeps no log; after `os`, where a power failure took entries that the tables had
//! already; after a restored backup. Base and log together always give the tables.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use serde_json::Value as Json;
use wigeon_proto::json;

use crate::{Fault, copy, log, rows, stored};

/// Where the base of a log stands, if it has one.
pub(crate) fn file(log: &Path) -> PathBuf {
    log.join("base.db")
}

/// The position that the base of a log holds; 0 where there is none. Whatever a crash cut short in the file is
/// undone with it: before that a copy of it would be of no use.
pub(crate) fn position(log: &Path) -> Result<u64, Fault> {
    let file = file(log);
    if file.try_exists()? { rows::position(&open(&file)?) } else { Ok(0) }
}

/// A connection that can write, since only such a one can undo.
fn open(file: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(file, flags)?)
}

/// Makes the base, if there is one, the tables of a directory that has none.
pub(crate) fn restore(log: &Path, tables: &Path) -> Result<(), Fault> {
    let file = file(log);
    // One at 0 has nothing.
    if position(log)? > 0 {
        // What an operator left behind who removed the tables is of no tables any more; with the base beside it,
        // SQLite would take it for what the base lacks.
        for suffix in ["-wal", "-shm"] {
            let mut name = tables.as_os_str().to_owned();
            name.push(suffix);
            match fs::remove_file(name) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        let new = tables.with_extension("new");
        fs::copy(file, &new)?;
        File::open(&new)?.sync_all()?;
        fs::rename(new, tables)?;
    }
    Ok(())
}

/// Removes the base, if there is one, from beside tables that need none.
pub(crate) fn remove(log: &Path) -> Result<(), Fault> {
    let file = file(log);
    if file.try_exists()? {
        fs::remove_file(file)?;
        log::sync_directory(log)?;
    }
    Ok(())
}

/// Puts the base, if there is one, where the log is to be folded onto it, and returns the position from which on.
pub(crate) fn place(log: &Path, to: &Path) -> Result<u64, Fault> {
    let position = position(log)?;
    if position > 0 {
        fs::copy(file(log), to)?;
    }
    Ok(position)
}

/// Makes the tables, as they are, the base of a log that begins after them. What the log held goes.
pub(crate) fn begin(log: &Path, tables: &Connection) -> Result<(), Fault> {
    let new = log.join("base.new");
    if new.try_exists()? {
        fs::remove_file(&new)?;
    }
    copy::tables(tables, &new, &mut |_, _| ())?;
    // A crash after this finds older segments that end before the base, and removes them then.
    fs::rename(&new, file(log))?;
    log::sync_directory(log)?;
    log::clear(log)
}

/// Takes the texts at `positions` out of the base, where it has them. Folded onto what is left, the log comes to
/// the same: who took them away does so again.
pub(crate) fn scrub(log: &Path, positions: &BTreeSet<u64>) -> Result<(), Fault> {
    let here: Vec<u64> = positions.range(..=position(log)?).copied().collect();
    if here.is_empty() {
        return Ok(());
    }
    let mut db = open(&file(log))?;
    // What is freed is overwritten.
    db.pragma_update(None, "secure_delete", true)?;
    let tx = db.transaction()?;
    for position in here {
        without_text(&tx, position)?;
    }
    tx.execute("DELETE FROM scrub", [])?;
    Ok(tx.commit()?)
}

fn without_text(base: &Connection, position: u64) -> Result<(), Fault> {
    let mut find =
        base.prepare_cached("SELECT room, coalesce(seq, target), tail FROM event WHERE pos = ?1")?;
    let event = find.query_row([position], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, u64>(1)?, row.get::<_, Vec<u8>>(2)?))
    });
    let Some((room, seq, tail)) = event.optional()? else { return Ok(()) };
    let mut fields: serde_json::Map<String, Json> =
        stored(serde_json::from_slice(&[b"{", &tail[..]].concat()))?;
    fields.entry("body").and_modify(|body| body["text"] = "".into());
    let mut tail = json::to_vec(&fields);
    tail.remove(0);
    base.prepare_cached("UPDATE event SET tail = ?2 WHERE pos = ?1")?.execute(params![position, tail])?;
    let edited = "UPDATE amend SET text = '' WHERE room = ?1 AND seq = ?2 AND text IS NOT NULL";
    base.prepare_cached(edited)?.execute(params![room, seq])?;
    Ok(())
}
