//! `search`: messages by what they say, the newest first.
//!
//! What the index has not come to yet is gone through; of the rest the index names what is likely. Either way
//! the present text of a message is looked at in the same snapshot: so a text that was recalled or replaced is
//! not found from the moment of the acknowledgement on, and nobody finds what their history would not show. One
//! answer looks only so far; then it says `more`, and where to go on.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use wigeon_proto::command::{self, Body, When};
use wigeon_proto::cursor::Cursor;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::{SEARCH_BYTES_MAX, SEARCH_LATE_MAX, SEARCH_MAX, SEARCH_ROOM_LISTS_MAX};
use wigeon_proto::reply::{Hit, Search};

use super::{Asker, QueryError, View};
use crate::search::likely::{self, Terms};
use crate::search::phrase::{Wanted, snippet};
use crate::search::{of_room, of_sender, pieces};
use crate::{Fault, stored};

/// What looking at a text costs, and each KiB of it; passing over a message costs 1.
const LOOK: usize = 16;

impl View<'_> {
    /// Answers `search`.
    pub fn search(&self, asker: &Asker, query: &command::Search) -> Result<Search, QueryError> {
        let wanted = wanted(&query.q)?;
        let scope = match &query.room {
            Some(room) => Scope::One(self.room(asker, room)?.0),
            None if asker.service => Scope::All,
            None => Scope::Some(self.rooms_by_key(asker)?),
        };
        let mut hunt = Hunt {
            view: self,
            asker,
            wanted,
            from: query.from.as_ref(),
            span: self.span(query)?,
            scope,
            rooms: HashMap::new(),
            limit: query.limit.unwrap_or(20).clamp(1, SEARCH_MAX),
            effort: self.effort,
            hits: Vec::new(),
        };
        let stopped = match hunt.scan(self.indexed)? {
            None => hunt.ask(self.indexed)?,
            stopped => stopped,
        };
        Ok(hunt.answer(stopped))
    }

    fn rooms_by_key(&self, asker: &Asker) -> Result<HashSet<i64>, Fault> {
        let mut statement = self.db.prepare_cached("SELECT room FROM member WHERE user = ?1")?;
        let rows = statement.query_map([asker.user.as_str()], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn span(&self, query: &command::Search) -> Result<Span, QueryError> {
        let mut span = Span { low: 0, high: self.position, since: 0, until: u64::MAX };
        match &query.before {
            Some(When::At(at)) => span.until = *at,
            Some(When::Cursor(text)) => span.high = span.high.min(self.place(text)?.saturating_sub(1)),
            None => {}
        }
        match &query.after {
            Some(When::At(at)) => span.since = at.saturating_add(1),
            Some(When::Cursor(text)) => span.low = self.place(text)?,
            None => {}
        }
        Ok(span)
    }

    fn place(&self, text: &str) -> Result<u64, QueryError> {
        match Cursor::parse(text) {
            Ok(cursor) if cursor.epoch == self.epoch => Ok(cursor.position),
            _ => Err(WireError::new(ErrorCode::BadRequest, "it is no cursor of this log").into()),
        }
    }
}

fn wanted(q: &str) -> Result<Wanted, WireError> {
    let bad = |message: String| WireError::new(ErrorCode::BadRequest, message);
    if q.len() > SEARCH_BYTES_MAX {
        return Err(bad(format!("`q` has at most {SEARCH_BYTES_MAX} bytes")));
    }
    Wanted::parse(q).ok_or_else(|| bad("`q` has no word to look for".into()))
}

/// Which rooms are searched.
enum Scope {
    One(i64),
    Some(HashSet<i64>),
    All,
}

impl Scope {
    fn has(&self, n: i64) -> bool {
        match self {
            Self::One(one) => *one == n,
            Self::Some(rooms) => rooms.contains(&n),
            Self::All => true,
        }
    }
}

/// Which part of the log is searched. Times are bounds of their own, since they need not ascend with it.
struct Span {
    /// Exclusive.
    low: u64,
    high: u64,
    since: u64,
    /// Exclusive.
    until: u64,
}

/// A room as it is searched: its id, and what of it the asker may see.
type Room = (RoomId, Vec<(u64, u64)>);

/// A message's fields that search looks at.
#[derive(Deserialize)]
struct Message {
    from: UserId,
    at: u64,
    /// None when it was recalled.
    body: Option<Body>,
}

/// One search on its way from the newest message to older ones.
struct Hunt<'a> {
    view: &'a View<'a>,
    asker: &'a Asker,
    wanted: Wanted,
    from: Option<&'a UserId>,
    span: Span,
    scope: Scope,
    /// Rooms met on the way; none where the asker may see nothing.
    rooms: HashMap<i64, Option<Room>>,
    limit: usize,
    effort: usize,
    hits: Vec<(u64, Hit)>,
}

