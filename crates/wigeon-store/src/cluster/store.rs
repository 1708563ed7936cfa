//! The store of a node: tables that hold a beginning of the stream, and no log beside them.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use wigeon_proto::cursor::Epoch;

use crate::Fault;
use crate::level::Level;
use crate::log;
use crate::open::{Durability, OpenError, Store, live, lock, open_writer};
use crate::overlay::Overlay;
use crate::rows::{self, open_reader};
use crate::schema::MigrateError;
use crate::search::index::IndexSizes;
use crate::step::Stepper;

/// Opens the directory of a node, or makes it.
pub(super) fn open(directory: &Path, epoch: Epoch, level: Level) -> Result<Store, OpenError> {
    let lock = lock(directory)?;
    let (file, logs) = (directory.join("wigeon.db"), directory.join("log"));
    let other = |what| OpenError::Other { path: directory.to_owned(), what };
    let database = |source: MigrateError| OpenError::Database { path: directory.to_owned(), source };
    let disk = |fault: Fault| database(fault.into());
    fs::create_dir_all(&logs)
        .map_err(|source| OpenError::Directory { path: directory.to_owned(), source })?;
    if !log::segments(&logs).map_err(disk)?.is_empty() {
        return Err(other("holds the log of a single machine"));
    }
    let mut db = open_writer(&file).map_err(database)?;
    if !begin(&mut db, epoch).map_err(disk)? {
        return Err(other("holds another log than the NATS stream"));
    }
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

/// Notes that the tables follow a stream of this epoch; false if they hold another log.
fn begin(db: &mut Connection, epoch: Epoch) -> Result<bool, Fault> {
    let tx = db.transaction()?;
    let kept = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'epoch'";
    let kept: Option<u64> = tx.query_row(kept, [], |row| row.get(0)).optional()?;
    if rows::position(&tx)? > 0 && kept != Some(epoch.bits()) {
        return Ok(false);
    }
    // By itself this directory promises as little as that: a single machine that goes on from here takes a new
    // epoch, since the cluster may go on as well.
    for (key, value) in
        [("epoch", epoch.bits().to_string()), ("durability", Durability::Memory.as_str().to_owned())]
    {
        let write =
            "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
        tx.execute(write, [key, &value])?;
    }
    tx.commit()?;
    Ok(true)
}
