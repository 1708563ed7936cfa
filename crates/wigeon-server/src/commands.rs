//! Commands in, replies out, in order, for every uplink.
//!
//! Durable commands take their place in the sequencer's line as soon as they are read, so that a burst
//! from one connection shares a commit; a query runs when all replies before it are out, so that it sees
//! what they did.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use serde::Serialize;
use serde_json::value::RawValue;
use wigeon_core::entry::Rights;
use wigeon_proto::command::decode::Unreadable;
use wigeon_proto::command::{Command, Live, OfRoom, Query, Request};
use wigeon_proto::error::{ErrorCode, Outcome, WireError};
use wigeon_proto::frame::{self, Control};
use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::json;
use wigeon_proto::limits::{COMMANDS_PER_REQUEST_MAX, WATCH_ROOMS_MAX};
use wigeon_store::Answer;
use wigeon_store::read::{Asker, QueryError};

use crate::app::{App, now_ms};
use crate::caller::Caller;

type Working = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Commands of one caller on their way to their replies.
#[derive(Default)]
pub(crate) struct Line {
    waiting: VecDeque<(Option<CommandId>, Working)>,
}

/// What a command does to the connection it came by.
#[derive(Debug, PartialEq)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// These rooms are before the user's eyes.
    Focus(HashSet<RoomId>),
}

impl Line {
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Puts one command's text in line.
    pub(crate) fn push(&mut self, app: &Arc<App>, caller: &Caller, json: &str) -> Effect {
        match Request::decode(json) {
            Ok(request) => self.admit(app, caller, request),
            Err(Unreadable { id, error }) => {
                self.refuse(id, error);
                Effect::None
            }
        }
    }

    /// Puts a refusal in line.
    pub(crate) fn refuse(&mut self, id: Option<CommandId>, error: WireError) {
        let error = if error.outcome.is_none() { error.outcome(Outcome::None) } else { error };
        self.waiting.push_back((id, Box::pin(std::future::ready(Err(error)))));
    }

    /// Puts a decoded command in line.
    pub(crate) fn admit(&mut self, app: &Arc<App>, caller: &Caller, request: Request) -> Effect {
        let Request { id, on_behalf_of, command } = request;
        let admitted = caller.acting(on_behalf_of.as_ref()).and_then(|actor| {
            if caller.rights != Rights::Service {
                app.rates.command(&caller.user)?;
            }
            Ok(actor)
        });
        let actor = match admitted {
            Ok(actor) => actor,
            Err(error) => {
                self.refuse(id, error);
                return Effect::None;
            }
        };
        let (working, effect): (Working, Effect) = match command {
            Command::Durable(durable) => {
                let id = id.clone().expect("decoding refuses a durable command without id");
                (Box::pin(app.submit(actor, caller.rights, id, durable)), Effect::None)
            }
            Command::Query(query) => {
                let asker = Asker { user: actor, service: caller.rights == Rights::Service };
                (Box::pin(ask(app.clone(), asker, query)), Effect::None)
            }
            Command::Live(live) => live_command(app, actor, caller, live),
        };
        self.waiting.push_back((id, working));
        effect
    }

    /// The next reply's frame; waits for it. Cancel-safe: work once begun goes on at the next call.
    /// Never returns while the line is empty.
    pub(crate) async fn next(&mut self) -> Vec<u8> {
        let Some((_, working)) = self.waiting.front_mut() else { return std::future::pending().await };
        let answer = working.await;
        let (id, _) = self.waiting.pop_front().expect("the front was there");
        reply(id.as_ref(), &answer)
    }

    /// The next reply's frame, if it is there already.
    pub(crate) fn ready(&mut self) -> Option<Vec<u8>> {
        if self.waiting.is_empty() { None } else { self.next().now_or_never() }
    }

    /// All replies, in order, as the body of an answer: `{"replies":[…]}`.
    pub(crate) async fn replies(mut self) -> Vec<u8> {
        let mut out = b"{\"replies\":[".to_vec();
        for i in 0..self.waiting.len() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&self.next().await);
        }
        out.extend_from_slice(b"]}");
        out
    }
}

fn reply(id: Option<&CommandId>, answer: &Answer) -> Vec<u8> {
    match answer {
        Ok(ok) => frame::reply_ok(id, ok),
        Err(error) => {
            metrics::counter!("wigeon_command_errors_total", "code" => error.code.as_str()).increment(1);
            frame::reply_error(id, error)
        }
    }
}

