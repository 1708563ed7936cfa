//! From a page's bytes to its text. In the order of the HTML standard: a byte order mark, what the response
//! says, what the page says of itself; else UTF-8 if it is that, and else what browsers take old pages for.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::tags::{Tag, tags};

/// Bytes in which a page has to say what it is written in: the standard's number.
const DECLARED_WITHIN: usize = 1024;

/// The text. Bytes that make no sense in the page's encoding become marks of replacement.
pub(super) fn decode<'a>(bytes: &'a [u8], declared: Option<&str>) -> Cow<'a, str> {
    let said = declared.and_then(|label| Encoding::for_label(label.as_bytes())).or_else(|| of_itself(bytes));
    // A byte order mark wins over what was said: `Encoding::decode` heeds it.
    if let Some(encoding) = said {
        return encoding.decode(bytes).0;
    }
    let (text, encoding, broken) = UTF_8.decode(bytes);
    // A page that was cut off may end within a character.
    if broken
        && encoding == UTF_8
        && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_some())
    {
        return WINDOWS_1252.decode(bytes).0;
    }
    text
}

/// What the page says in a `meta` near its beginning.
fn of_itself(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARED_WITHIN)]);
    let label = tags(&start).find_map(|tag| match tag {
        Tag::Meta(meta) => meta.charset(),
        _ => None,
    })?;
    let encoding = Encoding::for_label(label.as_bytes())?;
    // Whoever could read these letters one by one has no UTF-16 before them.
    let wide = encoding == UTF_16BE || encoding == UTF_16LE;
    Some(if wide { UTF_8 } else { encoding })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUCK: &str = "鸭子";
    const GBK: &[u8] = b"\xd1\xbc\xd7\xd3";

    #[test]
    fn what_the_response_says_holds() {
        assert_eq!(decode(GBK, Some("GBK")), DUCK);
        assert_eq!(decode(GBK, Some("gb2312")), DUCK);
        assert_eq!(decode(DUCK.as_bytes(), Some("utf-8")), DUCK);
        assert_eq!(decode(b"caf\xe9.", Some("no-such-thing")), "café.");
    }

    #[test]
    fn a_page_says_what_it_is_written_in() {
        for meta in [
            "<meta charset=gb18030>",
            "<META CHARSET='GBK'>",
            "<!-- <meta charset=utf-8> --><html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=gb2312\">",
        ] {
            assert!(decode(&[meta.as_bytes(), GBK].concat(), None).ends_with(DUCK), "{meta}");
        }
        let late = [" ".repeat(DECLARED_WITHIN).as_bytes(), b"<meta charset=gbk>", GBK].concat();
        assert!(!decode(&late, None).ends_with(DUCK));
        assert_eq!(decode("<meta charset=utf-16>鸭".as_bytes(), None), "<meta charset=utf-16>鸭");
    }

    #[test]
    fn a_mark_at_the_beginning_wins() {
        assert_eq!(decode(b"\xef\xbb\xbf\xe9\xb8\xad", Some("gbk")), "鸭");
        assert_eq!(decode(b"\xff\xfe\x2d\x9e", None), "鸭");
    }

    #[test]
    fn without_a_word_it_is_utf_8_or_what_old_pages_are() {
        assert_eq!(decode("鸭".as_bytes(), None), "鸭");
        assert_eq!(decode(b"caf\xe9 \x80", None), "café €");
        // Cut within a character.
        assert_eq!(decode(&"鸭鸭".as_bytes()[..5], None), "鸭\u{fffd}");
    }
}
