//! The pieces of the index: each has the messages of a stretch of the log, by term.
//!
//! A piece is written once. When there are enough small ones they are put together into a larger one, as in
//! a log-structured merge tree: so a term's list is written a few times in all, and a search looks into few
//! pieces. The largest are not put together any further: a transaction stays small, and what one
//! search costs hardly depends on it.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::gather::Gathered;
use super::list::{self, List};
use crate::Fault;

/// The level from which on pieces are not put together any more: with 16 to one, 256 Ki positions.
pub(crate) const LEVEL_MAX: u32 = 2;

/// A piece of the index: the messages after `low`, up to `high`.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) n: i64,
    pub(crate) level: u32,
    pub(crate) low: u64,
    pub(crate) high: u64,
}

/// The pieces that have messages after `low`, up to `high`, the newest first.
pub(crate) fn within(db: &Connection, low: u64, high: u64) -> Result<Vec<Piece>, Fault> {
    pieces(db, "high > ?1 AND low < ?2 ORDER BY high DESC", params![low, high])
}

/// The pieces of a level, the oldest first.
pub(crate) fn of_level(db: &Connection, level: u32) -> Result<Vec<Piece>, Fault> {
    pieces(db, "level = ?1 ORDER BY high", params![level])
}

fn pieces(db: &Connection, which: &str, params: impl rusqlite::Params) -> Result<Vec<Piece>, Fault> {
    let mut statement =
        db.prepare_cached(&format!("SELECT n, level, low, high FROM search_piece WHERE {which}"))?;
    let rows = statement.query_map(params, |row| {
        Ok(Piece { n: row.get(0)?, level: row.get(1)?, low: row.get(2)?, high: row.get(3)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Whether a piece has not become part of another.
pub(crate) fn is_there(db: &Connection, piece: &Piece) -> Result<bool, Fault> {
    Ok(db.prepare_cached("SELECT 1 FROM search_piece WHERE n = ?1")?.exists([piece.n])?)
}

/// A term's list in a piece.
pub(crate) fn list(db: &Connection, piece: &Piece, term: &str) -> Result<Option<Vec<u8>>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT list FROM search_posting WHERE piece = ?1 AND term = ?2")?;
    let mut rows = statement.query(params![piece.n, term])?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}

/// Writes what a stretch of the log brings.
pub(crate) fn write(db: &Connection, gathered: &Gathered, level: u32) -> Result<(), Fault> {
    let Gathered { low, high, lists, rooms, first_at, last_at, late } = gathered;
    if !rooms.is_empty() {
        let mut piece = Writing::begin(db, level, *low, *high)?;
        let mut lists: Vec<_> = lists.iter().collect();
        lists.sort_unstable_by_key(|(term, _)| *term);
        for (term, list) in lists {
            piece.put(term, list)?;
        }
        let sql =
            "INSERT INTO search_stretch (high, low, first_at, last_at, rooms) VALUES (?1, ?2, ?3, ?4, ?5)";
        db.prepare_cached(sql)?.execute(params![high, low, first_at, last_at, rooms])?;
    }
    for (position, terms) in late {
        db.prepare_cached("DELETE FROM search_late WHERE pos = ?1")?.execute([position])?;
        for term in terms {
            let sql = "INSERT INTO search_late (term, pos) VALUES (?1, ?2)";
            db.prepare_cached(sql)?.execute(params![term, position])?;
        }
        // Its piece knows it by words that it does not say any more.
        db.prepare_cached("INSERT OR IGNORE INTO search_gone (pos) VALUES (?1)")?.execute([position])?;
    }
    Ok(())
}

/// Writes pieces that lie one after another as one, without what is gone. Asks now and then whether to go on,
/// and says whether it came to its end.
pub(crate) fn merge(
    db: &Connection,
    pieces: &[Piece],
    level: u32,
    go_on: impl Fn() -> bool,
) -> Result<bool, Fault> {
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return Ok(true) };
    let gone = gone(db, first.low, last.high)?;
    let mut writing = Writing::begin(db, level, first.low, last.high)?;
    let ns = pieces.iter().map(|piece| piece.n.to_string()).collect::<Vec<_>>().join(",");
    let mut statement = db.prepare(&format!(
        "SELECT term, low, list FROM search_posting JOIN search_piece ON n = piece
         WHERE piece IN ({ns}) ORDER BY term, low"
    ))?;
    let mut rows = statement.query([])?;
    let mut present: Option<(String, List)> = None;
    let mut count = 0_u32;
    while let Some(row) = rows.next()? {
        count += 1;
        if count.is_multiple_of(1024) && !go_on() {
            return Ok(false);
        }
        let term = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        if present.as_ref().is_none_or(|(present, _)| present != term) {
            if let Some((term, list)) = present.take() {
                writing.put(&term, &list)?;
            }
            present = Some((term.to_owned(), List::after(first.low)));
        }
        let bytes = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        if let Some((_, list)) = &mut present {
            list::read(row.get(1)?, bytes).filter(|at| !gone.contains(at)).for_each(|at| list.push(at));
        }
    }
    if let Some((term, list)) = present {
        writing.put(&term, &list)?;
    }
    db.execute(&format!("DELETE FROM search_posting WHERE piece IN ({ns})"), [])?;
    db.execute(&format!("DELETE FROM search_piece WHERE n IN ({ns})"), [])?;
    db.execute("DELETE FROM search_gone WHERE pos > ?1 AND pos <= ?2", params![first.low, last.high])?;
    Ok(true)
}

fn gone(db: &Connection, low: u64, high: u64) -> Result<HashSet<u64>, Fault> {
    let mut statement = db.prepare_cached("SELECT pos FROM search_gone WHERE pos > ?1 AND pos <= ?2")?;
    let rows = statement.query_map(params![low, high], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A piece that is being written, its terms ascending.
struct Writing<'a> {
    n: i64,
    statement: rusqlite::CachedStatement<'a>,
}

impl<'a> Writing<'a> {
    fn begin(db: &'a Connection, level: u32, low: u64, high: u64) -> Result<Self, Fault> {
        let sql = "INSERT INTO search_piece (level, low, high) VALUES (?1, ?2, ?3)";
        db.prepare_cached(sql)?.execute(params![level, low, high])?;
        let sql = "INSERT INTO search_posting (piece, term, list) VALUES (?1, ?2, ?3)";
        Ok(Self { n: db.last_insert_rowid(), statement: db.prepare_cached(sql)? })
    }

    fn put(&mut self, term: &str, list: &List) -> Result<(), Fault> {
        if !list.bytes().is_empty() {
            self.statement.execute(params![self.n, term, list.bytes()])?;
        }
        Ok(())
    }
}
