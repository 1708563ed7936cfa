//! A slot: where the hub and a feed meet.
//!
//! A feed that is level lends its wire, and the hub writes events to it straight away. A feed that is not
//! (it reads the log, or its reader is slow) finds them in a bounded window, and past that in the log.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::{FEED_SIGNALS_MAX, FEED_WINDOW_EVENTS_MAX};

use super::Shown;
use super::shown::Run;
use super::unread::Ledger;
use crate::wire::{Form, Sent, Wire};

/// A wire, for the hub to write to.
#[derive(Debug)]
pub(crate) struct Loan {
    pub(crate) wire: Arc<Wire>,
    pub(crate) form: Form,
}

/// One live feed, as the hub sees it.
pub(super) struct Slot {
    pub(super) id: u64,
    pub(super) user: UserId,
    /// Where the hub has noted it while it goes through a commit.
    pub(super) touched: AtomicUsize,
    inbox: Mutex<Inbox>,
    ready: Notify,
}

#[derive(Default)]
struct Inbox {
    /// Every event up to here was taken or written.
    after: u64,
    loan: Option<Arc<Loan>>,
    lent: Lent,
    /// The hub has written what the wire was lent for once.
    answered: bool,
    /// What a stream may still write before its response ends.
    bytes_left: u64,
    events: VecDeque<Arc<Shown>>,
    signals: VecDeque<Arc<[u8]>>,
    /// More came than the window holds: the feed has to read the log.
    overrun: bool,
    /// The rooms before the user's eyes; none until the client has said so.
    focus: Option<HashSet<RoomId>>,
    /// Counts of unread messages, where the feed follows them.
    counts: Option<Box<Ledger>>,
}

/// Whether the hub may write.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Lent {
    #[default]
    No,
    /// Whatever comes.
    Stream,
    /// The next thing that comes: it answers a held request.
    Once,
}

/// What was in a slot.
pub(super) enum Taken {
    /// In order of position, and what is not remembered.
    Window(Vec<Arc<Shown>>, VecDeque<Arc<[u8]>>),
    /// The window was overrun; it is open again from now on.
    Overrun,
    /// Nothing: from here on the hub writes.
    Lent,
}

/// What became of events.
pub(super) struct Delivered {
    /// They are written; otherwise the feed finds them.
    pub(super) written: bool,
    /// The feed should be woken.
    pub(super) wake: bool,
}

