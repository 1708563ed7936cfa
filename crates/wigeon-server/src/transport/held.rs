//! The held answer: a long poll that waits until there is something, or its time is over.
//!
//! On a raw connection the feed outlives the answer: the next request of the same form, with the cursor that
//! was just handed out, goes on with it and asks nobody anything. And as with a stream it is the hub that
//! writes the answer, the same bytes to all who wait for the same event.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::WaitForCancellationFutureOwned;
use wigeon_core::entry::Rights;
use wigeon_proto::error::WireError;
use wigeon_proto::limits::{HEARTBEAT_MS, REQUEST_HEAD_BYTES_MAX, REQUEST_HEAD_MS_MAX};

use super::Raw;
use super::answer::{End, Question, body, frames};
use super::opening::{Opening, feed_error, page_error};
use super::pulse::Alarm;
use super::request::EventsRequest;
use crate::app::{App, now_ms};
use crate::caller::Caller;
use crate::http::guard::Allowed;
use crate::http::problem::json_of;
use crate::hub::{Batch, Feed, FeedError, Held as Outcome, Loan};
use crate::wire::{Form, head, whole};

/// A request that is held.
pub(super) struct Held {
    caller: Caller,
    feed: Feed,
    wait: Duration,
    unavailable: Vec<String>,
}

impl Held {
    pub(super) async fn open(
        app: &Arc<App>,
        caller: Caller,
        asked: &EventsRequest,
        opening: Opening,
        wait: Duration,
    ) -> Result<Self, WireError> {
        let unavailable = opening.unavailable;
        let mut feed = app.open_feed(opening.start).await.map_err(feed_error)?;
        feed.limit(asked.limit);
        Ok(Self { caller, feed, wait, unavailable })
    }

    /// When a request that begins to be held now is answered, whatever comes: its time is over, or its token's.
    fn until(&self) -> Instant {
        let left = self.caller.expires_at.saturating_sub(now_ms());
        Instant::now() + self.wait.min(Duration::from_millis(left))
    }

    /// When to look whether the caller's ticket still holds: as often as an open stream does, at its heartbeats.
    fn look(&self, until: Instant) -> Instant {
        match self.caller.ticket {
            Some(_) => until.min(Instant::now() + Duration::from_millis(HEARTBEAT_MS)),
            None => until,
        }
    }

    /// Answers through the HTTP library.
    pub(super) async fn respond(mut self, app: &Arc<App>, parts: &Parts, asked: &EventsRequest) -> Response {
        let until = self.until();
        let batch = loop {
            let look = self.look(until);
            tokio::select! {
                next = self.feed.next() => break next,
                () = sleep_until(look) => if look == until || self.caller.is_revoked(app) {
                    break Ok(Batch::default());
                },
                () = app.draining.cancelled() => break Ok(Batch::default()),
            }
        };
        self.response(app, &Question::of(parts), asked, batch).await
    }

    async fn response(
        &mut self,
        app: &Arc<App>,
        question: &Question,
        asked: &EventsRequest,
        batch: Result<Batch, FeedError>,
    ) -> Response {
        match self.ending(batch).await {
            Ok((batch, end)) => {
                let user = self.caller.acting(asked.on_behalf_of.as_ref());
                let user = user.unwrap_or_else(|_| self.caller.user.clone());
                let ticket = self.caller.renewed_if_old(app);
                body(question, &user, asked, &frames(&batch), &end, ticket)
            }
            Err(error) => super::refusal(asked, &error),
        }
    }

    async fn ending(&mut self, batch: Result<Batch, FeedError>) -> Result<(Batch, End), WireError> {
        let mut batch = batch.map_err(feed_error)?;
        let more = self.feed.has_more();
        if !more {
            batch.signals.extend(self.feed.tell_unread().await.map_err(page_error)?.signals);
        }
        // Said once: a room that comes alive is heard without being asked for again.
        let unavailable = std::mem::take(&mut self.unavailable);
        Ok((batch, End { cursor: self.feed.cursor(), more, unavailable }))
    }

