//! SockJS: the same commands and frames behind the protocol of `sockjs-client`, so that a page that has it
//! changes one URL.
//!
//! A [`Face`] is one SockJS service: an address, what answers there, and its sessions. `pages` are what a
//! client asks before it opens a session; `down` and `up` are the ways of a session over HTTP, `websocket`
//! the one over a socket; `session` keeps a session between two requests. What is said in a session is a
//! [`conversation`], the same for all of them, with an [`application`] behind it: the chat, or one of
//! the small services that test suites ask for.

mod application;
mod chat;
mod conversation;
mod cors;
mod down;
mod open;
mod pages;
mod session;
mod up;
mod websocket;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::any;
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode, header};
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::sockjs::{Path, Way};

use crate::app::App;
use crate::http::guard::turned_away;
use crate::http::problem::{body_of, problem};
use application::Kind;
use session::Sessions;

/// How the SockJS face looks.
#[derive(Debug, Clone)]
pub struct SockJs {
    /// Whether it is there.
    pub enabled: bool,
    /// Bytes of one streamed response before it ends.
    pub response_limit: u64,
    /// Whether answers set a `JSESSIONID`, by which some load balancers know where a client belongs.
    pub cookie: bool,
    /// Where pages in frames load `sockjs-client` from; without it there are no such pages.
    pub client_url: Option<String>,
    /// Whether the services that test suites ask for are there.
    pub test_services: bool,
}

/// Bytes of a streamed response of the test services: the protocol's script asks for it.
const TEST_RESPONSE_LIMIT: u64 = 4096;
/// What the frames of the test services load; nothing is there.
const TEST_CLIENT_URL: &str = "/sockjs.min.js";
/// Where the chat answers.
const CHAT_PREFIX: &str = "/sockjs";

/// One SockJS service.
struct Face {
    app: Arc<App>,
    prefix: &'static str,
    kind: Kind,
    websocket: bool,
    settings: SockJs,
    sessions: Sessions,
}

/// The routes of every face there is.
pub(crate) fn router(app: &Arc<App>, settings: &SockJs) -> Router<Arc<App>> {
    let mut faces = Vec::new();
    let mut face = |prefix, kind, websocket, settings: &SockJs| {
        let (app, settings, sessions) = (app.clone(), settings.clone(), Sessions::default());
        faces.push(Face { app, prefix, kind, websocket, settings, sessions });
    };
    if settings.enabled {
        face(CHAT_PREFIX, Kind::Chat, true, settings);
    }
    if settings.test_services {
        let client_url = Some(TEST_CLIENT_URL.to_owned());
        let test =
            SockJs { response_limit: TEST_RESPONSE_LIMIT, cookie: false, client_url, ..settings.clone() };
        face("/echo", Kind::Echo, true, &test);
        face("/disabled_websocket_echo", Kind::Echo, false, &test);
        face("/cookie_needed_echo", Kind::Echo, true, &SockJs { cookie: true, ..test.clone() });
        face("/close", Kind::Close, true, &test);
        face("/amplify", Kind::Amplify, true, &test);
    }
    faces.into_iter().fold(Router::new(), |router, face| router.merge(routes(Arc::new(face))))
}

fn routes(face: Arc<Face>) -> Router<Arc<App>> {
    let prefix = face.prefix;
    let all = any(serve).with_state(face);
    Router::new()
        .route(prefix, all.clone())
        .route(&format!("{prefix}/"), all.clone())
        .route(&format!("{prefix}/{{*rest}}"), all)
}

/// Every request of a face.
async fn serve(State(face): State<Arc<Face>>, mut request: Request<Body>) -> Response {
    let allowed = match cors::judge(&face, &mut request) {
        Ok(allowed) => allowed,
        Err(error) => return turned_away(&error),
    };
    let (mut parts, body) = request.into_parts();
    let mut response = answer(&face, &mut parts, body).await;
    cors::allow(response.headers_mut(), allowed);
    response
}

async fn answer(face: &Arc<Face>, parts: &mut Parts, body: Body) -> Response {
    let path = parts.uri.path().to_owned();
    let Some(path) = path.strip_prefix(face.prefix).and_then(Path::parse) else { return not_found() };
    if parts.method == Method::OPTIONS {
        return cors::preflight(&parts.headers, path.method());
    }
    let asked = if parts.method == Method::HEAD { "GET" } else { parts.method.as_str() };
    if asked != path.method() {
        return method_not_allowed(path.method());
    }
    let mut response = match path {
        Path::Greeting => return pages::greeting(),
        Path::Info => return pages::info(face),
        Path::Iframe => return pages::iframe(face, &parts.headers),
        Path::RawWebSocket => return websocket::upgrade(face, parts, websocket::Mode::Raw),
        Path::Session { way: Way::WebSocket, .. } => {
            return websocket::upgrade(face, parts, websocket::Mode::Framed);
        }
        Path::Session { session, way: Way::XhrSend } => up::xhr(face, parts, session, body).await,
        Path::Session { session, way: Way::JsonpSend } => up::jsonp(face, parts, session, body).await,
        Path::Session { session, way } => down::read(face, parts, session, way).await,
    };
    if face.settings.cookie {
        cors::set_cookie(&parts.headers, &mut response);
    }
    response
}

/// Text that nobody keeps.
fn text(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = body_of(content_type, body);
    *response.status_mut() = status;
    // To the letter what the protocol asks for: one browser or another once kept each of the shorter forms.
    let never = "no-store, no-cache, no-transform, must-revalidate, max-age=0";
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(never));
    response
}

/// What is wrong with a request, in words that the protocol fixes.
fn complaint(status: StatusCode, words: impl ToString) -> Response {
    text(status, PLAIN, words.to_string())
}

const PLAIN: &str = "text/plain; charset=UTF-8";

fn not_found() -> Response {
    problem(&WireError::new(ErrorCode::NotFound, "there is nothing at this path"))
}

fn method_not_allowed(allowed: &'static str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    let allow = if allowed == "GET" { "OPTIONS, GET, HEAD" } else { "OPTIONS, POST" };
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

/// A field of the query.
fn field(parts: &Parts, name: &str) -> Option<String> {
    let query = parts.uri.query().unwrap_or("");
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
