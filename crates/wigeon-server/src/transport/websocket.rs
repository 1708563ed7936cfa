//! The WebSocket session: frames down and commands up on one socket.
//!
//! One task reads, while few replies are outstanding; what goes down is written by whoever has it (see
//! [`crate::wire`]). So a peer that does not read costs a position and a bounded buffer, and one that floods
//! commands is simply not read.

use std::sync::Arc;

use tokio::time::Instant;
use wigeon_proto::command::{Command, Hello, Live, Request};
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::frame::{self, Control};
use wigeon_proto::id::{CommandId, UserId};
use wigeon_proto::limits;
use wigeon_proto::websocket::Deflate;

use super::opening::{Opening, Wanted, feed_error};
use super::pulse::{Due, Pulse, bye, expired, revoked};
use super::request::EventsRequest;
use super::socket::{End, RESTART, Said, Socket};
use crate::app::App;
use crate::caller::Caller;
use crate::commands::{Effect, Taken, refuse, split_message, take};
use crate::hub::{Feed, Loan};
use crate::line::Line;
use crate::wire::{Form, Wire};

/// Replies and frames that wait for a peer to read; past it the peer is not read either.
const OUT_BYTES_MAX: usize = 512 * 1024;

/// A caller with an open feed that has not said anything yet.
pub(super) struct Opened {
    caller: Caller,
    opening: Opening,
    feed: Feed,
}

