//! Messages out of a server's WebSocket bytes, in place.
//!
//! Strictness is the decoder's of `wigeon-proto`, which the tests use; this one copies nothing, because it
//! looks at every delivery of a load of millions.

use anyhow::{Result, bail};

/// What a server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// A text message: one frame, or several with newlines between.
    Text(&'a [u8]),
    Ping(&'a [u8]),
    Nothing,
}

/// The first whole frame and its length in bytes; `None` while it is not all there.
pub(super) fn first(bytes: &[u8]) -> Result<Option<(Said<'_>, usize)>> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
    let (length, skipped) = match second {
        126 if rest.len() >= 2 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), 2),
        127 if rest.len() >= 8 => {
            (rest[..8].iter().fold(0, |sum: usize, byte| sum << 8 | usize::from(*byte)), 8)
        }
        126 | 127 => return Ok(None),
        length if length < 126 => (usize::from(length), 0),
        _ => bail!("a server does not mask what it sends"),
    };
    let Some(payload) = rest[skipped..].get(..length) else { return Ok(None) };
    let said = match first {
        0x81 => Said::Text(payload),
        0x89 => Said::Ping(payload),
        0x8A => Said::Nothing,
        0x88 => bail!("the server closed the connection{}", close(payload)),
        _ => bail!("a frame that Wigeon does not send (it begins with {first:#04x})"),
    };
    Ok(Some((said, 2 + skipped + length)))
}

fn close(payload: &[u8]) -> String {
    match payload {
        [high, low, reason @ ..] => {
            format!(" with {}: {}", u16::from_be_bytes([*high, *low]), String::from_utf8_lossy(reason))
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wigeon_proto::websocket::encode;

    #[test]
    fn what_the_server_encodes_is_found_whole_and_not_before() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let text = "x".repeat(length);
            let mut bytes = Vec::new();
            encode::text(&mut bytes, &text);
            let whole = bytes.len();
            encode::ping(&mut bytes, b"are you there");
            assert_eq!(first(&bytes).unwrap(), Some((Said::Text(text.as_bytes()), whole)));
            assert_eq!(first(&bytes[whole..]).unwrap().unwrap().0, Said::Ping(b"are you there"));
            for cut in [0, 1, 2, whole - 1] {
                assert!(cut >= whole || first(&bytes[..cut]).unwrap().is_none(), "{length} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_close_says_why() {
        let mut bytes = Vec::new();
        encode::close(&mut bytes, 4401, "token_expired");
        let error = first(&bytes).unwrap_err().to_string();
        assert_eq!(error, "the server closed the connection with 4401: token_expired");
    }
}
