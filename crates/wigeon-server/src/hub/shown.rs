//! An event as it is shown: one JSON, framed at most once for each framing that all receivers share.

use std::sync::{Arc, OnceLock};

use wigeon_proto::cursor::Cursor;
use wigeon_proto::framing::Framing;

/// The bytes of one event, shared by every feed that shows it.
pub(crate) struct Shown {
    pub(crate) position: u64,
    cursor: String,
    json: Arc<[u8]>,
    websocket: OnceLock<Box<[u8]>>,
    sse: OnceLock<Box<[u8]>>,
}

impl Shown {
    pub(crate) fn new(cursor: Cursor, json: Arc<[u8]>) -> Self {
        let (websocket, sse) = (OnceLock::new(), OnceLock::new());
        Self { position: cursor.position, cursor: cursor.to_string(), json, websocket, sse }
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
