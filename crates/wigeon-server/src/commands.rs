//! Commands in, replies out, in order, for every uplink.
//!
//! Durable commands take their place in the sequencer's line as soon as they are read, so that a burst
//! from one connection shares a commit; a query runs when all replies before it are out, so that it sees
//! what they did.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use wigeon_core::entry::Rights;
use wigeon_proto::command::decode::Unreadable;
use wigeon_proto::command::{Command, Live, OfRoom, Query, Request};
use wigeon_proto::cursor::Cursor;
use wigeon_proto::error::{ErrorCode, Outcome, WireError};
use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::json;
use wigeon_proto::limits::{
    COMMANDS_PER_REQUEST_MAX, PRESENCE_WATCH_MAX, PRESENCE_WATCH_MS, RECEIPTS_SHOWN_MAX, TYPING_USERS_MAX,
    WATCH_ROOMS_MAX,
};
use wigeon_proto::reply::{PresenceWatch, Profile, Readers, Receipts};
use wigeon_store::Answer;
use wigeon_store::read::{Asker, QueryError, Reach};

use crate::app::{App, now_ms};
use crate::caller::Caller;
use crate::line::{Line, Reply};
use crate::peers::Said;
use crate::presence::Presence;

/// What a command does to the connection it came by.
#[derive(Debug, PartialEq)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// These rooms are before the user's eyes.
    Focus(HashSet<RoomId>),
}

