//! What applying an entry comes to: at most one event, the changes of state, and a reply.

use serde::Serialize;
use wigeon_proto::cursor::Cursor;
use wigeon_proto::error::{ErrorCode, Outcome as Effect, WireError};
use wigeon_proto::event::Event;
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::reply::Invite;

use crate::state::{Member, Room};

/// One change of state. Applying all changes of an entry is one step: all or none.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A room as it is from now on.
    Room(Room),
    /// A membership begins.
    Joined(RoomId, UserId, Member),
    /// A membership goes on, changed.
    Member(RoomId, UserId, Member),
    /// A membership ends; `seq` is the room's newest message.
    Left {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
        /// The newest message they may still see.
        seq: u64,
        /// Whether they could only read.
        as_reader: bool,
    },
    /// A message mentions a user.
    Mention(RoomId, u64, UserId),
    /// A message mentions everybody who is a member when they read it.
    MentionAll(RoomId, u64),
    /// A message has another body.
    Edited {
        /// Where.
        room: RoomId,
        /// Which.
        seq: u64,
        /// The new text.
        text: String,
        /// How often it was edited by now.
        version: u64,
        /// When.
        at: u64,
    },
    /// A message was taken back: its text leaves every place it is served from.
    Recalled {
        /// Where.
        room: RoomId,
        /// Which.
        seq: u64,
    },
    /// What was said and done in a room up to a message has gone; the room says up to which by now.
    Retained {
        /// Where.
        room: RoomId,
        /// Up to which message.
        to_seq: u64,
        /// Up to which position.
        to_pos: u64,
        /// When: the ids of older commands may go as well.
        at: u64,
    },
    /// A reaction.
    Reaction {
        /// Where.
        room: RoomId,
        /// On which message.
        seq: u64,
        /// Whose.
        user: UserId,
        /// Which.
        emoji: String,
        /// Put on, or taken off.
        on: bool,
    },
    /// A pin.
    Pin {
        /// Where.
        room: RoomId,
        /// Which message.
        seq: u64,
        /// Put on, or taken off.
        on: bool,
    },
    /// A user may not come into a room any more.
    Banned {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
        /// Who says so.
        by: UserId,
        /// When.
        at: u64,
    },
    /// A user may come into a room again.
    Unbanned(RoomId, UserId),
    /// Until when a user may not write in a room, also if they leave it and come again.
    Muted(RoomId, UserId, u64),
    /// An invitation as it is from now on; one without uses is over.
    Invite(Invite),
    /// A block.
    Blocked {
        /// Who blocks.
        user: UserId,
        /// Whom.
        other: UserId,
        /// Blocked, or not any more.
        on: bool,
    },
    /// A display name.
    User(UserId, String),
    /// A user's settings for a room, or for all.
    Prefs(UserId, Option<RoomId>, String),
}

/// What came of an entry.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // Nearly every outcome is the large one.
pub enum Outcome {
    /// It took effect.
    Applied(Applied),
    /// It is a repeat: the earlier reply's `ok` object.
    Repeated(Vec<u8>),
    /// It was against the rules. Nothing is remembered of it.
    Rejected(WireError),
}

/// An entry's effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// What its audience is told.
    pub event: Option<Event>,
    /// What is different now.
    pub changes: Vec<Change>,
    /// What its sender is told.
    pub reply: Ok,
}

impl Applied {
    /// Whether it comes to nothing but the reply.
    pub fn is_only_reply(&self) -> bool {
        self.event.is_none() && self.changes.is_empty()
    }
}

/// The `ok` object of a durable command. Only the fields that the command has are there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ok {
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomRef>,
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// How often it was edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The invitation, for `invite.create`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite: Option<Invite>,
    /// The user, for `user.update`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRef>,
    /// The position, as a cursor: for information, it moves nobody's.
    pub cursor: Cursor,
    /// When it was admitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
}

impl Ok {
    /// One that names only where the entry stands.
    pub fn at(cursor: Cursor) -> Self {
        Self { room: None, seq: None, version: None, invite: None, user: None, cursor, at: None }
    }
}

/// A room in a reply: its id, or what it looks like when it is new.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum RoomRef {
    /// Only the id.
    Id(RoomId),
    /// A new room.
    New(Box<NewRoom>),
}

/// A new or changed room in a reply.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewRoom {
    /// Its id.
    pub id: RoomId,
    /// Its kind.
    pub kind: wigeon_proto::room::RoomKind,
    /// Its title.
    pub title: String,
    /// Its rules.
    pub policy: wigeon_proto::room::Policy,
}

/// A user in a reply.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UserRef {
    /// The id.
    pub id: UserId,
    /// The display name.
    pub name: String,
}

impl From<&Room> for RoomRef {
    fn from(room: &Room) -> Self {
        let Room { id, kind, title, policy, .. } = room.clone();
        Self::New(Box::new(NewRoom { id, kind, title, policy }))
    }
}

/// A rejection: it had no effect.
pub fn rejection(code: ErrorCode, message: &str) -> WireError {
    WireError::new(code, message).outcome(Effect::None)
}
