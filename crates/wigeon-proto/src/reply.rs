//! Answers to queries, as they stand in a reply's `ok`.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::command::Body;
use crate::frame::PresenceState;
use crate::id::{InviteCode, RoomId, UserId};
use crate::room::{Policy, Role, RoomKind};

/// Any JSON that is ready made: a message's frame in its current form.
pub type Json = Box<RawValue>;

/// A user's settings, for a room or for all.
pub type Prefs = serde_json::Map<String, serde_json::Value>;

/// `history`.
#[derive(Debug, Serialize)]
pub struct History {
    /// Ascending by `seq`.
    pub messages: Vec<Json>,
    /// The oldest `seq` the asker may see; 0 if none.
    pub min_seq: u64,
    /// The newest `seq` the asker may see; 0 if none.
    pub max_seq: u64,
    /// Whether there are more in the direction asked for.
    pub more: bool,
}

/// A member beside a room.
#[derive(Debug, Clone, Serialize)]
pub struct UserInRoom {
    /// Who.
    pub id: UserId,
    /// The display name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// Until when they may not write, in milliseconds since 1970; it may have passed.
    #[serde(skip_serializing_if = "is_zero")]
    pub muted_until: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // The form serde calls it by.
fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// A room as its member sees it.
#[derive(Debug, Serialize)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// Its kind.
    pub kind: RoomKind,
    /// Its title; empty for a direct room.
    pub title: String,
    /// Its rules.
    pub policy: Policy,
    /// The asker's role; none for a visitor of a public channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The newest message's `seq`.
    pub seq: u64,
    /// The asker's read mark.
    pub read: u64,
    /// Messages after it that are not the asker's own and not recalled.
    pub unread: u64,
    /// Those among them that mention the asker.
    pub mentions: u64,
    /// The newest message the asker may see, in its current form.
    pub last: Option<Json>,
    /// Pinned messages, the newest pin first; only in `room.get`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<u64>,
    /// Until when the asker may not write, in milliseconds since 1970; it may have passed.
    #[serde(skip_serializing_if = "is_zero")]
    pub muted_until: u64,
    /// The asker's settings for it.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub prefs: Prefs,
    /// The first members.
    pub users: Vec<UserInRoom>,
    /// How many members there are.
    pub user_count: u64,
}

/// `snapshot`.
#[derive(Debug, Serialize)]
pub struct Snapshot {
    /// Who asked.
    pub user: UserId,
    /// Their display name.
    pub name: String,
    /// The position all of this is as of: go on from here.
    pub cursor: String,
    /// The asker's settings for all rooms.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub prefs: Prefs,
    /// Whom the asker has blocked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<UserId>,
    /// The asker's rooms, the most recently active first.
    pub rooms: Vec<Room>,
    /// For `after`, when there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `room.get`.
#[derive(Debug, Serialize)]
pub struct RoomGet {
    /// The room.
    pub room: Room,
}

/// A public channel in a listing.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// Its id.
    pub id: RoomId,
    /// Its kind.
    pub kind: RoomKind,
    /// Its title.
    pub title: String,
    /// How many members it has.
    pub users: u64,
    /// Whether the asker is one of them.
    pub joined: bool,
}

