//! The four frames of SockJS, and how strings in them are written.
//!
//! Browsers and what lies between mangle some characters, so more is escaped than JSON asks for.

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame<M> {
    /// The session is there.
    Open,
    /// A sign of life.
    Heartbeat,
    /// Messages, one or several.
    Messages(Vec<M>),
    /// The session is over.
    Close(Close),
}

/// Why a session is over: a code, as a page hears it in its `close` event, and a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// A WebSocket's close code.
    pub code: u16,
    /// For people.
    pub reason: String,
}

impl Close {
    /// A reason to close.
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// The session was closed by the application.
    pub fn go_away() -> Self {
        Self::new(3000, "Go away!")
    }

    /// A second reader came while the first was there.
    pub fn another() -> Self {
        Self::new(2010, "Another connection still open")
    }

    /// The reader went away in the middle, and what it had may be lost.
    pub fn interrupted() -> Self {
        Self::new(1002, "Connection interrupted")
    }
}

impl<M: AsRef<[u8]>> Frame<M> {
    /// The frame's bytes. Messages are UTF-8.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Open => b"o".to_vec(),
            Self::Heartbeat => b"h".to_vec(),
            Self::Messages(messages) => {
                let length: usize = messages.iter().map(|message| message.as_ref().len()).sum();
                let mut out = Vec::with_capacity(length + length / 4 + 16);
                out.extend_from_slice(b"a[");
                for (i, message) in messages.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    quote(&mut out, message.as_ref());
                }
                out.push(b']');
                out
            }
            Self::Close(Close { code, reason }) => {
                let mut out = format!("c[{code},").into_bytes();
                quote(&mut out, reason.as_bytes());
                out.push(b']');
                out
            }
        }
    }
}

/// Appends UTF-8 as a JSON string, in which control characters, and those that browsers drop, change or end
/// lines at, are escaped: U+200C–200F, U+2028–202F, U+2060–206F, U+FFF0–FFFF.
pub fn quote(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let (mut written, mut at) = (0, 0);
    while at < text.len() {
        let Some((escape, length)) = escape(&text[at..]) else {
            at += 1;
            continue;
        };
        out.extend_from_slice(&text[written..at]);
        match escape {
            Escape::Short(letter) => out.extend_from_slice(&[b'\\', letter]),
            Escape::Code(code) => out.extend_from_slice(format!("\\u{code:04x}").as_bytes()),
        }
        at += length;
        written = at;
    }
    out.extend_from_slice(&text[written..]);
    out.push(b'"');
}

enum Escape {
    Short(u8),
    Code(u16),
}

/// How the character that begins `rest` is escaped, and its length, if it is.
fn escape(rest: &[u8]) -> Option<(Escape, usize)> {
    Some(match *rest {
        [byte @ (b'"' | b'\\'), ..] => (Escape::Short(byte), 1),
        [b'\n', ..] => (Escape::Short(b'n'), 1),
        [b'\r', ..] => (Escape::Short(b'r'), 1),
        [b'\t', ..] => (Escape::Short(b't'), 1),
        [byte @ 0..=0x1f, ..] => (Escape::Code(u16::from(byte)), 1),
        [0xe2, 0x80, last @ (0x8c..=0x8f | 0xa8..=0xaf), ..] => (Escape::Code(0x1f80 + u16::from(last)), 3),
        [0xe2, 0x81, last @ 0xa0..=0xaf, ..] => (Escape::Code(0x1fc0 + u16::from(last)), 3),
        [0xef, 0xbf, last @ 0xb0..=0xbf, ..] => (Escape::Code(0xff40 + u16::from(last)), 3),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(frame: &Frame<&str>) -> String {
        String::from_utf8(frame.to_bytes()).unwrap()
    }

    #[test]
    fn frames_look_as_the_protocol_says() {
        assert_eq!(bytes(&Frame::Open), "o");
        assert_eq!(bytes(&Frame::Heartbeat), "h");
        assert_eq!(bytes(&Frame::Messages(vec!["x", "{\"a\":1}"])), r#"a["x","{\"a\":1}"]"#);
        assert_eq!(bytes(&Frame::Close(Close::go_away())), r#"c[3000,"Go away!"]"#);
        assert_eq!(bytes(&Frame::Close(Close::another())), r#"c[2010,"Another connection still open"]"#);
        assert_eq!(bytes(&Frame::Close(Close::interrupted())), r#"c[1002,"Connection interrupted"]"#);
    }

    /// The protocol's list, and nothing besides: every other character leaves as it came.
    #[test]
    fn what_browsers_mangle_is_escaped() {
        for c in (0..=0x0010_ffff_u32).filter_map(char::from_u32) {
            let mut out = Vec::new();
            quote(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes());
            let text = String::from_utf8(out).unwrap();
            assert_eq!(serde_json::from_str::<String>(&text).unwrap(), c.to_string());
            let mangled = matches!(u32::from(c), 0..=0x1f | 0x200c..=0x200f | 0x2028..=0x202f | 0x2060..=0x206f | 0xfff0..=0xffff);
            assert_eq!(
                text.starts_with("\"\\"),
                mangled || matches!(c, '"' | '\\'),
                "U+{:04X}",
                u32::from(c)
            );
        }
    }
}
