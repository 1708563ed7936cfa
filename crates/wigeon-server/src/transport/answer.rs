//! The answer: one response with what is after the cursor.
//!
//! `poll`, `longpoll` and `jsonp` differ only in how long they wait (see [`super::held`]) and in what is put
//! around the body.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use wigeon_proto::cursor::Cursor;
use wigeon_proto::error::WireError;
use wigeon_proto::frame::TicketGrant;
use wigeon_proto::framing::{jsonp, poll};
use wigeon_proto::id::UserId;
use wigeon_proto::limits;
use wigeon_proto::transport::Transport;
use wigeon_store::read::PageRequest;

use super::held::Held;
use super::opening::{Opening, page_error};
use super::request::EventsRequest;
use super::{Plan, script};
use crate::app::App;
use crate::caller::Caller;
use crate::http::problem::json_of;
use crate::http::tag;
use crate::hub::{Batch, shown, unread};

/// What an answer says beside its frames.
pub(super) struct End {
    pub(super) cursor: Cursor,
    pub(super) more: bool,
    pub(super) unavailable: Vec<String>,
}

/// What of a request its answer depends on, beside what it asks for.
pub(super) struct Question {
    query: String,
    /// `If-None-Match`.
    known: Option<HeaderValue>,
    /// Whether its cursor may be that of `Last-Event-ID`.
    pub(super) names_last_event: bool,
}

impl Question {
    pub(super) fn of(parts: &Parts) -> Self {
        Self {
            query: parts.uri.query().unwrap_or("").to_owned(),
            known: parts.headers.get(header::IF_NONE_MATCH).cloned(),
            names_last_event: parts.headers.contains_key("last-event-id"),
        }
    }
}

/// Answers a read, or holds it.
pub(super) async fn plan(
    app: &Arc<App>,
    parts: &Parts,
    mut caller: Caller,
    asked: &EventsRequest,
) -> Result<Plan, WireError> {
    let opening = Opening::of(app, &caller, asked.into()).await?;
    let wait = wait(asked, &opening);
    let user = opening.start.user.clone();
    let unavailable = opening.unavailable.clone();
    let (frames, end) = if let Some(reason) = opening.reset {
        let cursor = now(app).await?;
        let reset = wigeon_proto::frame::Control::Reset { reason, cursor: cursor.to_string() };
        (vec![reset.to_json()], End { cursor, more: false, unavailable })
    } else if wait.is_zero() {
        let (batch, cursor, more) = page(app, asked, &opening).await?;
        (frames(&batch), End { cursor, more, unavailable })
    } else {
        let held = Held::open(app, caller, asked, opening, wait).await?;
        return Ok(Plan::Hold(Box::new(held)));
    };
    let ticket = caller.renewed_if_old(app);
    Ok(Plan::Answer(body(&Question::of(parts), &user, asked, &frames, &end, ticket)))
}

/// How long to hold: without a cursor and without an explicit wait there is nothing to hold for.
fn wait(asked: &EventsRequest, opening: &Opening) -> Duration {
    let seconds = match (asked.transport, asked.wait_s) {
        (Transport::Poll, _) => 0,
        (_, Some(seconds)) => seconds,
        (Transport::Longpoll, None) if opening.start.after.is_some() => limits::LONG_POLL_S,
        (_, None) => 0,
    };
    Duration::from_secs(seconds)
}

/// One page from committed state, without a feed.
async fn page(
    app: &App,
    asked: &EventsRequest,
    opening: &Opening,
) -> Result<(Batch, Cursor, bool), WireError> {
    let start = opening.start.clone();
    let Some(after) = start.after else { return Ok((Batch::default(), now(app).await?, false)) };
    let user = start.user.clone();
    let request = PageRequest {
        user: start.user,
        watch: start.watch,
        after,
        frames_max: asked.limit,
        bytes_max: limits::PAGE_BYTES_MAX,
        max_per_room: start.max_per_room,
    };
    let page = app.pool.read(move |view| view.page(&request)).await.map_err(page_error)?;
    let (cursor, more) = (app.cursor(page.position), page.more);
    let mut batch = shown(page, app.epoch);
    if start.unread && !more {
        batch.signals = unread::after(&app.pool, &user, &batch).await.map_err(page_error)?.signals;
    }
    Ok((batch, cursor, more))
}

async fn now(app: &App) -> Result<Cursor, WireError> {
    app.pool.read(|view| Ok(view.cursor())).await.map_err(page_error)
}

pub(super) fn frames(batch: &Batch) -> Vec<Vec<u8>> {
    batch.frames().map(|(_, json)| json.to_vec()).collect()
}

/// Whether `If-None-Match` names a tag. A proxy that compresses the body makes the tag a weak one, and passes it on.
fn names(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let known = known.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    known.map(|known| known.strip_prefix(b"W/").unwrap_or(known)).any(|known| known == tag.as_bytes())
}

/// The response.
pub(super) fn body(
    question: &Question,
    user: &UserId,
    asked: &EventsRequest,
    frames: &[Vec<u8>],
    end: &End,
    ticket: Option<TicketGrant>,
) -> Response {
    let finish = |ticket: Option<&TicketGrant>| {
        let mut answer = poll::Answer::default();
        for frame in frames {
            answer.push(frame);
        }
        let unavailable: Vec<&str> = end.unavailable.iter().map(String::as_str).collect();
        answer.finish(poll::Tail {
            cursor: &end.cursor.to_string(),
            more: end.more,
            ticket: ticket.map(|grant| (grant.ticket.as_str(), grant.expires_in)),
            unavailable: &unavailable,
        })
    };
    if let Some(callback) = &asked.callback {
        return script(jsonp::wrap(callback, &finish(ticket.as_ref())));
    }
    // The tag is of what was asked and what was found; the ticket is neither.
    let tag = tag(&[user.as_str().as_bytes(), question.query.as_bytes(), &finish(None)]);
    let known = question.known.as_ref().is_some_and(|known| names(known, &tag));
    let mut response = if known && ticket.is_none() {
        let mut response = json_of(StatusCode::NOT_MODIFIED, Vec::new());
        response.headers_mut().remove(header::CONTENT_TYPE);
        response
    } else {
        json_of(StatusCode::OK, finish(ticket.as_ref()))
    };
    response.headers_mut().insert(header::ETAG, tag);
    response
}
