//! One frame as one unmasked WebSocket text message. The codec itself is [`crate::websocket`].

use crate::websocket::{Opcode, encode};

/// Appends one text message.
pub fn frame(out: &mut Vec<u8>, json: &[u8]) {
    encode::header(out, Opcode::Text, json.len());
    out.extend_from_slice(json);
}
