//! Errors as responses: RFC 9457 problem bodies, and the same error where a page cannot see a status.

use axum::body::Body;
use axum::response::Response;
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use wigeon_proto::error::{Outcome, WireError};
use wigeon_proto::json;

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
}

/// A problem body with the error's status.
pub(crate) fn problem(error: &WireError) -> Response {
    let status = StatusCode::from_u16(error.code.status()).expect("the table holds statuses");
    problem_with(status, error)
}

/// A problem body with a status that says more than the error's own.
pub(crate) fn problem_with(status: StatusCode, error: &WireError) -> Response {
    let body = json::to_vec(&Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail: &error.message,
        code: error.code.as_str(),
        retry_after_ms: error.retry_after_ms,
        outcome: error.outcome,
    });
    let mut response = body_of("application/problem+json", body);
    *response.status_mut() = status;
    if let Some(ms) = error.retry_after_ms {
        response.headers_mut().insert(header::RETRY_AFTER, ms.div_ceil(1000).into());
    }
    response
}

/// An answer that no cache keeps and no proxy holds back.
pub(crate) fn body_of(content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = empty().map(|_| body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// As [`body_of`], with nothing in it.
pub(crate) fn empty() -> Response {
    let mut response = Response::new(Body::empty());
    live(response.headers_mut());
    response
}

/// JSON, as an answer.
pub(crate) fn json_of(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = body_of("application/json; charset=utf-8", body);
    *response.status_mut() = status;
    response
}

/// The headers of everything that is not a file: `no-store` for caches, the rest for proxies. nginx heeds
/// `X-Accel-Buffering` alone; `no-transform` asks the others not to compress, which would hold back frames.
fn live(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}
