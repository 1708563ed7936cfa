//! What a group of readers has received, and how long it took.
//!
//! One thread drives everything, so counters are cells. Groups are measured apart: those who watch while
//! others come back, those who stall and those who do not.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::limits::{CONNECT, LATENCY_NS_MAX, LOOK, PATIENCE};

/// Three digits are what a person compares.
const SIGNIFICANT_DIGITS: u8 = 3;

#[derive(Debug)]
pub(super) struct Tally {
    pub(super) ready: Cell<usize>,
    pub(super) delivered: Cell<u64>,
    pub(super) lost: Cell<u64>,
    pub(super) doubled: Cell<u64>,
    /// Frames of any kind, counted where readers are members.
    pub(super) frames: Cell<u64>,
    /// Messages that the server did not take.
    pub(super) refused: Cell<u64>,
    /// Connections that could not be made or did not last, and what else must not be.
    pub(super) failed: Cell<u64>,
    first_failure: RefCell<Option<String>>,
    latency: RefCell<Histogram<u64>>,
    /// Messages sent before this time are counted, but not measured.
    measured_from_ns: Cell<u64>,
    wake_at: Cell<u64>,
    reached: Notify,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            ready: Cell::default(),
            delivered: Cell::default(),
            lost: Cell::default(),
            doubled: Cell::default(),
            frames: Cell::default(),
            refused: Cell::default(),
            failed: Cell::default(),
            first_failure: RefCell::default(),
            latency: RefCell::new(histogram()),
            measured_from_ns: Cell::new(u64::MAX),
            wake_at: Cell::new(u64::MAX),
            reached: Notify::new(),
        }
    }
}

/// An empty histogram of nanoseconds.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_NS_MAX, SIGNIFICANT_DIGITS).expect("these bounds are in order")
}

/// One more.
pub(super) fn count(counter: &Cell<u64>, more: u64) {
    counter.set(counter.get() + more);
}

impl Tally {
    /// Measures from now on, and hands over what was measured so far.
    pub(super) fn measure(&self, now_ns: u64) -> Histogram<u64> {
        self.measured_from_ns.set(now_ns);
        self.latency.replace(histogram())
    }

    /// Messages sent from now on are only counted.
    pub(super) fn measure_no_more(&self) -> Histogram<u64> {
        self.measure(u64::MAX)
    }

    /// A message has come in order.
    pub(super) fn deliver(&self, sent_ns: u64, now_ns: u64) {
        let delivered = self.delivered.get() + 1;
        self.delivered.set(delivered);
        if sent_ns >= self.measured_from_ns.get() {
            self.latency.borrow_mut().saturating_record(now_ns.saturating_sub(sent_ns).max(1));
        }
        if delivered >= self.wake_at.get() {
            self.wake_at.set(u64::MAX);
            self.reached.notify_one();
        }
    }

    /// Something went wrong; the first of all is told to the person.
    pub(super) fn fail(&self, why: impl Into<String>) {
        count(&self.failed, 1);
        self.first_failure.borrow_mut().get_or_insert_with(|| why.into());
    }

    /// The server did not take a message.
    pub(super) fn refuse(&self, why: impl Into<String>) {
        count(&self.refused, 1);
        self.first_failure.borrow_mut().get_or_insert_with(|| why.into());
    }

    pub(super) fn first_failure(&self) -> Option<String> {
        self.first_failure.borrow().clone()
    }

    /// Waits until so many were delivered; false when nothing moves any more. For one waiter at a time.
    pub(super) async fn reach(&self, delivered: u64) -> bool {
        let mut before = self.delivered.get();
        while self.delivered.get() < delivered {
            self.wake_at.set(delivered);
            if timeout(PATIENCE, self.reached.notified()).await.is_err() && self.delivered.get() == before {
                return false;
            }
            before = self.delivered.get();
        }
        true
    }

    /// Waits until so many readers are ready; false when some never will be.
    pub(super) async fn until_ready(&self, readers: usize) -> bool {
        let (mut before, mut since) = (0, Instant::now());
        while self.ready.get() < readers {
            if self.failed.get() > 0 || since.elapsed() > CONNECT {
                return false;
            }
            sleep(LOOK).await;
            if self.ready.get() != before {
                (before, since) = (self.ready.get(), Instant::now());
            }
        }
        true
    }
}

/// As microseconds, for people.
pub(super) fn us(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64() * 1e6
}