/// `room.list`.
#[derive(Debug, Serialize)]
pub struct RoomList {
    /// By id.
    pub rooms: Vec<Listed>,
    /// For `after`, when there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `member.list`.
#[derive(Debug, Serialize)]
pub struct MemberList {
    /// By id.
    pub users: Vec<UserInRoom>,
    /// For `after`, when there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An invitation, as those who manage it see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invite {
    /// What makes whoever knows it a member.
    pub code: InviteCode,
    /// Of which room.
    pub room: RoomId,
    /// Who made it.
    pub by: UserId,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// How often it may still be used; any number of times if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses_left: Option<u64>,
    /// When it ends, in milliseconds since 1970; when it is revoked if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
}

impl Invite {
    /// Whether it makes anybody a member at that time.
    pub fn is_good(&self, at: u64) -> bool {
        self.uses_left != Some(0) && self.expires_at.is_none_or(|end| at < end)
    }
}

/// A user's profile.
#[derive(Debug, Clone, Serialize)]
pub struct Profile {
    /// Who.
    pub id: UserId,
    /// The display name; the id where none was chosen.
    pub name: String,
}

/// `user.get` and `user.search`.
#[derive(Debug, Serialize)]
pub struct Users {
    /// The users found.
    pub users: Vec<Profile>,
}

/// A message that `search` has found.
#[derive(Debug, Serialize)]
pub struct Hit {
    /// Where.
    pub room: RoomId,
    /// Which message.
    pub seq: u64,
    /// Who sent it.
    pub from: UserId,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// Its place in the log.
    pub cursor: String,
    /// A piece of its present text, in parts: the first as it is, the second found, and so on in turn.
    pub snippet: Vec<String>,
}

/// `search`.
#[derive(Debug, Serialize)]
pub struct Search {
    /// The newest first. There may be none although there are more: one answer looks only so far.
    pub hits: Vec<Hit>,
    /// Whether there may be older ones.
    pub more: bool,
    /// For `before`, if there may be more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `block.list`.
#[derive(Debug, Serialize)]
pub struct UserPage {
    /// By id.
    pub users: Vec<Profile>,
    /// For `after`, when there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Who may not come into a room.
#[derive(Debug, Serialize)]
pub struct Banned {
    /// Who.
    pub id: UserId,
    /// The display name.
    pub name: String,
    /// Who said so.
    pub by: UserId,
    /// When, in milliseconds since 1970.
    pub at: u64,
}

/// `ban.list`.
#[derive(Debug, Serialize)]
pub struct BanList {
    /// By id.
    pub users: Vec<Banned>,
    /// For `after`, when there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `invite.list`.
#[derive(Debug, Serialize)]
pub struct InviteList {
    /// The oldest first.
    pub invites: Vec<Invite>,
}

/// `invite.get`.
#[derive(Debug, Serialize)]
pub struct InviteGet {
    /// Where it leads.
    pub room: Listed,
}

/// One form of a message.
#[derive(Debug, Serialize)]
pub struct Version {
    /// 0 is the original.
    pub version: u64,
    /// What it said.
    pub body: Body,
    /// When it came to say so, in milliseconds since 1970.
    pub at: u64,
}

/// `message.versions`.
#[derive(Debug, Serialize)]
pub struct Versions {
    /// The newest of them, the oldest first.
    pub versions: Vec<Version>,
}

/// Whether a room tells who has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptsState {
    /// It does.
    On,
    /// It has too many members.
    Off,
}

/// Who has read, as many as are named.
#[derive(Debug, Default, Serialize)]
pub struct Readers {
    /// How many.
    pub count: u64,
    /// The first of them, by id.
    pub users: Vec<Profile>,
}

/// `receipts.get`.
#[derive(Debug, Serialize)]
pub struct Receipts {
    /// Where.
    pub room: RoomId,
    /// Which message.
    pub seq: u64,
    /// Whether this room tells.
    pub state: ReceiptsState,
    /// Who has read it.
    pub read: Readers,
    /// Whose devices have it, in rooms that tell each other of reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered: Option<Readers>,
}

/// How a user is.
#[derive(Debug, Serialize)]
pub struct Presence {
    /// Who.
    pub user: UserId,
    /// Whether they are there.
    pub state: PresenceState,
    /// When they were last known to be there, in milliseconds since 1970; left out if not since the server began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
}

/// `presence.watch`.
#[derive(Debug, Serialize)]
pub struct PresenceWatch {
    /// Those the asker may know of.
    pub users: Vec<Presence>,
    /// For how many seconds changes are told.
    pub expires_in: u64,
}
