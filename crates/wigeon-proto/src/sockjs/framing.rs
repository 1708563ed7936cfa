//! What each way down puts around a frame.

use thiserror::Error;

use super::frame;

/// Characters of a callback's name; clients use about ten.
const CALLBACK_BYTES_MAX: usize = 64;
/// Bytes before the first frame that make browsers show what they have received.
const XHR_PRELUDE_BYTES: usize = 2048;
const HTML_PRELUDE_BYTES: usize = 1024;

/// The framings of the ways down, a WebSocket's aside, which adds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framing {
    /// A line.
    Xhr,
    /// A line, after a prelude.
    XhrStreaming,
    /// A Server-Sent Event.
    EventSource,
    /// A script in a page.
    HtmlFile(Callback),
    /// A script of its own.
    Jsonp(Callback),
}

/// The name of what a script calls: letters, digits, `-`, `_` and `.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback(String);

/// The words are the protocol's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadCallback {
    /// There is none.
    #[error("\"callback\" parameter required")]
    Missing,
    /// It could be more than a name.
    #[error("invalid \"callback\" parameter")]
    Invalid,
}

impl Callback {
    /// Takes the name out of a query.
    pub fn parse(name: Option<&str>) -> Result<Self, BadCallback> {
        let name = name.filter(|name| !name.is_empty()).ok_or(BadCallback::Missing)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if name.len() > CALLBACK_BYTES_MAX || !name.bytes().all(plain) {
            return Err(BadCallback::Invalid);
        }
        Ok(Self(name.to_owned()))
    }
}

impl Framing {
    /// The `Content-Type` of the response.
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Xhr | Self::XhrStreaming | Self::Jsonp(_) => "application/javascript; charset=UTF-8",
            Self::EventSource => "text/event-stream",
            Self::HtmlFile(_) => "text/html; charset=UTF-8",
        }
    }

    /// Whether one response carries one frame.
    pub fn is_poll(&self) -> bool {
        matches!(self, Self::Xhr | Self::Jsonp(_))
    }

    /// What stands before the first frame of a stream.
    pub fn prelude(&self) -> Vec<u8> {
        match self {
            Self::Xhr | Self::Jsonp(_) => Vec::new(),
            Self::XhrStreaming => {
                let mut out = vec![b'h'; XHR_PRELUDE_BYTES];
                out.push(b'\n');
                out
            }
            // Opera takes no event before a line is over.
            Self::EventSource => b"\r\n".to_vec(),
            Self::HtmlFile(callback) => {
                let mut out = html_head(callback);
                let padding = HTML_PRELUDE_BYTES.saturating_sub(out.len());
                out.resize(out.len() + padding, b' ');
                out.extend_from_slice(b"\r\n\r\n");
                out
            }
        }
    }

    /// A frame's bytes on this way.
    pub fn wrap(&self, frame: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(frame.len() + 64);
        match self {
            Self::Xhr | Self::XhrStreaming => {
                out.extend_from_slice(frame);
                out.push(b'\n');
            }
            Self::EventSource => {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(frame);
                out.extend_from_slice(b"\r\n\r\n");
            }
            Self::HtmlFile(_) => {
                out.extend_from_slice(b"<script>\np(");
                script_string(&mut out, frame);
                out.extend_from_slice(b");\n</script>\r\n");
            }
            Self::Jsonp(Callback(name)) => {
                // The comment keeps the answer from being taken for something else than a script.
                out.extend_from_slice(b"/**/");
                out.extend_from_slice(name.as_bytes());
                out.push(b'(');
                script_string(&mut out, frame);
                out.extend_from_slice(b");\r\n");
            }
        }
        out
    }
}

fn html_head(Callback(name): &Callback) -> Vec<u8> {
    format!(
        r#"<!doctype html>
<html><head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
</head><body><h2>Don't panic!</h2>
  <script>
    document.domain = document.domain;
    var c = parent.{name};
    c.start();
    function p(d) {{c.message(d);}};
    window.onload = function() {{c.stop();}};
  </script>"#
    )
    .into_bytes()
}

/// Appends a frame as a string of a script, out of which nothing in it can break.
fn script_string(out: &mut Vec<u8>, frame: &[u8]) {
    let from = out.len();
    frame::quote(out, frame);
    if !out[from..].iter().any(|byte| matches!(byte, b'<' | b'>' | b'&')) {
        return;
    }
    let quoted = out.split_off(from);
    for byte in quoted {
        match byte {
            b'<' | b'>' | b'&' => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    fn callback(name: &str) -> Callback {
        Callback::parse(Some(name)).unwrap()
    }

    #[test]
    fn each_way_has_its_own_frame() {
        let frame = br#"a["x"]"#;
        assert_eq!(text(Framing::Xhr.wrap(frame)), "a[\"x\"]\n");
        assert_eq!(text(Framing::XhrStreaming.wrap(frame)), "a[\"x\"]\n");
        assert_eq!(text(Framing::EventSource.wrap(frame)), "data: a[\"x\"]\r\n\r\n");
        let html = Framing::HtmlFile(callback("callback"));
        assert_eq!(text(html.wrap(frame)), "<script>\np(\"a[\\\"x\\\"]\");\n</script>\r\n");
        let jsonp = Framing::Jsonp(callback("_jp.a1"));
        assert_eq!(text(jsonp.wrap(frame)), "/**/_jp.a1(\"a[\\\"x\\\"]\");\r\n");
    }

    #[test]
    fn preludes_are_as_long_as_browsers_need() {
        assert_eq!(text(Framing::XhrStreaming.prelude()), "h".repeat(2048) + "\n");
        assert_eq!(text(Framing::EventSource.prelude()), "\r\n");
        let html = text(Framing::HtmlFile(callback("parent.cb")).prelude());
        assert!(
            html.len() > 1024 && html.contains("var c = parent.parent.cb;\n") && html.ends_with("\r\n\r\n")
        );
        assert!(html.trim_end().ends_with("</script>"));
    }

    #[test]
    fn nothing_in_a_frame_ends_its_script() {
        let jsonp = Framing::Jsonp(callback("f"));
        let script = text(jsonp.wrap(br#"a["</script><!--&"]"#));
        assert!(!script.contains(['<', '>', '&']), "{script}");
        let argument = script.strip_prefix("/**/f(").unwrap().strip_suffix(");\r\n").unwrap();
        assert_eq!(serde_json::from_str::<String>(argument).unwrap(), r#"a["</script><!--&"]"#);
    }

    #[test]
    fn a_callback_is_a_name() {
        assert_eq!(Callback::parse(None), Err(BadCallback::Missing));
        assert_eq!(Callback::parse(Some("")), Err(BadCallback::Missing));
        let long = "a".repeat(CALLBACK_BYTES_MAX + 1);
        for bad in [" ", "*", "abc(", "a;b", "ä", long.as_str()] {
            assert_eq!(Callback::parse(Some(bad)), Err(BadCallback::Invalid), "{bad}");
        }
        assert!(Callback::parse(Some("_jp.a-Z_9")).is_ok());
    }
}
