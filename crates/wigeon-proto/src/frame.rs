//! Frames: the one JSON object that travels down, whichever the transport.
//!
//! Events are put together here from their stored tail; control frames and replies are made here.

use serde::Serialize;

use crate::cursor::Cursor;
use crate::error::{Outcome, WireError};
use crate::id::{CommandId, RoomId, UserId};
use crate::json;

/// An event's frame: `type` and `cursor` before its stored tail (see [`crate::event::Event::tail`]).
pub fn event(kind: &str, cursor: &str, tail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(kind.len() + cursor.len() + tail.len() + 24);
    event_head(&mut out, kind, cursor);
    out.extend_from_slice(tail);
    out
}

/// Appends what stands before an event's tail in its frame.
pub fn event_head(out: &mut Vec<u8>, kind: &str, cursor: &str) {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\",\"cursor\":\"");
    out.extend_from_slice(cursor.as_bytes());
    out.extend_from_slice(b"\",");
}

/// Frames that steer a stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Control {
    /// The first frame of a stream.
    Ready {
        /// Where it begins; echoes `after`.
        cursor: String,
        /// Echoes `nonce`.
        #[serde(skip_serializing_if = "Option::is_none")]
        nonce: Option<String>,
        /// Rooms asked for that cannot be watched: unknown, private or forbidden.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        unavailable: Vec<String>,
    },
    /// A sign of life, and the position up to which everything visible has been written.
    Heartbeat {
        /// That position.
        cursor: String,
    },
    /// Older unseen messages of a room that were left out on request; `history` has them.
    Gap {
        /// Where.
        room: RoomId,
        /// The first left out.
        from_seq: u64,
        /// The last left out.
        to_seq: u64,
    },
    /// The cursor cannot be served: take a `snapshot` and go on from its cursor.
    Reset {
        /// Why.
        reason: ResetReason,
        /// Where this feed goes on.
        cursor: String,
    },
    /// The next ticket, before the present one ends.
    Ticket(TicketGrant),
    /// The server is going away.
    Bye {
        /// Come back within this many milliseconds, at random.
        retry_ms: u64,
    },
    /// The stream ends for this reason.
    Error {
        /// The reason.
        error: WireError,
    },
    /// A member is typing.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
    },
    /// A user came or went. Told to those who asked.
    Presence {
        /// Who.
        user: UserId,
        /// Whether they are there.
        state: PresenceState,
        /// When they were last known to be there: milliseconds since 1970.
        at: u64,
    },
    /// A user has another name. Told to those who share a room with them.
    User {
        /// Who.
        user: UserId,
        /// The name.
        name: String,
    },
    /// A user's devices have everything of a room up to a message. Told to who wrote it.
    Delivered {
        /// Where.
        room: RoomId,
        /// Who has it.
        user: UserId,
        /// Up to which message.
        seq: u64,
    },
    /// How much of a room the user has not read, over all devices.
    Unread {
        /// Where.
        room: RoomId,
        /// Messages after the read mark.
        unread: u64,
        /// Those among them that mention the user.
        mentions: u64,
    },
}

/// Whether a user is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// On one device at least.
    Online,
    /// On none.
    Offline,
}

/// A ticket given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TicketGrant {
    /// For `?ticket=`.
    pub ticket: String,
    /// Seconds.
    pub expires_in: u64,
}

/// Why a cursor cannot be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetReason {
    /// It belongs to another log.
    Epoch,
    /// It is ahead of this log.
    Future,
    /// What follows it is no longer kept.
    Retention,
    /// It is so far behind that a snapshot is cheaper.
    Behind,
}

impl Control {
    /// The frame's bytes.
    pub fn to_json(&self) -> Vec<u8> {
        json::to_vec(self)
    }

    /// A heartbeat at `cursor`.
    pub fn heartbeat(cursor: Cursor) -> Vec<u8> {
        Self::Heartbeat { cursor: cursor.to_string() }.to_json()
    }
}

/// `{"re":…,"ok":…}` around an answer's JSON.
pub fn reply_ok(re: Option<&CommandId>, ok: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(ok.len() + 48);
    out.extend_from_slice(b"{\"re\":");
    json::append(&mut out, &re);
    out.extend_from_slice(b",\"ok\":");
    out.extend_from_slice(ok);
    out.push(b'}');
    out
}

/// `{"re":…,"error":…}`. It always says what became of the command: what nobody is in doubt about had no effect.
pub fn reply_error(re: Option<&CommandId>, error: &WireError) -> Vec<u8> {
    #[derive(Serialize)]
    struct Reply<'a> {
        re: Option<&'a CommandId>,
        error: WireError,
    }
    let outcome = error.outcome.unwrap_or(Outcome::None);
    json::to_vec(&Reply { re, error: error.clone().outcome(outcome) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Body;
    use crate::error::ErrorCode;
    use crate::event::{Event, What};

    #[test]
    fn an_event_is_one_compact_object() {
        let what = What::Message {
            seq: 7,
            id: CommandId::parse("k1").unwrap(),
            body: Body { text: "a<b".into() },
            reply_to: None,
            thread: None,
            mentions: vec![],
            mention_all: false,
            forwarded: None,
        };
        let event_ = Event {
            room: RoomId::parse("r").unwrap(),
            from: UserId::parse("ann").unwrap(),
            at: 5,
            private: false,
            what,
        };
        let frame = event(event_.what.kind(), "1c", &event_.tail());
        assert_eq!(
            std::str::from_utf8(&frame).unwrap(),
            r#"{"type":"message","cursor":"1c","room":"r","from":"ann","at":5,"seq":7,"id":"k1","body":{"text":"a\u003cb"}}"#
        );
    }

    #[test]
    fn replies_name_the_command() {
        let id = CommandId::parse("x<1").unwrap();
        assert_eq!(reply_ok(Some(&id), b"{}"), br#"{"re":"x\u003c1","ok":{}}"#);
        let error = WireError::new(ErrorCode::Busy, "full").retry_after(5);
        assert_eq!(
            reply_error(None, &error),
            br#"{"re":null,"error":{"code":"busy","message":"full","retry_after_ms":5,"outcome":"none"}}"#
        );
        let unknown = error.outcome(Outcome::Unknown);
        assert!(reply_error(None, &unknown).ends_with(br#""outcome":"unknown"}}"#));
    }
}
