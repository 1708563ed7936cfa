//! Everything under `/v1` beside the events: commands, guests, tickets, previews of links, and the same queries
//! and writes as plain REST, for backends and `curl`.

mod commands;
mod guests;
mod operations;
mod preview;
mod rest;
mod tickets;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;
use crate::http::{assets, guard};
use crate::sockjs::SockJs;
use crate::transport;

/// Every route, behind the guard. Liveness is outside it: probes name whatever host they like. SockJS asks
/// the same guard, and answers other sites in its own way.
pub(crate) fn router(app: &Arc<App>, sockjs: &SockJs) -> Router {
    let guarded = Router::new()
        .route("/v1/events", get(transport::events))
        .route("/v1/commands", post(commands::post).get(commands::jsonp))
        .route("/v1/guests", post(guests::post))
        .route("/v1/tickets", post(tickets::post))
        .route("/v1/info", get(operations::info))
        .route("/v1/snapshot", get(rest::snapshot))
        .route("/v1/rooms", get(rest::rooms).post(rest::create_room))
        .route("/v1/rooms/{room}", get(rest::room))
        .route("/v1/rooms/{room}/members", get(rest::members))
        .route("/v1/rooms/{room}/messages", get(rest::messages).post(rest::send))
        .route("/v1/users/{user}", get(rest::user))
        .route("/v1/search", get(rest::search))
        .route("/v1/preview", get(preview::get))
        .route("/metrics", get(operations::metrics))
        .fallback(assets::serve)
        .method_not_allowed_fallback(operations::method_not_allowed)
        .layer(axum::middleware::from_fn_with_state(app.clone(), guard::guard));
    Router::new()
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .method_not_allowed_fallback(operations::method_not_allowed)
        .merge(guarded)
        .merge(crate::sockjs::router(app, sockjs))
        .with_state(app.clone())
}
