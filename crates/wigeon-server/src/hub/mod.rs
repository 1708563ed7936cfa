//! The hub: which live feed wants which room's events.
//!
//! The sequencer hands it each commit, and each new feed, in one order. So it knows exactly who is in
//! which room at each position, and an event reaches a feed only from the position at which its user
//! came to the position at which they left.
//!
//! Where a feed is level the hub writes to its wire itself, on the sequencer's thread, the same bytes to all
//! of equal form, and in one write what a commit has for one reader. Other feeds find the events in a bounded
//! window, and past that in the log (see [`slot`] and [`feed`]).

mod audience;
mod batch;
mod delivered;
#[cfg(feature = "bench")]
pub mod fanout;
mod feed;
mod names;
mod shown;
mod slot;
pub(crate) mod unread;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::oneshot;
use wigeon_proto::event::What;
use wigeon_proto::frame::Control;
use wigeon_proto::id::{RoomId, UserId};
use wigeon_store::{Answer, Committed, Outlet};

use crate::line::Reply;
use crate::wire::Wire;
use audience::Audience;
pub(crate) use batch::{Batch, shown};
use delivered::{Delivered, Told};
pub(crate) use feed::{Feed, FeedError, Held, Start};
use names::Names;
pub(crate) use shown::Shown;
use shown::{Counts, Run};
pub(crate) use slot::Loan;
use slot::Slot;

use crate::peers::Said;
use crate::presence::{self, Presence};

/// A handle to the hub; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Hub {
    shared: Arc<Shared>,
    /// Wires with staged answers of the commit at hand.
    answered: Vec<Arc<Wire>>,
    pub(crate) presence: Presence,
}

impl From<Presence> for Hub {
    fn from(presence: Presence) -> Self {
        Self { presence, ..Self::default() }
    }
}

#[derive(Default)]
struct Shared {
    audience: Mutex<Audience>,
    delivered: Mutex<Delivered>,
    names: Names,
    /// Every event up to here has been handed to the windows of its feeds.
    position: AtomicU64,
    /// For the ids of slots.
    slots_made: AtomicU64,
}

/// A feed on its way from its connection, through the sequencer, into the hub.
pub(crate) struct Attach {
    slot: Arc<Slot>,
    watch: Vec<RoomId>,
    attached: oneshot::Sender<()>,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Audience> {
        self.shared.audience.lock().expect("nothing panics under the hub's lock")
    }

    fn delivered(&self) -> MutexGuard<'_, Delivered> {
        self.shared.delivered.lock().expect("nothing panics under this lock")
    }

    /// Every event up to here is in the windows of the feeds it is for.
    fn position(&self) -> u64 {
        self.shared.position.load(Ordering::Acquire)
    }

    fn new_slot(&self, user: UserId, counts: bool) -> Arc<Slot> {
        Arc::new(Slot::new(self.shared.slots_made.fetch_add(1, Ordering::Relaxed), user, counts))
    }

    fn detach(&self, slot: &Slot) {
        self.lock().remove(slot);
    }

    /// Tells the live feeds of a room's other members something that is not remembered: those who may have the
    /// room before their eyes, or, in a large one, only those who have said so.
    fn signal(&self, room: &RoomId, from: &UserId, json: &Arc<[u8]>, is_large: bool) {
        let state = self.lock();
        let Some(subscriptions) = state.rooms.get(room) else { return };
        for subscription in subscriptions.values() {
            if subscription.member
                && subscription.slot.user != *from
                && subscription.slot.sees(room, is_large)
            {
                subscription.slot.push_signal(json.clone());
            }
        }
    }

    /// Tells a room's other members that a user types.
    pub(crate) fn typing(&self, room: &RoomId, user: &UserId, is_large: bool) {
        let frame = Control::Typing { room: room.clone(), user: user.clone() }.to_json();
        self.signal(room, user, &frame.into(), is_large);
    }

    /// Tells every live feed of a user something that is not remembered.
    fn tell(&self, user: &UserId, json: &Arc<[u8]>) {
        for live in self.lock().users.get(user).into_iter().flatten() {
            live.slot.push_signal(json.clone());
        }
    }

    /// Tells who has come or gone to those who asked.
    pub(crate) fn tell_presence(&self, told: Vec<presence::Told>) {
        for told in told {
            let json = told.to_json().into();
            for watcher in &told.to {
                self.tell(watcher, &json);
            }
        }
    }

    /// A device of a user has taken in everything up to a position.
    pub(crate) fn acked(&self, user: &UserId, position: u64) {
        if let Some(before) = self.presence.acked(user, position) {
            self.arrived(user, (before, position));
        }
    }

    /// It has told another node so, which need not be the one with its feed.
    pub(crate) fn peer_acked(&self, user: &UserId, position: u64) {
        if let Some(before) = self.presence.peer_acked(user, position) {
            self.arrived(user, (before, position));
        }
    }

    fn arrived(&self, user: &UserId, range: (u64, u64)) {
        let rooms: Vec<RoomId> = self.lock().rooms_of(user).cloned().collect();
        self.delivered().acked(user, rooms.iter(), range);
    }

    /// Notes what is on its way to its receivers.
    fn note_sent(&self, events: &[Committed]) {
        let mut delivered = self.delivered();
        for event in events.iter().filter(|event| event.tells_receipts) {
            if let What::Message { seq, .. } = &event.what {
                delivered.sent(&event.room, event.cursor.position, *seq, &event.from);
            }
        }
    }

    /// Tells those who wrote what has reached whom, whichever node they are with.
    fn tell_delivered(&self) {
        let all = self.delivered().tell();
        for Told { to, room, user, seq } in all {
            self.tell_of_delivery(&to, &room, &user, seq);
            self.presence.peers.say(|| Said::Delivered { to, room, user, seq });
        }
    }

    /// Tells those senders who are with this node.
    pub(crate) fn tell_of_delivery(&self, to: &[UserId], room: &RoomId, user: &UserId, seq: u64) {
        let json = Control::Delivered { room: room.clone(), user: user.clone(), seq }.to_json().into();
        for sender in to {
            self.tell(sender, &json);
        }
    }

    /// Tells who has gone and what has arrived, for as long as the server runs.
    pub(crate) async fn look_around(self) {
        let mut pace = tokio::time::interval(Duration::from_secs(1));
        loop {
            pace.tick().await;
            self.tell_presence(self.presence.look_around());
            self.tell_delivered();
        }
    }

    /// How many feeds are live, and in how many rooms.
    pub(crate) fn size(&self) -> (usize, usize) {
        let audience = self.lock();
        (audience.users.values().map(Vec::len).sum(), audience.rooms.len())
    }
}

