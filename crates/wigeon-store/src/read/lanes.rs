//! Events of some rooms in order of position, when they lie far apart in the log.
//!
//! A room has two lanes: its messages, by `seq`, and its other events. Both ascend by position, and each has
//! an index that leads to the position without a look at the row. So the lanes of all rooms are merged by a
//! heap that holds the next position of each, and only what a page shows is read.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rusqlite::{OptionalExtension, params};
use wigeon_proto::id::UserId;

use super::View;
use crate::Fault;

/// Positions fetched from a lane at first; four times as many each time after, up to [`FETCH_MAX`].
const FETCH_MIN: usize = 8;
const FETCH_MAX: usize = 512;

/// Positions of one room that are visible: `after < pos <= to`.
#[derive(Debug)]
pub(super) struct Span {
    /// The room's key.
    pub(super) n: i64,
    pub(super) after: u64,
    pub(super) to: u64,
    /// The room's newest message.
    pub(super) head_seq: u64,
    /// Messages after this one are the reader's to see; of others it has to be looked up.
    pub(super) seen_after: u64,
    /// Events of the room up to here have gone.
    pub(super) gone: u64,
    pub(super) skip: Option<Skip>,
}

/// Messages of a span that are left out, and with them the events that are only about those.
#[derive(Debug)]
pub(super) struct Skip {
    pub(super) from_seq: u64,
    pub(super) to_seq: u64,
    /// The position of `to_seq`.
    pub(super) to_pos: u64,
}

impl Span {
    pub(super) fn new(n: i64, head_seq: u64, after: u64, to: u64) -> Self {
        Self { n, after, to, head_seq, seen_after: 0, gone: 0, skip: None }
    }

    /// Whether some of what was visible has gone.
    pub(super) fn has_gone(&self) -> bool {
        self.after < self.gone.min(self.to)
    }

    /// Whether a message is left out.
    pub(super) fn skips_message(&self, position: u64) -> bool {
        self.skip.as_ref().is_some_and(|skip| position <= skip.to_pos)
    }

    /// Whether an event is only about messages that are left out.
    pub(super) fn skips_about(&self, target: Option<u64>) -> bool {
        let (Some(skip), Some(target)) = (&self.skip, target) else { return false };
        (skip.from_seq..=skip.to_seq).contains(&target)
    }
}

/// One lane of a span.
struct Lane<'a> {
    span: &'a Span,
    kind: Kind,
    /// What was fetched and not taken yet, ascending.
    fetched: VecDeque<u64>,
    fetch: usize,
    ended: bool,
}

/// Which lane, and what of it was fetched.
enum Kind {
    Messages { after_seq: u64 },
    Others { after: u64 },
}

/// The lanes of some spans, and the next position of each.
pub(super) struct Merge<'a> {
    view: &'a View<'a>,
    user: &'a UserId,
    lanes: Vec<Lane<'a>>,
    heap: BinaryHeap<Reverse<(u64, usize)>>,
}

impl<'a> Merge<'a> {
    /// What the spans show a user after a position.
    pub(super) fn new(
        view: &'a View<'_>,
        user: &'a UserId,
        spans: &'a [Span],
        after: u64,
    ) -> Result<Self, Fault> {
        let lanes = Vec::with_capacity(2 * spans.len());
        let mut merge = Self { view, user, lanes, heap: BinaryHeap::new() };
        for span in spans.iter().filter(|span| span.to > after) {
            let after = span.after.max(after);
            let shown = span.skip.as_ref().map_or(after, |skip| after.max(skip.to_pos));
            let after_seq = view.seq_at(span, shown)?;
            merge.add(Lane::new(span, Kind::Others { after }))?;
            merge.add(Lane::new(span, Kind::Messages { after_seq }))?;
        }
        Ok(merge)
    }

