//! A batch: what comes next for a reader, whether it lay in the window or was read from the log.

use std::sync::Arc;

use wigeon_proto::cursor::{Cursor, Epoch};
use wigeon_proto::frame::{self, Control, ResetReason};
use wigeon_store::read::{Gap, Page, Record};

use super::Shown;
use super::shown::Counts;
use crate::wire::Frame;

/// What comes next for a reader, in the order it is to be written.
#[derive(Default)]
pub(crate) struct Batch {
    /// What came after the reader's position has gone in part: `reset`, with its cursor.
    pub(crate) reset: Option<(String, Vec<u8>)>,
    /// Gaps, which stand before the events they precede.
    pub(crate) gaps: Vec<Vec<u8>>,
    /// Events, ascending.
    pub(crate) events: Vec<Arc<Shown>>,
    /// What is not remembered.
    pub(crate) signals: Vec<Arc<[u8]>>,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.reset.is_none() && self.gaps.is_empty() && self.events.is_empty() && self.signals.is_empty()
    }

    /// Its frames.
    pub(crate) fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        let reset = self.reset.iter().map(|(cursor, json)| (Some(cursor.as_str()), json.as_slice()));
        let gaps = self.gaps.iter().map(|json| (None, json.as_slice()));
        let events = self.events.iter().map(|shown| shown.frame());
        reset.chain(gaps).chain(events).chain(self.signals.iter().map(|json| (None, &json[..])))
    }
}

/// A page's frames.
pub(crate) fn shown(page: Page, epoch: Epoch) -> Batch {
    let gap =
        |gap: Gap| Control::Gap { room: gap.room, from_seq: gap.from_seq, to_seq: gap.to_seq }.to_json();
    let event = |record: Record| {
        let cursor = Cursor { epoch, position: record.position };
        let json = frame::event(&record.kind, &cursor.to_string(), &record.tail);
        let counts = Counts::stored(&record.kind, &record.tail);
        Arc::new(Shown::new(cursor, json.into(), counts))
    };
    let cursor = Cursor { epoch, position: page.position }.to_string();
    let reset = page.gone.then(|| {
        let json = Control::Reset { reason: ResetReason::Retention, cursor: cursor.clone() }.to_json();
        (cursor, json)
    });
    Batch {
        reset,
        gaps: page.gaps.into_iter().map(gap).collect(),
        events: page.records.into_iter().map(event).collect(),
        signals: Vec::new(),
    }
}
