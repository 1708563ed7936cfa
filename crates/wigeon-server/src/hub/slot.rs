//! A slot: the place where the hub leaves what a feed has yet to take.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::{FEED_SIGNALS_MAX, FEED_WINDOW_EVENTS_MAX};

use super::Shown;

/// One live feed, as the hub sees it.
pub(super) struct Slot {
    pub(super) id: u64,
    pub(super) user: UserId,
    inbox: Mutex<Inbox>,
    ready: Notify,
}

#[derive(Default)]
struct Inbox {
    events: VecDeque<Arc<Shown>>,
    signals: VecDeque<Arc<[u8]>>,
    /// More came than the window holds: the feed has to read the log.
    overrun: bool,
    /// The rooms before the user's eyes; none until the client has said so.
    focus: Option<HashSet<RoomId>>,
}

/// What was in a slot.
pub(super) enum Taken {
    /// In order of position, and what is not remembered.
    Window(VecDeque<Arc<Shown>>, VecDeque<Arc<[u8]>>),
    /// The window was overrun; it is open again from now on.
    Overrun,
}

impl Slot {
    pub(super) fn new(id: u64, user: UserId) -> Self {
        Self { id, user, inbox: Mutex::default(), ready: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().expect("nothing panics under a slot's lock")
    }

    /// Leaves an event. True if the feed should be woken for it.
    pub(super) fn push(&self, shown: &Arc<Shown>) -> bool {
        let mut inbox = self.lock();
        if inbox.overrun {
            return false;
        }
        if inbox.events.len() == FEED_WINDOW_EVENTS_MAX {
            inbox.events = VecDeque::new();
            inbox.overrun = true;
            return true;
        }
        inbox.events.push_back(shown.clone());
        inbox.events.len() == 1
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
        if std::mem::take(&mut inbox.overrun) {
            return Taken::Overrun;
        }
        let count = max.min(inbox.events.len());
        let rest = inbox.events.split_off(count);
        let events = std::mem::replace(&mut inbox.events, rest);
        Taken::Window(events, std::mem::take(&mut inbox.signals))
    }

    /// Whether no event waits and none was lost.
    pub(super) fn is_level(&self) -> bool {
        let inbox = self.lock();
        inbox.events.is_empty() && !inbox.overrun
    }

    pub(super) fn set_focus(&self, rooms: HashSet<RoomId>) {
        self.lock().focus = Some(rooms);
    }

    /// Whether the user has the room before their eyes, or has not said what they have.
    pub(super) fn sees(&self, room: &RoomId) -> bool {
        self.lock().focus.as_ref().is_none_or(|rooms| rooms.contains(room))
    }
}
