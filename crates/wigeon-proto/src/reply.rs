//! Answers to queries, as they stand in a reply's `ok`.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::id::{RoomId, UserId};
use crate::room::{Policy, Role, RoomKind};

/// Any JSON that is ready made: a message's frame in its current form.
pub type Json = Box<RawValue>;

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
