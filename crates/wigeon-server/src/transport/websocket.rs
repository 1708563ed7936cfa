//! The WebSocket: frames down and commands up on one socket.
//!
//! One task owns the socket. It reads while few replies are outstanding, asks its feed for more only when
//! everything before is written, and writes all that is due in one go. So a peer that does not read costs
//! a position and a bounded buffer, and one that floods commands is simply not read.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use wigeon_proto::command::{Command, Hello, Live, Request};
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::frame::{self, Control};
use wigeon_proto::framing::{Framing, websocket as text_frame};
use wigeon_proto::id::{CommandId, UserId};
use wigeon_proto::limits;
use wigeon_proto::transport::Transport;
use wigeon_proto::websocket::{Decoder, Event, Role, Violation, encode, handshake};

use super::opening::{Opening, Wanted, feed_error};
use super::pulse::{Due, Pulse, bye, expired, revoked};
use super::request::EventsRequest;
use super::stream::append;
use crate::app::App;
use crate::caller::Caller;
use crate::commands::{Effect, Line, split};
use crate::hub::Feed;

/// RFC 6455, 7.4.1: the server restarts.
const RESTART: u16 = 1012;
/// RFC 6455, 7.4.1: all is well.
const NORMAL: u16 = 1000;
/// Bytes read at once. Most commands are far smaller.
const READ_BYTES: usize = 8 * 1024;
/// Replies and frames that wait for a peer to read; past it the peer is not read either.
const OUT_BYTES_MAX: usize = 512 * 1024;
/// How long a closing handshake may take.
const CLOSE_MS_MAX: u64 = 2_000;

