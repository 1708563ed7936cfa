//! The sequencer: the only one who appends.
//!
//! One thread takes what has arrived, applies it in order, commits once, and only then answers the
//! senders and hands the events on. While a commit is being synced the next batch gathers by itself:
//! no timer makes anybody wait.
//!
//! It is also the one place where state is exactly at a position. So a feed is attached here, between
//! two commits: the hub learns of the feed and its rooms in the same order as of the events.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;
use wigeon_core::entry::Entry;
use wigeon_core::outcome::{Change, Outcome};
use wigeon_proto::cursor::Cursor;
use wigeon_proto::error::{ErrorCode, Outcome as Effect, WireError};
use wigeon_proto::frame;
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::json;
use wigeon_proto::limits::{COMMIT_ENTRIES_MAX, SEQUENCER_QUEUE_MAX};

use crate::Fault;
use crate::writer::Writer;

/// What a sender is told: the reply's `ok` object, or why not.
pub type Answer = Result<Vec<u8>, WireError>;

/// An event that is durable, ready to be shown.
#[derive(Debug)]
pub struct Committed {
    /// Where it stands.
    pub cursor: Cursor,
    /// Its audience.
    pub room: RoomId,
    /// The room it is about.
    pub about: RoomId,
    /// Who did it.
    pub from: UserId,
    /// The frame's `type`.
    pub kind: &'static str,
    /// Whether anybody may watch its audience.
    pub public: bool,
    /// Its frame, the same bytes for every receiver.
    pub json: Arc<[u8]>,
    /// Who has become a member with it.
    pub joined: Vec<UserId>,
    /// Whose membership ends with it.
    pub left: Vec<UserId>,
}

/// Where answers, committed events and new feeds go, in one order.
pub trait Outlet: Send + 'static {
    /// A feed that wants to be live, as the outlet knows it.
    type Feed: Send + 'static;

    /// Where a sender waits for its answer, as the outlet knows it.
    type Reply: Send + 'static;

    /// What came of an entry. Called for each entry of a batch, in order, once the batch is durable and
    /// before [`Self::commit`].
    fn answer(&mut self, reply: Self::Reply, answer: Answer);

    /// Events of one batch, ascending. Called exactly once per batch, also when it brought none: here an
    /// outlet lets go of what it has gathered.
    fn commit(&mut self, events: Vec<Committed>, position: u64);

    /// A feed begins at `position`: its user is in exactly `rooms` there.
    fn attach(&mut self, feed: Self::Feed, rooms: Vec<RoomId>, position: u64);
}

enum Request<F, R> {
    Submit { entry: Entry, reply: R },
    Attach { user: UserId, feed: F },
    Close,
}

/// A handle to the sequencer's thread.
#[derive(Debug)]
pub struct Sequencer<F, R> {
    requests: mpsc::Sender<Request<F, R>>,
}

impl<F, R> Clone for Sequencer<F, R> {
    fn clone(&self) -> Self {
        Self { requests: self.requests.clone() }
    }
}

impl<F: Send + 'static, R: Send + 'static> Sequencer<F, R> {
    /// Starts the thread. It ends when [`Self::close`] is called, or with the error that stopped it:
    /// then nothing of the last batch was acknowledged, and the program must end.
    /// `alive` is dropped when the thread ends, whatever ended it.
    pub fn start<O: Outlet<Feed = F, Reply = R>>(
        writer: Writer,
        outlet: O,
        alive: impl Send + 'static,
    ) -> (Self, JoinHandle<Result<(), Fault>>) {
        let (requests, inbox) = mpsc::channel(SEQUENCER_QUEUE_MAX);
        let run = move || {
            let _alive = alive;
            Run { writer, outlet, inbox }.run()
        };
        let thread = thread::Builder::new().name("sequencer".into()).spawn(run);
        (Self { requests }, thread.expect("a thread at start-up"))
    }

    /// Puts an entry in line. The outlet is given the answer when the entry is durable, or refused; where
    /// there is no place in line, the caller has the reason at once and `reply` is dropped.
    pub fn submit(&self, entry: Entry, reply: R) -> Result<(), (WireError, R)> {
        let refused = |error: WireError, request| match request {
            Request::Submit { reply, .. } => (error.outcome(Effect::None), reply),
            Request::Attach { .. } | Request::Close => unreachable!("it was an entry"),
        };
        self.requests.try_send(Request::Submit { entry, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(request) => {
                let busy = WireError::new(ErrorCode::Busy, "too many commands are waiting").retry_after(1000);
                refused(busy, request)
            }
            mpsc::error::TrySendError::Closed(request) => refused(closed(), request),
        })
    }

