//! The fields of the questions.

use serde::Deserialize;

use crate::id::{RoomId, UserId};

/// `history`: bounds are exclusive; without one, the newest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct History {
    /// Where.
    pub room: RoomId,
    /// Messages before this `seq`.
    pub before: Option<u64>,
    /// Messages after this `seq`.
    pub after: Option<u64>,
    /// Messages on both sides of this `seq`, and itself.
    pub around: Option<u64>,
    /// Exactly these messages, at most [`crate::limits::HISTORY_MAX`], and no bounds then.
    #[serde(default)]
    pub seqs: Vec<u64>,
    /// At most [`crate::limits::HISTORY_MAX`].
    pub limit: Option<usize>,
}

/// A part of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Page {
    /// `next` of the part before.
    pub after: Option<String>,
    /// How many rows.
    pub limit: Option<usize>,
}

/// `member.list`, `ban.list`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MemberList {
    /// Where.
    pub room: RoomId,
    /// `next` of the part before.
    pub after: Option<String>,
    /// How many rows.
    pub limit: Option<usize>,
}

/// `user.get`: `user` or `users`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UserGet {
    /// The one asked for.
    pub user: Option<UserId>,
    /// The ones asked for.
    #[serde(default)]
    pub users: Vec<UserId>,
}

/// `search`: messages by what they say, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Search {
    /// Words, and phrases in quotes; at most [`crate::limits::SEARCH_BYTES_MAX`].
    pub q: String,
    /// Only there; otherwise in all rooms the asker is a member of.
    pub room: Option<RoomId>,
    /// Only what this user sent.
    pub from: Option<UserId>,
    /// Only what is older.
    pub before: Option<When>,
    /// Only what is newer.
    pub after: Option<When>,
    /// At most [`crate::limits::SEARCH_MAX`].
    pub limit: Option<usize>,
}

/// A place in the log, said in one of two ways.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected a time in milliseconds or a cursor")]
pub enum When {
    /// Milliseconds since 1970.
    At(u64),
    /// A cursor: `next` of the part before, or a hit's.
    Cursor(String),
}

/// `user.search`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UserSearch {
    /// The beginning of a name or an id.
    pub q: String,
    /// How many rows.
    pub limit: Option<usize>,
}
