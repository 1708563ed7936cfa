//! Why there is no preview, and what the one who asked is told.

use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::limits::{PREVIEW_FAILED_KEPT_MS, PREVIEW_NOTHING_KEPT_MS};

/// Why a link has no preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the url cannot be read: write a whole one, with http:// or https://")]
    Unreadable,
    #[error("only http and https are fetched, and no URL with a user or a password in it")]
    Scheme,
    #[error("this server fetches from ports 80 and 443 alone")]
    Port,
    #[error("that address is not of the public internet")]
    Address,
    #[error("it leads from https to http")]
    Downgrade,
    #[error("there is nothing to show of it")]
    Nothing,
    #[error("the other side cannot be reached, or makes no sense")]
    Unreachable,
    #[error("the other side took too long")]
    Slow,
    #[error("too many previews are being fetched")]
    Busy,
}

impl Failure {
    /// Whether it says something of the link. What is not, says something of the request, or of us.
    pub(super) fn is_of_link(self) -> bool {
        !matches!(self, Self::Unreadable | Self::Busy)
    }

    /// What it is called where outcomes are counted.
    pub(super) fn outcome(self) -> &'static str {
        match self {
            Self::Unreadable | Self::Scheme | Self::Port | Self::Address | Self::Downgrade => "refused",
            Self::Nothing => "nothing",
            Self::Unreachable => "unreachable",
            Self::Slow => "slow",
            Self::Busy => "busy",
        }
    }

    /// Milliseconds for which the same answer is given without another look.
    pub(super) fn kept_ms(self) -> u64 {
        match self {
            Self::Nothing => PREVIEW_NOTHING_KEPT_MS,
            Self::Busy => 0,
            _ => PREVIEW_FAILED_KEPT_MS,
        }
    }
}

impl From<Failure> for WireError {
    fn from(failure: Failure) -> Self {
        let code = match failure {
            Failure::Unreadable => ErrorCode::BadRequest,
            Failure::Scheme | Failure::Port | Failure::Address | Failure::Downgrade => ErrorCode::Forbidden,
            Failure::Nothing => ErrorCode::NotFound,
            Failure::Unreachable | Failure::Slow => ErrorCode::Unavailable,
            Failure::Busy => ErrorCode::Busy,
        };
        let error = Self::new(code, failure.to_string());
        match failure {
            Failure::Unreachable | Failure::Slow => error.retry_after(PREVIEW_FAILED_KEPT_MS),
            Failure::Busy => error.retry_after(1000),
            _ => error,
        }
    }
}
