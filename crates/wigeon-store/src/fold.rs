//! The fold: from the log into the tables, on a thread of its own.
//!
//! Folding many entries at once costs a fraction of folding each: a page that several of them touch is
//! written once. So entries gather here until there are enough of them, the first has waited long enough,
//! or a reader asks. Nobody waits for it who sends: what is in the log is durable, and what is not in
//! the tables yet is in [`crate::overlay`].
//!
//! A thread of its own, because a checkpoint takes as long as the disk takes, and an acknowledgement must
//! not wait for that.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::watch;
use tokio::time::timeout;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::limits::{
    FOLD_DELAY_MS_MAX, FOLD_SLICE_WEIGHT_MAX, FOLD_SYNC_WEIGHT, FOLD_WAIT_MS_MAX, PENDING_WEIGHT_MAX,
};

use crate::Fault;
use crate::tables::{self, Pending};

const DELAY: Duration = Duration::from_millis(FOLD_DELAY_MS_MAX);

/// The writer's side.
#[derive(Debug)]
pub(crate) struct Fold {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<Connection, Fault>>>,
}

/// The readers' side; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    backlog: Mutex<Backlog>,
    /// For the thread: there may be something to fold.
    work: Condvar,
    /// For the writer: something was folded, or nothing will be any more.
    done: Condvar,
    /// For the readers: the same.
    folded: watch::Sender<Folded>,
}

#[derive(Debug, Clone, Copy)]
struct Folded {
    /// The last position in the tables.
    position: u64,
    /// The thread has ended.
    ended: bool,
}

/// How far the thread steps back: a tenth of the weight of the others.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Durable entries that are on their way into the tables.
#[derive(Default)]
struct Backlog {
    entries: VecDeque<Pending>,
    weight: usize,
    /// The last position that is durable.
    durable: u64,
    /// Somebody waits for the tables to be this far.
    wanted: u64,
    /// When the first of the entries came.
    since: Option<Instant>,
    /// Positions that have been scrubbed.
    scrubbed: Vec<u64>,
    stop: Option<Stop>,
    on_end: Option<Box<dyn FnOnce() + Send>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stop {
    /// When everything is folded.
    Drained,
    /// At once; the log has the rest.
    Now,
}

/// What the thread does next.
enum Work {
    Fold(Vec<Pending>),
    StrikeOff(Vec<u64>),
}

impl Fold {
    /// Starts the thread. The tables hold everything up to `position`.
    /// Where acknowledgements wait for the disk, `wal` is the database's journal: it is synced as it grows, since a
    /// checkpoint would sync all of it at once, and whoever syncs the log meanwhile would wait for that.
    pub(crate) fn start(db: Connection, wal: Option<File>, position: u64) -> Self {
        let shared = Arc::new(Shared {
            backlog: Mutex::new(Backlog { durable: position, ..Backlog::default() }),
            work: Condvar::new(),
            done: Condvar::new(),
            folded: watch::Sender::new(Folded { position, ended: false }),
        });
        let theirs = shared.clone();
        let run = move || {
            let _ended = Ended(&theirs);
            step_back();
            theirs.run(db, wal)
        };
        let thread = thread::Builder::new().name("fold".into()).spawn(run);
        Self { shared, thread: Some(thread.expect("a thread at start-up")) }
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress(self.shared.clone())
    }

    /// Calls `then` when the thread ends, whatever ends it.
    pub(crate) fn on_end(&self, then: impl FnOnce() + Send + 'static) {
        self.shared.lock().on_end = Some(Box::new(then));
    }

    /// The last position in the tables.
    pub(crate) fn position(&self) -> u64 {
        self.shared.folded.borrow().position
    }

    /// Takes over entries that are durable.
    pub(crate) fn push(&self, entries: Vec<Pending>) {
        let Some(last) = entries.last() else { return };
        let mut backlog = self.shared.lock();
        backlog.durable = last.position;
        backlog.weight += entries.iter().map(Pending::weight).sum::<usize>();
        let was_empty = backlog.entries.is_empty();
        backlog.entries.extend(entries);
        if was_empty {
            backlog.since = Some(Instant::now());
        }
        // Otherwise the thread looks at its clock by itself.
        if was_empty || backlog.weight >= FOLD_SLICE_WEIGHT_MAX {
            self.shared.work.notify_one();
        }
    }

    /// Waits until there is room for another batch.
    pub(crate) fn wait_for_room(&mut self) -> Result<(), Fault> {
        self.wait_while(|backlog, _| backlog.weight >= PENDING_WEIGHT_MAX)
    }

    /// Waits until the tables hold `position`, which is durable.
    pub(crate) fn wait_for(&mut self, position: u64) -> Result<(), Fault> {
        if self.position() >= position {
            return Ok(());
        }
        self.shared.want(position);
        self.wait_while(|_, folded| folded < position)
    }

    fn wait_while(&mut self, unmet: impl Fn(&Backlog, u64) -> bool) -> Result<(), Fault> {
        let mut backlog = self.shared.lock();
        loop {
            let Folded { position, ended } = *self.shared.folded.borrow();
            if ended {
                break;
            }
            if !unmet(&backlog, position) {
                return Ok(());
            }
            backlog = self.shared.done.wait(backlog).expect("nothing panics under this lock");
        }
        drop(backlog);
        // It ends by itself only because of a fault.
        self.end(Stop::Now).map(drop)
    }

    /// Folds what there is, ends the thread, and gives the connection back.
    pub(crate) fn close(mut self) -> Result<Connection, Fault> {
        self.end(Stop::Drained)
    }

