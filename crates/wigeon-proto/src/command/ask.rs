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

/// `user.search`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UserSearch {
    /// The beginning of a name or an id.
    pub q: String,
    /// How many rows.
    pub limit: Option<usize>,
}
