//! An event as it is shown: one JSON, and around a run of them the same bytes for every wire of equal form.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use serde::Deserialize;
use wigeon_proto::cursor::{Cursor, CursorText};
use wigeon_proto::event::What;
use wigeon_proto::id::{RoomId, UserId};

use crate::wire::{Form, Frame};

/// What most framings put around an event, at most: SSE's names, and a cursor.
const FRAMING_BYTES: usize = 64;

/// One event, shared by every feed that shows it.
pub(crate) struct Shown {
    pub(crate) position: u64,
    /// What it does to counts of unread messages.
    pub(super) counts: Option<Counts>,
    cursor: CursorText,
    json: Arc<[u8]>,
}

/// What an event does to counts of unread messages.
pub(crate) struct Counts {
    pub(super) room: RoomId,
    /// Only for this user; for everybody, if none.
    user: Option<UserId>,
    pub(super) how: How,
}

/// How it changes them.
pub(super) enum How {
    /// One more; the sender's own are all read by it.
    Message { seq: u64, from: UserId, mentions: Vec<UserId>, all: bool },
    /// The user has read up to here.
    Read { seq: u64 },
    /// Some may be fewer.
    Less,
    /// They have to be counted again.
    Anew,
    /// These users came or went: what was counted before is of another stay.
    Moved(Vec<UserId>),
}

/// What of a stored event matters to counts.
#[derive(Deserialize)]
struct Stored {
    room: RoomId,
    from: UserId,
    /// Of settings: the room they are for.
    about: Option<RoomId>,
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    mentions: Vec<UserId>,
    #[serde(default)]
    mention_all: bool,
    #[serde(default)]
    recalled: bool,
    #[serde(default)]
    back: bool,
    #[serde(default)]
    users: Vec<UserId>,
}

impl Counts {
    /// Of an event as it happens. Messages come and go for everybody; a mark counts for the one who read, and so
    /// does a room that is hidden.
    pub(crate) fn of(what: &What, about: &RoomId, from: &UserId) -> Option<Self> {
        let (user, how) = match what {
            What::Message { seq, mentions, mention_all, .. } => {
                let (seq, from, mentions) = (*seq, from.clone(), mentions.clone());
                (None, How::Message { seq, from, mentions, all: *mention_all })
            }
            What::Recalled { .. } | What::Expired { .. } => (None, How::Less),
            What::Read { seq, back: false, .. } => (Some(from.clone()), How::Read { seq: *seq }),
            What::Read { back: true, .. } | What::Prefs { .. } => (Some(from.clone()), How::Anew),
            What::Member { users, .. } => (None, How::Moved(users.clone())),
            _ => return None,
        };
        Some(Self { room: about.clone(), user, how })
    }

    /// Of an event as it is stored.
    pub(super) fn stored(kind: &str, tail: &[u8]) -> Option<Self> {
        if !matches!(kind, "message" | "message.recalled" | "message.expired" | "read" | "prefs" | "member") {
            return None;
        }
        let Stored { room, from, about, seq, mentions, mention_all, recalled, back, users } =
            serde_json::from_slice(&[b"{", tail].concat()).ok()?;
        let (user, how) = match kind {
            "message" if recalled => (None, How::Anew),
            "message" => (None, How::Message { seq, from, mentions, all: mention_all }),
            "read" if !back => (Some(from), How::Read { seq }),
            "read" | "prefs" => (Some(from), How::Anew),
            "member" => (None, How::Moved(users)),
            _ => (None, How::Less),
        };
        Some(Self { room: about.unwrap_or(room), user, how })
    }

    /// Whether they are this user's.
    pub(super) fn concern(&self, user: &UserId) -> bool {
        match &self.how {
            How::Moved(users) => users.contains(user),
            _ => self.user.as_ref().is_none_or(|only| only == user),
        }
    }
}

impl Shown {
    pub(crate) fn new(cursor: Cursor, json: Arc<[u8]>, counts: Option<Counts>) -> Self {
        Self { position: cursor.position, counts, cursor: cursor.text(), json }
    }

    /// Its cursor and its JSON.
    pub(crate) fn frame(&self) -> Frame<'_> {
        (Some(&self.cursor), &self.json)
    }
}

/// Events of one commit that go to the same feeds: one after the other, in one room.
pub(super) struct Run {
    /// Never empty; positions ascend.
    pub(super) events: Vec<Arc<Shown>>,
    bytes: [OnceCell<Vec<u8>>; Form::SHARED],
}

impl Run {
    pub(super) fn new(first: Arc<Shown>) -> Self {
        Self { events: vec![first], bytes: Default::default() }
    }

    pub(super) fn first(&self) -> u64 {
        self.events.first().map_or(0, |shown| shown.position)
    }

    pub(super) fn last(&self) -> u64 {
        self.events.last().map_or(0, |shown| shown.position)
    }

    /// The events as a wire of this form wants them.
    pub(super) fn bytes(&self, form: &Form) -> Cow<'_, [u8]> {
        let write = || {
            // With what a framing puts around each, so that it need not grow.
            let bytes: usize = self.events.iter().map(|shown| shown.json.len() + FRAMING_BYTES).sum();
            let mut out = Vec::with_capacity(bytes);
            form.write(&mut out, self.events.iter().map(|shown| shown.frame()));
            out
        };
        match form.shared() {
            Some(shared) => Cow::Borrowed(self.bytes[shared].get_or_init(write)),
            None => Cow::Owned(write()),
        }
    }
}

#[cfg(test)]
mod tests {
    use wigeon_proto::cursor::Epoch;
    use wigeon_proto::framing::Framing;
    use wigeon_proto::limits::DEFLATE_BYTES_MIN;

    use super::*;

    #[test]
    fn a_long_event_is_deflated_once_for_everybody() {
        let cursor = Cursor { epoch: Epoch::new(1), position: 1 };
        let json = format!("{{\"text\":\"{}\"}}", "so it goes, ".repeat(DEFLATE_BYTES_MIN / 4));
        let run = Run::new(Arc::new(Shown::new(cursor, json.as_bytes().into(), None)));
        let form = |framing| Form::Stream { framing, chunked: false };
        let deflated = form(Framing::WebSocketDeflated);
        let (Cow::Borrowed(one), Cow::Borrowed(other)) = (run.bytes(&deflated), run.bytes(&deflated)) else {
            panic!("each reader has bytes of its own");
        };
        assert!(std::ptr::eq(one, other), "they were made twice");
        assert!(one.len() < json.len() / 4);
        assert!(run.bytes(&form(Framing::WebSocket)).len() > json.len(), "who did not agree reads it plain");
    }
}
