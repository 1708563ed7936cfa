//! Copying the tables: all of them, as they are at one position, while somebody else may be writing them.
//!
//! The copy begins from one snapshot and stays in it, however long that takes and whatever is written in the
//! meantime. It is a plain file without a log of its own, on the disk when [`tables`] returns. It names no
//! epoch: whoever goes on from it gives out the positions that follow a second time.

use std::ffi::c_int;
use std::fs::File;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::schema::OF_RUN;
use crate::{Fault, rows};

/// Pages between two looks at how far it is: 4 MiB, a few milliseconds.
const PAGES: c_int = 1024;

/// Copies the tables of a connection to the file `to`, which must not exist, and returns the position they are
/// at. `told` hears how far it is, in pages.
pub fn tables(from: &Connection, to: &Path, told: &mut dyn FnMut(u64, u64)) -> Result<u64, Fault> {
    // Without it each step would begin anew with what was written since the last.
    let snapshot = from.unchecked_transaction()?;
    let position = rows::position(&snapshot)?;
    let mut copy = Connection::open(to)?;
    copy_pages(&snapshot, &mut copy, told)?;
    drop(snapshot);
    settle(copy)?;
    File::open(to)?.sync_all()?;
    Ok(position)
}

fn copy_pages(from: &Connection, to: &mut Connection, told: &mut dyn FnMut(u64, u64)) -> Result<(), Fault> {
    let backup = Backup::new(from, to)?;
    loop {
        let step = backup.step(PAGES)?;
        let progress = backup.progress();
        told((progress.pagecount - progress.remaining) as u64, progress.pagecount as u64);
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // The source is in our own snapshot and nobody else knows the copy.
            _ => return Err(Fault::Corrupt("the tables cannot be read while they are copied".into())),
        }
    }
}

/// Makes tables a plain file that belongs to no run, and has nothing to scrub in a log.
pub(crate) fn settle(db: Connection) -> Result<(), Fault> {
    for key in OF_RUN {
        db.execute("DELETE FROM meta WHERE key = ?1", [key])?;
    }
    db.execute("DELETE FROM scrub", [])?;
    db.pragma_update(None, "journal_mode", "delete")?;
    db.close().map_err(|(_, error)| error.into())
}
