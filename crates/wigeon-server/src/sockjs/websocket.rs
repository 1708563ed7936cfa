//! A session on a WebSocket: with SockJS frames in it, or bare, for programs.
//!
//! The socket is the session: it has no name, and ends with the socket. One task reads while the
//! conversation takes messages, asks it for a frame only when everything before is written, and so holds
//! no more than one frame and what the peer has just sent.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use futures_util::FutureExt as _;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::time::{Instant, timeout_at};
use wigeon_proto::limits;
use wigeon_proto::sockjs::payload;
use wigeon_proto::websocket::{Decoder, Event, Opcode, Role, encode, handshake};

use super::application::Message;
use super::chat::Chat;
use super::conversation::{Conversation, Frame};
use super::{Face, complaint, not_found};

/// Whether SockJS frames are in the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// As `sockjs-client` speaks.
    Framed,
    /// One message is one message; no frames to open, beat and close.
    Raw,
}

/// RFC 6455, 7.4.1.
const NORMAL: u16 = 1000;
const PROTOCOL_ERROR: u16 = 1002;
const UNSUPPORTED: u16 = 1003;
/// Bytes read at once.
const READ_BYTES: usize = 8 * 1024;
/// Pongs that wait for a peer to read; past it the peer is not read either.
const OUT_BYTES_MAX: usize = 512 * 1024;
/// How long a closing handshake may take.
const CLOSE_MS_MAX: u64 = 2_000;

/// Answers the upgrade and starts the socket's task.
pub(super) fn upgrade(face: &Arc<Face>, parts: &mut Parts, mode: Mode) -> Response {
    if !face.websocket {
        return not_found();
    }
    let accept = match accept(&parts.headers) {
        Ok(accept) => accept,
        Err(words) => return complaint(StatusCode::BAD_REQUEST, words),
    };
    let Some(on_upgrade) = parts.extensions.remove::<OnUpgrade>() else {
        return complaint(StatusCode::BAD_REQUEST, "This connection cannot be upgraded.");
    };
    let conversation = Conversation::new(Chat::or_service(face, parts));
    tokio::spawn(async move {
        // A peer that is gone before the upgrade leaves nothing to do.
        let Ok(upgraded) = on_upgrade.await else { return };
        // A socket that fails has nobody left to tell.
        let _ = Socket::new(upgraded, conversation, mode).run().await;
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(&accept).expect("base64"));
    response
}

/// The answer to the handshake's key, or why this is none; the words are those of SockJS servers.
fn accept(headers: &HeaderMap) -> Result<String, &'static str> {
    let has = |name: header::HeaderName, word: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
    };
    if !has(header::UPGRADE, "websocket") {
        return Err("Can \"Upgrade\" only to \"WebSocket\".");
    }
    if !has(header::CONNECTION, "upgrade") {
        return Err("\"Connection\" must be \"Upgrade\".");
    }
    if !has(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err("\"Sec-WebSocket-Version\" must be 13.");
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).and_then(|value| value.to_str().ok());
    key.and_then(handshake::accept).ok_or("\"Sec-WebSocket-Key\" must be there.")
}

/// How the talk ends.
enum End {
    /// The peer is gone.
    Gone,
    /// We close, with this code and reason, and wait for the peer to say so, too.
    Close(u16, String),
    /// As [`End::Close`], but the peer was first, or is not worth the wait.
    Closed(u16),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

struct Socket {
    read: ReadHalf<TokioIo<Upgraded>>,
    write: WriteHalf<TokioIo<Upgraded>>,
    decoder: Decoder,
    /// Bytes that are due, in order.
    out: Vec<u8>,
    conversation: Conversation,
    mode: Mode,
}

impl Socket {
    fn new(upgraded: Upgraded, conversation: Conversation, mode: Mode) -> Self {
        let (read, write) = tokio::io::split(TokioIo::new(upgraded));
        let decoder = Decoder::new(Role::Server, limits::BODY_BYTES_MAX);
        Self { read, write, decoder, out: Vec::new(), conversation, mode }
    }

