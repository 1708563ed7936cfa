//! The ways down: one row for each, found by name or by what the request accepts.

use serde::{Deserialize, Serialize};

/// A representation of "what is after my cursor". Sections are those of the founding document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// 3.1: answered at once.
    Poll,
    /// 3.2: answered when there is something.
    Longpoll,
    /// 3.3.1: one frame a line, for XHR and `fetch`.
    Ndjson,
    /// 3.3.2: one script element a frame, in a hidden frame.
    Iframe,
    /// 3.3.3: the same in an `ActiveXObject("htmlfile")`.
    Htmlfile,
    /// 3.4: `EventSource`.
    Sse,
    /// 4.3: a script element that calls back.
    Jsonp,
    /// 5: frames both ways.
    Websocket,
}

impl Transport {
    /// All of them, in the order of the founding document.
    pub const ALL: [Self; 8] = [
        Self::Poll,
        Self::Longpoll,
        Self::Ndjson,
        Self::Iframe,
        Self::Htmlfile,
        Self::Sse,
        Self::Jsonp,
        Self::Websocket,
    ];

    /// The word in `transport=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Longpoll => "longpoll",
            Self::Ndjson => "ndjson",
            Self::Iframe => "iframe",
            Self::Htmlfile => "htmlfile",
            Self::Sse => "sse",
            Self::Jsonp => "jsonp",
            Self::Websocket => "websocket",
        }
    }

    /// Reads the word in `transport=`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|transport| transport.as_str() == text)
    }

    /// Whether a page of another origin gets its frames by a script or frame element, which send no `Origin`.
    pub fn is_script(self) -> bool {
        matches!(self, Self::Iframe | Self::Htmlfile | Self::Jsonp)
    }
}
