//! A cursor: what a client has seen, as one short opaque text.
//!
//! Inside are the log's epoch and a position. The text keeps the order of positions: of two cursors of
//! one epoch, the one that compares lower as a plain string is the earlier. A client that holds two
//! feeds at once needs no more than that to drop what it has seen.
//!
//! Form: `1`, eight digits of epoch, one letter that counts the digits of the position, those digits;
//! digits are base32hex in lower case, whose ASCII order is their numeric order.

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};

const VERSION: u8 = b'1';
const EPOCH_DIGITS: usize = 8;
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
/// A `u64` has at most 13 digits of five bits.
const POSITION_DIGITS_MAX: usize = 13;

/// An incarnation of the log: 40 random bits, new whenever positions might be given out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(u64);

impl Epoch {
    /// Keeps the lower 40 bits.
    pub fn new(bits: u64) -> Self {
        Self(bits & ((1 << 40) - 1))
    }

    /// The 40 bits.
    pub fn bits(self) -> u64 {
        self.0
    }
}

/// An epoch and a position in it: everything up to and including the position has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The log it belongs to.
    pub epoch: Epoch,
    /// The last position seen; 0 is before the first.
    pub position: u64,
}

/// The text is no cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unreadable cursor")]
pub struct InvalidCursor;

impl Cursor {
    /// Reads the text form; exactly what [`fmt::Display`] writes, nothing else.
    pub fn parse(text: &str) -> Result<Self, InvalidCursor> {
        let bytes = text.as_bytes();
        let (head, digits) = bytes.split_at_checked(EPOCH_DIGITS + 2).ok_or(InvalidCursor)?;
        let counted = usize::from(head[EPOCH_DIGITS + 1].wrapping_sub(b'a'));
        let sound = head[0] == VERSION
            && digits.len() == counted
            && counted <= POSITION_DIGITS_MAX
            && digits.first() != Some(&b'0');
        if !sound {
            return Err(InvalidCursor);
        }
        let position = number(digits)?;
        Ok(Self { epoch: Epoch(number(&head[1..=EPOCH_DIGITS])?), position })
    }
}

fn number(digits: &[u8]) -> Result<u64, InvalidCursor> {
    digits.iter().try_fold(0u64, |sum, digit| {
        let value = DIGITS.iter().position(|d| d == digit).ok_or(InvalidCursor)?;
        Ok(sum.checked_mul(32).ok_or(InvalidCursor)? | value as u64)
    })
}

/// A cursor's text. Every event and every reply carries one, so it is no allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorText {
    bytes: [u8; 2 + EPOCH_DIGITS + POSITION_DIGITS_MAX],
    length: u8,
}

impl Cursor {
    /// The text form.
    pub fn text(self) -> CursorText {
        let mut bytes = [0u8; 2 + EPOCH_DIGITS + POSITION_DIGITS_MAX];
        bytes[0] = VERSION;
        for (i, digit) in bytes[1..=EPOCH_DIGITS].iter_mut().enumerate() {
            *digit = DIGITS[(self.epoch.0 >> (5 * (EPOCH_DIGITS - 1 - i))) as usize & 31];
        }
        let count = (64 - self.position.leading_zeros() as usize).div_ceil(5);
        bytes[EPOCH_DIGITS + 1] = b'a' + count as u8;
        for (i, digit) in bytes[EPOCH_DIGITS + 2..][..count].iter_mut().enumerate() {
            *digit = DIGITS[(self.position >> (5 * (count - 1 - i))) as usize & 31];
        }
        CursorText { bytes, length: (EPOCH_DIGITS + 2 + count) as u8 }
    }
}

impl Deref for CursorText {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).expect("digits are ASCII")
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_every_position_and_their_order() {
        let epoch = Epoch::new(0x12_3456_789a);
        let positions = [0, 1, 31, 32, 33, 1023, 1024, 99_999, u64::from(u32::MAX), u64::MAX - 1, u64::MAX];
        let texts = positions.map(|position| Cursor { epoch, position }.to_string());
        for (text, position) in texts.iter().zip(positions) {
            assert_eq!(Cursor::parse(text), Ok(Cursor { epoch, position }), "{text}");
        }
        assert!(texts.is_sorted(), "{texts:?}");
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "garbage",
            "100000000b",
            "100000000b0",
            "100000000bz",
            "200000000b1",
            "100000000b11",
            "10000000üb1",
        ] {
            assert_eq!(Cursor::parse(bad), Err(InvalidCursor), "{bad}");
        }
        assert_eq!(Cursor::parse("100000000nvvvvvvvvvvvvv"), Err(InvalidCursor), "more than 64 bits");
    }
}
