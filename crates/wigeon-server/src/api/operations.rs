//! For operators and their tools: liveness, readiness, metrics, and what this server offers.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{Request, StatusCode};
use serde::Serialize;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::json;
use wigeon_proto::limits;
use wigeon_proto::transport::Transport;

use crate::app::App;
use crate::commands::query_error;
use crate::http::problem::{body_of, json_of, problem, problem_with};

/// `GET /healthz`: the process answers.
pub(super) async fn healthz() -> Response {
    body_of("text/plain; charset=utf-8", "ok\n")
}

/// `GET /readyz`: the log can be read, a node of a cluster is level with the others, and the server is not
/// going down. Where it is not ready, it says why.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Response {
    let not = |why| problem(&WireError::new(ErrorCode::Unavailable, why).retry_after(1000));
    if app.draining.is_cancelled() {
        return not("this server is going down");
    }
    match app.pool.read(|view| Ok(view.level)).await {
        Ok(true) => body_of("text/plain; charset=utf-8", "ready\n"),
        Ok(false) => not("this node is cut off from the log"),
        Err(error) => problem(&query_error(error)),
    }
}

/// `GET /metrics`, in Prometheus' text format.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let (feeds, rooms) = app.hub.size();
    metrics::gauge!("wigeon_feeds").set(feeds as f64);
    metrics::gauge!("wigeon_rooms_heard").set(rooms as f64);
    body_of("text/plain; version=0.0.4; charset=utf-8", app.metrics.render())
}

#[derive(Serialize)]
struct Info {
    version: &'static str,
    guests: bool,
    previews: bool,
    transports: Vec<&'static str>,
    limits: Limits,
}

#[derive(Serialize)]
struct Limits {
    text_bytes_max: usize,
    command_bytes_max: usize,
    body_bytes_max: usize,
    commands_per_request_max: usize,
    long_poll_s: u64,
    heartbeat_ms: u64,
}

/// `GET /v1/info`: what anybody may know before they log in.
pub(super) async fn info(State(app): State<Arc<App>>) -> Response {
    let served = Transport::ALL.iter().filter(|transport| app.script_transports || !transport.is_script());
    let info = Info {
        version: env!("CARGO_PKG_VERSION"),
        guests: app.guests.possible(&app.listen),
        previews: app.previews.is_some(),
        transports: served.map(|transport| transport.as_str()).collect(),
        limits: Limits {
            text_bytes_max: limits::TEXT_BYTES_MAX,
            command_bytes_max: limits::COMMAND_BYTES_MAX,
            body_bytes_max: limits::BODY_BYTES_MAX,
            commands_per_request_max: limits::COMMANDS_PER_REQUEST_MAX,
            long_poll_s: limits::LONG_POLL_S,
            heartbeat_ms: limits::HEARTBEAT_MS,
        },
    };
    json_of(StatusCode::OK, json::to_vec(&info))
}

/// A path of ours, by a method it does not have.
pub(super) async fn method_not_allowed(request: Request<Body>) -> Response {
    let message = format!("{} is no method of this path", request.method());
    problem_with(StatusCode::METHOD_NOT_ALLOWED, &WireError::new(ErrorCode::BadRequest, message))
}
