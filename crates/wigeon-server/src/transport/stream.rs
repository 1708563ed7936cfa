//! The stream: one long response, frame after frame, each written as soon as it is there.
//!
//! `ndjson`, `iframe`, `htmlfile` and `sse` differ only in framing. The body is pulled by the connection
//! when the socket takes more: a slow reader is a feed that nobody asks for its next batch.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, header};
use wigeon_proto::error::WireError;
use wigeon_proto::frame::Control;
use wigeon_proto::framing::Framing;
use wigeon_proto::transport::Transport;

use super::opening::{Opening, feed_error};
use super::pulse::{Due, Pulse, bye, expired, revoked};
use super::request::EventsRequest;
use crate::app::App;
use crate::caller::Caller;
use crate::http::problem::body_of;
use crate::hub::{Batch, Feed};

/// One open stream.
struct Stream {
    app: Arc<App>,
    caller: Caller,
    feed: Feed,
    framing: Framing,
    pulse: Pulse,
    /// Chunks that are ready: the prelude, the first frames.
    ready: VecDeque<Vec<u8>>,
    /// Bytes left before the stream ends by itself.
    bytes_left: u64,
    ended: bool,
    _open: crate::telemetry::Open,
}

/// Opens a stream.
pub(super) async fn respond(
    app: &Arc<App>,
    caller: Caller,
    asked: EventsRequest,
    framing: Framing,
) -> Result<Response, WireError> {
    let opening = Opening::of(app, &caller, (&asked).into()).await?;
    let mut feed = app.open_feed(opening.start.clone()).await.map_err(feed_error)?;
    let mut first = Vec::new();
    framing.prelude(&mut first, asked.padding);
    for frame in opening.frames(feed.cursor(), asked.nonce.clone()) {
        framing.frame(&mut first, cursor_of_ready(&frame).as_deref(), &frame);
    }
    let stream = Stream {
        app: app.clone(),
        pulse: Pulse::new(&caller, asked.nonce.is_some(), true),
        caller,
        feed,
        framing,
        ready: VecDeque::from([first]),
        // An event source is not kept in memory by its page; the others are.
        bytes_left: if asked.transport == Transport::Sse { u64::MAX } else { app.stream_bytes_max },
        ended: false,
        _open: crate::telemetry::Open::new(asked.transport),
    };
    let body = Body::from_stream(stream::unfold(stream, |mut stream| async move {
        let chunk = stream.next().await?;
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(chunk)), stream))
    }));
    Ok(page(&asked, body))
}

/// The response around a stream's body.
pub(super) fn page(asked: &EventsRequest, body: Body) -> Response {
    let content_type = asked.framing().and_then(|framing| framing.content_type()).unwrap_or("text/plain");
    let mut response = body_of(content_type, body);
    if matches!(asked.transport, Transport::Iframe | Transport::Htmlfile) {
        let policy = frame_policy(asked);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A frame's own policy: only its own scripts run, and only its page may embed it.
fn frame_policy(asked: &EventsRequest) -> HeaderValue {
    let ancestors = asked.target().unwrap_or("'self'");
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{}'; frame-ancestors {ancestors}; base-uri 'none'; form-action 'none'",
        asked.page_nonce
    );
    HeaderValue::from_str(&policy).expect("a nonce and an origin are header text")
}

/// `ready` is the only control frame whose cursor a bare `EventSource` should remember before any event.
fn cursor_of_ready(frame: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Ready {
        cursor: String,
    }
    serde_json::from_slice::<Ready>(frame).ok().map(|ready| ready.cursor)
}

impl Stream {
    /// The next chunk: everything that is due by now, in one write. None at the end.
    async fn next(&mut self) -> Option<Vec<u8>> {
        let chunk = if let Some(chunk) = self.ready.pop_front() { chunk } else { self.wait().await? };
        self.bytes_left = self.bytes_left.saturating_sub(chunk.len() as u64);
        Some(chunk)
    }

    async fn wait(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        while out.is_empty() {
            if self.ended {
                return None;
            }
            if self.bytes_left == 0 {
                return self.end(None);
            }
            tokio::select! {
                batch = self.feed.next() => match batch {
                    Ok(batch) => append(&self.framing, &batch, &mut out),
                    Err(error) => return self.end(Some(feed_error(error))),
                },
                due = self.pulse.due(&self.app) => match due {
                    Due::Beat if self.caller.is_revoked(&self.app) => return self.end(Some(revoked())),
                    Due::Beat => {
                        let cursor = self.feed.cursor();
                        self.framing.frame(&mut out, Some(&cursor.to_string()), &Control::heartbeat(cursor));
                    }
                    Due::Renew => {
                        if let Some(grant) = self.pulse.renew(&self.app, &mut self.caller) {
                            self.framing.frame(&mut out, None, &Control::Ticket(grant).to_json());
                        }
                    }
                    Due::Expired => return self.end(Some(expired())),
                    Due::Old => return self.end(None),
                    Due::Bye => {
                        self.framing.frame(&mut out, None, &bye());
                        self.ended = true;
                    }
                },
            }
        }
        Some(out)
    }

    /// The last chunk: why it ends, or the ticket to come back with.
    fn end(&mut self, error: Option<WireError>) -> Option<Vec<u8>> {
        self.ended = true;
        let last = match error {
            Some(error) => Control::Error { error },
            None => Control::Ticket(self.caller.renewed_if_old(&self.app)?),
        };
        let mut out = Vec::new();
        self.framing.frame(&mut out, None, &last.to_json());
        Some(out)
    }
}

/// Appends a batch's frames.
pub(super) fn append(framing: &Framing, batch: &Batch, out: &mut Vec<u8>) {
    crate::telemetry::frames_sent(batch.len());
    for gap in &batch.gaps {
        framing.frame(out, None, gap);
    }
    for event in &batch.events {
        event.append(framing, out);
    }
    for signal in &batch.signals {
        framing.frame(out, None, signal);
    }
}
