//! JSONP: an answer as a script that calls a function of the page.
//!
//! The page names the function, so the name is the one thing a stranger puts into a script of ours: it is a
//! plain identifier or it is refused. The comment before it defuses content that pretends to be Flash
//! ("Rosetta Flash"). A script runs only when it is complete, so there is no streaming here.

use thiserror::Error;

/// A type that runs under `nosniff`.
pub const CONTENT_TYPE: &str = "text/javascript; charset=utf-8";

/// The name of the function to call: `[A-Za-z_][A-Za-z0-9_]{0,31}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback(String);

/// The callback is not one plain identifier of at most 32 characters. Says nothing of what it was: an error
/// page must not echo it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the callback is not a plain name")]
pub struct BadCallback;

impl Callback {
    /// Takes a name from a query string.
    pub fn parse(name: &str) -> Result<Self, BadCallback> {
        if super::is_script_name(name) { Ok(Self(name.to_owned())) } else { Err(BadCallback) }
    }
}

/// The whole script: `/**/callback(json);`.
pub fn wrap(callback: &Callback, json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() + callback.0.len() + 16);
    out.extend_from_slice(b"/**/");
    out.extend_from_slice(callback.0.as_bytes());
    out.push(b'(');
    out.extend_from_slice(json);
    out.extend_from_slice(b");\r\n");
    out
}