    async fn run(mut self) -> io::Result<()> {
        let end = loop {
            if let Err(end) = self.turn().await {
                break end;
            }
        };
        self.conversation.settle().await;
        if let End::Closed(_) = end {
            // What came before the end is still answered, as far as the answer is there.
            while let Some(frame) = self.conversation.next().now_or_never() {
                if self.encode(&frame).is_err() {
                    break;
                }
            }
        }
        match end {
            End::Gone => Ok(()),
            End::Close(code, reason) => self.close(code, &reason, false).await,
            End::Closed(code) => self.close(code, "", true).await,
        }
    }

    async fn turn(&mut self) -> Result<(), End> {
        let mut buffer = [0; READ_BYTES];
        let may_read = self.conversation.has_room() && self.out.len() < OUT_BYTES_MAX;
        tokio::select! {
            read = self.read.read(&mut buffer), if may_read => match read? {
                0 => Err(End::Gone),
                count => self.decode(&buffer[..count]),
            },
            written = self.write.write(&self.out), if !self.out.is_empty() => {
                self.out.drain(..written?);
                Ok(())
            }
            frame = self.conversation.next(), if self.out.is_empty() => self.encode(&frame),
        }
    }

    fn decode(&mut self, mut input: &[u8]) -> Result<(), End> {
        loop {
            match self.decoder.decode(&mut input) {
                Ok(None) => return Ok(()),
                Ok(Some(Event::Text(text))) => self.take(text)?,
                Ok(Some(Event::Binary(bytes))) if self.mode == Mode::Raw => {
                    self.conversation.take([Message::Binary(bytes.into())]);
                }
                Ok(Some(Event::Binary(_))) => {
                    return Err(End::Close(UNSUPPORTED, "messages are text".to_owned()));
                }
                Ok(Some(Event::Ping(payload))) => encode::pong(&mut self.out, &payload),
                Ok(Some(Event::Pong(_))) => {}
                Ok(Some(Event::Close(close))) => {
                    return Err(End::Closed(close.map_or(NORMAL, |close| close.code)));
                }
                Err(violation) => return Err(End::Closed(violation.close_code())),
            }
        }
    }

    fn take(&mut self, text: String) -> Result<(), End> {
        if self.mode == Mode::Raw {
            self.conversation.take([text.into()]);
            return Ok(());
        }
        match payload::socket(&text) {
            Ok(messages) => {
                self.conversation.take(messages.into_iter().map(Message::from));
                Ok(())
            }
            // To one who breaks the protocol nothing is said but the end.
            Err(_) => Err(End::Closed(PROTOCOL_ERROR)),
        }
    }

    fn encode(&mut self, frame: &Frame) -> Result<(), End> {
        let mut append = |opcode, bytes: &[u8]| {
            encode::header(&mut self.out, opcode, bytes.len());
            self.out.extend_from_slice(bytes);
        };
        match (self.mode, frame) {
            (Mode::Raw, Frame::Messages(messages)) => {
                for message in messages {
                    match message {
                        Message::Text(bytes) => append(Opcode::Text, bytes),
                        Message::Binary(bytes) => append(Opcode::Binary, bytes),
                    }
                }
            }
            (Mode::Raw, Frame::Open | Frame::Heartbeat) => {}
            (Mode::Raw, Frame::Close(close)) => return Err(End::Close(close.code, close.reason.clone())),
            (Mode::Framed, frame) => {
                append(Opcode::Text, &frame.to_bytes());
                if let Frame::Close(_) = frame {
                    return Err(End::Close(NORMAL, String::new()));
                }
            }
        }
        Ok(())
    }

    /// Writes what is due and says goodbye. The connection ends when both have, or it has taken too long.
    async fn close(&mut self, code: u16, reason: &str, answered: bool) -> io::Result<()> {
        let until = Instant::now() + Duration::from_millis(CLOSE_MS_MAX);
        encode::close(&mut self.out, code, reason);
        let Ok(written) = timeout_at(until, self.write.write_all(&self.out)).await else { return Ok(()) };
        written?;
        // Reading on keeps the peer's last bytes from resetting the connection under ours.
        let mut buffer = [0; READ_BYTES];
        let mut over = answered;
        while !over {
            over = match timeout_at(until, self.read.read(&mut buffer)).await {
                Ok(Ok(count)) => count == 0 || self.says_close(&buffer[..count]),
                Ok(Err(_)) | Err(_) => true,
            };
        }
        let _ = timeout_at(until, self.write.shutdown()).await;
        Ok(())
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