/// A slot that a commit has something for.
struct Touched {
    slot: Arc<Slot>,
    first: usize,
    more: Vec<usize>,
}

impl Touched {
    /// Hands it all over at once: one write, however many events there are. Returns how many were written.
    fn deliver(&self, runs: &[Run]) -> usize {
        let delivered = if self.more.is_empty() {
            self.slot.deliver(&[&runs[self.first]])
        } else {
            let all: Vec<_> = std::iter::once(&self.first).chain(&self.more).map(|run| &runs[*run]).collect();
            self.slot.deliver(&all)
        };
        if delivered.wake {
            self.slot.wake();
        }
        if !delivered.written {
            return 0;
        }
        std::iter::once(&self.first).chain(&self.more).map(|run| runs[*run].events.len()).sum()
    }
}

/// Notes who is to have a run, as things stand at its place in the log.
fn note(audience: &Audience, event: &Committed, run: usize, touched: &mut Vec<Touched>) {
    let Some(subscriptions) = audience.rooms.get(&event.room) else { return };
    for subscription in subscriptions.values().filter(|heard| heard.member || event.public) {
        let slot = &subscription.slot;
        if event.kept_from.contains(&slot.user) {
            continue;
        }
        // A slot remembers its place in the list of the commit at hand; one of an earlier list is another's.
        let place = slot.touched.load(Ordering::Relaxed);
        match touched.get_mut(place) {
            Some(found) if Arc::ptr_eq(&found.slot, slot) => found.more.push(run),
            _ => {
                slot.touched.store(touched.len(), Ordering::Relaxed);
                touched.push(Touched { slot: slot.clone(), first: run, more: Vec::new() });
            }
        }
    }
}

impl Outlet for Hub {
    type Feed = Attach;
    type Reply = Reply;

    fn answer(&mut self, reply: Reply, answer: Answer) {
        // Staged, not written: it leaves with what the sender itself is to see of this commit.
        if let Some(wire) = reply.answer(answer) {
            self.answered.push(wire);
        }
    }

