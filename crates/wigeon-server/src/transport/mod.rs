//! `GET /v1/events`: one read, "what is after my cursor", in every representation.
//!
//! Eight transports are three deliveries ([`answer`], [`stream`], [`websocket`]) and a framing each. This
//! file finds the transport and the caller, and says no in the form that the transport's page can see.

mod answer;
mod held;
pub(crate) mod opening;
pub(crate) mod pulse;
pub(crate) mod request;
mod socket;
mod stream;
mod websocket;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Request, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::framing::{Framing, jsonp, sse};
use wigeon_proto::json;
use wigeon_proto::transport::Transport;
use wigeon_proto::websocket::Deflate;

use crate::app::App;
use crate::auth::Verdict;
use crate::caller::Caller;
use crate::http::guard::{Allowed, Seen};
use crate::http::problem::{body_of, problem};
use crate::http::rewound::Rewound;
use crate::wire::{self, Wire, whole};
use request::EventsRequest;
use stream::Stream;
use websocket::{Opened, Talk};

/// What a read comes to.
enum Plan {
    Answer(Response),
    Hold(Box<held::Held>),
    Stream(Box<Stream>),
    /// The switch of protocols, what it agrees on, and the caller where the request said who asks.
    WebSocket(Response, Option<Deflate>, Option<Box<Opened>>),
}

/// The handler of `GET /v1/events`, where the HTTP library has the connection.
pub(crate) async fn events(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let (mut parts, _) = request.into_parts();
    let asked = match read(&parts) {
        Ok(asked) => asked,
        Err(error) => return problem(&error),
    };
    match plan(&app, &parts, &asked).await {
        Ok(Plan::Answer(response)) => response,
        Ok(Plan::Hold(held)) => held.respond(&app, &parts, &asked).await,
        Ok(Plan::Stream(stream)) => stream.respond(&asked),
        Ok(Plan::WebSocket(response, deflate, opened)) => {
            let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() else {
                return socket::upgrade_required();
            };
            tokio::spawn(switch(app, upgrade, asked, deflate, opened));
            response
        }
        Err(error) => refusal(&asked, &error),
    }
}

/// Takes the socket over from the HTTP library once it has switched protocols.
async fn switch(
    app: Arc<App>,
    upgrade: OnUpgrade,
    asked: EventsRequest,
    deflate: Option<Deflate>,
    opened: Option<Box<Opened>>,
) {
    let Ok(upgraded) = upgrade.await else { return };
    let Ok(parts) = upgraded.downcast::<TokioIo<Rewound>>() else {
        tracing::error!("a WebSocket over something else than TCP");
        return;
    };
    let (mut early, stream) = parts.io.into_inner().into_parts();
    early.extend_from_slice(&parts.read_buf);
    let (wire, opened) = (Arc::new(Wire::socket(stream)), opened.map(|opened| *opened));
    let talk = Box::pin(Talk::begin(&app, wire, opened, asked, early, deflate)).await;
    talk.run().await;
}

/// A request on a raw connection.
pub(crate) struct Asked {
    pub(crate) parts: Box<Parts>,
    /// Its head as it came.
    pub(crate) head: Vec<u8>,
}

/// What is left to do for a request. It ends with what came behind the request, if the connection can carry
/// another one.
pub(crate) type Rest = Pin<Box<dyn Future<Output = io::Result<Option<Vec<u8>>>> + Send>>;

/// Begins to answer `GET /v1/events` on a raw connection.
pub(crate) async fn converse(
    app: &Arc<App>,
    wire: &Arc<Wire>,
    Asked { parts, head }: Asked,
    input: Vec<u8>,
    allowed: Allowed,
) -> Rest {
    let (asked, planned) = match read(&parts) {
        Ok(asked) => {
            let planned = plan(app, &parts, &asked).await;
            (asked, planned)
        }
        Err(error) => return whole_answer(wire, &allowed, problem(&error), input).await,
    };
    match planned {
        Ok(Plan::Answer(response)) => whole_answer(wire, &allowed, response, input).await,
        Ok(Plan::Hold(held)) => {
            let raw = Raw { wire: wire.clone(), head, input };
            // The rest of the request is not kept while it is held.
            Box::pin(held.converse(app.clone(), raw, answer::Question::of(&parts), asked, allowed))
        }
        Ok(Plan::Stream(stream)) => {
            let mut response = stream::page(&asked, Body::empty());
            allowed.dress(&mut response);
            response.headers_mut().insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            wire.stage(&wire::head(StatusCode::OK, response.headers()));
            wire.stage(b"\r\n");
            Box::pin(stream.converse(wire.clone(), input))
        }
        Ok(Plan::WebSocket(mut response, deflate, opened)) => {
            allowed.dress(&mut response);
            wire.stage(&whole(response).await);
            let opened = opened.map(|opened| *opened);
            let talk = Talk::begin(app, wire.clone(), opened, asked, input, deflate).await;
            // It carries nothing after.
            Box::pin(async move {
                talk.run().await;
                Ok(None)
            })
        }
        Err(error) => whole_answer(wire, &allowed, refusal(&asked, &error), input).await,
    }
}

async fn whole_answer(wire: &Arc<Wire>, allowed: &Allowed, mut response: Response, input: Vec<u8>) -> Rest {
    allowed.dress(&mut response);
    answer(wire, &whole(response).await, input)
}

/// Writes a whole answer.
pub(crate) fn answer(wire: &Arc<Wire>, bytes: &[u8], input: Vec<u8>) -> Rest {
    wire.send(bytes);
    let wire = wire.clone();
    Box::pin(async move {
        wire.cleared().await?;
        Ok(Some(input))
    })
}

/// A raw connection, between two requests.
struct Raw {
    wire: Arc<Wire>,
    /// The last request's head.
    head: Vec<u8>,
    /// What came behind it.
    input: Vec<u8>,
}

fn read(parts: &Parts) -> Result<EventsRequest, WireError> {
    let asked = EventsRequest::read(parts)?;
    metrics::counter!("wigeon_reads_total", "transport" => asked.transport.as_str()).increment(1);
    Ok(asked)
}

/// Where the request says who asks, a WebSocket's feed is open before the answer leaves: what is sent after a
/// client has seen the 101 reaches it, without waiting for `ready`.
async fn plan(app: &Arc<App>, parts: &Parts, asked: &EventsRequest) -> Result<Plan, WireError> {
    if app.draining.is_cancelled() {
        return Err(WireError::new(ErrorCode::Unavailable, "the server is going down").retry_after(1000));
    }
    if asked.transport.is_script() {
        script_may_read(app, parts, asked)?;
    }
    if asked.transport == Transport::Websocket {
        let caller = Caller::of(app, parts, asked.ticket.as_deref())?;
        let Some((response, deflate)) = socket::upgrade(parts) else {
            return Ok(Plan::Answer(socket::upgrade_required()));
        };
        let opened = match caller {
            Some(caller) => Some(Box::new(Opened::of(app, caller, asked.into()).await?)),
            None => None,
        };
        return Ok(Plan::WebSocket(response, deflate, opened));
    }
    let caller = Caller::required(app, parts, asked.ticket.as_deref())?;
    match asked.framing() {
        Some(framing) => Ok(Plan::Stream(Box::new(Stream::open(app, caller, asked, framing).await?))),
        None => answer::plan(app, parts, caller, asked).await,
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
