//! State: what the rules read, and nothing more.

use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::room::{Policy, Role, RoomKind};

use crate::entry::PayloadHash;

/// A room as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// Its kind.
    pub kind: RoomKind,
    /// Its title; empty for a direct room.
    pub title: String,
    /// Its rules.
    pub policy: Policy,
    /// The `seq` of its newest message; 0 before the first.
    pub head_seq: u64,
    /// The position of its newest event.
    pub head_pos: u64,
    /// How many members it has.
    pub user_count: u64,
}

/// A present membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// What they may do.
    pub role: Role,
    /// From which position on events are visible to them.
    pub joined_pos: u64,
    /// The room's newest `seq` when they came: messages after it are theirs.
    pub joined_seq: u64,
    /// Their read mark.
    pub read_seq: u64,
    /// The `seq` of their own newest message: one's own messages are never unread.
    pub own_seq: u64,
}

impl Member {
    /// Everything up to here counts as read.
    pub fn read_floor(&self) -> u64 {
        self.joined_seq.max(self.read_seq).max(self.own_seq)
    }
}

/// What the rules need to know of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageState {
    /// The sender.
    pub from: UserId,
    /// How often it was edited.
    pub version: u64,
    /// Whether it was taken back.
    pub recalled: bool,
}

/// An answer given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Of which payload.
    pub hash: PayloadHash,
    /// The reply's `ok` object.
    pub reply: Vec<u8>,
}

/// What [`crate::apply::apply`] reads. Implementations answer as of just before the entry.
pub trait State {
    /// A fault of the medium; the rules pass it on.
    type Error;

    /// A room, if there is one.
    fn room(&self, room: &RoomId) -> Result<Option<Room>, Self::Error>;
    /// A present membership, if there is one.
    fn member(&self, room: &RoomId, user: &UserId) -> Result<Option<Member>, Self::Error>;
    /// How many present members have the role.
    fn count_role(&self, room: &RoomId, role: Role) -> Result<u64, Self::Error>;
    /// A message, if there is one with this `seq`.
    fn message(&self, room: &RoomId, seq: u64) -> Result<Option<MessageState>, Self::Error>;
    /// Whether the user's reaction stands on the message, and how many different ones do.
    fn reaction(
        &self,
        room: &RoomId,
        seq: u64,
        user: &UserId,
        emoji: &str,
    ) -> Result<(bool, usize), Self::Error>;
    /// The answer to an earlier command of this actor under this id.
    fn answered(&self, actor: &UserId, id: &CommandId) -> Result<Option<Answered>, Self::Error>;
}