    fn commit(&mut self, events: Vec<Committed>, position: u64) {
        self.note_sent(&events);
        let (mut runs, mut touched) = (Vec::<Run>::new(), Vec::new());
        let mut audience = self.shared.audience.lock().expect("nothing panics under the hub's lock");
        let mut open: Option<(RoomId, bool)> = None;
        for event in events {
            let counts = Counts::of(&event.what, &event.about, &event.from);
            if let What::User { user, .. } = &event.what {
                self.shared.names.note(user);
            }
            let shown = Arc::new(Shown::new(event.cursor, event.json.clone(), counts));
            for user in &event.joined {
                audience.enter(&event.room, user);
            }
            let moved = !event.joined.is_empty() || !event.left.is_empty();
            let by_itself = moved || !event.kept_from.is_empty();
            match (runs.last_mut(), &open) {
                (Some(run), Some((room, public)))
                    if !by_itself && *room == event.room && *public == event.public =>
                {
                    run.events.push(shown);
                }
                _ => {
                    runs.push(Run::new(shown));
                    note(&audience, &event, runs.len() - 1, &mut touched);
                    // What comes after has another audience, so that this run takes no more.
                    open = (!by_itself).then(|| (event.room.clone(), event.public));
                }
            }
            for user in &event.left {
                audience.exit(&event.room, user);
            }
        }
        drop(audience);
        // Who sent is told with what they themselves see of it, or else before anybody sees it.
        let (own, others): (Vec<_>, Vec<_>) =
            touched.into_iter().partition(|touched| !self.answered.is_empty() && touched.slot.has_staged());
        let deliver = |touched: &[Touched]| touched.iter().map(|one| one.deliver(&runs)).sum::<usize>();
        let sent = deliver(&own);
        for wire in self.answered.drain(..) {
            wire.flush();
        }
        let sent = sent + deliver(&others);
        self.shared.position.store(position, Ordering::Release);
        crate::telemetry::frames_sent(sent);
    }

    fn attach(&mut self, feed: Attach, rooms: Vec<RoomId>, position: u64) {
        let Attach { slot, watch, attached } = feed;
        self.lock().add(&slot, rooms, watch);
        self.shared.position.fetch_max(position, Ordering::AcqRel);
        if attached.send(()).is_err() {
            // The connection has ended in the meantime: nobody else will detach it.
            self.detach(&slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Wake, Waker};

    use bytes::Bytes;
    use futures_util::Stream;
    use wigeon_proto::command::Body as Text;
    use wigeon_proto::cursor::{Cursor, Epoch};
    use wigeon_proto::framing::Framing;
    use wigeon_proto::id::CommandId;

    use super::*;
    use crate::line::Line;
    use crate::wire::Form;

    /// Notes in which order readers are written to.
    struct Noted(&'static str, Arc<Mutex<Vec<&'static str>>>);

    impl Wake for Noted {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    fn poll<E>(body: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin), waker: &Waker) -> Option<String> {
        match Pin::new(body).poll_next(&mut Context::from_waker(waker)) {
            Poll::Ready(Some(Ok(bytes))) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Poll::Ready(_) | Poll::Pending => None,
        }
    }

    fn said(by: &UserId, room: &RoomId) -> Committed {
        let body = Text { text: "hi".into() };
        let what = What::Message {
            seq: 1,
            id: CommandId::parse("m1").unwrap(),
            body,
            reply_to: None,
            thread: None,
            mentions: Vec::new(),
            mention_all: false,
            forwarded: None,
        };
        Committed {
            cursor: Cursor { epoch: Epoch::new(1), position: 1 },
            room: room.clone(),
            about: room.clone(),
            from: by.clone(),
            what,
            public: false,
            tells_receipts: false,
            json: b"{\"seen\":1}".as_slice().into(),
            joined: Vec::new(),
            left: Vec::new(),
            kept_from: Vec::new(),
        }
    }

    #[test]
    fn who_sent_is_told_before_anybody_sees_it_or_with_it() {
        let mut hub = Hub::default();
        let room = RoomId::parse("room").unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        // The first is in the room and sends, the second only sends, the others are in the room.
        let names = ["ann", "dan", "bob", "cat"];
        let mut bodies = names.map(|name| {
            let (wire, body) = Wire::body();
            let waker = Waker::from(Arc::new(Noted(name, order.clone())));
            if name != "dan" {
                let slot = hub.new_slot(UserId::parse(name).unwrap(), false);
                hub.lock().add(&slot, vec![room.clone()], Vec::new());
                let form = Form::Stream { framing: Framing::Ndjson, chunked: false };
                let loan = Arc::new(Loan { wire: wire.clone(), form });
                assert!(matches!(slot.lend(&loan, 10), slot::Taken::Lent));
            }
            (wire, body, waker)
        });
        for (_, body, waker) in &mut bodies {
            assert_eq!(poll(body, waker), None);
        }
        for sender in [0, 1] {
            let place = Line::new(Some(bodies[sender].0.clone())).place(None);
            hub.answer(Reply::Placed(place), Ok(b"{\"told\":1}".to_vec()));
        }
        hub.commit(vec![said(&UserId::parse("ann").unwrap(), &room)], 1);
        let order = order.lock().unwrap();
        assert_eq!(order[..2], ["ann", "dan"]);
        assert_eq!(order.len(), 4, "each in one write: {order:?}");
        let (_, body, waker) = &mut bodies[0];
        let read = poll(body, waker).unwrap();
        assert!(read.find("told").unwrap() < read.find("seen").unwrap(), "{read:?}");
    }
}
