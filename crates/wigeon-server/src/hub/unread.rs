//! Unread counts that follow a feed: which rooms may count differently now, and when to say so.
//!
//! A client never adds and subtracts; it is told, at most once a second for all rooms together. The store is
//! asked for a room's counts once, when the first of its events comes by. From there on a message, or a mark
//! at the newest one, changes what is known here; whatever is not as simple (a recall, a mark that goes back,
//! a return to the room) is asked anew. So a busy room of thousands costs its readers no question at all.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};
use wigeon_proto::frame::Control;
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::{UNREAD_ASKED_MAX, UNREAD_ROOMS_KNOWN_MAX, UNREAD_SINCE_MAX};
use wigeon_store::Pool;
use wigeon_store::read::{QueryError, Unread as Asked};

use super::shown::{Counts, How};
use super::slot::Slot;
use super::{Batch, Shown};

/// The time from one telling to the next.
const EVERY: Duration = Duration::from_secs(1);

/// Lets so many questions for counts through at once: thousands of feeds may come to ask in the same second, and
/// other readers are not to wait behind them.
static ASKING: Semaphore = Semaphore::const_new(UNREAD_ASKED_MAX);

/// The counts that a batch read without a feed may have changed.
pub(crate) async fn after(pool: &Pool, user: &UserId, batch: &Batch) -> Result<Batch, QueryError> {
    let mut ledger = Ledger::default();
    batch.events.iter().for_each(|shown| ledger.note(shown, user));
    let counts = ask(pool, user, ledger.ask()).await?;
    Ok(signals(ledger.answer(user, counts)))
}

/// When one feed is told next; what, its slot knows.
pub(super) struct Unread {
    next: Instant,
}

impl Unread {
    pub(super) fn new() -> Self {
        Self { next: Instant::now() }
    }

    /// Returns when there is something to tell. Cancel-safe.
    pub(super) async fn due(&self, slot: &Slot) {
        if !slot.has_counts() {
            std::future::pending::<()>().await;
        }
        sleep_until(self.next).await;
    }

    /// The counts as they are now, as signals. Cancel-safe: until it returns there is still something to tell.
    pub(super) async fn tell(&mut self, slot: &Slot, pool: &Pool) -> Result<Batch, QueryError> {
        let unknown = slot.counts(Ledger::ask).unwrap_or_default();
        let counts = ask(pool, &slot.user, unknown).await?;
        self.next = Instant::now() + EVERY;
        Ok(signals(slot.counts(|ledger| ledger.answer(&slot.user, counts)).unwrap_or_default()))
    }
}

/// The counts of rooms, and the position they are as of.
async fn ask(pool: &Pool, user: &UserId, rooms: Vec<RoomId>) -> Result<(u64, Vec<Asked>), QueryError> {
    if rooms.is_empty() {
        return Ok((0, Vec::new()));
    }
    let _turn = ASKING.acquire().await.expect("it is never closed");
    let user = user.clone();
    pool.read(move |view| Ok((view.position, view.unread_of(&user, &rooms)?))).await
}

fn signals(told: Vec<(RoomId, u64, u64)>) -> Batch {
    let signal = |(room, unread, mentions)| Control::Unread { room, unread, mentions }.to_json().into();
    Batch { signals: told.into_iter().map(signal).collect(), ..Batch::default() }
}

/// Which rooms of one feed are to be told, and what is known of their counts.
#[derive(Default)]
pub(super) struct Ledger {
    touched: BTreeSet<RoomId>,
    rooms: HashMap<RoomId, Count>,
}

enum Count {
    /// The store has been asked; these came since.
    Asked(Vec<Arc<Shown>>),
    Known(Known),
    /// The user is no member, and watches.
    None,
}

/// A room's counts as of a position.
struct Known {
    as_of: u64,
    /// The newest message.
    head: u64,
    unread: u64,
    mentions: u64,
}

impl Ledger {
    /// Whether there is something to tell.
    pub(super) fn has_news(&self) -> bool {
        !self.touched.is_empty()
    }

