//! A page of the log: what is after a cursor, for one user, in order of position over all their rooms.
//!
//! Each room contributes spans, the stretches of positions in which the user sees it. Most readers are a
//! little behind: the log itself is looked through for what comes next, a bounded number of positions. Who is
//! further behind, or sees little of what is said, has the rest merged from their rooms; see
//! [`lanes`](super::lanes). So a page costs what it returns, not how much the log grew.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use rusqlite::{OptionalExtension, params};
use wigeon_proto::id::{RoomId, UserId};

use super::lanes::{Merge, Skip, Span};
use super::{QueryError, View};
use crate::rows::find_room;
use crate::{Fault, stored};

/// Positions looked through before rooms are asked one by one: a millisecond at most.
pub(super) const NEAR: u64 = 2_000;
/// Positions that cost as much to look through as one room to ask.
const NEAR_EACH: u64 = 40;

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

/// An event that a span shows.
struct Near {
    /// Which of the spans.
    span: usize,
    position: u64,
    seq: Option<u64>,
    target: Option<u64>,
}

/// The spans of a request: their rooms' names, and those asked for in vain.
struct Spans {
    all: Vec<Span>,
    names: HashMap<i64, RoomId>,
    unavailable: Vec<RoomId>,
}

impl View<'_> {
    /// Reads one page.
    pub fn page(&self, request: &PageRequest) -> Result<Page, QueryError> {
        let Spans { all: mut spans, names, unavailable } = self.spans(request)?;
        if spans.iter().any(Span::has_gone) {
            let (position, records, gaps) = (self.position, Vec::new(), Vec::new());
            return Ok(Page { records, gaps, position, more: false, unavailable, gone: true });
        }
        let mut records = Records { request, found: Vec::new(), bytes: 0 };
        let more = self.fill(&mut records, &mut spans)?;
        let records = records.found;
        let position = match records.last() {
            Some(last) if more => last.position,
            _ => self.position.max(request.after),
        };
        let gaps = self.gaps(&spans, &names, position)?;
        Ok(Page { records, gaps, position, more, unavailable, gone: false })
    }

    /// Reads what the spans show, until there is enough. Says whether there is more.
    fn fill(&self, records: &mut Records<'_>, spans: &mut [Span]) -> Result<bool, Fault> {
        let PageRequest { mut after, max_per_room, ref user, .. } = *records.request;
        let near = self.near.min(NEAR_EACH * spans.len() as u64);
        let near = self.position.min(after.saturating_add(near));
        // What is left out of a room can be told only from all of it.
        if max_per_room.is_none() || near == self.position {
            let found = self.near(spans, after, near)?;
            if let Some(max) = max_per_room {
                skip_near(spans, &found, max);
            }
            for event in found {
                let span = &spans[event.span];
                let is_left_out = event.seq.is_some() && span.skips_message(event.position);
                if is_left_out
                    || span.skips_about(event.target)
                    || self.hides(user, span, event.position, event.target)?
                {
                    continue;
                }
                if !records.take(self, event.position)? {
                    return Ok(true);
                }
            }
            after = near;
        } else if let Some(max) = max_per_room {
            for span in &mut *spans {
                span.skip = self.skip(span, max)?;
            }
        }
        if after < self.position {
            let mut merge = Merge::new(self, user, spans, after)?;
            while let Some(position) = merge.next()? {
                if !records.take(self, position)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// What the spans show of a stretch of the log.
    fn near(&self, spans: &[Span], after: u64, to: u64) -> Result<Vec<Near>, Fault> {
        let mut by_room: HashMap<i64, Vec<usize>> = HashMap::new();
        for (i, span) in spans.iter().enumerate() {
            by_room.entry(span.n).or_default().push(i);
        }
        let mut statement = self.db.prepare_cached(
            "SELECT pos, room, seq, target FROM event WHERE pos > ?1 AND pos <= ?2 ORDER BY pos",
        )?;
        let mut rows = statement.query(params![after, to])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let position = row.get(0)?;
            let shows = |i: &&usize| spans[**i].after < position && position <= spans[**i].to;
            if let Some(span) = by_room.get(&row.get(1)?).and_then(|spans| spans.iter().find(shows)) {
                found.push(Near { span: *span, position, seq: row.get(2)?, target: row.get(3)? });
            }
        }
        Ok(found)
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
        let mut newest = BinaryHeap::new();
        let mut messages = self.db.prepare_cached(
            "SELECT pos, NULL FROM event INDEXED BY event_message WHERE room = ?1 AND seq <= ?2
             ORDER BY seq DESC",
        )?;
        let mut others = self.db.prepare_cached(
            "SELECT pos, target FROM event INDEXED BY event_other
             WHERE room = ?1 AND pos <= ?2 AND seq IS NULL ORDER BY pos DESC",
        )?;
        let spans = self.spans(&everything)?.all;
        for span in &spans {
            let to_seq = self.seq_at(span, span.to)?;
            for (lane, to) in [(&mut messages, to_seq), (&mut others, span.to)] {
                let (mut rows, mut found) = (lane.query(params![span.n, to])?, 0);
                while found < count
                    && let Some(row) = rows.next()?
                {
                    let position: u64 = row.get(0)?;
                    if position <= span.after {
                        break;
                    }
                    if self.hides(user, span, position, row.get(1)?)? {
                        continue;
                    }
                    found += 1;
                    newest.push(Reverse(position));
                    if newest.len() > count {
                        newest.pop();
                    }
                }
            }
        }
        let begins = newest.pop().map_or(self.position, |Reverse(oldest)| oldest - 1);
        // Not before what has gone, or the page from there would be none.
        Ok(spans.iter().map(|span| span.gone.min(span.to)).fold(begins, u64::max))
    }

    fn spans(&self, request: &PageRequest) -> Result<Spans, QueryError> {
        let mut spans = Spans { all: Vec::new(), names: HashMap::new(), unavailable: Vec::new() };
        let (after, end) = (request.after, self.position);
        for id in &request.watch {
            match find_room(&self.db, id)? {
                Some((n, room)) if room.is_public() => {
                    spans.names.insert(n, id.clone());
                    let after = after.max(room.public_pos);
                    let span = Span::new(n, room.head_seq, after, end);
                    spans.all.push(Span { seen_after: room.public_seq, gone: room.gone_pos, ..span });
                }
                _ => spans.unavailable.push(id.clone()),
            }
        }
        let watched: HashMap<i64, u64> = spans.all.iter().map(|span| (span.n, span.after)).collect();
        if let Some((n, room)) = find_room(&self.db, &RoomId::own(&request.user))? {
            spans.all.push(Span::new(n, room.head_seq, after, end));
        }
        let mut statement = self.db.prepare_cached(
            "SELECT room.n, room.id, room.head_seq, interval.joined_pos, interval.left_pos, room.gone_pos,
               interval.joined_seq
             FROM interval JOIN room ON room.n = interval.room
             WHERE interval.user = ?1 AND room.head_pos > ?2 AND (interval.left_pos IS NULL OR interval.left_pos > ?2)",
        )?;
        let mut rows = statement.query(params![request.user.as_str(), after])?;
        while let Some(row) = rows.next()? {
            let (n, id): (i64, String) = (row.get(0)?, row.get(1)?);
            let (joined, left): (u64, Option<u64>) = (row.get(3)?, row.get(4)?);
            let after = after.max(joined - 1);
            // What is watched besides is there from where it became public on.
            let to = left.unwrap_or(end).min(watched.get(&n).copied().unwrap_or(u64::MAX));
            if after < to {
                spans.names.insert(n, stored(RoomId::parse(&id))?);
                let span = Span::new(n, row.get(2)?, after, to);
                spans.all.push(Span { seen_after: row.get(6)?, gone: row.get(5)?, ..span });
            }
        }
        Ok(spans)
    }

    /// Whether an event of a span is kept from a reader: an edit has the words of its message, and is for who was
    /// there with the message or came to a history that has it. Who has left since then is shown it again.
    pub(super) fn hides(
        &self,
        user: &UserId,
        span: &Span,
        position: u64,
        target: Option<u64>,
    ) -> Result<bool, Fault> {
        let Some(seq) = target.filter(|seq| *seq <= span.seen_after) else { return Ok(false) };
        let mut statement = self.db.prepare_cached(
            "SELECT room.id FROM event JOIN room ON room.n = event.room
             WHERE event.pos = ?1 AND event.kind = 'message.edited'",
        )?;
        let id = statement.query_row([position], |row| row.get::<_, String>(0)).optional()?;
        let Some(id) = id.map(|id| stored(RoomId::parse(&id))).transpose()? else { return Ok(false) };
        let Some((n, room)) = find_room(&self.db, &id)? else { return Ok(false) };
        let (was_member, heard) = self.was_there(n, user, position, seq)?;
        let open = room.open_after(was_member).is_some_and(|after| seq > after);
        let shown = open || (was_member && heard);
        Ok(!shown)
    }

    /// Whether somebody was a member at a position, and whether at a message.
    fn was_there(&self, n: i64, user: &UserId, position: u64, seq: u64) -> Result<(bool, bool), Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT coalesce(max(joined_pos <= ?3 AND (left_pos IS NULL OR ?3 <= left_pos)), 0),
               coalesce(max(joined_seq < ?4 AND (left_seq IS NULL OR ?4 <= left_seq)), 0)
             FROM interval WHERE user = ?1 AND room = ?2",
        )?;
        let found = statement
            .query_row(params![user.as_str(), n, position, seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found)
    }

    /// What `max_per_room` leaves out of a span.
    fn skip(&self, span: &Span, max: u64) -> Result<Option<Skip>, Fault> {
        let (before, last) = (self.seq_at(span, span.after)?, self.seq_at(span, span.to)?);
        if last <= before + max {
            return Ok(None);
        }
        let to_seq = last - max;
        let mut statement = self.db.prepare_cached("SELECT pos FROM event WHERE room = ?1 AND seq = ?2")?;
        let to_pos = statement.query_row(params![span.n, to_seq], |row| row.get(0))?;
        Ok(Some(Skip { from_seq: before + 1, to_seq, to_pos }))
    }

    /// The gaps of a page that ends at `position`: exactly what it has passed over, so that the next page
    /// begins with messages no gap has named yet.
    fn gaps(&self, spans: &[Span], names: &HashMap<i64, RoomId>, position: u64) -> Result<Vec<Gap>, Fault> {
        let mut gaps = Vec::new();
        for span in spans {
            let Some(skip) = &span.skip else { continue };
            let to_seq = if position >= skip.to_pos { skip.to_seq } else { self.seq_at(span, position)? };
            if let Some(room) = names.get(&span.n)
                && to_seq >= skip.from_seq
            {
                gaps.push(Gap { room: room.clone(), from_seq: skip.from_seq, to_seq });
            }
        }
        Ok(gaps)
    }
}

