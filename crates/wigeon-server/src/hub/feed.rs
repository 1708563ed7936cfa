//! A feed: one reader's walk through the log, from a cursor to now and on.
//!
//! ```text
//!            attached by the sequencer
//!                     │
//!                     ▼          page was the last
//!   ┌──────────── Behind ──────────────────────▶ Live ───┐
//!   │ read a page   ▲                              │     │ take the window
//!   └───────────────┘◀──── window was overrun ─────┘◀────┘
//! ```
//! Once it is live and level it lends its wire to the hub, which writes what comes; the feed sleeps meanwhile.
//! It holds a position, never a queue: a slow reader costs the log it has not read and a bounded
//! window. Register first, then read, then wait: nothing falls between. Whatever the window holds that a
//! page has shown already is at or before the feed's position, and is dropped.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;
use wigeon_proto::cursor::{Cursor, Epoch};
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::{PAGE_BYTES_MAX, PAGE_FRAMES_MAX};
use wigeon_store::read::{PageRequest, QueryError};
use wigeon_store::{Pool, Sequencer};

use super::slot::{Loan, Slot, Taken};
use super::unread::Unread;
use super::{Attach, Batch, Hub, Reply, Shown, shown};
use crate::presence::Present;

/// Why a feed cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeedError {
    /// The caller's affair, or a server that is going down.
    #[error(transparent)]
    Refused(#[from] WireError),
    /// The store's.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Whose feed, and from where.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) user: UserId,
    pub(crate) watch: Vec<RoomId>,
    /// From now, if none.
    pub(crate) after: Option<u64>,
    pub(crate) max_per_room: Option<u64>,
    /// Whether to follow with unread counts.
    pub(crate) unread: bool,
    /// Whether its user is there while it lives; a backend that reads for them does not make it so.
    pub(crate) present: bool,
}

/// One reader's walk.
pub(crate) struct Feed {
    hub: Hub,
    attached: Attached,
    pool: Pool,
    epoch: Epoch,
    /// What it reads of the log; the slot knows from where.
    request: PageRequest,
    behind: bool,
    unread: Option<Unread>,
    _present: Option<Present>,
}

/// How a held request was answered.
pub(crate) enum Held {
    /// The hub has written the answer.
    Answered,
    /// This is to be answered.
    Batch(Batch),
}

impl Feed {
    /// Attaches a feed. From here on nothing after its start can pass it by.
    pub(crate) async fn open(
        hub: &Hub,
        sequencer: &Sequencer<Attach, Reply>,
        pool: &Pool,
        epoch: Epoch,
        start: Start,
    ) -> Result<Self, FeedError> {
        let attached = Attached { hub: hub.clone(), slot: hub.new_slot(start.user.clone(), start.unread) };
        // Declared after the guard, so that it is dropped before it: a caller who goes away in between either
        // makes the hub's answer fail, and the hub detaches the slot, or leaves the guard to do it.
        let (tell, done) = oneshot::channel();
        let attach = Attach { slot: attached.slot.clone(), watch: start.watch.clone(), attached: tell };
        sequencer.attach(start.user.clone(), attach).await?;
        done.await.map_err(|_| WireError::new(ErrorCode::Unavailable, "the server is going down"))?;
        let (hub, pool) = (hub.clone(), pool.clone());
        // From now: the hub's position at this moment, for everything before it has been handed out.
        let after = start.after.unwrap_or_else(|| hub.position());
        attached.slot.set_after(after);
        let behind = hub.position() > after;
        let unread = start.unread.then(Unread::new);
        let request = PageRequest {
            user: start.user,
            watch: start.watch,
            after,
            frames_max: PAGE_FRAMES_MAX,
            bytes_max: PAGE_BYTES_MAX,
            max_per_room: start.max_per_room,
        };
        let present = start.present.then(|| {
            let (present, told) = hub.presence.enter(&request.user);
            hub.tell_presence(told);
            present
        });
        Ok(Self { hub, attached, pool, epoch, request, behind, unread, _present: present })
    }

    /// What comes next; waits until there is something. Cancel-safe: the position never moves past an
    /// event that was not returned.
    pub(crate) async fn next(&mut self) -> Result<Batch, FeedError> {
        loop {
            let batch = if self.behind { Box::pin(self.read()).await? } else { self.take() };
            if !batch.is_empty() {
                return Ok(batch);
            }
            if self.behind {
                continue;
            }
            tokio::select! {
                () = self.attached.slot.wait() => {}
                () = due(self.unread.as_ref(), &self.attached.slot) => {
                    let told = self.tell_unread().await?;
                    if !told.is_empty() {
                        return Ok(told);
                    }
                }
            }
        }
    }

