//! Folding the log again, by the same rules: what a start does with the entries that its tables lack, a
//! check with all of them in tables of its own, and a backup with those that came while it copied.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use wigeon_core::entry::Entry;
use wigeon_proto::cursor::Epoch;
use wigeon_proto::limits::FOLD_SLICE_WEIGHT_MAX;

use crate::Fault;
use crate::overlay::Overlay;
use crate::rows;
use crate::rows::open_reader;
use crate::schema::{MigrateError, migrate};
use crate::step::{Step, Stepper};
use crate::tables::{self, Pending};

/// Tables, and the entries that are on their way into them.
pub(crate) struct Refold {
    stepper: Stepper,
    db: Connection,
    slice: Vec<Pending>,
    weight: usize,
}

impl Refold {
    /// Over tables that `db` writes, and that nobody else does.
    pub(crate) fn new(stepper: Stepper, db: Connection) -> Self {
        Self { stepper, db, slice: Vec::new(), weight: 0 }
    }

    /// Over tables in a file, which are made if there are none. Nothing survives a crash: they are to be
    /// looked at, or synced by the caller.
    pub(crate) fn open(file: &Path, epoch: Epoch) -> Result<Self, MigrateError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_with_flags(file, flags)?;
        // The rules read beside the transaction that writes.
        db.pragma_update(None, "journal_mode", "wal")?;
        db.pragma_update(None, "synchronous", "off")?;
        db.pragma_update(None, "cache_size", -32 * 1024)?;
        rows::keep_plans(&db)?;
        migrate(&mut db)?;
        let overlay = Overlay::new(open_reader(file)?, epoch)?;
        let position = rows::position(&db)?;
        Ok(Self::new(Stepper::new(overlay, position, epoch), db))
    }

    /// The last position that was applied.
    pub(crate) fn position(&self) -> u64 {
        self.stepper.position
    }

    /// Applies the next entry. The tables follow in slices.
    pub(crate) fn entry(&mut self, position: u64, bytes: &[u8]) -> Result<(), Fault> {
        let disagrees = |what: &str| Fault::Log(format!("entry {position} {what}"));
        let entry = Entry::from_bytes(bytes).map_err(|error| disagrees(&error.to_string()))?;
        let Step::Applied(effect) = self.stepper.step(&entry.into())? else {
            return Err(disagrees("does not apply, though it did once: a fault of this version of wigeon"));
        };
        self.weight += effect.pending.weight();
        self.slice.push(effect.pending);
        if self.weight >= FOLD_SLICE_WEIGHT_MAX {
            self.flush()?;
        }
        Ok(())
    }

    /// Brings the tables to the last position that was applied.
    pub(crate) fn flush(&mut self) -> Result<(), Fault> {
        tables::fold(&mut self.db, &self.slice)?;
        self.slice.clear();
        self.weight = 0;
        self.stepper.overlay.release(self.stepper.position);
        self.stepper.overlay.trim(self.stepper.position, |_| Ok(()))
    }

    /// The tables, which hold what was flushed.
    pub(crate) fn tables(&self) -> &Connection {
        &self.db
    }

    /// Brings the tables up, and gives back what they were made of.
    pub(crate) fn finish(mut self) -> Result<(Stepper, Connection), Fault> {
        self.flush()?;
        Ok((self.stepper, self.db))
    }
}
