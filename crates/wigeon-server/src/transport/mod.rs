//! `GET /v1/events`: one read, "what is after my cursor", in every representation.
//!
//! Eight transports are three deliveries ([`answer`], [`stream`], [`websocket`]) and a framing each. This
//! file finds the transport and the caller, and says no in the form that the transport's page can see.

mod answer;

pub(crate) mod opening;
pub(crate) mod pulse;
pub(crate) mod request;
mod stream;
mod websocket;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use http::request::Parts;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::framing::{Framing, jsonp, sse};
use wigeon_proto::json;
use wigeon_proto::transport::Transport;

use crate::app::App;
use crate::auth::Verdict;
use crate::caller::Caller;
use crate::http::guard::Seen;
use crate::http::problem::{body_of, problem};
use request::EventsRequest;

/// The handler of `GET /v1/events`.
pub(crate) async fn events(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let (mut parts, _) = request.into_parts();
    let asked = match EventsRequest::read(&parts) {
        Ok(asked) => asked,
        Err(error) => return problem(&error),
    };
    metrics::counter!("wigeon_reads_total", "transport" => asked.transport.as_str()).increment(1);
    match open(&app, &mut parts, asked.clone()).await {
        Ok(response) => response,
        Err(error) => refusal(&asked, &error),
    }
}

async fn open(app: &Arc<App>, parts: &mut Parts, asked: EventsRequest) -> Result<Response, WireError> {
    if app.draining.is_cancelled() {
        return Err(WireError::new(ErrorCode::Unavailable, "the server is going down").retry_after(1000));
    }
    if asked.transport.is_script() {
        script_may_read(app, parts, &asked)?;
    }
    if asked.transport == Transport::Websocket {
        let caller = Caller::of(app, parts, asked.ticket.as_deref())?;
        return websocket::upgrade(app, parts, caller, asked).await;
    }
    let caller = Caller::required(app, parts, asked.ticket.as_deref())?;
    match asked.framing() {
        Some(framing) => stream::respond(app, caller, asked, framing).await,
        None => answer::respond(app, parts, caller, asked).await,
    }
}

/// Script and frame elements send no `Origin` and ask nobody: so they read with a ticket alone, and only
/// where `Referer` names a page that is ours or listed. A frame may come without: `frame-ancestors` and
/// the ticket guard it; and where it posts to another origin, that origin must be listed.
fn script_may_read(app: &App, parts: &Parts, asked: &EventsRequest) -> Result<(), WireError> {
    app.serves_scripts()?;
    let transport = asked.transport;
    let forbidden = |message: &str| Err(WireError::new(ErrorCode::Forbidden, message));
    let seen = Seen::of(parts);
    if !seen.verdict.is_trusted() && (transport == Transport::Jsonp || seen.verdict != Verdict::Unknown) {
        return forbidden("this page is not listed");
    }
    if asked.target().is_some_and(|origin| app.origins.judge(Some(origin), &seen.host, None).is_err()) {
        return forbidden("frames are posted to listed pages only");
    }
    // Browsers that say what a request is for must say what we serve it as.
    let expected: &[&str] =
        if transport == Transport::Jsonp { &["script"] } else { &["iframe", "frame", "document", "object"] };
    match parts.headers.get("sec-fetch-dest").and_then(|value| value.to_str().ok()) {
        Some(dest) if !expected.contains(&dest) => forbidden("this transport is for another kind of element"),
        _ => Ok(()),
    }
}

/// An error, in the form that the transport's page can see: a status; for scripts and frames a call; for
/// an event source a frame and the end.
fn refusal(asked: &EventsRequest, error: &WireError) -> Response {
    let frame = json::to_vec(&wigeon_proto::frame::Control::Error { error: error.clone() });
    match (asked.transport, &asked.callback, asked.framing()) {
        (Transport::Jsonp, Some(callback), _) => {
            #[derive(serde::Serialize)]
            struct OnlyError<'a> {
                error: &'a WireError,
            }
            script(jsonp::wrap(callback, &json::to_vec(&OnlyError { error })))
        }
        (Transport::Iframe | Transport::Htmlfile, _, Some(framing)) => {
            let mut body = Vec::new();
            framing.prelude(&mut body, 0);
            framing.frame(&mut body, None, &frame);
            stream::page(asked, body.into())
        }
        (Transport::Sse, ..) => {
            let mut body = Vec::new();
            Framing::Sse.frame(&mut body, None, &frame);
            body_of(sse::CONTENT_TYPE, body)
        }
        _ => problem(error),
    }
}

/// A script for a script element. The name of a file keeps old plug-ins from running it as their own.
pub(crate) fn script(body: Vec<u8>) -> Response {
    let mut response = body_of(jsonp::CONTENT_TYPE, body);
    let headers = response.headers_mut();
    headers.insert("content-disposition", http::HeaderValue::from_static("attachment; filename=f.txt"));
    headers.insert("cross-origin-resource-policy", http::HeaderValue::from_static("cross-origin"));
    response
}