    /// Notes what an event does to the user's counts. Events come in order.
    pub(super) fn note(&mut self, shown: &Arc<Shown>, user: &UserId) {
        let Some(counts) = shown.counts.as_ref().filter(|counts| counts.concern(user)) else { return };
        if matches!(counts.how, How::Moved(_)) {
            self.rooms.remove(&counts.room);
            return;
        }
        let count = self.rooms.get_mut(&counts.room);
        if matches!(count, Some(Count::None)) {
            return;
        }
        if !self.touched.contains(&counts.room) {
            self.touched.insert(counts.room.clone());
        }
        let goes_on = match count {
            Some(Count::Asked(since)) if since.len() < UNREAD_SINCE_MAX => {
                since.push(shown.clone());
                true
            }
            Some(Count::Known(known)) => known.take(shown.position, counts, user),
            Some(Count::Asked(_) | Count::None) | None => false,
        };
        if !goes_on {
            self.rooms.remove(&counts.room);
        }
    }

    /// Forgets what is known: some events did not come by.
    pub(super) fn forget(&mut self) {
        self.rooms.clear();
    }

    /// The rooms that are to be told and not known. What comes from here on is kept until the answer.
    fn ask(&mut self) -> Vec<RoomId> {
        let known = |room: &RoomId| matches!(self.rooms.get(room), Some(Count::Known(_)));
        let unknown: Vec<RoomId> = self.touched.iter().filter(|room| !known(room)).cloned().collect();
        if self.rooms.len() + unknown.len() > UNREAD_ROOMS_KNOWN_MAX {
            self.rooms.clear();
        }
        for room in unknown.iter().take(UNREAD_ROOMS_KNOWN_MAX) {
            self.rooms.insert(room.clone(), Count::Asked(Vec::new()));
        }
        unknown
    }

    /// Takes in what the store has answered, and says what is to be told.
    fn answer(&mut self, user: &UserId, (as_of, counts): (u64, Vec<Asked>)) -> Vec<(RoomId, u64, u64)> {
        let mut told = Vec::new();
        for Asked { room, head, unread, mentions } in counts {
            let known = Known { as_of, head, unread, mentions };
            if let Some(Count::Asked(since)) = self.rooms.remove(&room) {
                self.learn(room, known, &since, user);
            } else {
                // Dropped in the meantime: it is told as it was, and asked again when there is news.
                self.touched.remove(&room);
                told.push((room, known.unread, known.mentions));
            }
        }
        for room in std::mem::take(&mut self.touched) {
            match self.rooms.get(&room) {
                Some(Count::Known(known)) => told.push((room, known.unread, known.mentions)),
                Some(Count::Asked(_)) => drop(self.rooms.insert(room, Count::None)),
                Some(Count::None) => {}
                None => drop(self.touched.insert(room)),
            }
        }
        told
    }

    fn learn(&mut self, room: RoomId, mut known: Known, since: &[Arc<Shown>], user: &UserId) {
        let counted = since.iter().filter_map(|shown| Some((shown.position, shown.counts.as_ref()?)));
        let mut goes_on = true;
        for (position, counts) in counted {
            goes_on = goes_on && known.take(position, counts, user);
        }
        if goes_on {
            self.rooms.insert(room, Count::Known(known));
        }
    }
}

