//! One frame a line, for `XMLHttpRequest` in readyState 3, `fetch` streams, `XDomainRequest` and `curl -N`.
//!
//! A line is a frame only with its newline: an answer that was cut off ends in half a line, and old engines
//! report it as complete.

/// A type no engine sniffs, so that the first small frame is not held back until there are 1,024 bytes.
pub const CONTENT_TYPE: &str = "application/x-ndjson; charset=utf-8";

/// Appends `padding` spaces and a newline: IE's `XDomainRequest` shows nothing before its first 2 KiB.
pub fn prelude(out: &mut Vec<u8>, padding: usize) {
    if padding > 0 {
        super::spaces(out, padding);
        out.push(b'\n');
    }
}

/// Appends one line.
pub fn frame(out: &mut Vec<u8>, json: &[u8]) {
    out.extend_from_slice(json);
    out.push(b'\n');
}
