//! What comes up: JSON strings, one or an array of them.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use thiserror::Error;

/// A payload that brings no messages. The words are the protocol's own; clients show them to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadPayload {
    /// There is nothing.
    #[error("Payload expected.")]
    Empty,
    /// It is no array of strings.
    #[error("Broken JSON encoding.")]
    Broken,
}

/// The messages of a request's body: an array of strings, which may be empty.
pub fn array(text: &str) -> Result<Vec<String>, BadPayload> {
    if text.trim().is_empty() {
        return Err(BadPayload::Empty);
    }
    let messages: Vec<Message> = serde_json::from_str(text).map_err(|_| BadPayload::Broken)?;
    Ok(messages.into_iter().map(|message| message.0).collect())
}

/// The messages of one WebSocket message: as [`array`], or a single string, or nothing at all.
pub fn socket(text: &str) -> Result<Vec<String>, BadPayload> {
    match text.trim_start().as_bytes().first() {
        None => Ok(Vec::new()),
        Some(b'"') => {
            let message: Message = serde_json::from_str(text).map_err(|_| BadPayload::Broken)?;
            Ok(vec![message.0])
        }
        Some(_) => array(text),
    }
}

/// A string that may hold half of a surrogate pair, as strings of JavaScript may: it becomes U+FFFD.
struct Message(String);

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Message;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Message, E> {
                Ok(Message(match std::str::from_utf8(bytes) {
                    Ok(text) => text.to_owned(),
                    Err(_) => String::from_utf8_lossy(&without_surrogates(bytes)).into_owned(),
                }))
            }
        }
        // As bytes, since as a string half a pair would be an error.
        deserializer.deserialize_bytes(Text)
    }
}

/// Puts U+FFFD where three bytes stand for a surrogate.
fn without_surrogates(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at + 2 < out.len() {
        if matches!(out[at..at + 3], [0xed, 0xa0..=0xbf, _]) {
            out[at..at + 3].copy_from_slice("\u{fffd}".as_bytes());
            at += 2;
        }
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_an_array_of_strings() {
        assert_eq!(array(r#"["a","b\u0000"]"#), Ok(vec!["a".to_owned(), "b\0".to_owned()]));
        assert_eq!(array("[]"), Ok(vec![]));
        assert_eq!(array(""), Err(BadPayload::Empty));
        for broken in [r#"["x"#, r#""x""#, "[1]", "[[\"x\"]]", "{}", "x", r#"["x"] x"#] {
            assert_eq!(array(broken), Err(BadPayload::Broken), "{broken}");
        }
    }

    #[test]
    fn a_socket_may_also_bring_one_string_or_nothing() {
        assert_eq!(socket(r#""a""#), Ok(vec!["a".to_owned()]));
        assert_eq!(socket(r#"["a"]"#), Ok(vec!["a".to_owned()]));
        assert_eq!(socket(""), Ok(vec![]));
        assert_eq!(socket(r#"["a"#), Err(BadPayload::Broken));
    }

    #[test]
    fn half_a_surrogate_pair_is_no_error() {
        assert_eq!(array(r#"["\ud83e\udd86 \ud800 x"]"#), Ok(vec!["🦆 \u{fffd} x".to_owned()]));
        assert_eq!(array(r#"["\udfff\ud800"]"#), Ok(vec!["\u{fffd}\u{fffd}".to_owned()]));
    }
}