impl Known {
    /// Takes an event into account; false where it is not as simple as that.
    fn take(&mut self, position: u64, counts: &Counts, user: &UserId) -> bool {
        if position <= self.as_of {
            return true;
        }
        self.as_of = position;
        match &counts.how {
            How::Message { seq, from, .. } if from == user => {
                (self.head, self.unread, self.mentions) = (*seq, 0, 0);
                true
            }
            How::Message { seq, mentions, all, .. } => {
                (self.head, self.unread) = (*seq, self.unread + 1);
                self.mentions += u64::from(*all || mentions.contains(user));
                true
            }
            How::Read { seq } if *seq >= self.head => {
                (self.unread, self.mentions) = (0, 0);
                true
            }
            // Who has nothing to read has not less of it.
            How::Less => self.unread == 0,
            How::Read { .. } | How::Anew | How::Moved(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wigeon_core::entry::{Entry, Rights};
    use wigeon_proto::command::{Command, Request};
    use wigeon_proto::id::CommandId;
    use wigeon_store::{Durability, Store};

    use super::*;

    /// Bob's feed in a room of four, beside a store that can be asked.
    struct World {
        _directory: tempfile::TempDir,
        store: Store,
        bob: UserId,
        ledger: Ledger,
        asked: usize,
        ids: u64,
        dice: u64,
    }

    impl World {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let store = Store::open(directory.path(), Durability::Memory, 7).unwrap();
            let bob = UserId::parse("bob").unwrap();
            let mut world = Self {
                _directory: directory,
                store,
                bob,
                ledger: Ledger::default(),
                asked: 0,
                ids: 0,
                dice: 1,
            };
            let members = ["ann", "bob", "cat"];
            let create =
                json!({"type":"room.create","kind":"group","room":"r","title":"R","members":members});
            world.does("host", create);
            world
        }

        fn does(&mut self, actor: &str, mut command: Value) {
            self.ids += 1;
            command["id"] = json!(self.ids.to_string());
            let Command::Durable(command) = Request::decode(&command.to_string()).unwrap().command else {
                panic!("not durable")
            };
            let entry = Entry::new(
                UserId::parse(actor).unwrap(),
                if actor == "host" { Rights::Service } else { Rights::User },
                self.ids,
                CommandId::parse(&self.ids.to_string()).unwrap(),
                command,
            );
            let _ = self.store.writer.step(&entry.into()).unwrap();
            for event in self.store.writer.commit().unwrap() {
                let counts = Counts::of(&event.what, &event.about, &event.from);
                let own = RoomId::own(&event.from);
                if event.room != own || event.from == self.bob {
                    let shown = Shown::new(event.cursor, event.json, counts);
                    self.ledger.note(&Arc::new(shown), &self.bob);
                }
            }
        }

        fn roll(&mut self, sides: u64) -> u64 {
            self.dice =
                self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.dice >> 33) % sides
        }

        fn something(&mut self) {
            let who = ["ann", "bob", "cat"][self.roll(3) as usize];
            let seq = 1 + self.roll(40);
            let message = json!({"type":"send","room":"r","body":{"text":"x"}});
            let command = match self.roll(16) {
                0 => json!({"type":"send","room":"r","body":{"text":"x"},"mentions":["bob"]}),
                1 => json!({"type":"send","room":"r","body":{"text":"x"},"mention_all":true}),
                2 => json!({"type":"recall","room":"r","seq":seq}),
                3..6 => json!({"type":"read","room":"r","seq":seq}),
                6 => json!({"type":"unread","room":"r","seq":seq}),
                7 => json!({"type":"prefs.set","room":"r","prefs":{"hide":seq}}),
                8 => return self.does("host", json!({"type":"member.remove","room":"r","user":"bob"})),
                9 | 10 => return self.does("host", json!({"type":"member.add","room":"r","user":"bob"})),
                _ => message,
            };
            self.does(who, command);
        }
    }

    #[tokio::test]
    async fn what_is_told_is_what_the_store_counts() {
        let mut world = World::new();
        let mut told_in_all = 0;
        for _ in 0..600 {
            world.something();
            if world.roll(3) > 0 || !world.ledger.has_news() {
                continue;
            }
            let unknown = world.ledger.ask();
            let counts = ask(&world.store.readers, &world.bob, unknown).await.unwrap();
            // Between the question and its answer the room goes on.
            (0..world.roll(3)).for_each(|_| world.something());
            let told = world.ledger.answer(&world.bob, counts);
            let room = RoomId::parse("r").unwrap();
            let (_, now) = ask(&world.store.readers, &world.bob, vec![room.clone()]).await.unwrap();
            if let (Some(told), false, Some(now)) = (told.first(), world.ledger.has_news(), now.first()) {
                assert_eq!((told.1, told.2), (now.unread, now.mentions));
                told_in_all += 1;
            }
        }
        assert!(told_in_all > 60, "{told_in_all}");
    }

    #[tokio::test]
    async fn a_busy_room_is_asked_about_once() {
        let mut world = World::new();
        for n in 1..=100 {
            world.does("ann", json!({"type":"send","room":"r","body":{"text":"x"}}));
            if n % 10 == 0 {
                world.does("bob", json!({"type":"read","room":"r","seq":n}));
            }
            let unknown = world.ledger.ask();
            world.asked += unknown.len();
            let counts = ask(&world.store.readers, &world.bob, unknown).await.unwrap();
            let told = world.ledger.answer(&world.bob, counts);
            assert_eq!(told, [(RoomId::parse("r").unwrap(), n % 10, 0)]);
        }
        assert_eq!(world.asked, 1);
    }
}