    fn end(&mut self, how: Stop) -> Result<Connection, Fault> {
        self.shared.lock().stop = Some(how);
        self.shared.work.notify_one();
        let ended = || Fault::Corrupt("the fold ended".into());
        self.thread.take().ok_or_else(ended)?.join().map_err(|_| ended())?
    }
}

impl Drop for Fold {
    fn drop(&mut self) {
        if self.thread.is_some() {
            // Whoever drops it has a fault of their own to tell, or wants what a crash leaves behind.
            let _ = self.end(Stop::Now);
        }
    }
}

/// Lets those whom somebody waits for go first, where processors are few. Refused, it is no matter.
fn step_back() {
    // On Linux this is of the calling thread alone.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICE);
}

impl Progress {
    /// Waits, on a thread of its own, until the tables are past a position, and says how far they are; none
    /// when nothing will be folded any more.
    pub(crate) fn wait_for_more(&self, than: u64) -> Option<u64> {
        let mut backlog = self.0.lock();
        loop {
            let Folded { position, ended } = *self.0.folded.borrow();
            if ended {
                return None;
            }
            if position > than {
                return Some(position);
            }
            backlog = self.0.done.wait(backlog).expect("nothing panics under this lock");
        }
    }

    /// Has positions struck off that have been scrubbed.
    pub(crate) fn strike_off(&self, positions: impl IntoIterator<Item = u64>) {
        self.0.lock().scrubbed.extend(positions);
        self.0.work.notify_one();
    }

    /// Whether nothing will be folded any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.folded.borrow().ended
    }

    /// Waits until the tables hold everything that is durable at this moment, and with it everything that
    /// was acknowledged or shown.
    pub(crate) async fn caught_up(&self) -> Result<(), WireError> {
        let late =
            || WireError::new(ErrorCode::Unavailable, "the tables are behind the log").retry_after(1000);
        let durable = self.0.lock().durable;
        if self.0.folded.borrow().position >= durable {
            return Ok(());
        }
        self.0.want(durable);
        let mut folded = self.0.folded.subscribe();
        let there = folded.wait_for(|folded| folded.position >= durable || folded.ended);
        match timeout(Duration::from_millis(FOLD_WAIT_MS_MAX), there).await {
            Ok(Ok(folded)) if folded.position >= durable => Ok(()),
            _ => Err(late()),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().expect("nothing panics under this lock")
    }

    fn want(&self, position: u64) {
        let mut backlog = self.lock();
        backlog.wanted = backlog.wanted.max(position);
        self.work.notify_one();
    }

    fn run(&self, mut db: Connection, wal: Option<File>) -> Result<Connection, Fault> {
        let mut unsynced = 0;
        while let Some(work) = self.next() {
            let slice = match work {
                Work::Fold(slice) => slice,
                Work::StrikeOff(positions) => {
                    tables::strike_off(&mut db, &positions)?;
                    continue;
                }
            };
            tables::fold(&mut db, &slice)?;
            let position = slice.last().expect("a slice is not empty").position;
            let weight = slice.iter().map(Pending::weight).sum::<usize>();
            let mut backlog = self.lock();
            backlog.weight -= weight;
            self.folded.send_modify(|folded| folded.position = position);
            self.done.notify_all();
            drop(backlog);
            unsynced += weight;
            if let Some(wal) = wal.as_ref().filter(|_| unsynced >= FOLD_SYNC_WEIGHT) {
                wal.sync_data()?;
                unsynced = 0;
            }
        }
        Ok(db)
    }

    /// What is to be done, when it is time; `None` at the end.
    fn next(&self) -> Option<Work> {
        let mut backlog = self.lock();
        loop {
            let waited = backlog.since.map_or(Duration::ZERO, |since| since.elapsed());
            match backlog.stop {
                Some(Stop::Now) => return None,
                _ if !backlog.scrubbed.is_empty() => {
                    return Some(Work::StrikeOff(std::mem::take(&mut backlog.scrubbed)));
                }
                Some(Stop::Drained) if backlog.entries.is_empty() => return None,
                _ => {}
            }
            if backlog.is_due(self.folded.borrow().position, waited) {
                return Some(Work::Fold(backlog.take()));
            }
            backlog = if backlog.entries.is_empty() {
                self.work.wait(backlog).expect("nothing panics under this lock")
            } else {
                let rest = DELAY.saturating_sub(waited);
                self.work.wait_timeout(backlog, rest).expect("nothing panics under this lock").0
            };
        }
    }
}

impl Backlog {
    fn is_due(&self, folded: u64, waited: Duration) -> bool {
        !self.entries.is_empty()
            && (self.weight >= FOLD_SLICE_WEIGHT_MAX
                || self.wanted > folded
                || waited >= DELAY
                || self.stop.is_some())
    }

    /// The first entries, up to a slice's weight.
    fn take(&mut self) -> Vec<Pending> {
        let mut weight = 0;
        let count = self.entries.iter().take_while(|entry| {
            let fits = weight < FOLD_SLICE_WEIGHT_MAX;
            weight += entry.weight();
            fits
        });
        let count = count.count();
        self.entries.drain(..count).collect()
    }
}

impl std::fmt::Debug for Backlog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backlog")
            .field("weight", &self.weight)
            .field("durable", &self.durable)
            .finish_non_exhaustive()
    }
}

/// Says that the thread has ended, also when it panicked.
struct Ended<'a>(&'a Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let mut backlog = self.0.lock();
        self.0.folded.send_modify(|folded| folded.ended = true);
        self.0.done.notify_all();
        let then = backlog.on_end.take();
        drop(backlog);
        if let Some(then) = then {
            then();
        }
    }
}
