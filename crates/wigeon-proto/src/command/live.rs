//! The fields of the commands that leave no trace.

use serde::Deserialize;

use crate::id::{RoomId, UserId};

/// `hello`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hello {
    /// Where the upgrade carried none.
    pub token: Option<String>,
    /// The client's own name for its session.
    pub session: Option<String>,
    /// The cursor to go on from.
    pub after: Option<String>,
    /// Public channels to watch.
    #[serde(default)]
    pub rooms: Vec<String>,
}

/// `ack`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Ack {
    /// Everything up to here has been taken in.
    pub cursor: String,
}

/// `focus`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Focus {
    /// The rooms; an empty list is none.
    pub rooms: Vec<RoomId>,
}

/// `presence.watch`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PresenceWatch {
    /// Whose presence; at most [`crate::limits::PRESENCE_WATCH_MAX`].
    pub users: Vec<UserId>,
}

/// `ticket.revoke`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TicketRevoke {
    /// Any ticket of the family.
    pub ticket: String,
}
