//! The answer to one command.

use crate::Error;
use serde::Deserialize;
use serde_json::Value;
use wigeon_proto::error::{Outcome, WireError};

/// `{"re":…,"ok":…}` or `{"re":…,"error":…}`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Reply {
    /// The command's id; `None` when it had none that could be read.
    pub re: Option<String>,
    /// What came of it.
    #[serde(default)]
    pub ok: Option<Value>,
    /// Why nothing came of it.
    #[serde(default)]
    pub error: Option<WireError>,
}

impl Reply {
    /// What came of it, or the error.
    pub fn into_result(self) -> Result<Value, Error> {
        match (self.ok, self.error) {
            (Some(ok), None) => Ok(ok),
            (_, Some(error)) => Err(Error::Refused { status: 200, error }),
            (None, None) => Err(Error::Protocol("a reply without an outcome".to_owned())),
        }
    }

    /// The error's code, for tests that expect one.
    pub fn code(&self) -> Option<&'static str> {
        self.error.as_ref().map(|error| error.code.as_str())
    }

    /// Whether the same command should be sent again: the server could not, or does not know.
    pub(crate) fn wants_retry(&self) -> Option<&WireError> {
        self.error
            .as_ref()
            .filter(|error| error.code.is_retryable() || error.outcome == Some(Outcome::Unknown))
    }
}
