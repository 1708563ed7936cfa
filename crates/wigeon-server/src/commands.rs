//! Commands in, replies out, in order, for every uplink.
//!
//! Durable commands take their place in the sequencer's line as soon as they are read, so that a burst
//! from one connection shares a commit; a query runs when all replies before it are out, so that it sees
//! what they did.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use wigeon_core::entry::Rights;
use wigeon_proto::command::decode::Unreadable;
use wigeon_proto::command::{Command, Live, OfRoom, Query, Request};
use wigeon_proto::error::{ErrorCode, Outcome, WireError};
use wigeon_proto::frame::Control;
use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::json;
use wigeon_proto::limits::{COMMANDS_PER_REQUEST_MAX, WATCH_ROOMS_MAX};
use wigeon_store::Answer;
use wigeon_store::read::{Asker, QueryError};

use crate::app::{App, now_ms};
use crate::caller::Caller;
use crate::line::{Line, Reply};

/// What a command does to the connection it came by.
#[derive(Debug, PartialEq)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// These rooms are before the user's eyes.
    Focus(HashSet<RoomId>),
}

/// Takes in one command's text. Returns at once for a durable command; a query waits for the replies before
/// it, and for its answer.
pub(crate) async fn take(app: &Arc<App>, caller: &Caller, line: &Line, json: &str) -> Effect {
    let Request { id, on_behalf_of, command } = match Request::decode(json) {
        Ok(request) => request,
        Err(Unreadable { id, error }) => {
            refuse(line, id, error);
            return Effect::None;
        }
    };
    let admitted = caller.acting(on_behalf_of.as_ref()).and_then(|actor| {
        if caller.rights != Rights::Service {
            app.rates.command(&caller.user)?;
        }
        Ok(actor)
    });
    let actor = match admitted {
        Ok(actor) => actor,
        Err(error) => {
            refuse(line, id, error);
            return Effect::None;
        }
    };
    match command {
        Command::Durable(durable) => {
            let place = line.place(id.clone());
            let id = id.expect("decoding refuses a durable command without id");
            app.submit_for(actor, caller.rights, id, durable, Reply::Placed(place));
            Effect::None
        }
        Command::Query(query) => {
            let asker = Asker { user: actor, service: caller.rights == Rights::Service };
            line.idle().await;
            line.place(id).fill(ask(app, asker, query).await);
            Effect::None
        }
        Command::Live(live) => {
            let (answer, effect) = live_command(app, actor, caller, line, live).await;
            line.place(id).fill(answer);
            effect
        }
    }
}

/// Puts a refusal in line.
pub(crate) fn refuse(line: &Line, id: Option<CommandId>, error: WireError) {
    let error = if error.outcome.is_none() { error.outcome(Outcome::None) } else { error };
    line.place(id).fill(Err(error));
}

/// Runs the commands of one request: the body of its answer, `{"replies":[…]}`, in their order.
pub(crate) async fn run(app: &Arc<App>, caller: &Caller, text: &str) -> Result<Vec<u8>, WireError> {
    let line = Line::new(None);
    let commands = split(text)?;
    crate::telemetry::commands_received(commands.len());
    for command in commands {
        take(app, caller, &line, command).await;
    }
    line.idle().await;
    let replies = line.take().join(&b","[..]);
    Ok([b"{\"replies\":[", replies.as_slice(), b"]}"].concat())
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
pub(crate) async fn ask(app: &App, asker: Asker, query: Query) -> Answer {
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

async fn live_command(
    app: &Arc<App>,
    actor: UserId,
    caller: &Caller,
    line: &Line,
    live: Live,
) -> (Answer, Effect) {
    #[derive(Serialize)]
    struct Pong {
        at: u64,
    }
    let empty = || Ok(b"{}".to_vec());
    match live {
        Live::Ping => (Ok(json::to_vec(&Pong { at: now_ms() })), Effect::None),
        // A cursor taken in is what "delivered" will be made from; today it only proves the client alive.
        Live::Ack(_) => (empty(), Effect::None),
        Live::Typing(OfRoom { room }) => {
            line.idle().await;
            (typing(app, actor, room).await, Effect::None)
        }
        Live::Focus(focus) if focus.rooms.len() > WATCH_ROOMS_MAX => {
            let error = WireError::new(ErrorCode::TooLarge, format!("at most {WATCH_ROOMS_MAX} rooms"));
            (Err(error), Effect::None)
        }
        Live::Focus(focus) => (empty(), Effect::Focus(focus.rooms.into_iter().collect())),
        Live::TicketRevoke(revoke) => (revoke_ticket(app, caller, &revoke.ticket), Effect::None),
        Live::Hello(_) => {
            let error = WireError::new(ErrorCode::BadRequest, "`hello` is the first frame of a WebSocket");
            (Err(error), Effect::None)
        }
    }
}

async fn typing(app: &App, user: UserId, room: RoomId) -> Answer {
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