    /// Bytes after which [`Self::flow`] returns; without it there is no end.
    pub(crate) fn allow(&self, bytes: u64) {
        self.attached.slot.allow(bytes);
    }

    /// Writes what comes, as it comes, until all that was allowed is written. Cancel-safe: called again, it
    /// goes on where it was. While all is level it only lends the wire, and wakes for nothing.
    pub(crate) async fn flow(&mut self, loan: &Arc<Loan>) -> Result<(), FeedError> {
        loop {
            loan.wire.cleared().await.map_err(|_| gone())?;
            if self.attached.slot.bytes_left() == 0 {
                return Ok(());
            }
            let batch = if self.behind {
                Box::pin(self.read()).await?
            } else {
                match self.attached.slot.lend(loan, self.request.frames_max) {
                    Taken::Overrun => {
                        self.behind = true;
                        continue;
                    }
                    Taken::Window(events, signals) => self.batch(events, signals),
                    Taken::Lent => self.lent(loan).await?,
                }
            };
            if !batch.is_empty() {
                let mut out = Vec::new();
                loan.form.write(&mut out, batch.frames());
                sent(&batch);
                self.attached.slot.spend(out.len());
                loan.wire.send(&out);
            }
        }
    }

    /// Waits while the hub writes, until something is this task's to do.
    async fn lent(&mut self, loan: &Loan) -> Result<Batch, FeedError> {
        tokio::select! {
            () = self.attached.slot.wait() => Ok(Batch::default()),
            () = loan.wire.changed() => Ok(Batch::default()),
            () = due(self.unread.as_ref(), &self.attached.slot) => Ok(Box::pin(self.tell_unread()).await?),
        }
    }

    /// Waits for something to answer a held request with. The hub may have answered it before this returns,
    /// also when it is cancelled: [`Self::answered`] tells.
    pub(crate) async fn hold(&mut self, loan: &Arc<Loan>) -> Result<Held, FeedError> {
        loop {
            let batch = if self.behind {
                Box::pin(self.read()).await?
            } else {
                match self.attached.slot.lend(loan, self.request.frames_max) {
                    Taken::Overrun => {
                        self.behind = true;
                        continue;
                    }
                    Taken::Window(events, signals) => self.batch(events, signals),
                    Taken::Lent => {
                        self.attached.slot.wait().await;
                        if self.answered() {
                            return Ok(Held::Answered);
                        }
                        continue;
                    }
                }
            };
            if !batch.events.is_empty() && !self.has_more() {
                // It came before the request did, and is written as the hub would have.
                let mut out = Vec::new();
                loan.form.write(&mut out, batch.frames());
                sent(&batch);
                loan.wire.send(&out);
                return Ok(Held::Answered);
            }
            if !batch.is_empty() {
                return Ok(Held::Batch(batch));
            }
        }
    }

    /// Takes the wire back from the hub; true if the hub has answered with it.
    pub(crate) fn answered(&self) -> bool {
        self.attached.slot.take_back();
        self.attached.slot.answered()
    }

    /// How many events one batch has at most.
    pub(crate) fn limit(&mut self, frames_max: usize) {
        self.request.frames_max = frames_max;
    }

    /// Whether more can be had at once.
    pub(crate) fn has_more(&self) -> bool {
        self.behind || !self.attached.slot.is_level()
    }

    /// The counts of rooms that may have changed, as signals; nothing where the reader did not ask.
    pub(crate) async fn tell_unread(&mut self) -> Result<Batch, QueryError> {
        match &mut self.unread {
            Some(unread) => unread.tell(&self.attached.slot, &self.pool).await,
            None => Ok(Batch::default()),
        }
    }

    fn note(&self, batch: &Batch) {
        let is_whole = batch.reset.is_none() && batch.gaps.is_empty();
        self.attached.slot.note(&batch.events, is_whole);
    }

    /// Up to here everything visible has been returned or written.
    pub(crate) fn cursor(&self) -> Cursor {
        let position = if self.behind {
            self.attached.slot.after()
        } else {
            // In this order: what the hub handed out up to `position` is in the window by now, so an empty
            // window means there was nothing in it for this reader.
            let position = self.hub.position();
            self.attached.slot.catch_up(position)
        };
        Cursor { epoch: self.epoch, position }
    }