    /// The next position.
    pub(super) fn next(&mut self) -> Result<Option<u64>, Fault> {
        let Some(Reverse((position, i))) = self.heap.pop() else { return Ok(None) };
        self.wait_for(i)?;
        Ok(Some(position))
    }

    fn add(&mut self, lane: Lane<'a>) -> Result<(), Fault> {
        self.lanes.push(lane);
        self.wait_for(self.lanes.len() - 1)
    }

    /// Puts a lane where its next position belongs.
    fn wait_for(&mut self, i: usize) -> Result<(), Fault> {
        if let Some(position) = self.lanes[i].next(self.view, self.user)? {
            self.heap.push(Reverse((position, i)));
        }
        Ok(())
    }
}

impl<'a> Lane<'a> {
    fn new(span: &'a Span, kind: Kind) -> Self {
        Self { span, kind, fetched: VecDeque::new(), fetch: FETCH_MIN, ended: false }
    }

    fn next(&mut self, view: &View<'_>, user: &UserId) -> Result<Option<u64>, Fault> {
        while self.fetched.is_empty() && !self.ended {
            self.fetch(view, user)?;
        }
        Ok(self.fetched.pop_front())
    }

    fn fetch(&mut self, view: &View<'_>, user: &UserId) -> Result<(), Fault> {
        let Span { n, to, .. } = *self.span;
        let mut count = 0;
        match &mut self.kind {
            Kind::Messages { after_seq } => {
                let mut statement = view.db.prepare_cached(
                    "SELECT seq, pos FROM event INDEXED BY event_message
                     WHERE room = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
                )?;
                let mut rows = statement.query(params![n, *after_seq, self.fetch])?;
                while let Some(row) = rows.next()? {
                    let position = row.get(1)?;
                    if position > to {
                        break;
                    }
                    (count, *after_seq) = (count + 1, row.get(0)?);
                    self.fetched.push_back(position);
                }
            }
            Kind::Others { after } => {
                let mut statement = view.db.prepare_cached(
                    "SELECT pos, target FROM event INDEXED BY event_other
                     WHERE room = ?1 AND pos > ?2 AND pos <= ?3 AND seq IS NULL ORDER BY pos LIMIT ?4",
                )?;
                let mut rows = statement.query(params![n, *after, to, self.fetch])?;
                while let Some(row) = rows.next()? {
                    (count, *after) = (count + 1, row.get(0)?);
                    let target = row.get(1)?;
                    if !self.span.skips_about(target) && !view.hides(user, self.span, *after, target)? {
                        self.fetched.push_back(*after);
                    }
                }
            }
        }
        self.ended = count < self.fetch;
        self.fetch = (self.fetch * 4).min(FETCH_MAX);
        Ok(())
    }
}

impl View<'_> {
    /// The newest message of a room at or before a position, or the one before the oldest there is. Looked for
    /// from the newest on, in strides that double, for what is asked is mostly near.
    pub(super) fn seq_at(&self, span: &Span, position: u64) -> Result<u64, Fault> {
        if position >= self.position {
            return Ok(span.head_seq);
        }
        let mut statement = self
            .db
            .prepare_cached("SELECT pos FROM event INDEXED BY event_message WHERE room = ?1 AND seq = ?2")?;
        // What is not there any more is before everything.
        let mut is_after = |seq: u64| -> Result<bool, Fault> {
            let found: Option<u64> =
                statement.query_row(params![span.n, seq], |row| row.get(0)).optional()?;
            Ok(found.is_some_and(|found| found > position))
        };
        // `above` is after the position, `below` is not.
        let (mut above, mut stride) = (span.head_seq + 1, 1);
        let mut below = span.head_seq;
        while below > 0 && is_after(below)? {
            (above, below) = (below, below.saturating_sub(stride));
            stride *= 2;
        }
        while above - below > 1 {
            let middle = below + (above - below) / 2;
            if is_after(middle)? { above = middle } else { below = middle }
        }
        Ok(below)
    }
}