impl Opened {
    pub(super) async fn of(app: &Arc<App>, caller: Caller, wanted: Wanted) -> Result<Self, WireError> {
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

/// A conversation that has begun, or was refused.
pub(super) struct Talk {
    socket: Socket,
    begun: Result<Session, End>,
    /// What was said before it began.
    backlog: Vec<Said>,
    _open: crate::telemetry::Open,
}

impl Talk {
    /// Finds out who asks, if the upgrade did not say it, and says `ready`. `early` came behind the request.
    pub(super) async fn begin(
        app: &Arc<App>,
        wire: Arc<Wire>,
        opened: Option<Opened>,
        asked: EventsRequest,
        early: Vec<u8>,
        deflate: Option<Deflate>,
    ) -> Box<Self> {
        let open = crate::telemetry::Open::new(asked.transport);
        let (mut socket, mut backlog) = (Socket::new(wire, deflate), Vec::new());
        let begun = begin(app, &mut socket, opened, asked, early, &mut backlog).await;
        Box::new(Self { socket, begun, backlog, _open: open })
    }

    /// Talks until one of the two ends it.
    pub(super) async fn run(mut self: Box<Self>) {
        if let Ok(session) = &mut self.begun {
            let end = session.talk(&mut self.socket, &mut self.backlog).await;
            if !matches!(end, End::Gone) {
                // Replies that are outstanding go out before the goodbye.
                let _ = Box::pin(self.socket.in_time(session.line.idle())).await;
            }
            self.begun = Err(end);
        }
        if let Err(end) = &self.begun {
            Box::pin(self.socket.close(end)).await;
        }
    }
}

/// Says `ready`, after `hello` where the upgrade did not say who asks.
async fn begin(
    app: &Arc<App>,
    socket: &mut Socket,
    opened: Option<Opened>,
    asked: EventsRequest,
    early: Vec<u8>,
    backlog: &mut Vec<Said>,
) -> Result<Session, End> {
    socket.decode(&early, backlog)?;
    let (Opened { caller, opening, feed }, hello) = if let Some(opened) = opened {
        (opened, None)
    } else {
        socket.wire.flush();
        let (id, on_behalf_of, hello) = hear_hello(socket, backlog).await?;
        match Opened::by_hello(app, &asked, on_behalf_of, &hello).await {
            Ok(opened) => (opened, Some(id)),
            Err(error) => return Err(refused(socket, id.as_ref(), &error)),
        }
    };
    let mut first = opening.frames(feed.cursor(), asked.nonce.clone());
    first.extend(hello.map(|id| frame::reply_ok(id.as_ref(), b"{}")));
    socket.stage(first.iter().map(Vec::as_slice));
    socket.wire.flush();
    let form = Form::Stream { framing: socket.framing.clone(), chunked: false };
    let session = Session {
        app: app.clone(),
        line: Line::new(Some(socket.wire.clone())),
        loan: Arc::new(Loan { wire: socket.wire.clone(), form }),
        pulse: Pulse::new(app, &caller, asked.nonce.is_some(), false),
        caller,
        feed,
    };
    Ok(session)
}

/// Waits for `hello`, which must be the first command. What came behind it stays in `backlog`.
async fn hear_hello(
    socket: &mut Socket,
    backlog: &mut Vec<Said>,
) -> Result<(Option<CommandId>, Option<UserId>, Hello), End> {
    if !socket.hear_first(backlog).await? {
        return Err(refused(socket, None, &no_credentials()));
    }
    let text = backlog.remove(0).map_err(|error| refused(socket, None, &error))?;
    let first = split_message(&text).map_err(|error| refused(socket, None, &error))?;
    let hello = first[0];
    backlog.splice(0..0, first[1..].iter().map(|text| Ok((*text).to_owned())));
    match Request::decode(hello) {
        Ok(Request { id, on_behalf_of, command: Command::Live(Live::Hello(hello)) }) => {
            Ok((id, on_behalf_of, hello))
        }
        Ok(Request { id, .. }) => Err(refused(socket, id.as_ref(), &no_credentials())),
        Err(unreadable) => Err(refused(socket, unreadable.id.as_ref(), &unreadable.error)),
    }
}

/// A refusal that ends the connection: the error as a frame, then its close code.
fn refused(socket: &Socket, id: Option<&CommandId>, error: &WireError) -> End {
    socket.stage([frame::reply_error(id, error).as_slice()]);
    End::Close(error.code.close_code())
}

/// A socket's caller, with an open feed.
struct Session {
    app: Arc<App>,
    caller: Caller,
    feed: Feed,
    loan: Arc<Loan>,
    line: Line,
    pulse: Pulse,
}

impl Session {
    async fn talk(&mut self, socket: &mut Socket, backlog: &mut Vec<Said>) -> End {
        self.commands(std::mem::take(backlog)).await;
        self.loan.wire.flush();
        loop {
            if let Err(end) = self.turn(socket).await {
                return end;
            }
        }
    }

    /// One thing at a time, whatever is first: something to read, the feed's end, the clock.
    async fn turn(&mut self, socket: &mut Socket) -> Result<(), End> {
        let wire = &self.loan.wire;
        let may_read = self.line.len() < limits::COMMANDS_IN_FLIGHT_MAX && wire.waiting() < OUT_BYTES_MAX;
        tokio::select! {
            readable = wire.readable(), if may_read => {
                readable.map_err(|_| End::Gone)?;
                let mut texts = Vec::new();
                let read = socket.read(&mut texts);
                self.commands(texts).await;
                read?;
            }
            () = relieved(&self.line, wire), if !may_read => {}
            flowed = self.feed.flow(&self.loan) => if let Err(error) = flowed {
                return Err(self.last_word(feed_error(error)));
            },
            due = self.pulse.due() => self.tick(due)?,
        }
        self.loan.wire.flush();
        Ok(())
    }

    async fn commands(&mut self, texts: Vec<Said>) {
        for text in texts {
            match text.as_deref().map_err(Clone::clone).and_then(split_message) {
                Ok(commands) => {
                    crate::telemetry::commands_received(commands.len());
                    for command in commands {
                        match take(&self.app, &self.caller, &self.line, command) {
                            Taken::Done(Effect::None) => {}
                            Taken::Done(Effect::Focus(rooms)) => self.feed.focus(rooms),
                            Taken::Later(work) => work.await,
                        }
                    }
                }
                Err(error) => refuse(&self.line, None, error),
            }
        }
    }

    fn tick(&mut self, due: Due) -> Result<(), End> {
        self.line.give_up(Instant::now());
        match due {
            Due::Beat if self.caller.is_revoked(&self.app) => return Err(self.last_word(revoked())),
            // With frames still unwritten the heartbeat has nothing new to say; the peer's silence is bounded
            // by the socket's own deadline.
            Due::Beat if self.loan.wire.is_clear() => self.say(&Control::heartbeat(self.feed.cursor())),
            Due::Beat | Due::Old => {}
            Due::Renew => {
                if let Some(grant) = self.pulse.renew(&self.app, &mut self.caller) {
                    self.say(&Control::Ticket(grant).to_json());
                }
            }
            Due::Expired => return Err(self.last_word(expired())),
            Due::Bye => {
                self.say(&bye());
                return Err(End::Close(RESTART));
            }
        }
        Ok(())
    }

    /// An error that ends the feed: a frame, then its close code.
    fn last_word(&self, error: WireError) -> End {
        let code = error.code.close_code();
        self.say(&Control::Error { error }.to_json());
        End::Close(code)
    }

    fn say(&self, json: &[u8]) {
        self.loan.wire.stage_with(|out| self.loan.form.write(out, std::iter::once((None, json))));
    }
}

/// Returns when there may be room for more commands. It is seldom waited for, so that nothing is kept for it.
async fn relieved(line: &Line, wire: &Wire) {
    Box::pin(async {
        tokio::select! {
            () = line.moved() => {}
            _ = wire.cleared() => {}
        }
    })
    .await;
}

fn no_credentials() -> WireError {
    WireError::new(ErrorCode::Unauthenticated, "the first frame is `hello` with a token")
}
