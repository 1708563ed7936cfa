//! The answer: one response with what is after the cursor, at once or when there is something.
//!
//! `poll`, `longpoll` and `jsonp` differ only in how long they wait and in what is put around the body.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::request::Parts;
use http::{StatusCode, header};
use tokio::time::{Instant, timeout_at};
use wigeon_proto::cursor::Cursor;
use wigeon_proto::error::WireError;
use wigeon_proto::frame::TicketGrant;
use wigeon_proto::framing::{jsonp, poll};
use wigeon_proto::id::UserId;
use wigeon_proto::limits;
use wigeon_proto::transport::Transport;
use wigeon_store::read::PageRequest;

use super::opening::{Opening, feed_error, page_error};
use super::request::EventsRequest;
use super::script;
use crate::app::App;
use crate::caller::Caller;
use crate::http::problem::json_of;
use crate::http::tag;
use crate::hub::{Batch, shown, unread};

/// What an answer says beside its frames.
struct End {
    cursor: Cursor,
    more: bool,
    unavailable: Vec<String>,
}

/// Answers a read.
pub(super) async fn respond(
    app: &Arc<App>,
    parts: &Parts,
    mut caller: Caller,
    asked: EventsRequest,
) -> Result<Response, WireError> {
    let opening = Opening::of(app, &caller, (&asked).into()).await?;
    let user = opening.start.user.clone();
    let (frames, end) = read(app, &asked, opening).await?;
    let ticket = caller.renewed_if_old(app);
    Ok(body(parts, &user, &asked, frames, &end, ticket))
}

async fn read(
    app: &Arc<App>,
    asked: &EventsRequest,
    opening: Opening,
) -> Result<(Vec<Vec<u8>>, End), WireError> {
    let wait = wait(asked, &opening);
    let unavailable = opening.unavailable.clone();
    if let Some(reason) = opening.reset {
        let cursor = now(app).await?;
        let reset = wigeon_proto::frame::Control::Reset { reason, cursor: cursor.to_string() };
        return Ok((vec![reset.to_json()], End { cursor, more: false, unavailable }));
    }
    if wait.is_zero() {
        let (batch, cursor, more) = page(app, asked, &opening).await?;
        return Ok((frames(batch), End { cursor, more, unavailable }));
    }
    let mut feed = app.open_feed(opening.start).await.map_err(feed_error)?;
    feed.limit(asked.limit);
    let until = Instant::now() + wait;
    let mut batch = Batch::default();
    tokio::select! {
        next = timeout_at(until, feed.next()) => match next {
            Ok(next) => batch = next.map_err(feed_error)?,
            Err(_elapsed) => {}
        },
        () = app.draining.cancelled() => {}
    }
    let more = feed.has_more();
    if !more {
        batch.signals.extend(feed.tell_unread().await.map_err(page_error)?.signals);
    }
    Ok((frames(batch), End { cursor: feed.cursor(), more, unavailable }))
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

fn frames(batch: Batch) -> Vec<Vec<u8>> {
    let mut frames = batch.gaps;
    frames.extend(batch.events.iter().map(|event| event.json().to_vec()));
    frames.extend(batch.signals.iter().map(|signal| signal.to_vec()));
    frames
}

fn body(
    parts: &Parts,
    user: &UserId,
    asked: &EventsRequest,
    frames: Vec<Vec<u8>>,
    end: &End,
    ticket: Option<TicketGrant>,
) -> Response {
    let finish = |ticket: Option<&TicketGrant>| {
        let mut answer = poll::Answer::default();
        for frame in &frames {
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
    let query = parts.uri.query().unwrap_or("");
    let tag = tag(&[user.as_str().as_bytes(), query.as_bytes(), &finish(None)]);
    let known =
        parts.headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
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
