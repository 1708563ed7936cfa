//! The head of a response on a raw wire: what the HTTP library would write.

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;

use super::form::finish_head;

/// A status line and headers; what tells the body's length is still to come.
pub(crate) fn head(status: StatusCode, headers: &HeaderMap) -> Vec<u8> {
    let reason = status.canonical_reason().unwrap_or("");
    let mut out = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in headers {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// A whole response, whose body is in memory.
pub(crate) async fn whole(response: Response) -> Vec<u8> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut out = head(parts.status, &parts.headers);
    // RFC 9110, 8.6: a 304 names no length but that of the answer it stands for.
    if parts.status == StatusCode::NOT_MODIFIED || parts.status == StatusCode::SWITCHING_PROTOCOLS {
        out.extend_from_slice(b"\r\n");
    } else {
        finish_head(&mut out, body.len());
        out.extend_from_slice(&body);
    }
    out
}