impl Hunt<'_> {
    /// Goes through the messages after `low`; returns where it had to stop.
    fn scan(&mut self, low: u64) -> Result<Option<u64>, QueryError> {
        let mut statement = self.view.db.prepare_cached(
            "SELECT pos, room, seq, tail FROM event WHERE pos > ?1 AND pos <= ?2 AND seq IS NOT NULL
             ORDER BY pos DESC",
        )?;
        let mut rows = statement.query(params![low.max(self.span.low), self.span.high])?;
        while let Some(row) = rows.next()? {
            let position = row.get(0)?;
            if self.is_over() {
                return Ok(Some(position));
            }
            self.effort = self.effort.saturating_sub(1);
            let n = row.get(1)?;
            if self.scope.has(n) {
                let tail = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
                self.look(position, n, row.get(2)?, tail)?;
            }
        }
        Ok(None)
    }

    /// Goes through what is likely among the messages up to `indexed`; returns where it had to stop.
    fn ask(&mut self, indexed: u64) -> Result<Option<u64>, QueryError> {
        let db = &self.view.db;
        let (low, high) = likely::bounds(db, self.span.since, self.span.until)?;
        let (mut low, high) = (low.max(self.span.low), high.min(self.span.high).min(indexed));
        if low >= high {
            return Ok(None);
        }
        let terms = self.terms();
        let mut others = likely::late(db, low, high, &terms)?;
        // More of them than one search takes: nothing can be said of what is before them.
        let floor = others.first().copied().filter(|_| others.len() == SEARCH_LATE_MAX);
        low = floor.map_or(low, |floor| floor - 1);
        others.extend(likely::edited_since(db, indexed)?.into_iter().filter(|at| *at > low && *at <= high));
        others.sort_unstable();
        let mut rooms = likely::Whereabouts::default();
        for piece in pieces::within(db, low, high)? {
            if self.is_over() {
                return Ok(Some(piece.high.min(high)));
            }
            let (mut found, cost) = likely::in_piece(db, &piece, &terms)?;
            self.effort = self.effort.saturating_sub(cost);
            found.retain(|at| *at > low && *at <= high);
            found.extend(others.drain(others.partition_point(|at| *at <= piece.low)..));
            found.sort_unstable();
            found.dedup();
            for position in found.into_iter().rev() {
                if self.is_over() {
                    return Ok(Some(position));
                }
                self.effort = self.effort.saturating_sub(1);
                if let Scope::Some(mine) = &self.scope {
                    let (is_mine, cost) = rooms.has(db, position, mine)?;
                    self.effort = self.effort.saturating_sub(cost);
                    if !is_mine {
                        continue;
                    }
                }
                self.visit(position)?;
            }
        }
        Ok(floor.map(|floor| floor - 1))
    }

    /// What the index is asked for.
    fn terms(&self) -> Terms {
        let mut all: Vec<String> = self.wanted.terms().into_iter().map(str::to_owned).collect();
        all.extend(self.from.map(of_sender));
        let any = match &self.scope {
            Scope::One(n) => {
                all.push(of_room(*n));
                Vec::new()
            }
            Scope::Some(rooms) if rooms.len() <= SEARCH_ROOM_LISTS_MAX => {
                rooms.iter().map(|n| of_room(*n)).collect()
            }
            Scope::Some(_) | Scope::All => Vec::new(),
        };
        Terms { all, any }
    }

    /// Looks at the message at a position, if there is one that is searched.
    fn visit(&mut self, position: u64) -> Result<(), QueryError> {
        let mut statement = self
            .view
            .db
            .prepare_cached("SELECT room, seq, tail FROM event WHERE pos = ?1 AND seq IS NOT NULL")?;
        let mut rows = statement.query([position])?;
        let Some(row) = rows.next()? else { return Ok(()) };
        let n = row.get(0)?;
        if self.scope.has(n) {
            let tail = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
            self.look(position, n, row.get(1)?, tail)?;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.effort == 0 || self.hits.len() > self.limit
    }

    /// Looks at a message; it is a hit if the asker may see it and its present text has what is wanted.
    fn look(&mut self, position: u64, n: i64, seq: u64, tail: &[u8]) -> Result<(), QueryError> {
        let Some((room, visible)) = self.room(n)? else { return Ok(()) };
        if !visible.iter().any(|(after, to)| *after < seq && seq <= *to) {
            return Ok(());
        }
        let room = room.clone();
        self.effort = self.effort.saturating_sub(LOOK + LOOK * tail.len() / 1024);
        let Message { from, at, body } = stored(serde_json::from_slice(&[b"{", tail].concat()))?;
        if self.from.is_some_and(|wanted| *wanted != from) || at < self.span.since || at >= self.span.until {
            return Ok(());
        }
        let Some(text) = self.view.text_now(n, seq, body)? else { return Ok(()) };
        if let Some(marks) = self.wanted.marks(&text) {
            let cursor = Cursor { epoch: self.view.epoch, position }.to_string();
            self.hits.push((position, Hit { room, seq, from, at, cursor, snippet: snippet(&text, &marks) }));
        }
        Ok(())
    }

    fn room(&mut self, n: i64) -> Result<Option<&Room>, QueryError> {
        if !self.rooms.contains_key(&n) {
            let room = self.view.room_by_key(self.asker, n)?;
            self.rooms.insert(n, room);
        }
        Ok(self.rooms[&n].as_ref())
    }

    fn answer(mut self, stopped: Option<u64>) -> Search {
        let more = self.hits.len() > self.limit;
        self.hits.truncate(self.limit);
        let last = self.hits.last().map(|(position, _)| *position);
        let next = if more { last } else { stopped.map(|position| position + 1) };
        let next = next.map(|position| Cursor { epoch: self.view.epoch, position }.to_string());
        Search { hits: self.hits.into_iter().map(|(_, hit)| hit).collect(), more: next.is_some(), next }
    }
}

impl View<'_> {
    fn room_by_key(&self, asker: &Asker, n: i64) -> Result<Option<Room>, QueryError> {
        let mut statement = self.db.prepare_cached("SELECT id FROM room WHERE n = ?1")?;
        let id: String = statement.query_row([n], |row| row.get(0))?;
        let id = stored(RoomId::parse(&id))?;
        match self.room(asker, &id) {
            Ok((n, room, member)) => Ok(Some((id, self.visible(asker, n, &room, member.as_ref())?))),
            Err(QueryError::Refused(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// A message's present text, out of the body it was sent with; none when it was recalled.
    fn text_now(&self, n: i64, seq: u64, body: Option<Body>) -> Result<Option<String>, Fault> {
        let mut statement = self.db.prepare_cached("SELECT text FROM amend WHERE room = ?1 AND seq = ?2")?;
        let amended: Option<Option<String>> =
            statement.query_row(params![n, seq], |row| row.get(0)).optional()?;
        Ok(amended.unwrap_or_else(|| body.map(|body| body.text)))
    }
}
