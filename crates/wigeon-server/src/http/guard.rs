//! The guard: every request's `Host` and origin, judged once, before anything else looks at it.
//!
//! An unlisted `Origin` gets 403 without CORS headers on every path, whatever its credentials; a `Host`
//! that is not ours gets 421, so that a rebound DNS name is nobody's door. Answers to listed origins name
//! exactly that origin, never `*`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Request, StatusCode};
use wigeon_proto::error::{ErrorCode, WireError};

use super::problem::{empty, problem};
use crate::app::App;
use crate::auth::{Host, Verdict};

/// The two ends of a connection, noted when it was accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) local: SocketAddr,
    pub(crate) peer: SocketAddr,
}

/// What the guard found out about a request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) ends: Ends,
    pub(crate) host: Host,
    pub(crate) verdict: Verdict,
}

impl Seen {
    /// What the guard noted; no handler is reached without it.
    pub(crate) fn of(parts: &Parts) -> &Self {
        parts.extensions.get().expect("the guard comes before every handler")
    }
}

/// Seconds a browser may remember a preflight: Chromium's cap.
const PREFLIGHT_S: &str = "7200";

/// What an answer says of the origin that asked.
#[derive(Debug, Clone)]
pub(crate) struct Allowed(Option<HeaderValue>);

impl Allowed {
    /// Whether nothing in the answer depends on who asked.
    pub(crate) fn is_common(&self) -> bool {
        self.0.is_none()
    }

    /// The origin that the answer names.
    pub(crate) fn origin(&self) -> Option<&HeaderValue> {
        self.0.as_ref()
    }

    /// Puts the headers of every guarded answer on one.
    pub(crate) fn dress(&self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(origin) = &self.0 {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers
                .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After, ETag"));
        }
    }
}

/// The answer to what [`judge`] refuses: the headers of every guarded answer, and none for another origin.
pub(crate) fn turned_away(error: &WireError) -> Response {
    let mut response = problem(error);
    Allowed(None).dress(&mut response);
    response
}

/// Judges a request's host and origin.
pub(crate) fn judge(
    app: &App,
    ends: Ends,
    headers: &HeaderMap,
    authority: Option<&str>,
) -> Result<(Seen, Allowed), WireError> {
    let host = check_host(app, ends, headers, authority)?;
    let referer = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let origin = one_origin(headers);
    let verdict = app
        .origins
        .judge(origin, &host, referer)
        .map_err(|forbidden| WireError::new(ErrorCode::Forbidden, forbidden.to_string()))?;
    let allowed = match (&verdict, origin) {
        (Verdict::Listed(_), Some(origin)) => HeaderValue::from_str(origin).ok(),
        _ => None,
    };
    Ok((Seen { ends, host, verdict }, Allowed(allowed)))
}

/// The text of `Origin`. What is no text, or stands there twice, is an origin that nobody lists.
fn one_origin(headers: &HeaderMap) -> Option<&str> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let first = origins.next()?;
    Some(first.to_str().ok().filter(|_| origins.next().is_none()).unwrap_or("unreadable"))
}

/// The first half of [`judge`]: whether the request was meant for us.
pub(crate) fn check_host(
    app: &App,
    ends: Ends,
    headers: &HeaderMap,
    authority: Option<&str>,
) -> Result<Host, WireError> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let named = hosts.next().and_then(|value| value.to_str().ok());
    if hosts.next().is_some() {
        return Err(WireError::new(ErrorCode::BadRequest, "a request has one `Host`"));
    }
    let ours = |host: Option<&str>| {
        let host = app.origins.check_host(host, ends.local);
        host.map_err(|misdirected| WireError::new(ErrorCode::MisdirectedRequest, misdirected.to_string()))
    };
    // A whole URL as the request's target, as to a proxy (and in HTTP/2), names the host as well (RFC 9112, 3.2.2).
    let host = ours(authority.or(named))?;
    if authority.is_some() && named.is_some() {
        ours(named)?;
    }
    Ok(host)
}

/// The two ends of a request's connection, and the host its target names.
pub(crate) fn ends_of(request: &Request<Body>) -> (Ends, Option<&str>) {
    let ends: &Ends = request.extensions().get().expect("noted when the connection was accepted");
    (*ends, request.uri().authority().map(http::uri::Authority::as_str))
}

/// The middleware.
pub(crate) async fn guard(State(app): State<Arc<App>>, mut request: Request<Body>, next: Next) -> Response {
    let (ends, authority) = ends_of(&request);
    let (seen, allowed) = match judge(&app, ends, request.headers(), authority) {
        Ok(judged) => judged,
        Err(error) => return turned_away(&error),
    };
    let mut response = if is_preflight(request.method(), request.headers()) {
        preflight()
    } else {
        request.extensions_mut().insert(seen);
        next.run(request).await
    };
    allowed.dress(&mut response);
    response
}

fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> Response {
    let mut response = empty();
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, last-event-id"),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_S),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
