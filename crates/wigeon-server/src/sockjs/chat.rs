//! The chat in a SockJS session: Wigeon's frames as messages, commands as messages.
//!
//! ```text
//!              hello                 feed is there
//!   Waiting ───────────▶ Opening ───────────────────▶ Open
//!      │                    │ refused                  │ expired, revoked, bye
//!      └──── too late ──────┴──────────▶ Ending ◀──────┘
//! ```
//! A session whose URL names a ticket (or whose upgrade brings a token) begins with Opening. Whoever is
//! refused hears the error in a message, and then its close code.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use tokio::time::{Instant, sleep_until};
use wigeon_proto::command::{Command, Hello, Live, Request};
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::frame;
use wigeon_proto::id::{CommandId, UserId};
use wigeon_proto::limits;

use super::Face;
use super::application::{Application, Kind, Message, Told};
use super::open::{Ending, Open, close, going_down};
use crate::app::App;
use crate::caller::Caller;
use crate::commands::split;
use crate::telemetry::{commands_received, frames_sent};
use crate::transport::opening::Wanted;
use crate::transport::request::EventsRequest;

pub(super) struct Chat {
    app: Arc<App>,
    state: State,
}

enum State {
    /// Nobody has said who asks.
    Waiting {
        until: Instant,
        wanted: Wanted,
    },
    /// `backlog` is what came behind `hello`, with it or after it.
    Opening {
        open: Coming,
        backlog: Vec<Message>,
    },
    Open(Box<Open>),
    Ending(Ending),
}

/// An open feed, or why there is none.
type Coming = Pin<Box<dyn Future<Output = Result<Open, Refused>> + Send>>;

/// Messages that wait for a feed to open, which takes no longer than a read of the log.
const BACKLOG_MAX: usize = 16;

/// Who is refused, under the id of their `hello`.
struct Refused(Option<CommandId>, WireError);

impl Chat {
    /// What begins for a request to this face.
    pub(super) fn or_service(face: &Face, parts: &Parts) -> Application {
        match face.kind {
            Kind::Chat => Application::Chat(Box::new(Self::begin(&face.app, parts))),
            kind => Application::service(kind),
        }
    }

    fn begin(app: &Arc<App>, parts: &Parts) -> Self {
        let state = match who(app, parts) {
            Ok((Some(caller), wanted)) => {
                let app = app.clone();
                let open = Box::pin(async move {
                    Open::begin(app, caller, wanted).await.map_err(|error| Refused(None, error))
                });
                State::Opening { open, backlog: Vec::new() }
            }
            Ok((None, wanted)) => {
                let until = Instant::now() + Duration::from_millis(limits::HELLO_MS_MAX);
                State::Waiting { until, wanted }
            }
            Err(error) => State::Ending(refused(&Refused(None, error))),
        };
        Self { app: app.clone(), state }
    }

    pub(super) fn has_room(&self) -> bool {
        match &self.state {
            State::Opening { backlog, .. } => backlog.len() < BACKLOG_MAX,
            State::Open(open) => open.has_room(),
            State::Waiting { .. } | State::Ending(_) => true,
        }
    }

    pub(super) fn receive(&mut self, message: &Message) {
        if let State::Opening { backlog, .. } = &mut self.state {
            return backlog.push(message.clone());
        }
        let text = match message {
            Message::Text(bytes) => std::str::from_utf8(bytes).ok(),
            Message::Binary(_) => None,
        };
        let commands = text
            .ok_or_else(|| WireError::new(ErrorCode::BadRequest, "commands are text messages"))
            .and_then(split);
        commands_received(commands.as_ref().map_or(0, Vec::len));
        match &mut self.state {
            State::Open(open) => open.receive(commands),
            State::Waiting { wanted, .. } => {
                let state = match commands.map_err(|error| Refused(None, error)).and_then(hello) {
                    Ok((greeting, backlog)) => {
                        let wanted = wanted.clone();
                        let open = Box::pin(open_by_hello(self.app.clone(), greeting, wanted));
                        State::Opening { open, backlog: backlog.into_iter().map(Message::from).collect() }
                    }
                    Err(refusal) => State::Ending(refused(&refusal)),
                };
                self.state = state;
            }
            // Who is refused hears it.
            State::Opening { .. } | State::Ending(_) => {}
        }
    }

