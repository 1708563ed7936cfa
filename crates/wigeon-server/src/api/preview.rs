//! `GET /v1/preview?url=…`: what a link leads to.
//!
//! A request of its own, and not a command: commands of a connection are answered in their order, and a site
//! that is slow would hold up all that stand behind it. That a link has no preview is an answer like any other,
//! with status 200: browsers write everything else to a page's console as an error.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, StatusCode};
use wigeon_core::entry::Rights;
use wigeon_proto::error::{ErrorCode, WireError};

use crate::app::App;
use crate::caller::Caller;
use crate::http::problem::{json_of, problem};

/// The preview, or why there is none; or what is wrong with the request.
pub(super) async fn get(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    match preview(&app, &parts).await {
        Ok(body) => json_of(StatusCode::OK, body.into()),
        Err(error) => problem(&error),
    }
}

async fn preview(app: &App, parts: &Parts) -> Result<Bytes, WireError> {
    let caller = Caller::required(app, parts, None)?;
    let limited = caller.rights != Rights::Service;
    if limited {
        app.rates.command(&caller.user)?;
    }
    let off = || WireError::new(ErrorCode::Forbidden, "previews of links are off on this server");
    let previews = app.previews.as_ref().ok_or_else(off)?;
    let query = parts.uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, url) = pairs
        .find(|(name, _)| name == "url")
        .ok_or_else(|| WireError::new(ErrorCode::BadRequest, "say which: `url` is missing"))?;
    previews.of(&url, || if limited { app.rates.preview(&caller.user) } else { Ok(()) }).await
}
