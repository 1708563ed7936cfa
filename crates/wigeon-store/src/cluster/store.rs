//! The store of a node: tables that hold a beginning of the stream, and no log beside them.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use wigeon_proto::cursor::Epoch;

use crate::level::Level;
use crate::nats::Log;
use crate::open::{Durability, OpenError, Store, live, lock, open_writer};
use crate::overlay::Overlay;
use crate::rows::{self, open_reader};
use crate::schema::{MigrateError, STREAM};
use crate::search::index::IndexSizes;
use crate::step::Stepper;
use crate::{Fault, base, log};

/// Whether there is anything in a directory that a node would go on from.
pub(super) fn is_new(directory: &Path) -> bool {
    !directory.join("wigeon.db").exists() && !base::file(&directory.join("log")).exists()
}

/// Opens the directory of a node, or makes it, be it from a backup of another.
pub(super) fn open(directory: &Path, stream: &Log, level: Level) -> Result<Store, OpenError> {
    let (lock, epoch) = (lock(directory)?, stream.epoch);
    let (file, logs) = (directory.join("wigeon.db"), directory.join("log"));
    let other = |what| OpenError::Other { path: directory.to_owned(), what };
    let database = |source: MigrateError| OpenError::Database { path: directory.to_owned(), source };
    let disk = |fault: Fault| database(fault.into());
    fs::create_dir_all(&logs)
        .map_err(|source| OpenError::Directory { path: directory.to_owned(), source })?;
    if !log::segments(&logs).map_err(disk)?.is_empty() {
        return Err(other("holds the log of a single machine: `wigeon migrate` brings it into a cluster"));
    }
    if !file.exists() {
        base::restore(&logs, &file).map_err(disk)?;
    }
    let mut db = open_writer(&file).map_err(database)?;
    let is_ours = self::stream(&db).map_err(disk)?.is_some_and(|kept| kept == stream.subject);
    if !is_ours && rows::position(&db).map_err(disk)? > 0 {
        return Err(other("holds another log than the NATS stream"));
    }
    mark(&mut db, &stream.subject, epoch).map_err(disk)?;
    base::remove(&logs).map_err(disk)?;
    let parts = || -> Result<_, Fault> {
        // What a crash takes from the tables comes again from the stream.
        db.pragma_update(None, "synchronous", "normal")?;
        let position = rows::position(&db)?;
        let stepper = Stepper::new(Overlay::new(open_reader(&file)?, epoch)?, position, epoch);
        let (writer, readers) = live(directory, db, stepper, None, IndexSizes::default())?;
        Ok((writer, readers.with_level(level)))
    };
    let (writer, readers) = parts().map_err(disk)?;
    Ok(Store { epoch, writer, readers, lock })
}

/// Whose beginning the tables hold; none where they are a single machine's.
pub(super) fn stream(db: &Connection) -> Result<Option<String>, Fault> {
    let kept = "SELECT value FROM meta WHERE key = ?1";
    Ok(db.query_row(kept, [STREAM], |row| row.get(0)).optional()?)
}

/// Notes that the tables follow a stream. By itself this directory promises as little as `memory`: a single machine
/// that goes on from here takes a new epoch, since the cluster may go on as well.
pub(super) fn mark(db: &mut Connection, subject: &str, epoch: Epoch) -> Result<(), Fault> {
    note(db, epoch, Durability::Memory, Some(subject))
}

/// Notes that the stream has ended, and that a single machine goes on in its epoch.
pub(super) fn unmark(db: &mut Connection, epoch: Epoch) -> Result<(), Fault> {
    note(db, epoch, Durability::Fsync, None)
}

fn note(
    db: &mut Connection,
    epoch: Epoch,
    durability: Durability,
    stream: Option<&str>,
) -> Result<(), Fault> {
    let tx = db.transaction()?;
    tx.execute("DELETE FROM meta WHERE key IN ('epoch', 'durability', ?1)", [STREAM])?;
    let write = "INSERT INTO meta (key, value) VALUES (?1, ?2)";
    tx.execute(write, ["epoch", &epoch.bits().to_string()])?;
    tx.execute(write, ["durability", durability.as_str()])?;
    if let Some(subject) = stream {
        tx.execute(write, [STREAM, subject])?;
    }
    Ok(tx.commit()?)
}
