//! A page that never ends, one `<script>` per frame: for a forever iframe and for `ActiveXObject("htmlfile")`.
//!
//! Each script hands its frame to the page around it and takes itself out of the document, which would else
//! grow without end. Same-origin pages are called (`parent.name(frame)`; in `htmlfile` the parent is the
//! off-screen document, so `document.domain` is never touched); pages of another origin get `postMessage` to
//! exactly that origin, as text, because IE 8 and 9 post nothing else. What is written here is ES3. Every
//! script carries the nonce of its response, which the `Content-Security-Policy` names.

use thiserror::Error;

/// The page's type.
pub const CONTENT_TYPE: &str = "text/html; charset=utf-8";

/// Safari ran no script before 1,024 bytes, IE before 256.
const PADDING_BYTES_MIN: usize = 1024;

/// A DNS name has at most 253 characters; the rest is scheme and port.
const ORIGIN_BYTES_MAX: usize = 270;

/// Who is told of a frame, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Receiver {
    /// `parent.<name>` is called with the object.
    Callback(Callback),
    /// `parent.postMessage(<text>, <origin>)`.
    Target(Target),
}

/// A function of the parent page, as the path `parent.name` or `parent.object.name`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Callback(String);

/// An origin frames may be posted to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target(String);

/// One response: who receives it, and the nonce of its scripts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Page {
    receiver: Receiver,
    nonce: String,
}

/// Why a page cannot be made. Says nothing of what was given: an error page must not echo it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadPage {
    /// The callback is neither a plain name nor up to three joined by dots beginning with `parent`.
    #[error("the callback is not a plain name or a path from parent")]
    Callback,
    /// The target is not the text of one http or https origin.
    #[error("the target is not an origin")]
    Target,
    /// The nonce has characters that do not belong into an attribute or a policy.
    #[error("the nonce is not base64")]
    Nonce,
}

impl Callback {
    /// Takes `name`, `parent.name` or `parent.object.name` from a query string.
    pub fn parse(path: &str) -> Result<Self, BadPage> {
        let names: Vec<&str> = path.split('.').collect();
        if !names.iter().all(|name| super::is_script_name(name)) {
            return Err(BadPage::Callback);
        }
        match names[..] {
            ["parent"] => Err(BadPage::Callback),
            [name] => Ok(Self(format!("parent.{name}"))),
            ["parent", _] | ["parent", _, _] => Ok(Self(path.to_owned())),
            _ => Err(BadPage::Callback),
        }
    }
}

impl Target {
    /// Takes an origin from a query string. Only its form is checked here; whether it is allowed is the
    /// server's list. Never `*` and never `null`.
    pub fn parse(origin: &str) -> Result<Self, BadPage> {
        let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
        match authority {
            Some(host) if !host.is_empty() && origin.len() <= ORIGIN_BYTES_MAX && host.bytes().all(plain) => {
                Ok(Self(origin.to_owned()))
            }
            _ => Err(BadPage::Target),
        }
    }

    /// The origin's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Page {
    /// `nonce` is fresh for each response, in base64 of either alphabet.
    pub fn new(receiver: Receiver, nonce: &str) -> Result<Self, BadPage> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=');
        if nonce.is_empty() || !nonce.bytes().all(plain) {
            return Err(BadPage::Nonce);
        }
        Ok(Self { receiver, nonce: nonce.to_owned() })
    }

    /// Who is told of each frame.
    pub fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    /// Appends the head of the page and the one function every frame calls. The script that runs is the last
    /// one in the document; it leaves before it calls, so that a callback that throws leaves nothing behind.
    pub fn prelude(&self, out: &mut Vec<u8>, padding: usize) {
        let deliver = match &self.receiver {
            Receiver::Callback(path) => format!("{}(m)", path.0),
            Receiver::Target(origin) => format!("parent.postMessage(JSON.stringify(m),\"{}\")", origin.0),
        };
        let page = format!(
            "<!doctype html><html><head><meta charset=\"utf-8\"></head><body>\
             <script nonce=\"{}\">\
             function p(m){{q();{deliver}}}\
             function q(){{var s=document.getElementsByTagName(\"script\");s=s[s.length-1];s.parentNode.removeChild(s)}}\
             q()\
             </script>",
            self.nonce
        );
        out.extend_from_slice(page.as_bytes());
        super::spaces(out, padding.max(PADDING_BYTES_MIN));
        out.extend_from_slice(b"\r\n");
    }

    /// Appends one frame; `json` is safe inside a script.
    pub fn frame(&self, out: &mut Vec<u8>, json: &[u8]) {
        out.extend_from_slice(b"<script nonce=\"");
        out.extend_from_slice(self.nonce.as_bytes());
        out.extend_from_slice(b"\">p(");
        out.extend_from_slice(json);
        out.extend_from_slice(b")</script>\r\n");
    }
}
