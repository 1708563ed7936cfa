//! `/v1/commands`: the ways up that are not a WebSocket.
//!
//! `POST` takes JSON, `text/plain` (which needs no preflight, and is all that `XDomainRequest` can send)
//! and a form's field `d` (a form in a hidden frame). `GET` is for script tags: a ticket, a listed page,
//! and a command short enough for a URL.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use http::{Request, StatusCode, header};
use wigeon_core::entry::Rights;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::framing::jsonp as framing;
use wigeon_proto::json;

use crate::app::App;
use crate::caller::Caller;
use crate::commands::run;
use crate::http::body;
use crate::http::guard::Seen;
use crate::http::problem::{body_of, json_of, problem};
use crate::transport::script;

/// `POST /v1/commands`.
pub(super) async fn post(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    match submit(&app, &parts, body).await {
        // A form's answer lands in a hidden frame: as text/plain some engines would offer it as a download.
        Ok(replies) if is_form(&parts) => body_of("text/html; charset=utf-8", replies),
        Ok(replies) => json_of(StatusCode::OK, replies),
        Err(error) => problem(&error),
    }
}

async fn submit(app: &Arc<App>, parts: &Parts, body: Body) -> Result<Vec<u8>, WireError> {
    let query = parts.uri.query().unwrap_or("");
    let caller = Caller::required(app, parts, field(query, "ticket").as_deref())?;
    renew(app, &caller, query);
    let text = body::text(body).await?;
    let commands = if is_form(parts) {
        field(&text, "d").ok_or_else(|| bad("the form has no field `d`"))?
    } else {
        Cow::Borrowed(text.as_str())
    };
    run(app, &caller, &commands).await
}

/// `GET /v1/commands?transport=jsonp&callback=…&d=…&ticket=…`.
pub(super) async fn jsonp(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    let query = parts.uri.query().unwrap_or("");
    let name = field(query, "callback").or_else(|| field(query, "cb"));
    let callback = match framing::Callback::parse(name.as_deref().unwrap_or("")) {
        Ok(callback) => callback,
        Err(error) => return problem(&bad(&error.to_string())),
    };
    let body = match by_script(&app, &parts, query).await {
        Ok(replies) => replies,
        Err(error) => {
            #[derive(serde::Serialize)]
            struct OnlyError {
                error: WireError,
            }
            json::to_vec(&OnlyError { error })
        }
    };
    script(framing::wrap(&callback, &body))
}

async fn by_script(app: &Arc<App>, parts: &Parts, query: &str) -> Result<Vec<u8>, WireError> {
    app.serves_scripts()?;
    if !Seen::of(parts).verdict.is_trusted() {
        return Err(WireError::new(ErrorCode::Forbidden, "this page is not listed"));
    }
    let ticket = field(query, "ticket")
        .ok_or_else(|| WireError::new(ErrorCode::Unauthenticated, "a script tag comes with a ticket"))?;
    let caller = Caller::required(app, parts, Some(&ticket))?;
    renew(app, &caller, query);
    let commands = field(query, "d").ok_or_else(|| bad("there is no field `d`"))?;
    run(app, &caller, &commands).await
}

/// A session that sends is there.
fn renew(app: &App, caller: &Caller, query: &str) {
    if caller.rights == Rights::User && field(query, "session").is_some_and(|name| !name.is_empty()) {
        app.hub.tell_presence(app.hub.presence.renew(&caller.user));
    }
}

fn is_form(parts: &Parts) -> bool {
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| {
        text.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")
    })
}

fn field<'a>(form: &'a str, name: &str) -> Option<Cow<'a, str>> {
    form_urlencoded::parse(form.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
}

fn bad(message: &str) -> WireError {
    WireError::new(ErrorCode::BadRequest, message)
}
