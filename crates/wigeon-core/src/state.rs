//! State: what the rules read, and nothing more.

use wigeon_proto::event::Forwarded;
use wigeon_proto::id::{CommandId, InviteCode, RoomId, UserId};
use wigeon_proto::limits::READ_EVENT_USERS_MAX;
use wigeon_proto::reply::{Invite, Prefs};
use wigeon_proto::room::{History, Policy, Role, RoomKind, Visibility};

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
    /// Messages up to here have gone, by retention.
    pub gone_seq: u64,
    /// Events up to here have gone.
    pub gone_pos: u64,
    /// While the policy shares history: messages after this one are shared. What was said before it did is not.
    pub shared_seq: u64,
    /// While the room is public: messages after this one are public.
    pub public_seq: u64,
    /// While the room is public: events after this position are public.
    pub public_pos: u64,
}

impl Room {
    /// A room before its first event.
    pub fn new(id: RoomId, kind: RoomKind, title: &str, policy: Policy) -> Self {
        Self {
            id,
            kind,
            title: title.to_owned(),
            policy,
            head_seq: 0,
            head_pos: 0,
            user_count: 0,
            gone_seq: 0,
            gone_pos: 0,
            shared_seq: 0,
            public_seq: 0,
            public_pos: 0,
        }
    }

    /// From where on its messages are open to all who may read it, whether they were there or not; `None`
    /// where they are not. The policy of the moment does not open what was said under another one.
    pub fn open_after(&self, is_member: bool) -> Option<u64> {
        let shared = (is_member && self.policy.history == History::Shared).then_some(self.shared_seq);
        let public = self.is_public().then_some(self.public_seq);
        shared.into_iter().chain(public).min()
    }

    /// Whether its members are told what others have read and received: it is direct, or a small group.
    pub fn tells_receipts(&self) -> bool {
        match self.kind {
            RoomKind::Direct => true,
            RoomKind::Group => self.user_count <= READ_EVENT_USERS_MAX,
            RoomKind::Channel | RoomKind::Own => false,
        }
    }

    /// Whether anybody may watch it and read its history.
    pub fn is_public(&self) -> bool {
        self.kind == RoomKind::Channel && self.policy.visibility == Visibility::Public
    }
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
    /// The `seq` of their own newest message: one's own messages are not unread.
    pub own_seq: u64,
    /// The read mark as others may know it: it stays behind for who reads in private, and never goes back.
    pub told_seq: u64,
    /// When they sent last, for slow mode: milliseconds since 1970.
    pub sent_at: u64,
    /// Until when they may not write: milliseconds since 1970.
    pub muted_until: u64,
}

impl Member {
    /// Everything up to here counts as read: also what has gone.
    pub fn read_floor(&self, room: &Room) -> u64 {
        self.joined_seq.max(self.read_seq).max(self.own_seq).max(room.gone_seq)
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
    /// When it was sent: milliseconds since 1970.
    pub at: u64,
    /// Whose words it passes on, if they are not the sender's own.
    pub forwarded: Option<Forwarded>,
}

/// What there is of something that has a bound, and whether a certain one is among it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Among {
    /// Whether it is there.
    pub stands: bool,
    /// How many there are.
    pub count: usize,
}

/// An answer given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Of which payload.
    pub hash: PayloadHash,
    /// The reply's `ok` object.
    pub reply: Vec<u8>,
    /// It holds for who asks before this time, in milliseconds since 1970; for ever, if there is none. It is
    /// there once the message it is of has gone.
    pub until: Option<u64>,
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
    /// A message's present text, if there is one with this `seq`; empty when it was recalled.
    fn text(&self, room: &RoomId, seq: u64) -> Result<Option<String>, Self::Error>;
    /// Whether the message was sent during one of the user's stays.
    fn was_there(&self, room: &RoomId, user: &UserId, seq: u64) -> Result<bool, Self::Error>;
    /// Whether the user is no member, but was one, and could only read when they left.
    fn left_as_reader(&self, room: &RoomId, user: &UserId) -> Result<bool, Self::Error>;
    /// Whether the user's reaction stands on the message, and how many different other ones do, of whomever.
    fn reaction(&self, room: &RoomId, seq: u64, user: &UserId, emoji: &str) -> Result<Among, Self::Error>;
    /// Whether the message is pinned, and how many are.
    fn pin(&self, room: &RoomId, seq: u64) -> Result<Among, Self::Error>;
    /// Whether the user may not come into the room.
    fn banned(&self, room: &RoomId, user: &UserId) -> Result<bool, Self::Error>;
    /// Until when the user may not write in the room, as a member or when they come again; 0 if never told.
    fn muted_until(&self, room: &RoomId, user: &UserId) -> Result<u64, Self::Error>;
    /// An invitation there is or was.
    fn invite(&self, code: &InviteCode) -> Result<Option<Invite>, Self::Error>;
    /// How many invitations of a room are good at a time.
    fn invites(&self, room: &RoomId, at: u64) -> Result<usize, Self::Error>;
    /// Whether `user` has blocked `other`, and how many they have.
    fn blocked(&self, user: &UserId, other: &UserId) -> Result<Among, Self::Error>;
    /// A user's settings for a room, or for all; empty if there are none.
    fn prefs(&self, user: &UserId, room: Option<&RoomId>) -> Result<Prefs, Self::Error>;
    /// The answer to an earlier command of this actor under this id.
    fn answered(&self, actor: &UserId, id: &CommandId) -> Result<Option<Answered>, Self::Error>;
}
