//! A WebSocket as the two sides of RFC 6455: the upgrade, texts in, frames out, and the goodbye.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use tokio::time::{Instant, timeout, timeout_at};
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::frame;
use wigeon_proto::framing::{Framing, websocket as text_frame};
use wigeon_proto::limits;
use wigeon_proto::websocket::{Decoder, Deflate, Event, Role, Violation, encode, handshake, negotiate};

use crate::wire::Wire;

/// RFC 6455, 7.4.1: the server restarts.
pub(super) const RESTART: u16 = 1012;
/// RFC 6455, 7.4.1: all is well.
const NORMAL: u16 = 1000;
/// How long a closing handshake may take.
const CLOSE_MS_MAX: u64 = 2_000;

/// The answer to an upgrade, and what it agrees on; none if it is not one that we can answer.
pub(super) fn upgrade(parts: &Parts) -> Option<(Response, Option<Deflate>)> {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let names = |name: HeaderName, word: &str| {
        let values = parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
    };
    // RFC 6455, 4.2.1. A proxy that does not pass these on would not pass on what follows, either.
    if !names(header::UPGRADE, "websocket") || !names(header::CONNECTION, "upgrade") {
        return None;
    }
    let accept = header("sec-websocket-key").and_then(handshake::accept)?;
    if header("sec-websocket-version") != Some("13") {
        return None;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert("sec-websocket-accept", HeaderValue::from_str(&accept).expect("base64"));
    let offers = parts.headers.get_all("sec-websocket-extensions");
    let offers = offers.iter().filter_map(|value| value.to_str().ok());
    let deflate = negotiate(offers, header("user-agent").unwrap_or_default());
    if let Some(deflate) = deflate {
        let answer = HeaderValue::from_str(&deflate.to_string()).expect("words and numbers");
        headers.insert("sec-websocket-extensions", answer);
    }
    Some((response, deflate))
}

/// A plain GET where an upgrade was expected: most often a proxy that drops the `Upgrade` header.
pub(super) fn upgrade_required() -> Response {
    let error = WireError::new(ErrorCode::BadRequest, "a WebSocket upgrade (RFC 6455, version 13) is needed");
    let mut response = crate::http::problem::problem_with(StatusCode::UPGRADE_REQUIRED, &error);
    response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    response.headers_mut().insert("sec-websocket-version", HeaderValue::from_static("13"));
    response
}

/// Why the conversation ends.
pub(super) enum End {
    /// The socket failed or the peer is gone.
    Gone,
    /// With this close code, after what is still to be written.
    Close(u16),
    /// With this close code, and no answer to it is waited for.
    Closed(u16),
}

/// A text message, or why a message is none.
pub(super) type Said = Result<String, WireError>;

/// One socket.
pub(super) struct Socket {
    pub(super) wire: Arc<Wire>,
    /// What events look like on it.
    pub(super) framing: Framing,
    decoder: Decoder,
}

impl Socket {
    /// A client with a smaller window than everybody's is sent nothing compressed; it may send so itself.
    pub(super) fn new(wire: Arc<Wire>, deflate: Option<Deflate>) -> Self {
        let shares = deflate.is_some_and(|deflate| deflate.takes(usize::MAX));
        let framing = if shares { Framing::WebSocketDeflated } else { Framing::WebSocket };
        let decoder = Decoder::new(Role::Server, limits::BODY_BYTES_MAX).with_deflate(deflate);
        Self { wire, framing, decoder }
    }

    /// Stages text frames.
    pub(super) fn stage<'a>(&self, frames: impl IntoIterator<Item = &'a [u8]>) {
        self.wire.stage_with(|out| frames.into_iter().for_each(|json| text_frame::frame(out, json)));
    }

    /// Takes what the socket has, up to one buffer.
    pub(super) fn read(&mut self, texts: &mut Vec<Said>) -> Result<(), End> {
        let wire = self.wire.clone();
        match wire.read(|bytes| if bytes.is_empty() { Err(End::Gone) } else { self.decode(bytes, texts) }) {
            Ok(None) => Ok(()),
            Ok(Some(decoded)) => decoded,
            Err(_) => Err(End::Gone),
        }
    }

    /// Reads until there is a text; false if it takes too long.
    pub(super) async fn hear_first(&mut self, texts: &mut Vec<Said>) -> Result<bool, End> {
        let until = Instant::now() + Duration::from_millis(limits::HELLO_MS_MAX);
        while texts.is_empty() {
            match timeout_at(until, self.wire.readable()).await {
                Ok(readable) => readable.map_err(|_| End::Gone)?,
                Err(_elapsed) => return Ok(false),
            }
            self.read(texts)?;
        }
        Ok(true)
    }

    /// Decodes what was read. What is no text is an error in its place.
    pub(super) fn decode(&mut self, mut input: &[u8], texts: &mut Vec<Said>) -> Result<(), End> {
        loop {
            match self.decoder.decode(&mut input) {
                Ok(None) => return Ok(()),
                Ok(Some(Event::Text(text))) => texts.push(Ok(text)),
                Ok(Some(Event::Binary(_))) => {
                    texts.push(Err(WireError::new(ErrorCode::BadRequest, "commands are text messages")));
                }
                Ok(Some(Event::Ping(payload))) => self.wire.stage_with(|out| encode::pong(out, &payload)),
                Ok(Some(Event::Pong(_))) => {}
                Ok(Some(Event::Close(close))) => {
                    return Err(End::Closed(close.map_or(NORMAL, |close| close.code)));
                }
                Err(Violation::TooLarge) => {
                    let message = format!("a message has at most {} bytes", limits::BODY_BYTES_MAX);
                    let error = WireError::new(ErrorCode::TooLarge, message);
                    self.stage([frame::reply_error(None, &error).as_slice()]);
                    return Err(End::Close(Violation::TooLarge.close_code()));
                }
                // RFC 6455, 7.1.7: from a peer that broke the protocol no answer is waited for.
                Err(violation) => return Err(End::Closed(violation.close_code())),
            }
        }
    }

    /// Waits as long as a goodbye may take.
    pub(super) async fn in_time<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        timeout(Duration::from_millis(CLOSE_MS_MAX), wait).await.ok()
    }

    /// Says goodbye. The connection ends when both have: at once where the peer was first, else when its close
    /// comes, or it has taken too long.
    pub(super) async fn close(&mut self, end: &End) {
        let (code, answered) = match end {
            End::Gone => return,
            End::Close(code) => (*code, false),
            End::Closed(code) => (*code, true),
        };
        self.wire.stage_with(|out| encode::close(out, code, ""));
        self.wire.flush();
        let goodbye = async {
            if self.wire.cleared().await.is_ok() && !answered {
                self.hear_close().await;
            }
        };
        let _ = timeout(Duration::from_millis(CLOSE_MS_MAX), goodbye).await;
    }

    /// Reading on keeps the peer's last bytes from resetting the connection under ours.
    async fn hear_close(&mut self) {
        let mut input = Vec::new();
        while self.wire.readable().await.is_ok() {
            input.clear();
            match self.wire.read_into(&mut input) {
                Ok(Some(0)) | Err(_) => return,
                Ok(_) if self.says_close(&input) => return,
                Ok(_) => {}
            }
        }
    }

    fn says_close(&mut self, mut input: &[u8]) -> bool {
        while let Ok(Some(event)) = self.decoder.decode(&mut input) {
            if matches!(event, Event::Close(_)) {
                return true;
            }
        }
        false
    }
}