/// Splits a body into commands: one object, an array of at most [`COMMANDS_PER_REQUEST_MAX`], or, on a
/// WebSocket, several objects on lines of their own.
pub(crate) fn split(text: &str) -> Result<Vec<&str>, WireError> {
    let text = text.trim();
    let bad = |message: &str| WireError::new(ErrorCode::BadRequest, message).outcome(Outcome::None);
    let commands = if text.starts_with('[') {
        let all: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| bad("the body is not JSON"))?;
        all.into_iter().map(RawValue::get).collect()
    } else if serde_json::from_str::<&RawValue>(text).is_ok() {
        vec![text]
    } else {
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        if lines.len() < 2 || lines.iter().any(|line| serde_json::from_str::<&RawValue>(line).is_err()) {
            return Err(bad("the body is not JSON"));
        }
        lines
    };
    match commands.len() {
        0 => Err(bad("there is no command")),
        1..=COMMANDS_PER_REQUEST_MAX => Ok(commands),
        _ => {
            let message = format!("at most {COMMANDS_PER_REQUEST_MAX} commands at once");
            Err(WireError::new(ErrorCode::TooLarge, message).outcome(Outcome::None))
        }
    }
}

/// Answers a query from one snapshot.
pub(crate) async fn ask(app: Arc<App>, asker: Asker, query: Query) -> Answer {
    let answer = app.pool.read(move |view| {
        Ok(match query {
            Query::History(query) => json::to_vec(&view.history(&asker, &query)?),
            Query::Snapshot(page) => json::to_vec(&view.snapshot(&asker, &page)?),
            Query::RoomGet(query) => json::to_vec(&view.room_get(&asker, &query)?),
            Query::RoomList(page) => json::to_vec(&view.room_list(&asker, &page)?),
            Query::MemberList(query) => json::to_vec(&view.member_list(&asker, &query)?),
            Query::UserGet(query) => json::to_vec(&view.user_get(&query)?),
            Query::UserSearch(query) => json::to_vec(&view.user_search(&query)?),
        })
    });
    answer.await.map_err(query_error)
}

/// What a caller is told of a query without an answer.
pub(crate) fn query_error(error: QueryError) -> WireError {
    match error {
        QueryError::Refused(error) => error,
        QueryError::Fault(fault) => {
            tracing::error!(%fault, "a query failed");
            WireError::new(ErrorCode::Internal, "the server could not answer")
        }
    }
}

fn live_command(app: &Arc<App>, actor: UserId, caller: &Caller, live: Live) -> (Working, Effect) {
    #[derive(Serialize)]
    struct Pong {
        at: u64,
    }
    let done = |answer: Answer| -> Working { Box::pin(std::future::ready(answer)) };
    let empty = || Ok(b"{}".to_vec());
    match live {
        Live::Ping => (done(Ok(json::to_vec(&Pong { at: now_ms() }))), Effect::None),
        // A cursor taken in is what "delivered" will be made from; today it only proves the client alive.
        Live::Ack(_) => (done(empty()), Effect::None),
        Live::Typing(OfRoom { room }) => (Box::pin(typing(app.clone(), actor, room)), Effect::None),
        Live::Focus(focus) if focus.rooms.len() > WATCH_ROOMS_MAX => (
            done(Err(WireError::new(ErrorCode::TooLarge, format!("at most {WATCH_ROOMS_MAX} rooms")))),
            Effect::None,
        ),
        Live::Focus(focus) => (done(empty()), Effect::Focus(focus.rooms.into_iter().collect())),
        Live::TicketRevoke(revoke) => (done(revoke_ticket(app, caller, &revoke.ticket)), Effect::None),
        Live::Hello(_) => {
            let error = WireError::new(ErrorCode::BadRequest, "`hello` is the first frame of a WebSocket");
            (done(Err(error)), Effect::None)
        }
    }
}

async fn typing(app: Arc<App>, user: UserId, room: RoomId) -> Answer {
    let (who, place) = (user.clone(), room.clone());
    let asked = app.pool.read(move |view| Ok((view.has_room(&place)?, view.is_member(&who, &place)?)));
    match asked.await.map_err(query_error)? {
        (_, true) => {}
        (true, false) => {
            return Err(WireError::new(ErrorCode::NotMember, "you are not a member of this room"));
        }
        (false, false) => return Err(WireError::new(ErrorCode::NotFound, "there is no such room")),
    }
    let frame = Control::Typing { room: room.clone(), user: user.clone() }.to_json();
    app.hub.signal(&room, &user, &frame.into());
    Ok(b"{}".to_vec())
}

fn revoke_ticket(app: &App, caller: &Caller, text: &str) -> Answer {
    let ticket = app.tickets.verify(text, None, now_ms());
    match ticket {
        Ok(ticket) if ticket.user == caller.user => {
            app.tickets.revoke(&ticket, now_ms());
            Ok(b"{}".to_vec())
        }
        _ => Err(WireError::new(ErrorCode::NotFound, "there is no such ticket of yours")),
    }
}
