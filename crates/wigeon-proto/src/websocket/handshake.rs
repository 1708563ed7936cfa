//! The one computation of the opening handshake (RFC 6455, 4.2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

/// A constant of the protocol, so that no other server answers by chance.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A nonce has 16 bytes before base64.
const KEY_BYTES: usize = 16;

/// `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`; `None` when the key is not 16 bytes in base64.
pub fn accept(key: &str) -> Option<String> {
    let decoded = STANDARD.decode(key).ok()?;
    (decoded.len() == KEY_BYTES)
        .then(|| STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize()))
}

/// A client's `Sec-WebSocket-Key` from 16 random bytes.
pub fn key(random: [u8; KEY_BYTES]) -> String {
    STANDARD.encode(random)
}
