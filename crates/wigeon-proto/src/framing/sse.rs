//! Server-Sent Events: `id:` carries the cursor, `data:` the frame.
//!
//! JSON has no raw newlines, so one `data:` line is always enough. The `id:` is for readers that know nothing
//! of Wigeon: a bare `EventSource` sends it back as `Last-Event-ID`. Heartbeats are frames too, because a page
//! cannot see SSE comments. <https://html.spec.whatwg.org/multipage/server-sent-events.html>

/// With any charset but UTF-8 a browser gives up for good.
pub const CONTENT_TYPE: &str = "text/event-stream; charset=utf-8";

/// Appends a comment of `padding` spaces, for engines and proxies that hold back the first bytes.
pub fn prelude(out: &mut Vec<u8>, padding: usize) {
    if padding > 0 {
        out.push(b':');
        super::spaces(out, padding);
        out.extend_from_slice(b"\n\n");
    }
}

/// Appends one event. Without a cursor the reader keeps the id it has.
pub fn frame(out: &mut Vec<u8>, cursor: Option<&str>, json: &[u8]) {
    if let Some(cursor) = cursor {
        out.extend_from_slice(b"id: ");
        out.extend_from_slice(cursor.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(json);
    out.extend_from_slice(b"\n\n");
}
