//! Whether the index is what the tables say.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::gather::gather;
use super::likely::edited_since;
use super::pieces::{self, Piece};
use super::{file, list};
use crate::Fault;

/// Positions gathered at once.
const STEP: u64 = 1024;

/// A message that is known by the wrong words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Its position.
    pub position: u64,
    /// The word.
    pub term: String,
    /// It says it, and the index does not know; otherwise it never said it, and the index has it.
    pub missing: bool,
}

/// Compares an index's file with the tables it was made from, neither of which anybody writes to meanwhile.
/// What a message said before an edit or its recall may be in the index still, since nobody is shown it.
/// Returns the index's watermark, up to which it was compared.
pub fn verify_index(index: &Path, tables: &Path, mut tell: impl FnMut(Wrong)) -> Result<u64, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let index = &Connection::open_with_flags(index, flags)?;
    let tables = &mut Connection::open_with_flags(tables, flags)?;
    let watermark = file::watermark(index)?;
    let later: HashSet<u64> = edited_since(tables, watermark)?.into_iter().collect();
    let mut covered = 0;
    for piece in pieces::within(index, 0, watermark)?.into_iter().rev() {
        tell_missing(index, said(tables, covered, piece.low)?, &later, &mut tell)?;
        covered = piece.high;
        let mut said = said(tables, piece.low, piece.high)?;
        for (term, found) in known(index, &piece)? {
            let said = said.remove(&term).unwrap_or_default();
            for position in found.iter().filter(|position| said.binary_search(position).is_err()) {
                if !is_changed(tables, *position)? {
                    tell(Wrong { position: *position, term: term.clone(), missing: false });
                }
            }
            let missing =
                said.into_iter().filter(|position| found.binary_search(position).is_err()).collect();
            tell_missing(index, HashMap::from([(term, missing)]), &later, &mut tell)?;
        }
        tell_missing(index, said, &later, &mut tell)?;
    }
    tell_missing(index, said(tables, covered, watermark)?, &later, &mut tell)?;
    Ok(watermark)
}

/// What the messages after `low`, up to `high`, say in their present form.
fn said(tables: &mut Connection, low: u64, high: u64) -> Result<HashMap<String, Vec<u64>>, Fault> {
    let mut said: HashMap<String, Vec<u64>> = HashMap::new();
    let mut at = low;
    while at < high {
        let gathered = gather(tables, at, high.min(at + STEP))?;
        for (term, list) in gathered.lists {
            said.entry(term).or_default().extend(list::read(at, list.bytes()));
        }
        at = gathered.high;
    }
    Ok(said)
}

fn known(index: &Connection, piece: &Piece) -> Result<Vec<(String, Vec<u64>)>, Fault> {
    let mut statement = index.prepare_cached("SELECT term, list FROM search_posting WHERE piece = ?1")?;
    let rows = statement.query_map([piece.n], |row| {
        let bytes: Vec<u8> = row.get(1)?;
        Ok((row.get(0)?, list::read(piece.low, &bytes).collect()))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn tell_missing(
    index: &Connection,
    said: HashMap<String, Vec<u64>>,
    later: &HashSet<u64>,
    tell: &mut impl FnMut(Wrong),
) -> Result<(), Fault> {
    let mut late = index.prepare_cached("SELECT 1 FROM search_late WHERE term = ?1 AND pos = ?2")?;
    for (term, positions) in said {
        for position in positions.into_iter().filter(|position| !later.contains(position)) {
            if !late.exists(params![term, position])? {
                tell(Wrong { position, term: term.clone(), missing: true });
            }
        }
    }
    Ok(())
}

/// Whether a message is not as it was sent, or not there any more.
fn is_changed(tables: &Connection, position: u64) -> Result<bool, Fault> {
    let mut statement = tables.prepare_cached(
        "SELECT amend.room IS NOT NULL FROM event
         LEFT JOIN amend ON amend.room = event.room AND amend.seq = event.seq WHERE event.pos = ?1",
    )?;
    Ok(statement.query_row([position], |row| row.get(0)).optional()?.unwrap_or(true))
}
