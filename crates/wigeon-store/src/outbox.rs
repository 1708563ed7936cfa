//! The outbox of a node: entries on their way into the stream, and who waits for what becomes of them.
//!
//! An entry's number, with the node's name for this run, travels with it. When the stream brings it back the
//! sender is answered. What does not come back in time is forgotten here, and its sender told that nobody knows;
//! if it comes after all, it is an event like those of other nodes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use wigeon_proto::error::{ErrorCode, Outcome, WireError};
use wigeon_proto::limits::{CLUSTER_IN_FLIGHT_MAX, COMMIT_MS_MAX};

/// A handle; clones share it.
#[derive(Debug)]
pub(crate) struct Outbox<R> {
    shared: Arc<Shared<R>>,
}

impl<R> Clone for Outbox<R> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

struct Shared<R> {
    waiting: Mutex<Waiting<R>>,
    /// Whether there is anybody to publish to.
    reachable: Box<dyn Fn() -> bool + Send + Sync>,
    outgoing: mpsc::Sender<Outgoing>,
}

impl<R> std::fmt::Debug for Shared<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

struct Waiting<R> {
    next: u64,
    /// By number, and so by age.
    replies: BTreeMap<u64, (Instant, R)>,
}

/// An entry to be published.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) number: u64,
    pub(crate) bytes: Vec<u8>,
}

impl<R> Outbox<R> {
    pub(crate) fn new(
        reachable: impl Fn() -> bool + Send + Sync + 'static,
    ) -> (Self, mpsc::Receiver<Outgoing>) {
        let (outgoing, entries) = mpsc::channel(CLUSTER_IN_FLIGHT_MAX);
        let waiting = Mutex::new(Waiting { next: 1, replies: BTreeMap::new() });
        (Self { shared: Arc::new(Shared { waiting, reachable: Box::new(reachable), outgoing }) }, entries)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<R>> {
        self.shared.waiting.lock().expect("nothing panics under the outbox's lock")
    }

    /// Puts an entry in line to be published. Numbers and the line are in one order.
    pub(crate) fn submit(&self, bytes: Vec<u8>, reply: R) -> Result<(), (WireError, R)> {
        if !(self.shared.reachable)() {
            return Err((unreachable(), reply));
        }
        let mut waiting = self.lock();
        waiting.forget_old();
        let place = self.shared.outgoing.try_reserve();
        let Ok(place) = place.map_err(drop) else { return Err((full(), reply)) };
        if waiting.replies.len() >= CLUSTER_IN_FLIGHT_MAX {
            return Err((full(), reply));
        }
        let number = waiting.next;
        waiting.next += 1;
        waiting.replies.insert(number, (Instant::now(), reply));
        place.send(Outgoing { number, bytes });
        Ok(())
    }

    /// Who waits for an entry, if it is still awaited.
    pub(crate) fn take(&self, number: u64) -> Option<R> {
        self.lock().replies.remove(&number).map(|(_, reply)| reply)
    }
}

impl<R> Waiting<R> {
    /// Dropping a reply tells its sender that nobody knows.
    fn forget_old(&mut self) {
        let patience = Duration::from_millis(COMMIT_MS_MAX);
        while let Some(oldest) = self.replies.first_entry()
            && oldest.get().0.elapsed() > patience
        {
            oldest.remove();
        }
    }
}

fn full() -> WireError {
    WireError::new(ErrorCode::Busy, "too many commands are waiting").retry_after(1000).outcome(Outcome::None)
}

fn unreachable() -> WireError {
    WireError::new(ErrorCode::Unavailable, "this node is cut off from the log")
        .retry_after(1000)
        .outcome(Outcome::None)
}
