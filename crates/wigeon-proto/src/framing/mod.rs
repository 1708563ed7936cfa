//! What each transport puts around one frame's JSON.
//!
//! The JSON of an event is made once, already safe inside a `<script>`; everything here only wraps those
//! bytes, so that one event looks the same to every receiver whatever carries it. Streams are a [`Framing`]:
//! a prelude, then frame after frame. Answers are whole bodies: [`poll::Answer`], which [`jsonp`] may wrap.

pub mod iframe;
pub mod jsonp;
pub mod ndjson;
pub mod poll;
pub mod sse;
pub mod websocket;

/// The framings of a stream. Two receivers with equal framings read equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Text messages of a WebSocket, as a server sends them (unmasked).
    WebSocket,
    /// The same where `permessage-deflate` was agreed on, with the window that all of them share.
    WebSocketDeflated,
    /// Server-Sent Events.
    Sse,
    /// One frame a line.
    Ndjson,
    /// One `<script>` a frame: for a forever iframe and for `ActiveXObject("htmlfile")`.
    Iframe(iframe::Page),
}

impl Framing {
    /// The `Content-Type` of the response; a WebSocket has none.
    pub fn content_type(&self) -> Option<&'static str> {
        match self {
            Self::WebSocket | Self::WebSocketDeflated => None,
            Self::Sse => Some(sse::CONTENT_TYPE),
            Self::Ndjson => Some(ndjson::CONTENT_TYPE),
            Self::Iframe(_) => Some(iframe::CONTENT_TYPE),
        }
    }

    /// Appends what stands before the first frame; `padding` is in bytes, as the client asked.
    pub fn prelude(&self, out: &mut Vec<u8>, padding: usize) {
        match self {
            Self::WebSocket | Self::WebSocketDeflated => {}
            Self::Sse => sse::prelude(out, padding),
            Self::Ndjson => ndjson::prelude(out, padding),
            Self::Iframe(page) => page.prelude(out, padding),
        }
    }

    /// Appends one frame. `cursor` is what a reader that knows only the framing may resume from: the frame's
    /// own cursor, where it has one.
    pub fn frame(&self, out: &mut Vec<u8>, cursor: Option<&str>, json: &[u8]) {
        match self {
            Self::WebSocket => websocket::frame(out, json),
            Self::WebSocketDeflated => websocket::deflated(out, json),
            Self::Sse => sse::frame(out, cursor, json),
            Self::Ndjson => ndjson::frame(out, json),
            Self::Iframe(page) => page.frame(out, json),
        }
    }

    /// Whether every receiver of this framing reads the same bytes, so that they are made once per event.
    /// A script frame carries the nonce of its own response.
    pub fn shared(&self) -> bool {
        !matches!(self, Self::Iframe(_))
    }
}

/// Appends `text` as a JSON string that is safe inside a `<script>`: these few fields are the only JSON that
/// framings write themselves.
fn json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend_from_slice(&[b'\\', c as u8]),
            '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes());
            }
            _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

/// One name that may stand in a script of ours: `[A-Za-z_][A-Za-z0-9_]{0,31}`, ASCII only.
fn is_script_name(name: &str) -> bool {
    const NAME_BYTES_MAX: usize = 32;
    name.len() <= NAME_BYTES_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Appends spaces, which every framing may have before its first frame.
fn spaces(out: &mut Vec<u8>, count: usize) {
    out.resize(out.len() + count, b' ');
}
