//! The two to fourteen bytes before a WebSocket payload.
//!
//! ```text
//!  FIN RSV1 RSV2 RSV3 opcode(4) | MASK length(7) | length 16 or 64 bits | masking key 32 bits
//! ```
//!
//! Parsed from as many bytes as there are: `Need(n)` asks for more and keeps no state of its own.

/// Two bytes, eight of length, four of mask.
pub(super) const HEADER_BYTES_MAX: usize = 14;

/// The kinds of frame there are; all others are reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// The next fragment of the message under way.
    Continuation = 0x0,
    /// UTF-8 text.
    Text = 0x1,
    /// Bytes.
    Binary = 0x2,
    /// The end of the conversation.
    Close = 0x8,
    /// Asks for a pong.
    Ping = 0x9,
    /// Answers a ping.
    Pong = 0xA,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    pub(super) fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) last: bool,
    /// RSV1, which `permessage-deflate` has taken.
    pub(super) compressed: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: Option<[u8; 4]>,
    pub(super) length: u64,
}

/// What the bytes so far amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parsed {
    /// The header has this many bytes in all; ask again when they are there.
    Need(usize),
    /// Exactly one header.
    Whole(Header),
    /// Not a header.
    Bad(&'static str),
}

/// Reads a header from its first bytes; never looks at more than it asked for.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let &[first, second, ref rest @ ..] = bytes else { return Parsed::Need(2) };
    if first & 0x30 != 0 {
        return Parsed::Bad("a reserved bit is set");
    }
    let Some(opcode) = Opcode::from_bits(first & 0x0F) else {
        return Parsed::Bad("a reserved opcode");
    };
    let short = second & 0x7F;
    if opcode.is_control() && (first & 0x80 == 0 || short > 125) {
        return Parsed::Bad("a control frame that is long or in fragments");
    }
    let masked = second & 0x80 != 0;
    let length_bytes = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let need = 2 + length_bytes + if masked { 4 } else { 0 };
    if bytes.len() < need {
        return Parsed::Need(need);
    }
    let (length, key) = rest.split_at(length_bytes);
    let length = match length_bytes {
        0 => u64::from(short),
        _ => length.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    };
    // The RFC wants the shortest form and a top bit of zero (5.2).
    if (length_bytes == 2 && length < 126)
        || (length_bytes == 8 && !(0x1_0000..=i64::MAX as u64).contains(&length))
    {
        return Parsed::Bad("a length in the wrong form");
    }
    let mask = masked.then(|| [key[0], key[1], key[2], key[3]]);
    let (last, compressed) = (first & 0x80 != 0, first & 0x40 != 0);
    Parsed::Whole(Header { last, compressed, opcode, mask, length })
}
