//! The ways down: a poll that brings one frame, or a stream that brings many.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use tokio::sync::mpsc;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::sockjs::framing::BadCallback;
use wigeon_proto::sockjs::{Callback, Framing, Way};

use super::application::Kind;
use super::chat::Chat;
use super::conversation::Conversation;
use super::pages::frame_ancestors;
use super::session::Key;
use super::{Face, complaint, field, text};
use crate::auth::Verdict;
use crate::http::guard::Seen;
use crate::http::problem::problem;

/// Reads a session, which begins with this if it is not there yet.
pub(super) async fn read(face: &Arc<Face>, parts: &Parts, session: &str, way: Way) -> Response {
    let framing = match framing(parts, way) {
        Ok(framing) => framing,
        Err(error) => return complaint(StatusCode::INTERNAL_SERVER_ERROR, error),
    };
    if let Err(error) = may_read(face, parts, way) {
        return problem(&error);
    }
    let key = Key { session: session.to_owned(), ticket: field(parts, "ticket") };
    let begin = || Conversation::new(Chat::or_service(face, parts));
    let limit = face.settings.response_limit;
    match face.sessions.read(key, framing.clone(), limit, &face.app.draining, begin) {
        Ok(frames) if framing.is_poll() => poll(&framing, frames).await,
        Ok(frames) => stream(face, &framing, frames),
        Err(error) => problem(&error),
    }
}

fn framing(parts: &Parts, way: Way) -> Result<Framing, BadCallback> {
    let callback = || Callback::parse(field(parts, "c").as_deref());
    Ok(match way {
        Way::XhrStreaming => Framing::XhrStreaming,
        Way::EventSource => Framing::EventSource,
        Way::HtmlFile => Framing::HtmlFile(callback()?),
        Way::Jsonp => Framing::Jsonp(callback()?),
        Way::Xhr | Way::XhrSend | Way::JsonpSend | Way::WebSocket => Framing::Xhr,
    })
}

/// Script and frame elements send no `Origin`, so the rules of our own JSONP and frames hold: a script is
/// for pages whose `Referer` we know, a frame for those it does not speak against, and both only where
/// script transports are on.
fn may_read(face: &Face, parts: &Parts, way: Way) -> Result<(), WireError> {
    let destinations: &[&str] = match way {
        Way::Jsonp => &["script"],
        Way::HtmlFile => &["iframe", "frame", "document", "object"],
        _ => return Ok(()),
    };
    if face.kind != Kind::Chat {
        return Ok(());
    }
    face.app.serves_scripts()?;
    let forbidden = |message: &str| Err(WireError::new(ErrorCode::Forbidden, message));
    let verdict = &Seen::of(parts).verdict;
    if !verdict.is_trusted() && (way == Way::Jsonp || *verdict != Verdict::Unknown) {
        return forbidden("this page is not listed");
    }
    match parts.headers.get("sec-fetch-dest").and_then(|value| value.to_str().ok()) {
        Some(dest) if !destinations.contains(&dest) => {
            forbidden("this transport is for another kind of element")
        }
        _ => Ok(()),
    }
}

/// One frame, as soon as there is one.
async fn poll(framing: &Framing, mut frames: mpsc::Receiver<Bytes>) -> Response {
    let Some(frame) = frames.recv().await else {
        return problem(&WireError::new(ErrorCode::Unavailable, "the session has ended"));
    };
    let mut response = text(StatusCode::OK, framing.content_type(), frame);
    if let Framing::Jsonp(_) = framing {
        let cross = HeaderValue::from_static("cross-origin");
        response.headers_mut().insert("cross-origin-resource-policy", cross);
    }
    response
}

/// Frame after frame, each in a chunk of its own.
fn stream(face: &Face, framing: &Framing, frames: mpsc::Receiver<Bytes>) -> Response {
    let prelude = Bytes::from(framing.prelude());
    let rest = stream::unfold(frames, |mut frames| async { Some((frames.recv().await?, frames)) });
    let chunks = stream::iter([prelude]).chain(rest).map(Ok::<_, Infallible>);
    let mut response = text(StatusCode::OK, framing.content_type(), Body::from_stream(chunks));
    if let Framing::HtmlFile(_) = framing {
        let policy = format!("default-src 'none'; script-src 'unsafe-inline'; {}", frame_ancestors(face));
        let policy = HeaderValue::from_str(&policy).expect("origins are header text");
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
