//! From the tables: what a stretch of the log brings to the index.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use wigeon_proto::command::Body;
use wigeon_proto::id::UserId;
use wigeon_proto::limits::{SEARCH_STRETCH_BYTES_MAX, SEARCH_STRETCH_POSITIONS};

use super::atoms::Atoms;
use super::list::List;
use super::terms;
use crate::cache::Map;
use crate::{Fault, stored};

/// What is new after `low`, up to `high`.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) low: u64,
    pub(crate) high: u64,
    pub(crate) lists: Map<String, List>,
    /// The room of each position, four bytes each; 0 where there is no message.
    pub(crate) rooms: Vec<u8>,
    pub(crate) first_at: u64,
    pub(crate) last_at: u64,
    /// Messages from before `low` that say something else by now; nothing if they were recalled.
    pub(crate) late: Vec<(u64, BTreeSet<String>)>,
}

/// A message's fields that the index knows it by.
#[derive(Deserialize)]
struct Message {
    from: UserId,
    at: u64,
    body: Option<Body>,
}

/// Reads the messages after `low`, up to `high` or to as many as are good to have in memory, in their present
/// form, and what happened there to older ones. The tables hold `high`.
///
/// A few at a time, each from a snapshot of its own: while one is held no checkpoint comes to its end, and this
/// thread waits for all others. What happens to a message afterwards stands after `high`, and is gathered with that.
pub(crate) fn gather(db: &Connection, low: u64, high: u64) -> Result<Gathered, Fault> {
    let mut gathered = Gathered {
        low,
        high,
        lists: Map::default(),
        rooms: Vec::new(),
        first_at: u64::MAX,
        last_at: 0,
        late: Vec::new(),
    };
    let (mut from, mut bytes) = (low, 0);
    while from < gathered.high {
        let to = gathered.high.min(from + SEARCH_STRETCH_POSITIONS);
        gathered.messages(db, from, to, &mut bytes)?;
        from = to;
    }
    gathered.changes(db)?;
    Ok(gathered)
}

/// The first position after `low` that has an event.
pub(crate) fn next_event(db: &Connection, low: u64) -> Result<Option<u64>, Fault> {
    let mut statement = db.prepare_cached("SELECT pos FROM event WHERE pos > ?1 ORDER BY pos LIMIT 1")?;
    Ok(statement.query_row([low], |row| row.get(0)).optional()?)
}

impl Gathered {
    fn messages(&mut self, db: &Connection, from: u64, to: u64, bytes: &mut usize) -> Result<(), Fault> {
        let mut statement = db.prepare_cached(
            "SELECT event.pos, event.room, event.tail, amend.room IS NOT NULL, amend.text FROM event
             LEFT JOIN amend ON amend.room = event.room AND amend.seq = event.seq
             WHERE event.pos > ?1 AND event.pos <= ?2 AND event.seq IS NOT NULL ORDER BY event.pos",
        )?;
        let mut rows = statement.query(params![from, to])?;
        while let Some(row) = rows.next()? {
            let (position, n): (u64, i64) = (row.get(0)?, row.get(1)?);
            let tail = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
            let message: Message = stored(serde_json::from_slice(&[b"{", tail].concat()))?;
            let text = if row.get(3)? { row.get(4)? } else { message.body.map(|body| body.text) };
            let offset = 4 * (position - self.low - 1) as usize;
            self.rooms.resize(offset, 0);
            self.rooms.extend((n as u32).to_le_bytes());
            self.first_at = self.first_at.min(message.at);
            self.last_at = self.last_at.max(message.at);
            *bytes += tail.len();
            if let Some(text) = text {
                self.put(&terms::of_room(n), position);
                self.put(&terms::of_sender(&message.from), position);
                for term in terms::of_text(&Atoms::of(&text)) {
                    self.put(term, position);
                }
            }
            if *bytes >= SEARCH_STRETCH_BYTES_MAX {
                self.high = position;
                break;
            }
        }
        Ok(())
    }

    fn put(&mut self, term: &str, position: u64) {
        if let Some(list) = self.lists.get_mut(term) {
            list.push(position);
            return;
        }
        let mut list = List::after(self.low);
        list.push(position);
        self.lists.insert(term.to_owned(), list);
    }

    fn changes(&mut self, db: &Connection) -> Result<(), Fault> {
        let mut statement = db.prepare_cached(
            "SELECT DISTINCT message.pos, message.room, message.tail, amend.text FROM event
             JOIN event AS message ON message.room = event.room AND message.seq = event.target
             JOIN amend ON amend.room = event.room AND amend.seq = event.target
             WHERE event.pos > ?1 AND event.pos <= ?2 AND event.kind IN ('message.edited', 'message.recalled')
               AND message.pos <= ?1",
        )?;
        let mut rows = statement.query(params![self.low, self.high])?;
        while let Some(row) = rows.next()? {
            let text: Option<String> = row.get(3)?;
            let mut all = BTreeSet::new();
            if let Some(text) = text {
                let tail = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
                let message: Message = stored(serde_json::from_slice(&[b"{", tail].concat()))?;
                all.extend(terms::of_text(&Atoms::of(&text)).map(str::to_owned));
                all.insert(terms::of_room(row.get(1)?));
                all.insert(terms::of_sender(&message.from));
            }
            self.late.push((row.get(0)?, all));
        }
        Ok(())
    }
}