/// What of a page has been read.
struct Records<'a> {
    request: &'a PageRequest,
    found: Vec<Record>,
    bytes: usize,
}

impl Records<'_> {
    /// Reads the event at a position, unless the page is full.
    fn take(&mut self, view: &View<'_>, position: u64) -> Result<bool, Fault> {
        if self.found.len() >= self.request.frames_max || self.bytes >= self.request.bytes_max {
            return Ok(false);
        }
        let mut statement = view.db.prepare_cached("SELECT kind, tail FROM event WHERE pos = ?1")?;
        let record = statement
            .query_row([position], |row| Ok(Record { position, kind: row.get(0)?, tail: row.get(1)? }))?;
        self.bytes += record.tail.len();
        self.found.push(record);
        Ok(true)
    }
}

/// What `max_per_room` leaves out of spans whose events are all there.
fn skip_near(spans: &mut [Span], found: &[Near], max: u64) {
    let mut messages: HashMap<usize, Vec<(u64, u64)>> = HashMap::new();
    for event in found {
        if let Some(seq) = event.seq {
            messages.entry(event.span).or_default().push((seq, event.position));
        }
    }
    for (span, messages) in messages {
        if let Some(last) = messages.len().checked_sub(max as usize + 1) {
            let ((from_seq, _), (to_seq, to_pos)) = (messages[0], messages[last]);
            spans[span].skip = Some(Skip { from_seq, to_seq, to_pos });
        }
    }
}
