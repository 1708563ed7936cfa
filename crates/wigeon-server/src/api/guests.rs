//! Guests: people who come in by a name alone, where that is allowed.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use http::{Request, StatusCode, Version};
use serde::{Deserialize, Serialize};
use wigeon_core::entry::Rights;
use wigeon_proto::command::check::check_name;
use wigeon_proto::command::{Durable, OfRoom, RoomCreate, UserUpdate};
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::json;
use wigeon_proto::limits::NAME_BYTES_MAX;
use wigeon_proto::room::{PolicyChange, RoomKind};

use crate::app::{App, new_command_id, now_ms, random_id};
use crate::auth::{Guests, Role};
use crate::commands::query_error;
use crate::http::body;
use crate::http::guard::Seen;
use crate::http::problem::{json_of, problem};

/// The room every guest lands in.
const LOBBY: &str = "lobby";
/// Seconds a guest's token lives: a month of coming back to the same page.
const GUEST_TOKEN_S: u64 = 30 * 24 * 3600;

#[derive(Deserialize)]
struct Newcomer {
    name: String,
}

#[derive(Serialize)]
struct Welcome {
    user: UserId,
    name: String,
    token: String,
    expires_at: u64,
}

/// `POST /v1/guests`.
pub(super) async fn post(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    match welcome(&app, &parts, body).await {
        Ok(welcome) => json_of(StatusCode::CREATED, json::to_vec(&welcome)),
        Err(error) => problem(&error),
    }
}

async fn welcome(app: &Arc<App>, parts: &Parts, body: Body) -> Result<Welcome, WireError> {
    let seen = Seen::of(parts);
    // No browser speaks HTTP/1.0; nginx does to what it stands before, unless told otherwise.
    let proxied = app.guests == Guests::Auto && parts.version < Version::HTTP_11;
    if proxied || !app.guests.admit(seen.ends.local, &seen.host, &parts.headers) {
        return Err(WireError::new(
            ErrorCode::Forbidden,
            "guests are off on this server; log in with a token",
        ));
    }
    let Newcomer { name } = body::json(body).await?;
    let name = name.trim().to_owned();
    check_name("name", &name, NAME_BYTES_MAX)?;
    app.rates.newcomer(seen.ends.peer.ip())?;
    let user = UserId::parse(&format!("g:{}", random_id(16))).expect("letters and digits are an id");
    let update = Durable::UserUpdate(UserUpdate { name: name.clone() });
    let named = app.submit(user.clone(), Rights::User, new_command_id(), update);
    let lobby = open_lobby(app).await?;
    let join = Durable::RoomJoin(OfRoom { room: lobby });
    let joined = app.submit(user.clone(), Rights::User, new_command_id(), join);
    named.await?;
    joined.await?;
    let now = now_ms();
    let token = app.tokens.issue(&user, Some(&name), Role::User, GUEST_TOKEN_S, now);
    Ok(Welcome { user, name, token, expires_at: (now / 1000 + GUEST_TOKEN_S) * 1000 })
}

/// The lobby, which comes into being with the first guest.
async fn open_lobby(app: &Arc<App>) -> Result<RoomId, WireError> {
    let lobby = RoomId::parse(LOBBY).expect("a plain id");
    let id = lobby.clone();
    if app.pool.read(move |view| view.has_room(&id)).await.map_err(query_error)? {
        return Ok(lobby);
    }
    let create = Durable::RoomCreate(RoomCreate {
        room: Some(lobby.clone()),
        kind: RoomKind::Channel,
        title: "Lobby".into(),
        members: Vec::new(),
        policy: PolicyChange::default(),
    });
    let server = UserId::parse("wigeon").expect("a plain id");
    match app.submit(server, Rights::Service, new_command_id(), create).await {
        // Another newcomer was quicker.
        Err(error) if error.code != ErrorCode::Conflict => Err(error),
        _ => Ok(lobby),
    }
}
