//! The stream: one long response, frame after frame, each written as soon as it is there.
//!
//! `ndjson`, `iframe`, `htmlfile` and `sse` differ only in framing. The response goes out on a raw socket,
//! where the hub writes to it, or through the HTTP library, if that already had the connection.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
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
use crate::hub::{Feed, Loan};
use crate::wire::{Form, Frame, Wire, until_gone};

/// One open stream.
pub(super) struct Stream {
    app: Arc<App>,
    caller: Caller,
    feed: Feed,
    pulse: Pulse,
    framing: Framing,
    /// The prelude and the first frames.
    first: Vec<u8>,
    _open: crate::telemetry::Open,
}

impl Stream {
    /// Opens a stream.
    pub(super) async fn open(
        app: &Arc<App>,
        caller: Caller,
        asked: &EventsRequest,
        framing: Framing,
    ) -> Result<Self, WireError> {
        let opening = Opening::of(app, &caller, asked.into()).await?;
        let feed = app.open_feed(opening.start.clone()).await.map_err(feed_error)?;
        let mut first = Vec::new();
        framing.prelude(&mut first, asked.padding);
        for frame in opening.frames(feed.cursor(), asked.nonce.clone()) {
            framing.frame(&mut first, cursor_of_ready(&frame).as_deref(), &frame);
        }
        // An event source is not kept in memory by its page; the others are.
        if asked.transport != Transport::Sse {
            feed.allow(app.stream_bytes_max.saturating_sub(first.len() as u64));
        }
        let pulse = Pulse::new(app, &caller, asked.nonce.is_some(), true);
        let open = crate::telemetry::Open::new(asked.transport);
        Ok(Self { app: app.clone(), caller, feed, pulse, framing, first, _open: open })
    }

    /// Streams through the HTTP library.
    pub(super) fn respond(self, asked: &EventsRequest) -> Response {
        let (wire, body) = Wire::body();
        tokio::spawn(async move {
            self.run(&wire, false, &mut Vec::new()).await;
            wire.end();
        });
        page(asked, Body::from_stream(body))
    }

    /// Streams on a raw socket.
    pub(super) async fn converse(
        self: Box<Self>,
        wire: Arc<Wire>,
        mut input: Vec<u8>,
    ) -> io::Result<Option<Vec<u8>>> {
        Ok(self.run(&wire, true, &mut input).await.then_some(input))
    }

    /// Streams to the end (true), or until the reader has gone. `chunked` as in [`Form::Stream`]; what the reader
    /// sends meanwhile, its next request, goes to `input`.
    pub(super) async fn run(mut self, wire: &Arc<Wire>, chunked: bool, input: &mut Vec<u8>) -> bool {
        let form = Form::Stream { framing: self.framing.clone(), chunked };
        let loan = Arc::new(Loan { wire: wire.clone(), form });
        wire.stage_with(|out| loan.form.bytes(out, &std::mem::take(&mut self.first)));
        wire.flush();
        let last = loop {
            let due = tokio::select! {
                flowed = self.feed.flow(&loan) => match flowed {
                    Ok(()) => break self.ticket(),
                    Err(error) => break Some(Control::Error { error: feed_error(error) }.to_json()),
                },
                due = self.pulse.due() => due,
                () = until_gone(wire, input) => return false,
            };
            match self.tick(due, &loan) {
                Ok(()) => {}
                Err(last) => break last,
            }
        };
        if let Some(json) = last {
            send(&loan, (None, &json));
        }
        wire.stage_with(|out| loan.form.end(out));
        wire.flush();
        wire.cleared().await.is_ok()
    }

    /// What the clock brings; an error is the last frame.
    fn tick(&mut self, due: Due, loan: &Loan) -> Result<(), Option<Vec<u8>>> {
        let error = |error| Err(Some(Control::Error { error }.to_json()));
        match due {
            Due::Beat if self.caller.is_revoked(&self.app) => return error(revoked()),
            // With frames still unwritten the heartbeat has nothing new to say.
            Due::Beat if loan.wire.is_clear() => {
                let cursor = self.feed.cursor();
                send(loan, (Some(&cursor.to_string()), &Control::heartbeat(cursor)));
            }
            Due::Beat => {}
            Due::Renew => {
                if let Some(grant) = self.pulse.renew(&self.app, &mut self.caller) {
                    send(loan, (None, &Control::Ticket(grant).to_json()));
                }
            }
            Due::Expired => return error(expired()),
            Due::Old => return Err(self.ticket()),
            Due::Bye => return Err(Some(bye())),
        }
        Ok(())
    }

    /// The ticket to come back with, once the present one is getting old.
    fn ticket(&mut self) -> Option<Vec<u8>> {
        self.caller.renewed_if_old(&self.app).map(|grant| Control::Ticket(grant).to_json())
    }
}

fn send(loan: &Loan, frame: Frame<'_>) {
    let mut out = Vec::new();
    loan.form.write(&mut out, std::iter::once(frame));
    loan.wire.send(&out);
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
