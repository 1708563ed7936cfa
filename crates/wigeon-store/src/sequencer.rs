//! The sequencer: the only one who appends.
//!
//! One thread takes what has arrived, applies it in order, makes it durable at once, and only then answers
//! the senders and hands the events on. While a batch is being synced the next one gathers by itself: no
//! timer makes anybody wait.
//!
//! It is also the one place where state is exactly at a position. So a feed is attached here, between
//! two commits: the hub learns of the feed and its rooms in the same order as of the events.

use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;
use wigeon_core::entry::Entry;
use wigeon_proto::error::{ErrorCode, Outcome as Effect, WireError};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::{COMMIT_ENTRIES_MAX, SEQUENCER_QUEUE_MAX};

use crate::Fault;
use crate::outbox::Outbox;
use crate::step::{Admitted, Answer, Committed};
use crate::writer::Writer;

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

#[allow(clippy::large_enum_variant)] // Nearly every request is the large one.
enum Request<F, R> {
    Submit {
        entry: Admitted,
        reply: R,
    },
    /// From the stream of a cluster, at its position; what is no entry keeps its position.
    Ordered {
        position: u64,
        entry: Option<Admitted>,
        reply: Option<R>,
    },
    /// Did not come into the stream.
    Refused {
        reply: R,
        error: WireError,
    },
    Fail(Fault),
    Attach {
        user: UserId,
        feed: F,
    },
    Turn,
    Close,
}

/// A handle to the sequencer's thread.
#[derive(Debug)]
pub struct Sequencer<F, R> {
    requests: mpsc::Sender<Request<F, R>>,
    /// Of a node of a cluster, whose entries go into the stream first.
    outbox: Option<Outbox<R>>,
}

impl<F, R> Clone for Sequencer<F, R> {
    fn clone(&self) -> Self {
        Self { requests: self.requests.clone(), outbox: self.outbox.clone() }
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
        Self::run(writer, outlet, alive, None)
    }

    /// As [`Self::start`], of a node: what is submitted goes into the outbox, what the stream brings comes in
    /// by [`Self::ordered`].
    pub(crate) fn follow<O: Outlet<Feed = F, Reply = R>>(
        writer: Writer,
        outlet: O,
        alive: impl Send + 'static,
        outbox: Outbox<R>,
    ) -> (Self, JoinHandle<Result<(), Fault>>) {
        Self::run(writer, outlet, alive, Some(outbox))
    }

    fn run<O: Outlet<Feed = F, Reply = R>>(
        mut writer: Writer,
        outlet: O,
        alive: impl Send + 'static,
        outbox: Option<Outbox<R>>,
    ) -> (Self, JoinHandle<Result<(), Fault>>) {
        let (requests, inbox) = mpsc::channel(SEQUENCER_QUEUE_MAX);
        let line = requests.downgrade();
        writer.on_fault(move || {
            // With a full line the next batch finds out by itself.
            if let Some(line) = line.upgrade() {
                let _ = line.try_send(Request::Close);
            }
        });
        let line = requests.downgrade();
        writer.start_scrubbing(move || {
            // With a full line it is asked for again.
            if let Some(line) = line.upgrade() {
                let _ = line.try_send(Request::Turn);
            }
        });
        let run = move || {
            let _alive = alive;
            Run { writer, outlet, inbox }.run()
        };
        let thread = thread::Builder::new().name("sequencer".into()).spawn(run);
        (Self { requests, outbox }, thread.expect("a thread at start-up"))
    }

    /// Puts an entry in line. The outlet is given the answer when the entry is durable, or refused; where
    /// there is no place in line, the caller has the reason and `reply` back at once.
    pub fn submit(&self, entry: Entry, reply: R) -> Result<(), (WireError, R)> {
        let entry = Admitted::from(entry);
        if let Some(outbox) = &self.outbox {
            return outbox.submit(entry.into_bytes(), reply);
        }
        let refused = |error: WireError, request| match request {
            Request::Submit { reply, .. } => (error.outcome(Effect::None), reply),
            _ => unreachable!("it was an entry"),
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

    /// Puts in line what the stream holds at a position. False when the thread has ended.
    pub(crate) async fn ordered(&self, position: u64, entry: Option<Admitted>, reply: Option<R>) -> bool {
        self.requests.send(Request::Ordered { position, entry, reply }).await.is_ok()
    }

    /// Has a sender told why their entry is not in the stream.
    pub(crate) async fn refuse(&self, reply: R, error: WireError) {
        // Where the thread has ended, dropping the reply tells its sender.
        let _ = self.requests.send(Request::Refused { reply, error }).await;
    }

    /// Ends the thread with a fault.
    pub(crate) async fn fail(&self, fault: Fault) {
        // One that has ended needs no other reason.
        let _ = self.requests.send(Request::Fail(fault)).await;
    }

    /// Returns when the thread has ended.
    pub(crate) async fn ended(&self) {
        self.requests.closed().await;
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

impl<O: Outlet> Run<O> {
    fn run(mut self) -> Result<(), Fault> {
        let mut next = self.inbox.blocking_recv();
        while let Some(request) = next.take() {
            match request {
                Request::Attach { user, feed } => {
                    let rooms = self.writer.rooms_of(&user)?;
                    self.outlet.attach(feed, rooms, self.writer.position());
                }
                Request::Turn => self.writer.turn()?,
                Request::Close => break,
                Request::Fail(fault) => return Err(fault),
                entry => next = self.batch(entry)?,
            }
            if next.is_none() {
                next = self.inbox.blocking_recv();
            }
        }
        self.writer.close()
    }

    /// Applies `first` and what has gathered behind it, commits, answers, publishes. Returns the
    /// request that ended the batch, if there was one.
    fn batch(&mut self, first: RequestOf<O>) -> Result<Option<RequestOf<O>>, Fault> {
        let (mut answers, mut next, mut count) = (Vec::new(), Some(first), 0);
        while count < COMMIT_ENTRIES_MAX && !self.writer.is_full() {
            match next {
                Some(Request::Submit { entry, reply }) => answers.push((reply, self.writer.step(&entry)?)),
                Some(Request::Ordered { position, entry, reply }) => {
                    let answer = self.writer.step_at(position, entry.as_ref())?;
                    answers.extend(reply.map(|reply| (reply, answer)));
                }
                Some(Request::Refused { reply, error }) => answers.push((reply, Err(error))),
                Some(_) | None => break,
            }
            (next, count) = (self.inbox.try_recv().ok(), count + 1);
        }
        let events = self.writer.commit()?;
        for (reply, answer) in answers {
            self.outlet.answer(reply, answer);
        }
        self.outlet.commit(events, self.writer.position());
        Ok(next)
    }
}