impl Slot {
    pub(super) fn new(id: u64, user: UserId, counts: bool) -> Self {
        let counts = counts.then(Box::default);
        let inbox = Inbox { counts, bytes_left: u64::MAX, ..Inbox::default() };
        Self { id, user, touched: AtomicUsize::new(0), inbox: Mutex::new(inbox), ready: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().expect("nothing panics under a slot's lock")
    }

    /// Whether something waits on the lent wire, to leave with what the hub writes next.
    pub(super) fn has_staged(&self) -> bool {
        self.lock().loan.as_ref().is_some_and(|loan| !loan.wire.is_clear())
    }

    /// Hands over runs of events, ascending.
    pub(super) fn deliver(&self, runs: &[&Run]) -> Delivered {
        let mut inbox = self.lock();
        let had_counts = inbox.has_counts();
        if inbox.overrun {
            return Delivered { written: false, wake: false };
        }
        if inbox.lent != Lent::No && runs.first().is_some_and(|run| inbox.after < run.first()) {
            inbox.write(runs);
            inbox.note(runs, &self.user);
            let wake = !had_counts && inbox.has_counts();
            return Delivered { written: true, wake };
        }
        // What a page of the log has shown already, or a part of it: the feed takes the rest, before the hub may
        // write what comes after.
        let taken_back = std::mem::take(&mut inbox.lent) != Lent::No;
        let was_empty = inbox.events.is_empty();
        runs.iter().flat_map(|run| &run.events).for_each(|shown| inbox.push(shown));
        let wake = taken_back || inbox.overrun || was_empty && !inbox.events.is_empty();
        Delivered { written: false, wake }
    }

    /// Leaves a signal, if there is room: nobody misses a typing mark.
    pub(super) fn push_signal(&self, json: Arc<[u8]>) {
        let mut inbox = self.lock();
        if inbox.signals.len() < FEED_SIGNALS_MAX {
            inbox.signals.push_back(json);
            drop(inbox);
            self.wake();
        }
    }

    pub(super) fn wake(&self) {
        self.ready.notify_one();
    }

    /// Returns once something was left since the last time, or at once if it was left before.
    pub(super) async fn wait(&self) {
        self.ready.notified().await;
    }

    /// Takes the oldest events, `max` at most, and every signal.
    pub(super) fn take(&self, max: usize) -> Taken {
        let mut inbox = self.lock();
        inbox.lent = Lent::No;
        inbox.take(max)
    }

    /// As [`Self::take`]; where there is nothing, lends the wire.
    pub(super) fn lend(&self, loan: &Arc<Loan>, max: usize) -> Taken {
        let mut inbox = self.lock();
        // Signals are taken from a lent slot too: the hub does not write these.
        if inbox.lent == Lent::No || !inbox.signals.is_empty() {
            match inbox.take(max) {
                Taken::Window(events, signals) if events.is_empty() && signals.is_empty() => {}
                taken => return taken,
            }
        }
        let once = matches!(loan.form, Form::Answer { .. });
        inbox.lent = if once { Lent::Once } else { Lent::Stream };
        inbox.loan = Some(loan.clone());
        Taken::Lent
    }

    /// Takes the wire back.
    pub(super) fn take_back(&self) {
        let mut inbox = self.lock();
        (inbox.loan, inbox.lent) = (None, Lent::No);
    }

    /// Whether the hub has written what the wire was lent for once; said once.
    pub(super) fn answered(&self) -> bool {
        std::mem::take(&mut self.lock().answered)
    }

    /// What a stream may still write.
    pub(super) fn bytes_left(&self) -> u64 {
        self.lock().bytes_left
    }

    /// What a stream may write in all, from now on.
    pub(super) fn allow(&self, bytes: u64) {
        self.lock().bytes_left = bytes;
    }

    /// Takes what was written from what may be.
    pub(super) fn spend(&self, bytes: usize) {
        let mut inbox = self.lock();
        inbox.bytes_left = inbox.bytes_left.saturating_sub(bytes as u64);
    }

    /// Everything up to here was taken or written.
    pub(super) fn after(&self) -> u64 {
        self.lock().after
    }

    /// Moves on to where a page of the log ends.
    pub(super) fn set_after(&self, position: u64) {
        self.lock().after = position;
    }

    /// Moves on to `position` if nothing waits, because then there was nothing in between.
    pub(super) fn catch_up(&self, position: u64) -> u64 {
        let mut inbox = self.lock();
        if inbox.is_level() {
            inbox.after = inbox.after.max(position);
        }
        inbox.after
    }

    /// Whether no event waits and none was lost.
    pub(super) fn is_level(&self) -> bool {
        self.lock().is_level()
    }

    /// Whether there are counts to tell.
    pub(super) fn has_counts(&self) -> bool {
        self.lock().has_counts()
    }

    /// Looks at the counts, where the feed follows them.
    pub(super) fn counts<T>(&self, look: impl FnOnce(&mut Ledger) -> T) -> Option<T> {
        self.lock().counts.as_deref_mut().map(look)
    }

    /// Notes what the feed has taken, for the counts. If that is not the whole of it, they have to be asked anew.
    pub(super) fn note(&self, events: &[Arc<Shown>], is_whole: bool) {
        self.counts(|ledger| {
            if !is_whole {
                ledger.forget();
            }
            for shown in events {
                ledger.note(shown, &self.user);
            }
        });
    }

    pub(super) fn set_focus(&self, rooms: HashSet<RoomId>) {
        self.lock().focus = Some(rooms);
    }

    /// Whether the user has the room before their eyes. Who has not said what they have may have it, unless it
    /// must be said.
    pub(super) fn sees(&self, room: &RoomId, must_be_said: bool) -> bool {
        self.lock().focus.as_ref().map_or(!must_be_said, |rooms| rooms.contains(room))
    }
}

impl Inbox {
    fn has_counts(&self) -> bool {
        self.counts.as_ref().is_some_and(|ledger| ledger.has_news())
    }