    /// Answers on a raw connection, this request and those after it that only go on.
    pub(super) async fn converse(
        mut self: Box<Self>,
        app: Arc<App>,
        mut raw: Raw,
        question: Question,
        asked: EventsRequest,
        allowed: Allowed,
    ) -> io::Result<Option<Vec<u8>>> {
        let loan = Arc::new(Loan { wire: raw.wire.clone(), form: form(&allowed) });
        let again = asked
            .after
            .as_deref()
            .filter(|_| !question.names_last_event)
            .and_then(|after| Again::of(&raw.head, after));
        let mut clock =
            Clock { alarm: Alarm::default(), draining: Box::pin(app.draining.clone().cancelled_owned()) };
        loop {
            let batch = match self.wait(&app, &mut raw, &loan, &asked, &mut clock).await? {
                Ok(Outcome::Answered) => None,
                Ok(Outcome::Batch(batch)) => Some(Ok(batch)),
                Err(error) => Some(Err(error)),
            };
            if let Some(batch) = batch {
                let mut response = Box::pin(self.response(&app, &question, &asked, batch)).await;
                allowed.dress(&mut response);
                loan.wire.send(&whole(response).await);
            }
            loan.wire.cleared().await?;
            let Some(again) = &again else { return Ok(Some(raw.input)) };
            let heard =
                timeout(Duration::from_millis(REQUEST_HEAD_MS_MAX), again.hear(&mut raw, &self.feed)).await;
            let Some(length) = heard.unwrap_or(Ok(None))? else { return Ok(Some(raw.input)) };
            if app.draining.is_cancelled()
                || now_ms() >= self.caller.expires_at
                || self.caller.is_revoked(&app)
            {
                return Ok(Some(raw.input));
            }
            raw.input.drain(..length);
            if asked.on_behalf_of.is_none() && self.caller.rights == Rights::User {
                // The cursor it came with says that this one was taken in.
                app.hub.acked(&self.caller.user, self.feed.written().position);
            }
        }
    }

    /// Waits for what answers the request: the hub's writing, a batch, or nothing in time.
    async fn wait(
        &mut self,
        app: &App,
        raw: &mut Raw,
        loan: &Arc<Loan>,
        asked: &EventsRequest,
        clock: &mut Clock,
    ) -> io::Result<Result<Outcome, FeedError>> {
        let until = self.until();
        // The hub's answer has frames and a cursor, and nothing for this reader alone.
        let renews = self.caller.ticket_is_old(now_ms() + self.wait.as_millis() as u64);
        let own = asked.callback.is_some() || asked.unread || !self.unavailable.is_empty() || renews;
        loop {
            let look = self.look(until);
            let next = async {
                if own { self.feed.next().await.map(Outcome::Batch) } else { self.feed.hold(loan).await }
            };
            tokio::select! {
                next = next => return Ok(next),
                () = clock.alarm.at(look) => if look < until && !self.caller.is_revoked(app) {
                    if self.feed.answered() {
                        return Ok(Ok(Outcome::Answered));
                    }
                    continue;
                },
                () = clock.draining.as_mut() => {}
                // The answer is on its way; or the reader has gone.
                () = raw.wire.changed() => {
                    if self.feed.answered() {
                        return Ok(Ok(Outcome::Answered));
                    }
                    continue;
                }
                // The answer has been read and more is asked; or the next request came early; or the reader has gone.
                readable = raw.wire.readable() => {
                    readable?;
                    if self.feed.answered() {
                        return Ok(Ok(Outcome::Answered));
                    }
                    listen(raw)?;
                    continue;
                }
            }
            let answered = self.feed.answered();
            return Ok(Ok(if answered { Outcome::Answered } else { Outcome::Batch(Batch::default()) }));
        }
    }
}

/// How the hub writes an answer.
fn form(allowed: &Allowed) -> Form {
    let mut dressed = json_of(StatusCode::OK, Vec::new());
    allowed.dress(&mut dressed);
    Form::Answer { head: head(StatusCode::OK, dressed.headers()).into(), common: allowed.is_common() }
}

/// What ends a wait without an answer; kept from one request to the next.
struct Clock {
    alarm: Alarm,
    draining: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// Reads what is there, for later.
fn listen(raw: &mut Raw) -> io::Result<()> {
    match raw.wire.read_into(&mut raw.input)? {
        Some(0) => Err(ErrorKind::UnexpectedEof.into()),
        _ if raw.input.len() > REQUEST_HEAD_BYTES_MAX => Err(ErrorKind::InvalidData.into()),
        _ => Ok(()),
    }
}

/// The same question again: a request that differs from the one before it in its cursor alone.
struct Again {
    /// Where in the head that is.
    cursor: Range<usize>,
}

impl Again {
    /// None if the request's cursor is not in its target, word for word.
    fn of(head: &[u8], after: &str) -> Option<Self> {
        let line = head.split(|byte| *byte == b'\r').next()?;
        let start = line.windows(6).position(|word| word == b"after=")? + 6;
        let cursor = start..start + after.len();
        let plain = matches!(line.get(start - 7), Some(b'?' | b'&'))
            && line[start..].starts_with(after.as_bytes())
            && matches!(line.get(cursor.end), Some(b'&' | b' '));
        plain.then_some(Self { cursor })
    }

    /// Reads the next request: its length, if it is this one with the cursor that was handed out last.
    async fn hear(&self, raw: &mut Raw, feed: &Feed) -> io::Result<Option<usize>> {
        let cursor = feed.written().to_string();
        let same = [&raw.head[..self.cursor.start], cursor.as_bytes(), &raw.head[self.cursor.end..]].concat();
        loop {
            if raw.input.starts_with(&same) {
                return Ok(Some(same.len()));
            }
            if !same.starts_with(&raw.input) {
                return Ok(None);
            }
            raw.wire.readable().await?;
            listen(raw)?;
        }
    }
}
