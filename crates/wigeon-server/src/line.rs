//! The line: a caller's commands on their way to their replies, which leave in the order of the commands.
//!
//! Durable commands are answered by the sequencer's thread, straight onto the caller's wire where there is
//! one. A reply that is ready before its turn waits in the line.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};
use wigeon_proto::error::{ErrorCode, Outcome, WireError};
use wigeon_proto::frame;
use wigeon_proto::framing::websocket as text_frame;
use wigeon_proto::id::CommandId;
use wigeon_proto::limits::COMMIT_MS_MAX;
use wigeon_store::Answer;

use crate::wire::Wire;

/// Who wants to know what became of an entry.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Somebody who waits.
    Once(oneshot::Sender<Answer>),
    /// A place in a line.
    Placed(Place),
}

impl Reply {
    /// Passes the answer on. The wire it was staged on, if there is one, is to be flushed.
    pub(crate) fn answer(self, answer: Answer) -> Option<Arc<Wire>> {
        match self {
            // A sender that has gone away learns of its answer by repeating the id.
            Self::Once(reply) => drop(reply.send(answer)),
            Self::Placed(place) => {
                let wire = place.line.wire.clone();
                place.fill(answer);
                return wire;
            }
        }
        None
    }
}

/// The commands of one caller.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Where replies go; kept here for a caller without one.
    wire: Option<Arc<Wire>>,
    state: Mutex<State>,
    /// Told when replies have left the line.
    moved: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the first that waits.
    first: u64,
    waiting: VecDeque<Waiting>,
    replies: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct Waiting {
    id: Option<CommandId>,
    since: Instant,
    reply: Option<Vec<u8>>,
}

/// One command's place in its line.
#[derive(Debug)]
pub(crate) struct Place {
    line: Arc<Shared>,
    number: u64,
    filled: bool,
}

impl Line {
    /// A line whose replies go to a WebSocket's wire, if there is one.
    pub(crate) fn new(wire: Option<Arc<Wire>>) -> Self {
        let shared = Shared { wire, state: Mutex::default(), moved: Notify::new() };
        Self { shared: Arc::new(shared) }
    }

    /// Commands that wait for their reply.
    pub(crate) fn len(&self) -> usize {
        self.shared.lock().waiting.len()
    }

    /// Takes the next place.
    pub(crate) fn place(&self, id: Option<CommandId>) -> Place {
        let mut state = self.shared.lock();
        let number = state.first + state.waiting.len() as u64;
        state.waiting.push_back(Waiting { id, since: Instant::now(), reply: None });
        Place { line: self.shared.clone(), number, filled: false }
    }

    /// Returns when replies have left the line since the last time.
    pub(crate) async fn moved(&self) {
        self.shared.moved.notified().await;
    }

    /// Returns when every reply has left. What takes longer than a commit may is given up.
    pub(crate) async fn idle(&self) {
        let until = Instant::now() + Duration::from_millis(COMMIT_MS_MAX);
        while self.len() > 0 {
            if timeout_at(until, self.moved()).await.is_err() {
                self.give_up(Instant::now());
            }
        }
    }

    /// Tells those who have waited too long that nobody knows.
    pub(crate) fn give_up(&self, now: Instant) {
        let mut state = self.shared.lock();
        for waiting in &mut state.waiting {
            if now.duration_since(waiting.since) >= Duration::from_millis(COMMIT_MS_MAX)
                && waiting.reply.is_none()
            {
                waiting.reply = Some(reply(waiting.id.as_ref(), &Err(unconfirmed())));
            }
        }
        self.shared.release(state);
    }

    /// The replies that have come; only where there is no wire.
    pub(crate) fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.shared.lock().replies)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics under a line's lock")
    }

    /// Lets out what is ready at the front.
    fn release(&self, mut state: MutexGuard<'_, State>) {
        let mut any = false;
        while let Some(Waiting { reply: Some(_), .. }) = state.waiting.front() {
            let Some(Waiting { reply: Some(reply), .. }) = state.waiting.pop_front() else { break };
            state.first += 1;
            any = true;
            match &self.wire {
                Some(wire) => wire.stage_with(|out| text_frame::frame(out, &reply)),
                None => state.replies.push(reply),
            }
        }
        drop(state);
        if any {
            self.moved.notify_one();
        }
    }
}

impl Place {
    /// Fills the place with its reply.
    pub(crate) fn fill(mut self, answer: Answer) {
        self.set(&answer);
    }

    fn set(&mut self, answer: &Answer) {
        self.filled = true;
        let mut state = self.line.lock();
        let Some(at) = self.number.checked_sub(state.first) else { return };
        if let Some(waiting) = state.waiting.get_mut(at as usize)
            && waiting.reply.is_none()
        {
            waiting.reply = Some(reply(waiting.id.as_ref(), answer));
            self.line.release(state);
        }
    }
}

impl Drop for Place {
    /// Nobody answers any more: the sequencer has ended, or the question was given up.
    fn drop(&mut self) {
        if !self.filled {
            self.set(&Err(unconfirmed()));
        }
    }
}

fn reply(id: Option<&CommandId>, answer: &Answer) -> Vec<u8> {
    match answer {
        Ok(ok) => frame::reply_ok(id, ok),
        Err(error) => {
            metrics::counter!("wigeon_command_errors_total", "code" => error.code.as_str()).increment(1);
            frame::reply_error(id, error)
        }
    }
}

/// What a sender is told whose entry may or may not be in the log.
pub(crate) fn unconfirmed() -> WireError {
    WireError::new(ErrorCode::Unavailable, "the commit was not confirmed; repeat under the same id")
        .retry_after(1000)
        .outcome(Outcome::Unknown)
}
