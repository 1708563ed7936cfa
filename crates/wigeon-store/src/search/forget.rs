//! Forgetting: the words of what was recalled, or has expired, leave the index as well.
//!
//! Nobody is shown them, since each text is looked at again. But whoever got hold of the file could read which
//! words a message had. Pieces lose what is gone when they are put together; the largest are not put together
//! any more, and the newest only in time. So those that are concerned are written anew.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::TransactionBehavior::Immediate;

use super::{file, pieces};
use crate::Fault;

/// Takes the messages at `positions` out of an index, which may be filled meanwhile by its own thread.
pub(crate) fn forget(file: &Path, positions: &BTreeSet<u64>) -> Result<(), Fault> {
    let (Some(first), Some(last)) = (positions.first(), positions.last()) else { return Ok(()) };
    let mut db = file::connect(file)?;
    // First: whatever is put together from now on goes without them.
    let tx = db.transaction_with_behavior(Immediate)?;
    for position in positions {
        tx.prepare_cached("DELETE FROM search_late WHERE pos = ?1")?.execute([position])?;
        tx.prepare_cached("INSERT OR IGNORE INTO search_gone (pos) VALUES (?1)")?.execute([position])?;
    }
    tx.commit()?;
    for piece in pieces::within(&db, first - 1, *last)? {
        if positions.range(piece.low + 1..=piece.high).next().is_some() {
            let tx = db.transaction_with_behavior(Immediate)?;
            if pieces::is_there(&tx, &piece)? {
                let level = piece.level;
                pieces::merge(&tx, &[piece], level, || true)?;
                tx.commit()?;
            }
        }
    }
    // Nor do they stay in the write-ahead log.
    Ok(db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}