    /// Puts a feed in line; the outlet sees it in its place between two commits.
    pub async fn attach(&self, user: UserId, feed: F) -> Result<(), WireError> {
        self.requests.send(Request::Attach { user, feed }).await.map_err(|_| closed())
    }

    /// Lets what is in line finish, then ends the thread.
    pub async fn close(&self) {
        // An error only says that the thread has ended already.
        let _ = self.requests.send(Request::Close).await;
    }
}

fn closed() -> WireError {
    WireError::new(ErrorCode::Unavailable, "the server is going down").retry_after(1000)
}

struct Run<O: Outlet> {
    writer: Writer,
    outlet: O,
    inbox: mpsc::Receiver<RequestOf<O>>,
}

type RequestOf<O> = Request<<O as Outlet>::Feed, <O as Outlet>::Reply>;

/// What a batch leaves to do once it is durable.
struct Batch<R> {
    answers: Vec<(R, Answer)>,
    events: Vec<Committed>,
}

impl<O: Outlet> Run<O> {
    fn run(mut self) -> Result<(), Fault> {
        let mut next = self.inbox.blocking_recv();
        while let Some(request) = next.take() {
            match request {
                Request::Submit { entry, reply } => next = self.batch(&entry, reply)?,
                Request::Attach { user, feed } => {
                    let rooms = self.writer.rooms_of(&user)?;
                    self.outlet.attach(feed, rooms, self.writer.position());
                }
                Request::Close => break,
            }
            if next.is_none() {
                next = self.inbox.blocking_recv();
            }
        }
        self.writer.close()
    }

    /// Applies `first` and what has gathered behind it, commits, answers, publishes. Returns the
    /// request that ended the batch, if one other than an entry did.
    fn batch(&mut self, first: &Entry, reply: O::Reply) -> Result<Option<RequestOf<O>>, Fault> {
        let mut batch = Batch { answers: Vec::new(), events: Vec::new() };
        let mut next = None;
        self.step(first, reply, &mut batch)?;
        for _ in 1..COMMIT_ENTRIES_MAX {
            match self.inbox.try_recv() {
                Ok(Request::Submit { entry, reply }) => self.step(&entry, reply, &mut batch)?,
                Ok(other) => {
                    next = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        self.writer.commit()?;
        for (reply, answer) in batch.answers {
            self.outlet.answer(reply, answer);
        }
        self.outlet.commit(batch.events, self.writer.position());
        Ok(next)
    }

    fn step(&mut self, entry: &Entry, reply: O::Reply, batch: &mut Batch<O::Reply>) -> Result<(), Fault> {
        let (cursor, outcome) = self.writer.step(entry)?;
        let answer = match outcome {
            Outcome::Applied(applied) => {
                if let Some(event) = applied.event {
                    let text = cursor.to_string();
                    let json = frame::event(event.what.kind(), &text, &event.tail());
                    let room = event.audience();
                    let public = self.writer.is_public(&room)?;
                    let (joined, left) = movements(&applied.changes);
                    let (kind, json) = (event.what.kind(), json.into());
                    let (about, from) = (event.room, event.from);
                    batch.events.push(Committed {
                        cursor,
                        room,
                        about,
                        from,
                        kind,
                        public,
                        json,
                        joined,
                        left,
                    });
                }
                Ok(json::to_vec(&applied.reply))
            }
            Outcome::Repeated(reply) => Ok(reply),
            Outcome::Rejected(error) => Err(error),
        };
        batch.answers.push((reply, answer));
        Ok(())
    }
}

/// Who came and who went.
fn movements(changes: &[Change]) -> (Vec<UserId>, Vec<UserId>) {
    let (mut joined, mut left) = (Vec::new(), Vec::new());
    for change in changes {
        match change {
            Change::Joined(_, user, _) => joined.push(user.clone()),
            Change::Left { user, .. } => left.push(user.clone()),
            _ => {}
        }
    }
    (joined, left)
}