/// Answers the upgrade and starts the socket's task. Where the request says who asks, the feed is open before
/// the answer leaves: what is sent after a client has seen the 101 reaches it, without waiting for `ready`.
pub(super) async fn upgrade(
    app: &Arc<App>,
    parts: &mut Parts,
    caller: Option<Caller>,
    asked: EventsRequest,
) -> Result<Response, WireError> {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let accept = header("sec-websocket-key").and_then(handshake::accept);
    let (Some(accept), Some("13")) = (accept, header("sec-websocket-version")) else {
        return Ok(upgrade_required());
    };
    let Some(on_upgrade) = parts.extensions.remove::<OnUpgrade>() else { return Ok(upgrade_required()) };
    let opened = match caller {
        Some(caller) => Some(Opened::of(app, caller, (&asked).into()).await?),
        None => None,
    };
    let app = app.clone();
    tokio::spawn(async move {
        let Ok(upgraded) = on_upgrade.await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else {
            tracing::error!("a WebSocket over something else than TCP");
            return;
        };
        let mut socket = Socket::new(app, parts.io.into_inner());
        // A socket that fails has nobody left to tell.
        let _ = socket.run(opened, asked, &parts.read_buf).await;
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert("sec-websocket-accept", HeaderValue::from_str(&accept).expect("base64"));
    Ok(response)
}

/// A plain GET where an upgrade was expected: most often a proxy that drops the `Upgrade` header.
fn upgrade_required() -> Response {
    let error = WireError::new(ErrorCode::BadRequest, "a WebSocket upgrade (RFC 6455, version 13) is needed");
    let mut response = crate::http::problem::problem_with(StatusCode::UPGRADE_REQUIRED, &error);
    response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    response.headers_mut().insert("sec-websocket-version", HeaderValue::from_static("13"));
    response
}

/// Why the conversation ends.
enum End {
    /// The socket failed or the peer is gone.
    Gone,
    /// With this close code, after what is still to be written.
    Close(u16),
    /// With this close code, and no answer to it is waited for.
    Closed(u16),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

struct Socket {
    app: Arc<App>,
    stream: TcpStream,
    decoder: Decoder,
    /// Frames that are due, in order.
    out: Vec<u8>,
    line: Line,
    _open: crate::telemetry::Open,
}

/// A caller with an open feed that has not said anything yet.
struct Opened {
    caller: Caller,
    opening: Opening,
    feed: Feed,
}

impl Opened {
    async fn of(app: &Arc<App>, caller: Caller, wanted: Wanted) -> Result<Self, WireError> {
        let opening = Opening::of(app, &caller, wanted).await?;
        let feed = app.open_feed(opening.start.clone()).await.map_err(feed_error)?;
        Ok(Self { caller, opening, feed })
    }

    /// What `hello` names goes before what the URL names.
    async fn by_hello(
        app: &Arc<App>,
        asked: &EventsRequest,
        on_behalf_of: Option<UserId>,
        hello: &Hello,
    ) -> Result<Self, WireError> {
        let token = hello.token.as_deref().ok_or_else(no_credentials)?;
        let caller = Caller::from_token(app, token)?;
        Self::of(app, caller, Wanted::from(asked).by_hello(on_behalf_of, hello)?).await
    }
}

/// A socket whose caller is known and whose feed is open.
struct Session {
    caller: Caller,
    feed: Feed,
    pulse: Pulse,
}

impl Socket {
    fn new(app: Arc<App>, stream: TcpStream) -> Self {
        Self {
            app,
            stream,
            decoder: Decoder::new(Role::Server, limits::BODY_BYTES_MAX),
            out: Vec::new(),
            line: Line::default(),
            _open: crate::telemetry::Open::new(Transport::Websocket),
        }
    }

    async fn run(&mut self, opened: Option<Opened>, asked: EventsRequest, early: &[u8]) -> io::Result<()> {
        let mut backlog = Vec::new();
        let end = match self.begin(opened, asked, early, &mut backlog).await {
            Ok(mut session) => {
                self.commands(&mut session, backlog);
                self.talk(&mut session).await
            }
            Err(end) => end,
        };
        match end {
            End::Gone => Ok(()),
            End::Close(code) => self.close(code, false).await,
            End::Closed(code) => self.close(code, true).await,
        }
    }

    /// Says `ready`, after `hello` where the upgrade did not say who asks.
    async fn begin(
        &mut self,
        opened: Option<Opened>,
        asked: EventsRequest,
        early: &[u8],
        backlog: &mut Vec<String>,
    ) -> Result<Session, End> {
        self.decode(early, backlog)?;
        let (Opened { caller, opening, mut feed }, hello) = if let Some(opened) = opened {
            (opened, None)
        } else {
            let (id, on_behalf_of, hello) = self.hello(backlog).await?;
            match Opened::by_hello(&self.app, &asked, on_behalf_of, &hello).await {
                Ok(opened) => (opened, Some(id)),
                Err(error) => return Err(self.refuse(id.as_ref(), error)),
            }
        };
        for ready in opening.frames(feed.cursor(), asked.nonce.clone()) {
            text_frame::frame(&mut self.out, &ready);
        }
        if let Some(id) = hello {
            text_frame::frame(&mut self.out, &frame::reply_ok(id.as_ref(), b"{}"));
        }
        self.write()?;
        let pulse = Pulse::new(&caller, asked.nonce.is_some(), false);
        Ok(Session { caller, feed, pulse })
    }

    /// Waits for `hello`, which must be the first command. What came behind it stays in `backlog`.
    async fn hello(
        &mut self,
        backlog: &mut Vec<String>,
    ) -> Result<(Option<CommandId>, Option<UserId>, Hello), End> {
        let until = Instant::now() + Duration::from_millis(limits::HELLO_MS_MAX);
        while backlog.is_empty() {
            match timeout_at(until, self.stream.readable()).await {
                Ok(readable) => readable?,
                Err(_elapsed) => return Err(self.refuse(None, no_credentials())),
            }
            self.read(backlog)?;
        }
        let text = backlog.remove(0);
        let mut first = match split(&text) {
            Ok(commands) => commands.into_iter().map(str::to_owned).collect::<Vec<_>>(),
            Err(error) => return Err(self.refuse(None, error)),
        };
        let hello = first.remove(0);
        backlog.splice(0..0, first);
        match Request::decode(&hello) {
            Ok(Request { id, on_behalf_of, command: Command::Live(Live::Hello(hello)) }) => {
                Ok((id, on_behalf_of, hello))
            }
            Ok(Request { id, .. }) => Err(self.refuse(id.as_ref(), no_credentials())),
            Err(unreadable) => Err(self.refuse(unreadable.id.as_ref(), unreadable.error)),
        }
    }

    /// A refusal that ends the connection: the error as a frame, then its close code.
    fn refuse(&mut self, id: Option<&CommandId>, error: WireError) -> End {
        text_frame::frame(&mut self.out, &frame::reply_error(id, &error));
        End::Close(error.code.close_code())
    }

    async fn talk(&mut self, session: &mut Session) -> End {
        loop {
            match self.turn(session).await {
                Ok(()) => {}
                Err(end) => return end,
            }
        }
    }

    /// One thing at a time, whatever is first: something to read, room to write, a reply, events, the clock.
    async fn turn(&mut self, session: &mut Session) -> Result<(), End> {
        let Session { feed, pulse, .. } = session;
        let may_read = self.line.len() < limits::COMMANDS_IN_FLIGHT_MAX && self.out.len() < OUT_BYTES_MAX;
        tokio::select! {
            readable = self.stream.readable(), if may_read => {
                readable?;
                let mut texts = Vec::new();
                let read = self.read(&mut texts);
                self.commands(session, texts);
                read?;
            }
            writable = self.stream.writable(), if !self.out.is_empty() => writable?,
            reply = self.line.next(), if self.out.len() < OUT_BYTES_MAX => {
                text_frame::frame(&mut self.out, &reply);
                while let Some(reply) = self.line.ready() {
                    text_frame::frame(&mut self.out, &reply);
                }
            }
            batch = feed.next(), if self.out.is_empty() => match batch {
                Ok(batch) => append(&Framing::WebSocket, &batch, &mut self.out),
                Err(error) => return Err(self.last_word(feed_error(error))),
            },
            due = pulse.due(&self.app) => self.tick(due, session)?,
        }
        self.write()?;
        Ok(())
    }

    fn tick(&mut self, due: Due, session: &mut Session) -> Result<(), End> {
        match due {
            Due::Beat if session.caller.is_revoked(&self.app) => return Err(self.last_word(revoked())),
            // With frames still unwritten the heartbeat has nothing new to say; the peer's silence is bounded
            // by the socket's own deadline.
            Due::Beat if self.out.is_empty() => {
                text_frame::frame(&mut self.out, &Control::heartbeat(session.feed.cursor()));
            }
            Due::Beat | Due::Old => {}
            Due::Renew => {
                if let Some(grant) = session.pulse.renew(&self.app, &mut session.caller) {
                    text_frame::frame(&mut self.out, &Control::Ticket(grant).to_json());
                }
            }
            Due::Expired => return Err(self.last_word(expired())),
            Due::Bye => {
                text_frame::frame(&mut self.out, &bye());
                return Err(End::Close(RESTART));
            }
        }
        Ok(())
    }

    /// An error that ends the feed: a frame, then its close code.
    fn last_word(&mut self, error: WireError) -> End {
        let code = error.code.close_code();
        text_frame::frame(&mut self.out, &Control::Error { error }.to_json());
        End::Close(code)
    }

    fn commands(&mut self, session: &mut Session, texts: Vec<String>) {
        for text in texts {
            match split(&text) {
                Ok(commands) => {
                    crate::telemetry::commands_received(commands.len());
                    for command in commands {
                        match self.line.push(&self.app, &session.caller, command) {
                            Effect::None => {}
                            Effect::Focus(rooms) => session.feed.focus(rooms),
                        }
                    }
                }
                Err(error) => self.line.refuse(None, error),
            }
        }
    }

    /// Takes what the socket has, up to one buffer.
    fn read(&mut self, texts: &mut Vec<String>) -> Result<(), End> {
        let mut buffer = [0; READ_BYTES];
        match self.stream.try_read(&mut buffer) {
            Ok(0) => Err(End::Gone),
            Ok(count) => self.decode(&buffer[..count], texts),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn decode(&mut self, mut input: &[u8], texts: &mut Vec<String>) -> Result<(), End> {
        loop {
            match self.decoder.decode(&mut input) {
                Ok(None) => return Ok(()),
                Ok(Some(Event::Text(text))) => texts.push(text),
                Ok(Some(Event::Binary(_))) => {
                    let error = WireError::new(ErrorCode::BadRequest, "commands are text messages");
                    self.line.refuse(None, error);
                }
                Ok(Some(Event::Ping(payload))) => encode::pong(&mut self.out, &payload),
                Ok(Some(Event::Pong(_))) => {}
                Ok(Some(Event::Close(close))) => {
                    return Err(End::Closed(close.map_or(NORMAL, |close| close.code)));
                }
                Err(Violation::TooLarge) => {
                    let message = format!("a message has at most {} bytes", limits::BODY_BYTES_MAX);
                    let error = WireError::new(ErrorCode::TooLarge, message);
                    text_frame::frame(&mut self.out, &frame::reply_error(None, &error));
                    return Err(End::Close(Violation::TooLarge.close_code()));
                }
                // RFC 6455, 7.1.7: from a peer that broke the protocol no answer is waited for.
                Err(violation) => return Err(End::Closed(violation.close_code())),
            }
        }
    }

    /// Writes what the socket takes now.
    fn write(&mut self) -> io::Result<()> {
        let mut written = 0;
        while written < self.out.len() {
            match self.stream.try_write(&self.out[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.out.drain(..written);
        if self.out.is_empty() && self.out.capacity() > READ_BYTES {
            self.out = Vec::new();
        }
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

    /// Lets outstanding replies out and says goodbye. The connection ends when both have: at once where the
    /// peer was first, else when its close comes, or it has taken too long.
    async fn close(&mut self, code: u16, answered: bool) -> io::Result<()> {
        let until = Instant::now() + Duration::from_millis(CLOSE_MS_MAX);
        while self.line.len() > 0 {
            let Ok(reply) = timeout_at(until, self.line.next()).await else { break };
            text_frame::frame(&mut self.out, &reply);
        }
        encode::close(&mut self.out, code, "");
        while !self.out.is_empty() {
            self.write()?;
            if !self.out.is_empty() && timeout_at(until, self.stream.writable()).await.is_err() {
                return Ok(());
            }
        }
        // Reading on keeps the peer's last bytes from resetting the connection under ours.
        let mut buffer = [0; READ_BYTES];
        while !answered && timeout_at(until, self.stream.readable()).await.is_ok() {
            match self.stream.try_read(&mut buffer) {
                Ok(0) => break,
                Ok(count) if self.says_close(&buffer[..count]) => break,
                Err(error) if error.kind() != ErrorKind::WouldBlock => break,
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }
}

fn no_credentials() -> WireError {
    WireError::new(ErrorCode::Unauthenticated, "the first frame is `hello` with a token")
}
