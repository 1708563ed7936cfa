//! An open chat: one caller's feed down and their commands up, as messages of a SockJS session.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;

use tokio::time::Instant;
use wigeon_proto::cursor::Cursor;
use wigeon_proto::error::WireError;
use wigeon_proto::frame::Control;
use wigeon_proto::limits;
use wigeon_proto::sockjs::frame::Close;

use crate::app::App;
use crate::caller::Caller;
use crate::commands::{Effect, Taken, refuse, take};
use crate::hub::{Batch, Feed};
use crate::line::Line;
use crate::transport::opening::{Opening, Wanted, feed_error};
use crate::transport::pulse::{Due, Pulse, bye, expired, revoked};

/// RFC 6455, 7.4.1: the server restarts.
const RESTART: u16 = 1012;

/// A caller with an open feed.
pub(super) struct Open {
    app: Arc<App>,
    caller: Caller,
    feed: Feed,
    /// What is said before anything else.
    first: Vec<Vec<u8>>,
    pulse: Pulse,
    line: Line,
    /// Commands that have not been taken in, in order.
    backlog: VecDeque<String>,
    /// The command that is being taken in.
    working: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// The cursor that a control frame told last.
    told: Cursor,
}

/// What is still to be said, and then the close.
pub(super) struct Ending {
    pub(super) last: Option<Vec<u8>>,
    pub(super) close: Close,
}

impl Open {
    /// Opens the feed. The first frames are `ready` and perhaps `reset`.
    pub(super) async fn begin(app: Arc<App>, caller: Caller, wanted: Wanted) -> Result<Self, WireError> {
        let opening = Opening::of(&app, &caller, wanted).await?;
        let feed = app.open_feed(opening.start.clone()).await.map_err(feed_error)?;
        let told = feed.cursor();
        let first = opening.frames(told, None);
        let pulse = Pulse::new(&app, &caller, false, false);
        let (line, backlog) = (Line::new(None), VecDeque::new());
        Ok(Self { app, caller, feed, first, pulse, line, backlog, working: None, told })
    }

    /// Adds what is said after the first frames, and still before anything else.
    pub(super) fn say_first(&mut self, frame: Vec<u8>) {
        self.first.push(frame);
    }

    /// Whether it takes another message.
    pub(super) fn has_room(&self) -> bool {
        self.line.len() + self.backlog.len() < limits::COMMANDS_IN_FLIGHT_MAX
    }

    pub(super) fn receive(&mut self, commands: Result<Vec<&str>, WireError>) {
        match commands {
            Ok(commands) => {
                self.backlog.extend(commands.into_iter().map(str::to_owned));
            }
            Err(error) => refuse(&self.line, None, error),
        }
    }

    /// Takes in what waits, up to a command that has to be waited for.
    fn work(&mut self) {
        while self.working.is_none()
            && let Some(text) = self.backlog.pop_front()
        {
            match take(&self.app, &self.caller, &self.line, &text) {
                Taken::Done(Effect::None) => {}
                Taken::Done(Effect::Focus(rooms)) => self.feed.focus(rooms),
                Taken::Later(work) => self.working = Some(work),
            }
        }
    }

    /// Whether a command has not been taken in.
    pub(super) fn has_work(&self) -> bool {
        self.working.is_some() || !self.backlog.is_empty()
    }

    /// Takes in every command there is, whether or not anybody reads the replies. Cancel-safe.
    pub(super) async fn settle(&mut self) {
        loop {
            self.work();
            let Some(working) = &mut self.working else { return };
            working.await;
            self.working = None;
        }
    }

    /// The next frames. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Vec<Vec<u8>>, Ending> {
        if !self.first.is_empty() {
            return Ok(std::mem::take(&mut self.first));
        }
        loop {
            self.work();
            let replies = self.line.take();
            if !replies.is_empty() {
                return Ok(replies);
            }
            tokio::select! {
                () = done(&mut self.working) => self.working = None,
                () = self.line.moved() => {}
                batch = self.feed.next() => return match batch {
                    Ok(batch) => Ok(frames(&batch)),
                    Err(error) => Err(last_word(feed_error(error))),
                },
                due = self.pulse.due() => if let Some(frame) = self.tick(&due)? {
                    return Ok(vec![frame]);
                },
            }
        }
    }

    /// What the clock brings. A heartbeat is said only where it has a new cursor to tell: for signs of life
    /// SockJS has its own.
    fn tick(&mut self, due: &Due) -> Result<Option<Vec<u8>>, Ending> {
        self.line.give_up(Instant::now());
        match due {
            Due::Beat if self.caller.is_revoked(&self.app) => Err(last_word(revoked())),
            Due::Beat => {
                let now = self.feed.cursor();
                let moved = now != self.told;
                self.told = now;
                Ok(moved.then(|| Control::heartbeat(now)))
            }
            Due::Old => Ok(None),
            Due::Renew => {
                let grant = self.pulse.renew(&self.app, &mut self.caller);
                Ok(grant.map(|grant| Control::Ticket(grant).to_json()))
            }
            Due::Expired => Err(last_word(expired())),
            Due::Bye => Err(going_down()),
        }
    }
}

/// Returns when the command that is waited for is done; never, if there is none.
async fn done(working: &mut Option<Pin<Box<dyn Future<Output = ()> + Send>>>) {
    match working {
        Some(working) => working.await,
        None => std::future::pending().await,
    }
}

fn frames(batch: &Batch) -> Vec<Vec<u8>> {
    batch.frames().map(|(_, json)| json.to_vec()).collect()
}

/// The end of one who was in.
fn last_word(error: WireError) -> Ending {
    let close = close(&error);
    Ending { last: Some(Control::Error { error }.to_json()), close }
}

pub(super) fn going_down() -> Ending {
    Ending { last: Some(bye()), close: Close::new(RESTART, "the server restarts") }
}

pub(super) fn close(error: &WireError) -> Close {
    Close::new(error.code.close_code(), error.message.clone())
}
