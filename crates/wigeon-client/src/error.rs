//! What can go wrong on the way to the server and back.

use crate::parse::BadStream;
use wigeon_proto::error::WireError;
use wigeon_proto::websocket::{Close, Violation};

/// Why a request, a reader or a session failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The base is not `http://host:port`.
    #[error("the base is not http://host:port")]
    Base,
    /// No connection.
    #[error("no connection: {0}")]
    Connect(#[source] std::io::Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[source] std::io::Error),
    /// HTTP went wrong.
    #[error("HTTP: {0}")]
    Http(#[from] hyper::Error),
    /// A header or address that cannot be sent.
    #[error("not a request: {0}")]
    Request(#[from] ::http::Error),
    /// A body above the limit, or cut off.
    #[error("the body: {0}")]
    Body(String),
    /// Nothing came in time.
    #[error("no {0} in time")]
    Deadline(&'static str),
    /// The server says no.
    #[error("status {status}: {error}")]
    Refused {
        /// The HTTP status; 200 where the error came in a frame.
        status: u16,
        /// Its words.
        error: WireError,
    },
    /// An answer no Wigeon gives.
    #[error("status {status} without a reason: {body}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// How the body begins.
        body: String,
    },
    /// What came is not what was asked for.
    #[error("not the protocol: {0}")]
    Protocol(String),
    /// The server broke the WebSocket protocol.
    #[error(transparent)]
    WebSocket(#[from] Violation),
    /// The server closed the WebSocket.
    #[error("closed: {0:?}")]
    Closed(Option<Close>),
    /// The session is over.
    #[error("the session is over")]
    Over,
    /// More waits to be sent than the outbox holds.
    #[error("the outbox is full")]
    OutboxFull,
}

impl Error {
    /// Whether trying again could help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused { error, .. } => error.code.is_retryable(),
            Self::Status { status, .. } => *status >= 500,
            Self::Closed(close) => close.as_ref().is_none_or(|close| !(4400..4429).contains(&close.code)),
            Self::Connect(_) | Self::Broken(_) | Self::Http(_) | Self::Body(_) | Self::Deadline(_) => true,
            Self::Base
            | Self::Request(_)
            | Self::Protocol(_)
            | Self::WebSocket(_)
            | Self::Over
            | Self::OutboxFull => false,
        }
    }
}

impl From<BadStream> for Error {
    fn from(bad: BadStream) -> Self {
        Self::Protocol(bad.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(bad: serde_json::Error) -> Self {
        Self::Protocol(format!("JSON: {bad}"))
    }
}