    fn is_level(&self) -> bool {
        self.events.is_empty() && !self.overrun
    }

    /// Writes to the lent wire. What the reader does not take at once the feed sends after.
    fn write(&mut self, runs: &[&Run]) {
        let Some(loan) = &self.loan else { return };
        let (sent, bytes) = if let [run] = runs {
            let bytes = run.bytes(&loan.form);
            (loan.wire.send(&bytes), bytes.len())
        } else {
            let mut out = Vec::new();
            if let Form::Answer { .. } = loan.form {
                let events = runs.iter().flat_map(|run| &run.events);
                loan.form.write(&mut out, events.map(|shown| shown.frame()));
            } else {
                for run in runs {
                    out.extend_from_slice(&run.bytes(&loan.form));
                }
            }
            (loan.wire.send(&out), out.len())
        };
        self.after = runs.last().map_or(self.after, |run| run.last());
        self.bytes_left = self.bytes_left.saturating_sub(bytes as u64);
        self.answered = self.lent == Lent::Once;
        if sent != Sent::All || self.answered || self.bytes_left == 0 {
            self.lent = Lent::No;
        }
    }

    fn note(&mut self, runs: &[&Run], user: &UserId) {
        let Some(ledger) = &mut self.counts else { return };
        runs.iter().flat_map(|run| &run.events).for_each(|shown| ledger.note(shown, user));
    }

    fn push(&mut self, shown: &Arc<Shown>) {
        if self.overrun || shown.position <= self.after {
            return;
        }
        if self.events.len() == FEED_WINDOW_EVENTS_MAX {
            self.events = VecDeque::new();
            self.overrun = true;
        } else {
            self.events.push_back(shown.clone());
        }
    }

    fn take(&mut self, max: usize) -> Taken {
        if std::mem::take(&mut self.overrun) {
            return Taken::Overrun;
        }
        let count = max.min(self.events.len());
        let after = self.after;
        let events: Vec<_> = self.events.drain(..count).filter(|shown| shown.position > after).collect();
        debug_assert!(events.is_sorted_by_key(|shown| shown.position), "positions ascend on each feed");
        if let Some(last) = events.last() {
            self.after = last.position;
        }
        if self.events.is_empty() {
            self.events = VecDeque::new();
        }
        Taken::Window(events, std::mem::take(&mut self.signals))
    }
}

#[cfg(test)]
mod tests {
    use wigeon_proto::cursor::{Cursor, Epoch};
    use wigeon_proto::framing::Framing;

    use super::*;

    fn event(position: u64) -> Arc<Shown> {
        let cursor = Cursor { epoch: Epoch::new(1), position };
        Arc::new(Shown::new(cursor, format!("{{\"n\":{position}}}").into_bytes().into(), None))
    }

    fn run(positions: &[u64]) -> Run {
        let mut run = Run::new(event(positions[0]));
        run.events.extend(positions[1..].iter().map(|position| event(*position)));
        run
    }

    fn positions(taken: &Taken) -> Vec<u64> {
        match taken {
            Taken::Window(events, _) => events.iter().map(|shown| shown.position).collect(),
            Taken::Overrun | Taken::Lent => Vec::new(),
        }
    }

    #[test]
    fn a_run_of_which_a_page_has_shown_a_part_is_not_written_but_taken() {
        let (wire, _body) = Wire::body();
        let loan = Arc::new(Loan { wire, form: Form::Stream { framing: Framing::Ndjson, chunked: false } });
        let slot = Slot::new(1, UserId::parse("ann").unwrap(), false);
        slot.set_after(5);
        assert!(matches!(slot.lend(&loan, 10), Taken::Lent));
        // A commit of three, the first two of which were in the page that the feed has just read.
        let delivered = slot.deliver(&[&run(&[4, 5, 6])]);
        assert!(!delivered.written && delivered.wake);
        // What comes now must not overtake the rest of it.
        assert!(!slot.deliver(&[&run(&[7])]).written);
        assert_eq!(positions(&slot.lend(&loan, 10)), [6, 7]);
        assert!(loan.wire.is_clear());
        assert!(matches!(slot.lend(&loan, 10), Taken::Lent));
        assert!(slot.deliver(&[&run(&[8])]).written);
    }
}
