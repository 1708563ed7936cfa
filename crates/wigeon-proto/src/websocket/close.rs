//! The payload of a close frame: nothing, or a code and a reason.

use super::Violation;

/// Why a peer ends the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// The status code (RFC 6455, 7.4).
    pub code: u16,
    /// Words for a log; at most 123 bytes.
    pub reason: String,
}

impl Close {
    /// Reads a payload; `None` when it is empty, which is allowed.
    pub(super) fn parse(payload: &[u8]) -> Result<Option<Self>, Violation> {
        match payload {
            [] => Ok(None),
            [_] => Err(Violation::Protocol("half a close code")),
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                if !may_travel(code) {
                    return Err(Violation::Protocol("a close code that must not travel"));
                }
                let reason = simdutf8::basic::from_utf8(reason).map_err(|_| Violation::NotUtf8)?;
                Ok(Some(Self { code, reason: reason.to_owned() }))
            }
        }
    }
}

/// 1004–1006 and 1015 mean something only where no frame was sent; 1016–2999 are for standards to come.
fn may_travel(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
