//! One frame as it came: its bytes and what they mean.

use bytes::Bytes;
use serde_json::Value;

/// A frame. The bytes are kept because "the same for every receiver" is a promise worth testing.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The JSON as it travelled.
    pub raw: Bytes,
    /// The JSON as it reads.
    pub value: Value,
}

impl Frame {
    /// Reads one JSON object.
    pub fn parse(raw: Bytes) -> Result<Self, serde_json::Error> {
        Ok(Self { value: serde_json::from_slice(&raw)?, raw })
    }

    /// Its `type`; a reply has none.
    pub fn kind(&self) -> &str {
        self.text("type")
    }

    /// Its cursor; signals and replies have none.
    pub fn cursor(&self) -> Option<&str> {
        self.value["cursor"].as_str()
    }

    /// A field's text, or nothing.
    pub fn text(&self, field: &str) -> &str {
        self.value[field].as_str().unwrap_or_default()
    }

    /// A field's number.
    pub fn number(&self, field: &str) -> Option<u64> {
        self.value[field].as_u64()
    }
}
