//! A page of the log: what is after a cursor, for one user, in order of position over all their rooms.
//!
//! Each room contributes spans, the stretches of positions in which the user sees it. The spans are
//! merged lazily: a heap holds the next position of each, and rows are fetched a few at a time from
//! the span that is next. So a page costs what it returns, not how much the log grew.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use rusqlite::{OptionalExtension, params};
use wigeon_proto::id::{RoomId, UserId};

use super::{QueryError, View};
use crate::rows::find_room;
use crate::{Fault, stored};

/// Rows fetched from a span at first; four times as many each time after, up to [`FETCH_MAX`].
const FETCH_MIN: usize = 8;
const FETCH_MAX: usize = 512;

/// What a page is asked of.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Whose rooms.
    pub user: UserId,
    /// Public channels to read besides.
    pub watch: Vec<RoomId>,
    /// Everything up to here has been seen.
    pub after: u64,
    /// Frames at most.
    pub frames_max: usize,
    /// Bytes of frames after which the page ends.
    pub bytes_max: usize,
    /// Of a room with more unseen messages, only the newest so many, and a gap for the rest.
    pub max_per_room: Option<u64>,
}

/// An event as it is stored.
#[derive(Debug)]
pub struct Record {
    /// Where it stands.
    pub position: u64,
    /// The frame's `type`.
    pub kind: String,
    /// The frame after `type` and `cursor`.
    pub tail: Vec<u8>,
}

/// Messages left out of a page.
#[derive(Debug, PartialEq, Eq)]
pub struct Gap {
    /// Of which room.
    pub room: RoomId,
    /// The first left out.
    pub from_seq: u64,
    /// The last left out.
    pub to_seq: u64,
}

/// What was found.
#[derive(Debug)]
pub struct Page {
    /// Ascending by position.
    pub records: Vec<Record>,
    /// What was left out between the request's position and this page's.
    pub gaps: Vec<Gap>,
    /// Everything visible up to here is in the page or in a gap.
    pub position: u64,
    /// Whether there is more after it.
    pub more: bool,
    /// Rooms asked for that cannot be watched.
    pub unavailable: Vec<RoomId>,
    /// Something that was visible after the request's position has gone by retention: there is nothing here,
    /// and who asked begins anew at `position`.
    pub gone: bool,
}

/// Positions of one room that are visible: `after < pos <= to`.
#[derive(Debug)]
struct Span {
    n: i64,
    after: u64,
    to: u64,
    /// Events of the room up to here have gone.
    gone: u64,
    skip: Option<Skip>,
    rows: VecDeque<Row>,
    fetch: usize,
}

/// Messages of a span that are left out, and with them the events that are only about those.
#[derive(Debug, Clone)]
struct Skip {
    from_seq: u64,
    to_seq: u64,
    /// The position of `to_seq`.
    to_pos: u64,
}

#[derive(Debug)]
struct Row {
    target: Option<u64>,
    record: Record,
}