    /// Whether there is something that [`Self::settle`] does.
    pub(super) fn has_work(&self) -> bool {
        match &self.state {
            State::Opening { .. } => true,
            State::Open(open) => open.has_work(),
            State::Waiting { .. } | State::Ending(_) => false,
        }
    }

    /// Takes in what was received, though nobody reads: its sender was told that it was heard. Cancel-safe.
    pub(super) async fn settle(&mut self) {
        self.open().await;
        if let State::Open(open) = &mut self.state {
            open.settle().await;
        }
    }

    /// Ends the Opening. Cancel-safe.
    async fn open(&mut self) {
        let State::Opening { open, backlog } = &mut self.state else { return };
        let opened = open.await;
        let backlog = std::mem::take(backlog);
        self.state = match opened {
            Ok(open) => State::Open(Box::new(open)),
            Err(refusal) => State::Ending(refused(&refusal)),
        };
        for message in &backlog {
            self.receive(message);
        }
    }

    pub(super) async fn next(&mut self) -> Told {
        self.open().await;
        let ending = match &mut self.state {
            State::Waiting { until, .. } => tokio::select! {
                () = sleep_until(*until) => refused(&Refused(None, no_credentials())),
                () = self.app.draining.cancelled() => going_down(),
            },
            State::Opening { .. } => unreachable!("it is awaited above"),
            State::Open(open) => match open.next().await {
                Ok(messages) => return told(messages),
                Err(ending) => ending,
            },
            State::Ending(Ending { last, close }) => {
                return match last.take() {
                    Some(last) => told(vec![last]),
                    None => Told::Close(close.clone()),
                };
            }
        };
        let Ending { last, close } = ending;
        self.state = State::Ending(Ending { last: None, close: close.clone() });
        last.map_or(Told::Close(close), |last| told(vec![last]))
    }
}

/// A `hello`, with the id and the user of its command.
type Greeting = (Option<CommandId>, Option<UserId>, Hello);

/// The first command, which must be `hello`, and what came behind it.
fn hello(commands: Vec<&str>) -> Result<(Greeting, Vec<String>), Refused> {
    let mut commands = commands.into_iter();
    let first = commands.next().expect("splitting gives at least one command");
    match Request::decode(first) {
        Ok(Request { id, on_behalf_of, command: Command::Live(Live::Hello(hello)) }) => {
            Ok(((id, on_behalf_of, hello), commands.map(str::to_owned).collect()))
        }
        Ok(Request { id, .. }) => Err(Refused(id, no_credentials())),
        Err(unreadable) => Err(Refused(unreadable.id, unreadable.error)),
    }
}

/// Who asks, as far as the request says, and for what.
fn who(app: &App, parts: &Parts) -> Result<(Option<Caller>, Wanted), WireError> {
    if app.draining.is_cancelled() {
        return Err(WireError::new(ErrorCode::Unavailable, "the server is going down"));
    }
    let asked = EventsRequest::read(parts)?;
    let caller = Caller::of(app, parts, asked.ticket.as_deref())?;
    Ok((caller, Wanted::from(&asked)))
}

async fn open_by_hello(
    app: Arc<App>,
    (id, on_behalf_of, hello): Greeting,
    wanted: Wanted,
) -> Result<Open, Refused> {
    let caller = || {
        let token = hello.token.as_deref().ok_or_else(no_credentials)?;
        Ok((Caller::from_token(&app, token)?, wanted.by_hello(on_behalf_of, &hello)?))
    };
    let opened = match caller() {
        Ok((caller, wanted)) => Open::begin(app.clone(), caller, wanted).await,
        Err(error) => Err(error),
    };
    match opened {
        Ok(mut open) => {
            open.say_first(frame::reply_ok(id.as_ref(), b"{}"));
            Ok(open)
        }
        Err(error) => Err(Refused(id, error)),
    }
}

fn told(frames: Vec<Vec<u8>>) -> Told {
    frames_sent(frames.len());
    Told::Messages(frames.into_iter().map(Message::from).collect())
}

/// The end of one who is not let in.
fn refused(Refused(id, error): &Refused) -> Ending {
    Ending { last: Some(frame::reply_error(id.as_ref(), error)), close: close(error) }
}

fn no_credentials() -> WireError {
    WireError::new(ErrorCode::Unauthenticated, "the first message is `hello` with a token")
}