/// What is left to do for a command.
pub(crate) enum Taken {
    /// Nothing here: its reply comes by itself.
    Done(Effect),
    /// This, before the next command.
    Later(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// Takes in one command's text. Durable commands are in the sequencer's line when this returns; a query waits
/// for the replies before it, and for its answer.
pub(crate) fn take(app: &Arc<App>, caller: &Caller, line: &Line, json: &str) -> Taken {
    let Request { id, on_behalf_of, command } = match Request::decode(json) {
        Ok(request) => request,
        Err(Unreadable { id, error }) => return refused(line, id, error),
    };
    let admitted = caller.acting(on_behalf_of.as_ref()).and_then(|actor| {
        if caller.rights != Rights::Service {
            app.rates.command(&caller.user)?;
        }
        Ok(actor)
    });
    let actor = match admitted {
        Ok(actor) => actor,
        Err(error) => return refused(line, id, error),
    };
    match command {
        Command::Durable(durable) => {
            let place = line.place(id.clone());
            let id = id.expect("decoding refuses a durable command without id");
            app.submit_for(actor, caller.rights, id, durable, Reply::Placed(place));
            Taken::Done(Effect::None)
        }
        Command::Query(query) => {
            let asker = Asker { user: actor, service: caller.rights == Rights::Service };
            let app = app.clone();
            later(line, id, async move { ask(&app, asker, query).await })
        }
        Command::Live(Live::Typing(OfRoom { room })) => {
            let app = app.clone();
            later(line, id, async move { typing(&app, actor, room).await })
        }
        Command::Live(Live::PresenceWatch(watch)) => {
            let app = app.clone();
            later(line, id, async move { presence(&app, actor, watch.users).await })
        }
        Command::Live(live) => {
            let (answer, effect) = live_command(app, &actor, caller, live);
            line.place(id).fill(answer);
            Taken::Done(effect)
        }
    }
}

fn refused(line: &Line, id: Option<CommandId>, error: WireError) -> Taken {
    refuse(line, id, error);
    Taken::Done(Effect::None)
}

fn later(line: &Line, id: Option<CommandId>, work: impl Future<Output = Answer> + Send + 'static) -> Taken {
    let line = line.clone();
    Taken::Later(Box::pin(async move {
        line.idle().await;
        line.place(id).fill(work.await);
    }))
}

/// Puts a refusal in line.
pub(crate) fn refuse(line: &Line, id: Option<CommandId>, error: WireError) {
    line.place(id).fill(Err(error));
}

/// Runs the commands of one request: the body of its answer, `{"replies":[…]}`, in their order.
pub(crate) async fn run(app: &Arc<App>, caller: &Caller, text: &str) -> Result<Vec<u8>, WireError> {
    let line = Line::new(None);
    let commands = split(text)?;
    crate::telemetry::commands_received(commands.len());
    for command in commands {
        if let Taken::Later(work) = take(app, caller, &line, command) {
            work.await;
        }
    }
    line.idle().await;
    let replies = line.take().join(&b","[..]);
    Ok([b"{\"replies\":[", replies.as_slice(), b"]}"].concat())
}

/// Splits a WebSocket's message into commands. Nearly all are one object on one line, which decoding will read
/// anyhow: that it is JSON is not found out twice.
pub(crate) fn split_message(text: &str) -> Result<Vec<&str>, WireError> {
    if text.starts_with('{') && !text.contains('\n') { Ok(vec![text]) } else { split(text) }
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
    let _turn = match &query {
        Query::Search(_) => Some(app.pool.turn_to_search().await?),
        _ => None,
    };
    let presence = app.hub.presence.clone();
    let answer = app.pool.read(move |view| {
        Ok(match query {
            Query::History(query) => json::to_vec(&view.history(&asker, &query)?),
            Query::Snapshot(page) => json::to_vec(&view.snapshot(&asker, &page)?),
            Query::RoomGet(query) => json::to_vec(&view.room_get(&asker, &query)?),
            Query::RoomList(page) => json::to_vec(&view.room_list(&asker, &page)?),
            Query::MemberList(query) => json::to_vec(&view.member_list(&asker, &query)?),
            Query::BanList(query) => json::to_vec(&view.ban_list(&asker, &query)?),
            Query::MessageVersions(query) => json::to_vec(&view.message_versions(&asker, &query)?),
            Query::ReceiptsGet(query) => receipts(&presence, view.receipts(&asker, &query)?),
            Query::InviteList(query) => json::to_vec(&view.invite_list(&asker, &query, now_ms())?),
            Query::InviteGet(query) => json::to_vec(&view.invite_get(&asker, &query, now_ms())?),
            Query::BlockList(page) => json::to_vec(&view.block_list(&asker, &page)?),
            Query::UserGet(query) => json::to_vec(&view.user_get(&query)?),
            Query::UserSearch(query) => json::to_vec(&view.user_search(&query)?),
            Query::Search(query) => json::to_vec(&view.search(&asker, &query)?),
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

fn live_command(app: &App, actor: &UserId, caller: &Caller, live: Live) -> (Answer, Effect) {
    #[derive(Serialize)]
    struct Pong {
        at: u64,
    }
    let empty = || Ok(b"{}".to_vec());
    let bad = |message: &str| Err(WireError::new(ErrorCode::BadRequest, message));
    match live {
        Live::Ping => (Ok(json::to_vec(&Pong { at: now_ms() })), Effect::None),
        Live::Ack(ack) => (acked(app, actor, caller, &ack.cursor), Effect::None),
        Live::Focus(focus) if focus.rooms.len() > WATCH_ROOMS_MAX => {
            let error = WireError::new(ErrorCode::TooLarge, format!("at most {WATCH_ROOMS_MAX} rooms"));
            (Err(error), Effect::None)
        }
        Live::Focus(focus) => (empty(), Effect::Focus(focus.rooms.into_iter().collect())),
        Live::TicketRevoke(revoke) => (revoke_ticket(app, caller, &revoke.ticket), Effect::None),
        Live::Hello(_) => (bad("`hello` is the first frame of a WebSocket"), Effect::None),
        Live::Typing(_) | Live::PresenceWatch(_) => (bad("it asks the log first"), Effect::None),
    }
}

async fn typing(app: &App, user: UserId, room: RoomId) -> Answer {
    let (who, place) = (user.clone(), room.clone());
    let asked = app.pool.read(move |view| {
        let other = place.direct_users().map(|(one, other)| if one == who { other } else { one });
        let blocked = match other {
            Some(other) => view.acquainted(&who, vec![other])?.is_empty(),
            None => false,
        };
        Ok((view.user_count(&place)?, view.is_member(&who, &place)?, blocked))
    });
    let users = match asked.await.map_err(query_error)? {
        (Some(users), true, false) => users,
        (Some(_), true, true) => {
            return Err(WireError::new(ErrorCode::Forbidden, "one of you has blocked the other"));
        }
        (Some(_), false, _) => {
            return Err(WireError::new(ErrorCode::NotMember, "you are not a member of this room"));
        }
        (None, ..) => return Err(WireError::new(ErrorCode::NotFound, "there is no such room")),
    };
    let is_large = users > TYPING_USERS_MAX;
    app.hub.typing(&room, &user, is_large);
    app.peers.say(|| Said::Typing { room, user, is_large });
    Ok(b"{}".to_vec())
}

/// What a device has taken in is delivered. A cursor of another log says nothing, and is no mistake.
fn acked(app: &App, user: &UserId, caller: &Caller, text: &str) -> Answer {
    let cursor = Cursor::parse(text).map_err(|e| WireError::new(ErrorCode::BadRequest, e.to_string()))?;
    if cursor.epoch == app.epoch && caller.rights == Rights::User {
        app.hub.acked(user, cursor.position);
    }
    Ok(b"{}".to_vec())
}

/// How those users are whom the asker may know of; the others are left out.
async fn presence(app: &App, asker: UserId, users: Vec<UserId>) -> Answer {
    if users.len() > PRESENCE_WATCH_MAX {
        return Err(WireError::new(ErrorCode::TooLarge, format!("at most {PRESENCE_WATCH_MAX} users")));
    }
    let who = asker.clone();
    let known = app.pool.read(move |view| view.acquainted(&who, users)).await.map_err(query_error)?;
    let users = app.hub.presence.watch(&asker, known);
    Ok(json::to_vec(&PresenceWatch { users, expires_in: PRESENCE_WATCH_MS / 1000 }))
}

/// Who has read a message, and whose devices have it: the first from the log, the second from here.
fn receipts(presence: &Presence, (mut receipts, reach): (Receipts, Option<Reach>)) -> Vec<u8> {
    if let Some(Reach { position, users }) = reach {
        let has =
            |(user, read): (Profile, bool)| (read || presence.has_acked(&user.id, position)).then_some(user);
        let mut users: Vec<Profile> = users.into_iter().filter_map(has).collect();
        let count = users.len() as u64;
        users.truncate(RECEIPTS_SHOWN_MAX);
        receipts.delivered = Some(Readers { count, users });
    }
    json::to_vec(&receipts)
}

fn revoke_ticket(app: &App, caller: &Caller, text: &str) -> Answer {
    let ticket = app.tickets.verify(text, None, now_ms());
    match ticket {
        Ok(ticket) if ticket.user == caller.user => {
            app.tickets.revoke(&ticket, now_ms());
            app.peers.say(|| Said::Revoked { ticket });
            Ok(b"{}".to_vec())
        }
        _ => Err(WireError::new(ErrorCode::NotFound, "there is no such ticket of yours")),
    }
}
