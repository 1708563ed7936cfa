//! The base: the tables as they were before the log's first entry.
//!
//! A log that was kept from its first entry has none. It is there where entries are missing: after
//! `memory`, which keeps no log; after `os`, where a power failure took entries that the tables had
//! already; after a restored backup. Base and log together always give the tables.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::{Fault, log, rows};

/// Where the base of a log stands, if it has one.
fn file(log: &Path) -> PathBuf {
    log.join("base.db")
}

/// The position that the base of a log holds; 0 where there is none.
pub(crate) fn position(log: &Path) -> Result<u64, Fault> {
    let file = file(log);
    if !file.try_exists()? {
        return Ok(0);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    rows::position(&Connection::open_with_flags(file, flags)?)
}

/// Makes the base, if there is one, the tables of a directory that has none.
pub(crate) fn restore(log: &Path, tables: &Path) -> Result<(), Fault> {
    let file = file(log);
    if file.try_exists()? {
        let new = tables.with_extension("new");
        fs::copy(file, &new)?;
        File::open(&new)?.sync_all()?;
        fs::rename(new, tables)?;
    }
    Ok(())
}

/// Makes the tables, as they are, the base of a log that begins after them. What the log held goes.
pub(crate) fn begin(log: &Path, tables: &Connection) -> Result<(), Fault> {
    let new = log.join("base.new");
    if new.try_exists()? {
        fs::remove_file(&new)?;
    }
    let path = new.to_str().ok_or_else(|| Fault::Log(format!("{}: not in UTF-8", new.display())))?;
    tables.execute("VACUUM INTO ?1", [path])?;
    File::open(&new)?.sync_all()?;
    // A crash after this finds older segments that end before the base, and removes them then.
    fs::rename(&new, file(log))?;
    log::sync_directory(log)?;
    log::clear(log)
}
