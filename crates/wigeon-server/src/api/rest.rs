//! The same commands and queries as plain REST: thin handlers that say in a path what a command says in
//! its fields.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::response::Response;
use http::request::Parts;
use http::{Request, StatusCode};
use serde_json::{Map, Value, json};
use wigeon_core::entry::Rights;
use wigeon_proto::command::decode::Unreadable;
use wigeon_proto::command::{self, Command};
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_store::Answer;
use wigeon_store::read::Asker;

use crate::app::{App, new_command_id};
use crate::caller::Caller;
use crate::commands::ask;
use crate::http::body;
use crate::http::problem::{json_of, problem};
use crate::telemetry::commands_received;

/// What a path names. What is not UTF-8 there is nobody's id.
pub(super) struct Named(String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(_) => Err(problem(&WireError::new(ErrorCode::BadRequest, "the path is not UTF-8"))),
        }
    }
}

/// `GET /v1/snapshot`.
pub(super) async fn snapshot(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    query(&app, request, "snapshot", None).await
}

/// `GET /v1/rooms`: the public channels.
pub(super) async fn rooms(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    query(&app, request, "room.list", None).await
}

/// `GET /v1/rooms/{room}`.
pub(super) async fn room(
    State(app): State<Arc<App>>,
    Named(room): Named,
    request: Request<Body>,
) -> Response {
    query(&app, request, "room.get", Some(("room", room))).await
}

/// `GET /v1/rooms/{room}/members`.
pub(super) async fn members(
    State(app): State<Arc<App>>,
    Named(room): Named,
    request: Request<Body>,
) -> Response {
    query(&app, request, "member.list", Some(("room", room))).await
}

/// `GET /v1/rooms/{room}/messages?before=&after=&around=&limit=`.
pub(super) async fn messages(
    State(app): State<Arc<App>>,
    Named(room): Named,
    request: Request<Body>,
) -> Response {
    query(&app, request, "history", Some(("room", room))).await
}

/// `GET /v1/users/{user}`.
pub(super) async fn user(
    State(app): State<Arc<App>>,
    Named(user): Named,
    request: Request<Body>,
) -> Response {
    query(&app, request, "user.get", Some(("user", user))).await
}

/// `GET /v1/search?q=&room=&from=&before=&after=&limit=`.
pub(super) async fn search(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    query(&app, request, "search", None).await
}

/// `POST /v1/rooms/{room}/messages {"body":{"text":…},"id"?}`.
pub(super) async fn send(
    State(app): State<Arc<App>>,
    Named(room): Named,
    request: Request<Body>,
) -> Response {
    write(&app, request, "send", Some(("room", room))).await
}

/// `POST /v1/rooms {"kind":…,"title":…,"id"?}`.
pub(super) async fn create_room(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    write(&app, request, "room.create", None).await
}

async fn query(app: &Arc<App>, request: Request<Body>, kind: &str, path: Option<(&str, String)>) -> Response {
    let (parts, _) = request.into_parts();
    let text = parts.uri.query().unwrap_or("");
    let mut fields: Map<String, Value> = Map::new();
    let pairs: HashMap<_, _> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    for (name, value) in pairs {
        let is_number = matches!(name.as_str(), "limit" | "before" | "around")
            || name == "after" && matches!(kind, "history" | "search");
        let value = value
            .parse::<u64>()
            .ok()
            .filter(|_| is_number)
            .map_or_else(|| json!(value), |number| json!(number));
        fields.insert(name, value);
    }
    respond(run(app, &parts, kind, path, fields).await, StatusCode::OK)
}

async fn write(app: &Arc<App>, request: Request<Body>, kind: &str, path: Option<(&str, String)>) -> Response {
    let (parts, body) = request.into_parts();
    let answer = async {
        let mut fields: Map<String, Value> = body::json(body).await?;
        fields.entry("id").or_insert_with(|| json!(new_command_id().as_str()));
        run(app, &parts, kind, path, fields).await
    };
    respond(answer.await, StatusCode::CREATED)
}

async fn run(
    app: &Arc<App>,
    parts: &Parts,
    kind: &str,
    path: Option<(&str, String)>,
    mut fields: Map<String, Value>,
) -> Answer {
    let caller = Caller::required(app, parts, None)?;
    commands_received(1);
    fields.insert("type".into(), json!(kind));
    if let Some((name, value)) = path {
        fields.insert(name.into(), json!(value));
    }
    let text = Value::Object(fields).to_string();
    let request = command::Request::decode(&text).map_err(|Unreadable { error, .. }| error)?;
    let actor = caller.acting(request.on_behalf_of.as_ref())?;
    if caller.rights != Rights::Service {
        app.rates.command(&caller.user)?;
    }
    match (request.command, request.id) {
        (Command::Durable(durable), Some(id)) => app.submit(actor, caller.rights, id, durable).await,
        (Command::Query(query), _) => {
            ask(app, Asker { user: actor, service: caller.rights == Rights::Service }, query).await
        }
        _ => Err(WireError::new(ErrorCode::BadRequest, "not a command of this path")),
    }
}

fn respond(answer: Answer, success: StatusCode) -> Response {
    match answer {
        Ok(body) => json_of(success, body),
        Err(error) => problem(&error),
    }
}
