//! An event as it is shown: one JSON, framed at most once for each framing that all receivers share.

use std::sync::{Arc, OnceLock};

use wigeon_proto::cursor::Cursor;
use wigeon_proto::framing::Framing;
use wigeon_proto::id::{RoomId, UserId};

/// The bytes of one event, shared by every feed that shows it.
pub(crate) struct Shown {
    pub(crate) position: u64,
    /// Whose unread counts it may change, and in which room.
    pub(super) counts: Option<Counts>,
    cursor: String,
    json: Arc<[u8]>,
    websocket: OnceLock<Box<[u8]>>,
    sse: OnceLock<Box<[u8]>>,
}

/// An event after which a count of unread messages may be another one.
pub(crate) struct Counts {
    pub(super) room: RoomId,
    /// Only for this user; for everybody, if none.
    pub(super) user: Option<UserId>,
}

impl Counts {
    /// Messages come and are recalled for everybody; a read mark counts for the one who read.
    pub(crate) fn of(kind: &str, room: &RoomId, from: &UserId) -> Option<Self> {
        match kind {
            "message" | "message.recalled" => Some(Self { room: room.clone(), user: None }),
            "read" => Some(Self { room: room.clone(), user: Some(from.clone()) }),
            _ => None,
        }
    }
}

impl Shown {
    pub(crate) fn new(cursor: Cursor, json: Arc<[u8]>, counts: Option<Counts>) -> Self {
        let (websocket, sse) = (OnceLock::new(), OnceLock::new());
        Self { position: cursor.position, counts, cursor: cursor.to_string(), json, websocket, sse }
    }

    /// The frame's JSON.
    pub(crate) fn json(&self) -> &[u8] {
        &self.json
    }

    /// Appends the frame as `framing` wants it.
    pub(crate) fn append(&self, framing: &Framing, out: &mut Vec<u8>) {
        let shared = match framing {
            Framing::WebSocket => &self.websocket,
            Framing::Sse => &self.sse,
            Framing::Ndjson | Framing::Iframe(_) => {
                return framing.frame(out, Some(&self.cursor), &self.json);
            }
        };
        out.extend_from_slice(shared.get_or_init(|| {
            let mut bytes = Vec::with_capacity(self.json.len() + 64);
            framing.frame(&mut bytes, Some(&self.cursor), &self.json);
            bytes.into()
        }));
    }
}