impl View<'_> {
    /// Reads one page.
    pub fn page(&self, request: &PageRequest) -> Result<Page, QueryError> {
        let (mut spans, names, unavailable) = self.spans(request)?;
        if spans.iter().any(Span::has_gone) {
            let (position, records, gaps) = (self.position, Vec::new(), Vec::new());
            return Ok(Page { records, gaps, position, more: false, unavailable, gone: true });
        }
        if let Some(max) = request.max_per_room {
            for span in &mut spans {
                span.skip = self.skip(span, max)?;
            }
        }
        let (records, more) = self.merge(&mut spans, request)?;
        let position = match records.last() {
            Some(last) if more => last.position,
            _ => self.position.max(request.after),
        };
        let gaps = self.gaps(&spans, &names, position)?;
        Ok(Page { records, gaps, position, more, unavailable, gone: false })
    }

    /// The position before the newest `count` events that are visible, for `last=`.
    pub fn before_last(&self, user: &UserId, watch: &[RoomId], count: usize) -> Result<u64, QueryError> {
        let everything = PageRequest {
            user: user.clone(),
            watch: watch.to_vec(),
            after: 0,
            frames_max: count,
            bytes_max: usize::MAX,
            max_per_room: None,
        };
        let (spans, ..) = self.spans(&everything)?;
        let mut newest = BinaryHeap::new();
        let mut statement = self.db.prepare_cached(
            "SELECT pos FROM event WHERE room = ?1 AND pos > ?2 AND pos <= ?3 ORDER BY pos DESC LIMIT ?4",
        )?;
        for span in &spans {
            let rows = statement
                .query_map(params![span.n, span.after, span.to, count], |row| row.get::<_, u64>(0))?;
            for position in rows {
                newest.push(Reverse(position?));
                if newest.len() > count {
                    newest.pop();
                }
            }
        }
        let begins = newest.pop().map_or(self.position, |Reverse(oldest)| oldest - 1);
        // Not before what has gone, or the page from there would be none.
        Ok(spans.iter().map(|span| span.gone.min(span.to)).fold(begins, u64::max))
    }

    #[allow(clippy::type_complexity)] // Three lists that are made in one walk and used in one place.
    fn spans(
        &self,
        request: &PageRequest,
    ) -> Result<(Vec<Span>, HashMap<i64, RoomId>, Vec<RoomId>), QueryError> {
        let (mut spans, mut names, mut unavailable) = (Vec::new(), HashMap::new(), Vec::new());
        for id in &request.watch {
            match find_room(&self.db, id)? {
                Some((n, room)) if room.is_public() => {
                    let after = request.after.max(room.public_pos);
                    names.insert(n, id.clone());
                    spans.push(Span { gone: room.gone_pos, ..Span::new(n, after, self.position) });
                }
                _ => unavailable.push(id.clone()),
            }
        }
        let watches = spans.len();
        if let Some((n, _)) = find_room(&self.db, &RoomId::own(&request.user))? {
            spans.push(Span::new(n, request.after, self.position));
        }
        let mut statement = self.db.prepare_cached(
            "SELECT room.n, room.id, interval.joined_pos, interval.left_pos, room.gone_pos
             FROM interval JOIN room ON room.n = interval.room
             WHERE interval.user = ?1 AND room.head_pos > ?2 AND (interval.left_pos IS NULL OR interval.left_pos > ?2)",
        )?;
        let mut rows = statement.query(params![request.user.as_str(), request.after])?;
        while let Some(row) = rows.next()? {
            let (n, id): (i64, String) = (row.get(0)?, row.get(1)?);
            let (joined, left): (u64, Option<u64>) = (row.get(2)?, row.get(3)?);
            let after = request.after.max(joined - 1);
            // What is watched besides is there from where it became public on.
            let watched = spans[..watches].iter().find(|span: &&Span| span.n == n).map(|span| span.after);
            let to = left.unwrap_or(self.position).min(watched.unwrap_or(u64::MAX));
            if after < to {
                names.insert(n, stored(RoomId::parse(&id))?);
                spans.push(Span { gone: row.get(4)?, ..Span::new(n, after, to) });
            }
        }
        Ok((spans, names, unavailable))
    }

    fn merge(&self, spans: &mut [Span], request: &PageRequest) -> Result<(Vec<Record>, bool), QueryError> {
        let mut heap = BinaryHeap::new();
        for (i, span) in spans.iter_mut().enumerate() {
            if let Some(position) = self.next_of(span)? {
                heap.push(Reverse((position, i)));
            }
        }
        let (mut records, mut bytes) = (Vec::new(), 0);
        while let Some(Reverse((_, i))) = heap.pop() {
            if records.len() >= request.frames_max || bytes >= request.bytes_max {
                return Ok((records, true));
            }
            let row = spans[i].rows.pop_front().expect("next_of has fetched it");
            bytes += row.record.tail.len();
            records.push(row.record);
            if let Some(position) = self.next_of(&mut spans[i])? {
                heap.push(Reverse((position, i)));
            }
        }
        Ok((records, false))
    }

    /// The position of a span's next row, fetched if need be.
    fn next_of(&self, span: &mut Span) -> Result<Option<u64>, Fault> {
        while span.rows.is_empty() && span.after < span.to {
            self.fetch(span)?;
        }
        Ok(span.rows.front().map(|row| row.record.position))
    }

    fn fetch(&self, span: &mut Span) -> Result<(), Fault> {
        let skipping = span.skip.as_ref().filter(|skip| span.after < skip.to_pos).map(|skip| skip.to_pos);
        let sql = if skipping.is_some() {
            "SELECT pos, target, kind, tail FROM event INDEXED BY event_other
             WHERE room = ?1 AND pos > ?2 AND pos <= ?3 AND seq IS NULL ORDER BY pos LIMIT ?4"
        } else {
            "SELECT pos, target, kind, tail FROM event INDEXED BY event_room
             WHERE room = ?1 AND pos > ?2 AND pos <= ?3 ORDER BY pos LIMIT ?4"
        };
        let to = skipping.unwrap_or(span.to).min(span.to);
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map(params![span.n, span.after, to, span.fetch], |row| {
            let record = Record { position: row.get(0)?, kind: row.get(2)?, tail: row.get(3)? };
            Ok(Row { target: row.get(1)?, record })
        })?;
        let (mut count, mut last) = (0, to);
        for row in rows {
            let row = row?;
            (count, last) = (count + 1, row.record.position);
            if !span.skips(row.target) {
                span.rows.push_back(row);
            }
        }
        span.after = if count < span.fetch { to } else { last };
        span.fetch = (span.fetch * 4).min(FETCH_MAX);
        Ok(())
    }

    /// What `max_per_room` leaves out of a span.
    fn skip(&self, span: &Span, max: u64) -> Result<Option<Skip>, Fault> {
        let edge = |order: &str| -> Result<Option<u64>, Fault> {
            let sql = format!(
                "SELECT seq FROM event INDEXED BY event_room WHERE room = ?1 AND pos > ?2 AND pos <= ?3 AND seq IS NOT NULL ORDER BY pos {order} LIMIT 1"
            );
            let mut statement = self.db.prepare_cached(&sql)?;
            Ok(statement.query_row(params![span.n, span.after, span.to], |row| row.get(0)).optional()?)
        };
        let (Some(first), Some(last)) = (edge("ASC")?, edge("DESC")?) else { return Ok(None) };
        if last - first < max {
            return Ok(None);
        }
        let to_seq = last - max;
        let mut statement = self.db.prepare_cached("SELECT pos FROM event WHERE room = ?1 AND seq = ?2")?;
        let to_pos = statement.query_row(params![span.n, to_seq], |row| row.get(0))?;
        Ok(Some(Skip { from_seq: first, to_seq, to_pos }))
    }

    /// The gaps of a page that ends at `position`: exactly what it has passed over, so that the next page
    /// begins with messages no gap has named yet.
    fn gaps(&self, spans: &[Span], names: &HashMap<i64, RoomId>, position: u64) -> Result<Vec<Gap>, Fault> {
        let mut gaps = Vec::new();
        for span in spans {
            let Some(skip) = &span.skip else { continue };
            let to_seq =
                if position >= skip.to_pos { Some(skip.to_seq) } else { self.seq_at(span.n, position)? };
            if let (Some(room), Some(to_seq)) = (names.get(&span.n), to_seq)
                && to_seq >= skip.from_seq
            {
                gaps.push(Gap { room: room.clone(), from_seq: skip.from_seq, to_seq });
            }
        }
        Ok(gaps)
    }

    /// The newest message of a room at or before a position.
    fn seq_at(&self, n: i64, position: u64) -> Result<Option<u64>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT seq FROM event INDEXED BY event_room WHERE room = ?1 AND pos <= ?2 AND seq IS NOT NULL ORDER BY pos DESC LIMIT 1",
        )?;
        Ok(statement.query_row(params![n, position], |row| row.get(0)).optional()?)
    }
}

impl Span {
    fn new(n: i64, after: u64, to: u64) -> Self {
        Self { n, after, to, gone: 0, skip: None, rows: VecDeque::new(), fetch: FETCH_MIN }
    }

    /// Whether some of what was visible has gone.
    fn has_gone(&self) -> bool {
        self.after < self.gone.min(self.to)
    }

    /// Whether an event is only about messages that are left out.
    fn skips(&self, target: Option<u64>) -> bool {
        let (Some(skip), Some(target)) = (&self.skip, target) else { return false };
        (skip.from_seq..=skip.to_seq).contains(&target)
    }
}
