//! WebSocket frames as bytes. Servers send [`header`] and payload; clients must mask ([`masked`]).

use super::deflate::deflate;
use super::header::Opcode;
use crate::limits::DEFLATE_BYTES_MIN;

/// A control frame's payload has at most this many bytes.
const CONTROL_BYTES_MAX: usize = 125;

/// Says that a message is compressed (RFC 7692, 6).
const RSV1: u8 = 0x40;

/// Appends the header of a whole, unmasked message of `length` bytes.
pub fn header(out: &mut Vec<u8>, opcode: Opcode, length: usize) {
    head(out, opcode, length, 0);
}

/// Appends one text message.
pub fn text(out: &mut Vec<u8>, text: &str) {
    header(out, Opcode::Text, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// Appends a whole, unmasked message compressed, and says so; or leaves `out` as it is where the message is too
/// short for it to pay, or does not become smaller. The bytes are for every receiver with which `permessage-deflate`
/// was agreed and that [takes](super::Deflate::takes) messages of this length.
#[must_use]
pub fn deflated(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) -> bool {
    let compressed = (payload.len() >= DEFLATE_BYTES_MIN).then(|| deflate(payload)).flatten();
    let Some(compressed) = compressed else { return false };
    let start = out.len();
    header(out, opcode, compressed.len());
    out[start] |= RSV1;
    out.extend_from_slice(&compressed);
    true
}

/// Appends a close frame; the reason is cut at a character boundary to what fits.
pub fn close(out: &mut Vec<u8>, code: u16, reason: &str) {
    let payload = close_payload(code, reason);
    header(out, Opcode::Close, payload.len());
    out.extend_from_slice(&payload);
}

/// Appends a ping; of the payload at most 125 bytes.
pub fn ping(out: &mut Vec<u8>, payload: &[u8]) {
    control(out, Opcode::Ping, payload);
}

/// Appends a pong; it repeats the payload of the ping it answers.
pub fn pong(out: &mut Vec<u8>, payload: &[u8]) {
    control(out, Opcode::Pong, payload);
}

/// Appends one whole message or control frame as a client must send it. A key is fresh and unpredictable
/// for each frame, so that a page cannot choose what a proxy on the way believes to see (RFC 6455, 10.3).
pub fn masked(out: &mut Vec<u8>, opcode: Opcode, key: [u8; 4], payload: &[u8]) {
    head(out, opcode, payload.len(), 0x80);
    out.extend_from_slice(&key);
    let start = out.len();
    out.extend_from_slice(payload);
    apply_mask(&mut out[start..], key);
}

/// The payload of a close frame, for [`masked`].
pub fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    let fits = reason.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = fits.take_while(|end| *end <= CONTROL_BYTES_MAX - payload.len()).last().unwrap_or(0);
    payload.extend_from_slice(&reason.as_bytes()[..end]);
    payload
}

fn control(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    let payload = &payload[..payload.len().min(CONTROL_BYTES_MAX)];
    header(out, opcode, payload.len());
    out.extend_from_slice(payload);
}

fn head(out: &mut Vec<u8>, opcode: Opcode, length: usize, mask_bit: u8) {
    out.push(0x80 | opcode as u8);
    match length {
        0..=125 => out.push(mask_bit | length as u8),
        126..=0xFFFF => {
            out.push(mask_bit | 0x7E);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(mask_bit | 0x7F);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// Masks or unmasks; `key` begins at the first byte.
pub(super) fn apply_mask(bytes: &mut [u8], key: [u8; 4]) {
    let mut words = bytes.chunks_exact_mut(4);
    for word in &mut words {
        for (byte, key) in word.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(key) {
        *byte ^= key;
    }
}
