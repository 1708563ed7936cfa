//! Tickets: short-lived credentials for URLs, for clients that cannot set headers.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use http::{Request, StatusCode};
use wigeon_core::entry::Rights;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::frame::TicketGrant;
use wigeon_proto::json;

use crate::app::{App, now_ms};
use crate::auth::{Claims, Role};
use crate::caller::Caller;
use crate::http::guard::Seen;
use crate::http::problem::{json_of, problem};

/// `POST /v1/tickets`, with a Bearer token.
pub(super) async fn post(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    match grant(&app, &parts) {
        Ok(grant) => json_of(StatusCode::CREATED, json::to_vec(&grant)),
        Err(error) => problem(&error),
    }
}

fn grant(app: &App, parts: &Parts) -> Result<TicketGrant, WireError> {
    let Caller { user, name, rights, expires_at, .. } = Caller::required(app, parts, None)?;
    let role = if rights == Rights::Service { Role::Service } else { Role::User };
    let claims = Claims { user, name, role, expires_at };
    let minted = app.tickets.mint(&claims, Seen::of(parts).verdict.origin(), now_ms());
    let minted = minted.map_err(|error| WireError::new(ErrorCode::Forbidden, error.to_string()))?;
    Ok(TicketGrant { ticket: minted.text, expires_in: minted.expires_in })
}
