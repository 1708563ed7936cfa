//! Entity tags: a short name for what a response holds, so that a client can ask whether it has it already.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use sha2::{Digest, Sha256};

/// Bytes of the hash that a tag shows: two different answers share one by chance once in 2^48 pairs.
const TAG_BYTES: usize = 12;

/// The tag of everything in `parts`, in this order.
pub(crate) fn tag(parts: &[&[u8]]) -> HeaderValue {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let text = URL_SAFE_NO_PAD.encode(&hash.finalize()[..TAG_BYTES]);
    HeaderValue::from_str(&format!("\"{text}\"")).expect("base64 in quotes")
}
