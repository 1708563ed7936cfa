//! What can go wrong, as the wire says it: one table from code to status and close code.

use serde::{Deserialize, Serialize};

/// A stable code. The text beside it is for people and may change; the code does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is not well formed. Change it.
    BadRequest,
    /// No credentials, or not valid ones. Log in.
    Unauthenticated,
    /// The token or ticket was valid once. Get a new one, then repeat.
    TokenExpired,
    /// The caller may not do this, or the origin is not listed.
    Forbidden,
    /// The caller is not a member of the room.
    NotMember,
    /// There is no such thing.
    NotFound,
    /// There was such a thing.
    Gone,
    /// It contradicts what is there: another payload under the same id, an older version.
    Conflict,
    /// The `Host` is not one of ours (DNS rebinding).
    MisdirectedRequest,
    /// Larger than a limit.
    TooLarge,
    /// Faster than a limit. Repeat after `retry_after_ms`.
    RateLimited,
    /// A queue is full. Repeat later.
    Busy,
    /// Not now: starting, draining, or cut off. Repeat later.
    Unavailable,
    /// A fault of ours. Repeating may help.
    Internal,
}

/// One row of the table.
struct Row {
    text: &'static str,
    status: u16,
    close: u16,
    retry: bool,
}

impl ErrorCode {
    /// All codes, in the order of the documents.
    pub const ALL: [Self; 14] = [
        Self::BadRequest,
        Self::Unauthenticated,
        Self::TokenExpired,
        Self::Forbidden,
        Self::NotMember,
        Self::NotFound,
        Self::Gone,
        Self::Conflict,
        Self::MisdirectedRequest,
        Self::TooLarge,
        Self::RateLimited,
        Self::Busy,
        Self::Unavailable,
        Self::Internal,
    ];

    fn row(self) -> Row {
        let (text, status, close, retry) = match self {
            Self::BadRequest => ("bad_request", 400, 4400, false),
            Self::Unauthenticated => ("unauthenticated", 401, 4401, false),
            Self::TokenExpired => ("token_expired", 401, 4401, false),
            Self::Forbidden => ("forbidden", 403, 4403, false),
            Self::NotMember => ("not_member", 403, 4403, false),
            Self::NotFound => ("not_found", 404, 4404, false),
            Self::Gone => ("gone", 410, 4410, false),
            Self::Conflict => ("conflict", 409, 4409, false),
            Self::MisdirectedRequest => ("misdirected_request", 421, 4403, false),
            Self::TooLarge => ("too_large", 413, 1009, false),
            Self::RateLimited => ("rate_limited", 429, 4429, true),
            Self::Busy => ("busy", 503, 1013, true),
            Self::Unavailable => ("unavailable", 503, 1013, true),
            Self::Internal => ("internal", 500, 1011, true),
        };
        Row { text, status, close, retry }
    }

    /// The code on the wire.
    pub fn as_str(self) -> &'static str {
        self.row().text
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        self.row().status
    }

    /// The WebSocket close code, where the error ends the connection.
    pub fn close_code(self) -> u16 {
        self.row().close
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(self) -> bool {
        self.row().retry
    }
}

/// An error as it travels: in a reply, in an `error` frame, in a problem body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct WireError {
    /// What kind.
    pub code: ErrorCode,
    /// One sentence for a person; never repeats what the caller sent.
    pub message: String,
    /// How many milliseconds to wait before the same request again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after_ms: Option<u64>,
    /// Whether the command may have taken effect all the same.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outcome: Option<Outcome>,
}

/// What became of a command that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It had no effect.
    None,
    /// It may or may not have had one: repeat it under the same id.
    Unknown,
}

impl WireError {
    /// An error with a sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None, outcome: None }
    }

    /// Says when to come back.
    #[must_use]
    pub fn retry_after(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// Says what became of the command.
    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = Some(outcome);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_and_the_table_spell_each_code_alike() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{}\"", code.as_str()));
        }
    }
}
