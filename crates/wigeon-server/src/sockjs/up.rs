//! The ways up: messages for a session that is open.

use http::StatusCode;
use http::header;
use http::request::Parts;

use axum::body::Body;
use axum::response::Response;
use wigeon_proto::sockjs::payload::{self, BadPayload};

use super::session::Key;
use super::{Face, PLAIN, complaint, field, not_found, text};
use crate::http::body;
use crate::http::problem::problem;

/// `xhr_send`: the body is the payload, whatever its type says.
pub(super) async fn xhr(face: &Face, parts: &Parts, session: &str, body: Body) -> Response {
    match body::text(body).await {
        Ok(payload) => {
            // The type is for old Firefox, which takes an untyped 204 for broken XML.
            send(face, parts, session, &payload, || text(StatusCode::NO_CONTENT, PLAIN, Body::empty())).await
        }
        Err(error) => problem(&error),
    }
}

/// `jsonp_send`: the payload is the form's field `d`, or the body of any other type.
pub(super) async fn jsonp(face: &Face, parts: &Parts, session: &str, body: Body) -> Response {
    let body = match body::text(body).await {
        Ok(body) => body,
        Err(error) => return problem(&error),
    };
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let payload = if content_type.is_some_and(is_form) {
        let mut fields = form_urlencoded::parse(body.as_bytes());
        fields.find(|(key, _)| key == "d").map(|(_, value)| value.into_owned()).unwrap_or_default()
    } else {
        body
    };
    // A word, since some browsers do strange things with a frame that gets an empty answer.
    send(face, parts, session, &payload, || text(StatusCode::OK, PLAIN, "ok")).await
}

async fn send(
    face: &Face,
    parts: &Parts,
    session: &str,
    payload: &str,
    done: impl FnOnce() -> Response,
) -> Response {
    let messages = match payload::array(payload) {
        Ok(messages) => messages,
        Err(error @ (BadPayload::Empty | BadPayload::Broken)) => {
            return complaint(StatusCode::INTERNAL_SERVER_ERROR, error);
        }
    };
    let key = Key { session: session.to_owned(), ticket: field(parts, "ticket") };
    match face.sessions.send(&key, messages.into_iter().map(Into::into).collect()).await {
        Some(Ok(())) => done(),
        Some(Err(error)) => problem(&error),
        None => not_found(),
    }
}

fn is_form(content_type: &str) -> bool {
    content_type.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")
}
