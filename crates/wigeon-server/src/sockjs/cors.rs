//! Who may talk to a face, and how a page of another site is told.
//!
//! The protocol lets every site in, and leaves it to the application to know better. Here the guard's
//! rules hold as everywhere: `Host` must be ours, `Origin` listed, and only a listed origin is answered. Two
//! things differ, because `sockjs-client` cannot be told otherwise: it always sends its requests *with
//! credentials*, so a listed origin is allowed them, which gives nothing away, since no cookie here means
//! anything; and preflights are answered as the protocol says. The test services know nobody and
//! touch nothing, so they let every origin in, as their suites demand.

use axum::body::Body;
use axum::response::Response;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Request, StatusCode};
use wigeon_proto::error::WireError;

use super::Face;
use super::application::Kind;
use super::pages::strongly_cached;
use crate::http::guard;

/// The origin to name in the answer.
pub(super) fn judge(face: &Face, request: &mut Request<Body>) -> Result<Option<HeaderValue>, WireError> {
    if face.kind != Kind::Chat {
        let (ends, authority) = guard::ends_of(request);
        guard::check_host(&face.app, ends, request.headers(), authority)?;
        return Ok(request.headers().get(header::ORIGIN).cloned());
    }
    let (ends, authority) = guard::ends_of(request);
    let (seen, allowed) = guard::judge(&face.app, ends, request.headers(), authority)?;
    request.extensions_mut().insert(seen);
    Ok(allowed.origin().cloned())
}

/// The headers every answer has.
pub(super) fn allow(headers: &mut HeaderMap, allowed: Option<HeaderValue>) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
}

/// The answer to `OPTIONS`: what may be asked, for a long time.
pub(super) fn preflight(headers: &HeaderMap, method: &'static str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let methods = if method == "GET" { "OPTIONS, GET" } else { "OPTIONS, POST" };
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("31536000"));
    let wanted = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).filter(|names| !names.is_empty());
    if let Some(names) = wanted {
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    strongly_cached(answer);
    let varies = HeaderValue::from_static("Access-Control-Request-Headers");
    answer.append(header::VARY, varies);
    response
}

/// Says the client's `JSESSIONID` again, or one of our own, for a load balancer to remember. It has no
/// other meaning: a session is known by its URL.
pub(super) fn set_cookie(headers: &HeaderMap, response: &mut Response) {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mine = cookies
        .flat_map(|line| line.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix("JSESSIONID="))
        .unwrap_or("dummy");
    if let Ok(cookie) = HeaderValue::from_str(&format!("JSESSIONID={mine}; path=/")) {
        response.headers_mut().insert(HeaderName::from_static("set-cookie"), cookie);
    }
}
