//! From the index: which messages are likely to be what somebody looks for.
//!
//! Each of them is looked at again by who asks, so a word that a text does not have any more does no harm.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params, params_from_iter, types::Value};
use wigeon_proto::limits::SEARCH_LATE_MAX;

use super::list;
use super::pieces::{self, Piece};
use crate::Fault;

/// What it costs to ask for a list, and for each half KiB of it, where passing over a message costs 1.
const ASK: usize = 16;
const ASK_BYTES: usize = 512;

/// Terms that a message must have: all of `all`, and one of `any`, if there are some.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    pub(crate) all: Vec<String>,
    pub(crate) any: Vec<String>,
}

/// The messages of a piece that have the terms, ascending; and what it cost to find them.
pub(crate) fn in_piece(db: &Connection, piece: &Piece, terms: &Terms) -> Result<(Vec<u64>, usize), Fault> {
    let mut cost = 0;
    let mut lists = Vec::new();
    for term in &terms.all {
        cost += ASK;
        let Some(bytes) = pieces::list(db, piece, term)? else { return Ok((Vec::new(), cost)) };
        cost += bytes.len() / ASK_BYTES;
        lists.push(bytes);
    }
    lists.sort_unstable_by_key(Vec::len);
    let mut lists = lists.iter().map(|bytes| list::read(piece.low, bytes));
    let mut found: Vec<u64> = lists.next().map_or_else(Vec::new, Iterator::collect);
    for list in lists {
        found = list::both(&found, list);
    }
    if !terms.any.is_empty() && !found.is_empty() {
        let mut any = Vec::new();
        for term in &terms.any {
            cost += ASK;
            let Some(bytes) = pieces::list(db, piece, term)? else { continue };
            cost += bytes.len() / ASK_BYTES;
            any.extend(list::read(piece.low, &bytes));
        }
        any.sort_unstable();
        found = list::both(&found, any.into_iter());
    }
    Ok((found, cost))
}

/// Messages after `low`, up to `high`, that came to have the terms by an edit, ascending; only the newest, if
/// there are very many.
pub(crate) fn late(db: &Connection, low: u64, high: u64, terms: &Terms) -> Result<Vec<u64>, Fault> {
    let one = |i| format!("SELECT pos FROM search_late WHERE term = ?{i} AND pos > ?1 AND pos <= ?2");
    let all: Vec<String> = (0..terms.all.len()).map(|i| one(i + 4)).collect();
    let sql = format!("{} ORDER BY pos DESC LIMIT ?3", all.join(" INTERSECT "));
    let mut values: Vec<Value> = [low, high].map(|position| Value::from(position.cast_signed())).to_vec();
    values.push(Value::from(SEARCH_LATE_MAX as i64));
    values.extend(terms.all.iter().cloned().map(Value::from));
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| row.get(0))?;
    let mut found: Vec<u64> = rows.collect::<rusqlite::Result<_>>()?;
    found.reverse();
    Ok(found)
}

/// Messages up to `indexed` that were edited after it, ascending: nobody knows their words yet.
pub(crate) fn edited_since(db: &Connection, indexed: u64) -> Result<Vec<u64>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT DISTINCT message.pos FROM event INDEXED BY event_edited
         JOIN event AS message ON message.room = event.room AND message.seq = event.target
         WHERE event.kind = 'message.edited' AND event.pos > ?1 AND message.pos <= ?1 ORDER BY message.pos",
    )?;
    let rows = statement.query_map([indexed], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The bounds of the indexed stretches that have messages of this time: not before `since`, before `until`.
pub(crate) fn bounds(db: &Connection, since: u64, until: u64) -> Result<(u64, u64), Fault> {
    let as_number = |at: u64| i64::try_from(at).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(
        "SELECT min(low), max(high) FROM search_stretch WHERE first_at < ?2 AND last_at >= ?1",
    )?;
    let bounds = statement.query_row(params![as_number(since), as_number(until)], |row| {
        Ok((row.get::<_, Option<u64>>(0)?, row.get::<_, Option<u64>>(1)?))
    })?;
    Ok((bounds.0.unwrap_or(0), bounds.1.unwrap_or(0)))
}

/// In which room each message is: a stretch of the log at a time, since that is a hundred times quicker than
/// asking for each.
#[derive(Debug, Default)]
pub(crate) struct Whereabouts {
    low: u64,
    high: u64,
    rooms: Vec<u8>,
}

impl Whereabouts {
    /// Whether a message is in one of the rooms; and what it cost to find out.
    pub(crate) fn has(
        &mut self,
        db: &Connection,
        position: u64,
        rooms: &HashSet<i64>,
    ) -> Result<(bool, usize), Fault> {
        let mut cost = 0;
        if !(self.low < position && position <= self.high) {
            cost = ASK;
            let mut statement = db.prepare_cached(
                "SELECT low, high, rooms FROM search_stretch WHERE high >= ?1 ORDER BY high LIMIT 1",
            )?;
            let row = statement
                .query_row([position], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            let Some((low, high, bytes)) = row else { return Ok((false, cost)) };
            *self = Self { low, high, rooms: bytes };
        }
        let offset = 4 * (position - self.low - 1) as usize;
        let n = self
            .rooms
            .get(offset..)
            .and_then(|rest| rest.first_chunk())
            .map_or(0, |n| u32::from_le_bytes(*n));
        Ok((rooms.contains(&i64::from(n)), cost))
    }
}
