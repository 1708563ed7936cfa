//! One frame as one unmasked WebSocket text message. The codec itself is [`crate::websocket`].

use crate::websocket::{Opcode, encode};

/// Appends one text message.
pub fn frame(out: &mut Vec<u8>, json: &[u8]) {
    encode::header(out, Opcode::Text, json.len());
    out.extend_from_slice(json);
}

/// Appends one text message, compressed where that pays.
pub fn deflated(out: &mut Vec<u8>, json: &[u8]) {
    if !encode::deflated(out, Opcode::Text, json) {
        frame(out, json);
    }
}
