//! What a path below the face's prefix asks for.

/// Bytes of a session's id that are heard; clients make eight.
const SESSION_BYTES_MAX: usize = 128;

/// A path, without the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path<'a> {
    /// The greeting, which tells that there is a SockJS server.
    Greeting,
    /// What the server can do.
    Info,
    /// The page that sits in a frame and speaks for a page of another site.
    Iframe,
    /// A WebSocket without sessions and framing.
    RawWebSocket,
    /// One way of one session. The part before the session's id is for load balancers and means nothing here.
    Session {
        /// The session's id, as the client made it.
        session: &'a str,
        /// Which way.
        way: Way,
    },
}

/// The ways into a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Both directions on one socket.
    WebSocket,
    /// Down: one frame for each request.
    Xhr,
    /// Up, beside [`Way::Xhr`], [`Way::XhrStreaming`], [`Way::EventSource`] and [`Way::HtmlFile`].
    XhrSend,
    /// Down: frames on lines of one long response.
    XhrStreaming,
    /// Down: Server-Sent Events.
    EventSource,
    /// Down: scripts in a hidden frame.
    HtmlFile,
    /// Down: one script for each frame.
    Jsonp,
    /// Up, beside [`Way::Jsonp`], by a form.
    JsonpSend,
}

impl<'a> Path<'a> {
    /// Reads what follows the prefix; none is not found.
    pub fn parse(rest: &'a str) -> Option<Self> {
        let path = match rest {
            "" | "/" => return Some(Self::Greeting),
            _ => rest.strip_prefix('/')?,
        };
        let mut parts = path.split('/');
        let found = match (parts.next()?, parts.next(), parts.next()) {
            ("info", None, None) => Self::Info,
            ("websocket", None, None) => Self::RawWebSocket,
            (page, None, None) if is_iframe(page) => Self::Iframe,
            (server, Some(session), Some(way)) if is_name(server) && is_name(session) => {
                Self::Session { session, way: Way::parse(way)? }
            }
            _ => return None,
        };
        parts.next().is_none().then_some(found)
    }

    /// The methods it answers to, besides `OPTIONS`.
    pub fn method(self) -> &'static str {
        match self {
            Self::Greeting | Self::Info | Self::Iframe | Self::RawWebSocket => "GET",
            Self::Session { way, .. } => match way {
                Way::Xhr | Way::XhrSend | Way::XhrStreaming | Way::JsonpSend => "POST",
                Way::WebSocket | Way::EventSource | Way::HtmlFile | Way::Jsonp => "GET",
            },
        }
    }
}

impl Way {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "websocket" => Self::WebSocket,
            "xhr" => Self::Xhr,
            "xhr_send" => Self::XhrSend,
            "xhr_streaming" => Self::XhrStreaming,
            "eventsource" => Self::EventSource,
            "htmlfile" => Self::HtmlFile,
            "jsonp" => Self::Jsonp,
            "jsonp_send" => Self::JsonpSend,
            _ => return None,
        })
    }
}

/// Anything but nothing, and no dots: they are for the names of files.
fn is_name(part: &str) -> bool {
    (1..=SESSION_BYTES_MAX).contains(&part.len()) && !part.contains('.')
}

/// `iframe.html`, or with any version in it.
fn is_iframe(page: &str) -> bool {
    page.strip_prefix("iframe")
        .and_then(|rest| rest.strip_suffix(".html"))
        .is_some_and(|version| version.is_empty() || version.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_by_the_second_part_alone() {
        let way = |rest| match Path::parse(rest) {
            Some(Path::Session { session, way }) => Some((session, way)),
            _ => None,
        };
        assert_eq!(way("/000/abc/xhr"), Some(("abc", Way::Xhr)));
        assert_eq!(way("/999/abc/xhr_send"), Some(("abc", Way::XhrSend)));
        assert_eq!(way("/_/i-j%20/jsonp"), Some(("i-j%20", Way::Jsonp)));
    }

    #[test]
    fn empty_dotted_longer_and_shorter_paths_are_not_there() {
        for rest in [
            "//",
            "///",
            "/a",
            "/a/",
            "/a.html",
            "/a/a",
            "/a/a/",
            "/a/a/a",
            "/a./a/xhr",
            "/a/a./xhr",
            "/./a/xhr",
            "///xhr",
            "//a/xhr",
            "/a//xhr",
            "/a/a/xhr/",
            "/a/a/xhr/a",
            "/a/a/XHR",
            "/info/",
            "/websocket/a",
            "info",
        ] {
            assert_eq!(Path::parse(rest), None, "{rest}");
        }
        let long = format!("/0/{}/xhr", "x".repeat(SESSION_BYTES_MAX + 1));
        assert_eq!(Path::parse(&long), None);
    }

    #[test]
    fn the_frames_page_may_carry_a_version() {
        for rest in ["/iframe.html", "/iframe-.html", "/iframe-0.1.2abc-dirty.2144.html"] {
            assert_eq!(Path::parse(rest), Some(Path::Iframe), "{rest}");
        }
        for rest in
            ["/iframe.htm", "/iframe", "/IFRAME.HTML", "/iframe.HTML", "/iframe-/.html", "/iframex.html"]
        {
            assert_eq!(Path::parse(rest), None, "{rest}");
        }
    }
}