    /// The cursor of the last event returned or written, or of the start.
    pub(crate) fn written(&self) -> Cursor {
        Cursor { epoch: self.epoch, position: self.attached.slot.after() }
    }

    /// The rooms before the user's eyes.
    pub(crate) fn focus(&self, rooms: HashSet<RoomId>) {
        self.attached.slot.set_focus(rooms);
    }

    fn take(&mut self) -> Batch {
        match self.attached.slot.take(self.request.frames_max) {
            Taken::Window(events, signals) => self.batch(events, signals),
            Taken::Overrun | Taken::Lent => {
                self.behind = true;
                Batch::default()
            }
        }
    }

    fn batch(&mut self, events: Vec<Arc<Shown>>, signals: VecDeque<Arc<[u8]>>) -> Batch {
        let batch = Batch { events, signals: signals.into(), ..Batch::default() };
        self.note(&batch);
        batch
    }

    async fn read(&mut self) -> Result<Batch, FeedError> {
        self.request.after = self.attached.slot.after();
        // A page is not larger than what may still be written, but for its last event.
        let left = usize::try_from(self.attached.slot.bytes_left()).unwrap_or(usize::MAX);
        let request = PageRequest { bytes_max: self.request.bytes_max.min(left), ..self.request.clone() };
        let page = self.pool.read(move |view| view.page(&request)).await?;
        self.behind = page.more;
        self.attached.slot.set_after(page.position);
        let batch = shown(page, self.epoch);
        self.note(&batch);
        Ok(batch)
    }
}

fn gone() -> WireError {
    WireError::new(ErrorCode::Unavailable, "the reader has gone")
}

/// Counts frames on their way.
fn sent(batch: &Batch) {
    crate::telemetry::frames_sent(batch.frames().count());
}

/// Returns when there are unread counts to tell.
async fn due(unread: Option<&Unread>, slot: &Slot) {
    match unread {
        // Boxed: most feeds do not follow with counts, and keep no timer for it.
        Some(unread) => Box::pin(unread.due(slot)).await,
        None => std::future::pending().await,
    }
}

/// A slot in the hub, or on its way there; leaving is its end.
struct Attached {
    hub: Hub,
    slot: Arc<Slot>,
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.slot.take_back();
        self.hub.detach(&self.slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wigeon_core::entry::{Entry, Rights};
    use wigeon_proto::command::{Body, Durable, Send};
    use wigeon_proto::id::CommandId;
    use wigeon_store::{Durability, Store};

    fn message(n: u64) -> Entry {
        let bob = UserId::parse("bob").ok();
        let body = Body { text: "x".into() };
        let send = Send { to: bob, body: Some(body), ..Send::default() };
        Entry::new(
            UserId::parse("ann").unwrap(),
            Rights::User,
            n,
            CommandId::parse(&format!("m{n}")).unwrap(),
            Durable::Send(send),
        )
    }

    #[tokio::test]
    async fn what_a_page_has_shown_is_not_shown_again_from_the_window() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), Durability::Memory, 7).unwrap();
        let (hub, pool, epoch) = (Hub::default(), store.readers, store.epoch);
        let (sequencer, _thread) = Sequencer::start(store.writer, hub.clone(), ());
        let say = async |n| {
            let (reply, answer) = oneshot::channel();
            sequencer.submit(message(n), Reply::Once(reply)).unwrap();
            answer.await.unwrap().unwrap()
        };
        say(1).await;
        let user = UserId::parse("bob").unwrap();
        let start = Start {
            user,
            watch: Vec::new(),
            after: Some(0),
            max_per_room: None,
            unread: false,
            present: true,
        };
        let mut feed = Feed::open(&hub, &sequencer, &pool, epoch, start).await.unwrap();
        // It lies in the window and in the page: the feed is attached, and has not read the log yet.
        say(2).await;
        let mut seen = Vec::new();
        seen.extend(feed.next().await.unwrap().events.iter().map(|shown| shown.position));
        say(3).await;
        while seen.last() != Some(&3) {
            seen.extend(feed.next().await.unwrap().events.iter().map(|shown| shown.position));
        }
        assert_eq!(seen, [1, 2, 3]);
    }
}
