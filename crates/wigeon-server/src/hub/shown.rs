//! An event as it is shown: one JSON, and around a run of them the same bytes for every wire of equal form.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use wigeon_proto::cursor::Cursor;
use wigeon_proto::id::{RoomId, UserId};

use crate::wire::{Form, Frame};

/// One event, shared by every feed that shows it.
pub(crate) struct Shown {
    pub(crate) position: u64,
    /// Whose unread counts it may change, and in which room.
    pub(super) counts: Option<Counts>,
    cursor: String,
    json: Arc<[u8]>,
}

/// An event after which a count of unread messages may be another one.
pub(crate) struct Counts {
    pub(super) room: RoomId,
    /// Only for this user; for everybody, if none.
    pub(super) user: Option<UserId>,
}

impl Counts {
    /// Messages come and are recalled for everybody; a read mark counts for the one who read, and so does
    /// a room that is hidden.
    pub(crate) fn of(kind: &str, room: &RoomId, from: &UserId) -> Option<Self> {
        match kind {
            "message" | "message.recalled" | "message.expired" => {
                Some(Self { room: room.clone(), user: None })
            }
            "read" | "prefs" => Some(Self { room: room.clone(), user: Some(from.clone()) }),
            _ => None,
        }
    }

    /// Whether they are this user's.
    pub(super) fn concern(&self, user: &UserId) -> bool {
        self.user.as_ref().is_none_or(|only| only == user)
    }
}

impl Shown {
    pub(crate) fn new(cursor: Cursor, json: Arc<[u8]>, counts: Option<Counts>) -> Self {
        Self { position: cursor.position, counts, cursor: cursor.to_string(), json }
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
    bytes: [OnceLock<Box<[u8]>>; Form::SHARED],
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
            let mut out = Vec::new();
            form.write(&mut out, self.events.iter().map(|shown| shown.frame()));
            out
        };
        match form.shared() {
            Some(shared) => Cow::Borrowed(self.bytes[shared].get_or_init(|| write().into())),
            None => Cow::Owned(write()),
        }
    }
}
