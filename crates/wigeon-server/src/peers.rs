//! The other nodes of a cluster, as far as signals go: who types, who is there, what devices have taken in,
//! which tickets ended. What is remembered they have from the log.
//!
//! A server that is alone says everything to nobody.

use serde::{Deserialize, Serialize};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::json;
use wigeon_proto::limits::CLUSTER_PRESENT_MAX;
use wigeon_store::cluster::Signals;

use crate::auth::Ticket;

/// What one node says to all others. Unknown kinds are passed over: they are of a later version.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Said {
    /// I have just come: who is with you?
    Hello,
    /// They are with me, for a while.
    Present { users: Vec<UserId> },
    /// They are with me no longer.
    Gone { users: Vec<UserId> },
    /// A user with one of us wants to be told of others' presence.
    Watch { watcher: UserId, users: Vec<UserId> },
    /// How far devices have taken the log in.
    Acked { users: Vec<(UserId, u64)> },
    /// A user types.
    Typing { room: RoomId, user: UserId, is_large: bool },
    /// Messages have arrived.
    Delivered { to: Vec<UserId>, room: RoomId, user: UserId, seq: u64 },
    /// A ticket's family has ended.
    Revoked { ticket: Ticket },
}

/// A handle; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peers {
    signals: Option<Signals>,
}

impl From<Signals> for Peers {
    fn from(signals: Signals) -> Self {
        Self { signals: Some(signals) }
    }
}

impl Peers {
    /// Says it; made only where somebody may hear it.
    pub(crate) fn say(&self, said: impl FnOnce() -> Said) {
        if let Some(signals) = &self.signals {
            signals.tell(json::to_vec(&said()));
        }
    }

    /// Says something of users, in messages of a bounded size.
    pub(crate) fn say_of<T: Clone>(&self, users: &[T], said: impl Fn(Vec<T>) -> Said) {
        for some in users.chunks(CLUSTER_PRESENT_MAX) {
            self.say(|| said(some.to_vec()));
        }
    }
}
