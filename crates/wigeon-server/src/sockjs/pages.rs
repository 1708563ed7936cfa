//! What a client asks before it opens a session: the greeting, what the server can do, and the page in a
//! frame that speaks for a page of another site.

use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use wigeon_proto::json;

use super::{Face, PLAIN, not_found, text};
use crate::http::tag;

/// A year, as the protocol asks.
const CACHED: Duration = Duration::from_secs(365 * 24 * 3600);

pub(super) fn greeting() -> Response {
    text(StatusCode::OK, PLAIN, "Welcome to SockJS!\n")
}

/// What a client must know to choose its transport.
#[derive(Serialize)]
struct Info {
    websocket: bool,
    /// Fixed by the protocol, and heeded by no client; who is let in is in the headers.
    origins: [&'static str; 1],
    cookie_needed: bool,
    /// Chance for old browsers that have little of their own.
    entropy: u32,
}

pub(super) fn info(face: &Face) -> Response {
    let mut random = [0; 4];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    let info = Info {
        websocket: face.websocket,
        origins: ["*:*"],
        cookie_needed: face.settings.cookie,
        entropy: u32::from_le_bytes(random),
    };
    text(StatusCode::OK, "application/json; charset=UTF-8", json::to_vec(&info))
}

/// The frame's own script; its text is fixed by the protocol.
const SCRIPT: &str = "
    document.domain = document.domain;
    SockJS.bootstrap_iframe();
  ";

/// The page that a `sockjs-client` on another site puts into a hidden frame. It hands on what it is told, so
/// only listed sites may frame it; and what it loads runs as a page of ours, so the operator names it.
pub(super) fn iframe(face: &Face, headers: &HeaderMap) -> Response {
    let Some(client_url) = &face.settings.client_url else { return not_found() };
    let body = format!(
        r#"<!DOCTYPE html>
<html>
<head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
  <script src="{client_url}"></script>
  <script>{SCRIPT}</script>
</head>
<body>
  <h2>Don't panic!</h2>
  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
</body>
</html>
"#
    );
    let script = if client_url.starts_with('/') { "'self'" } else { client_url };
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT));
    let policy = format!(
        "default-src 'none'; script-src {script} 'sha256-{hash}'; connect-src 'self'; frame-src 'self'; {}",
        frame_ancestors(face)
    );
    let tag = tag(&[body.as_bytes(), policy.as_bytes()]);
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag);
    let mut response = Response::new(if known { Body::empty() } else { Body::from(body) });
    let answer = response.headers_mut();
    strongly_cached(answer);
    answer.insert(header::ETAG, tag);
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
    let policy = HeaderValue::from_str(&policy).expect("origins and a URL are header text");
    answer.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// The sites that may put a page of ours into a frame of theirs.
pub(super) fn frame_ancestors(face: &Face) -> String {
    format!("frame-ancestors 'self' {}", face.app.origins.sites().join(" ")).trim_end().to_owned()
}

/// For a year, by everybody.
pub(super) fn strongly_cached(headers: &mut HeaderMap) {
    let always = format!("public, max-age={}", CACHED.as_secs());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_str(&always).expect("digits"));
    let expires = httpdate::fmt_http_date(SystemTime::now() + CACHED);
    headers.insert(header::EXPIRES, HeaderValue::from_str(&expires).expect("a date"));
}
