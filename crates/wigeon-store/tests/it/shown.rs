//! What a client is shown, against a reader who has nothing but the events: counts are those made by hand, and
//! a snapshot with the events since is the newer snapshot.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use wigeon_proto::command::OfRoom;
use wigeon_proto::cursor::Cursor;
use wigeon_proto::frame;
use wigeon_store::read::PageRequest;
use wigeon_store::{Durability, Store};

use crate::world::{USERS, any_step, ask, asker, entries, expired, room, snapshot, store, user};

/// A room as its reader reckons it.
#[derive(Debug, Clone, Default, PartialEq)]
struct Reckoned {
    title: String,
    role: String,
    muted_until: u64,
    prefs: Value,
    pins: Vec<u64>,
    seq: u64,
    read: u64,
    /// Every message after the read mark that counts, and whether it mentions the reader.
    waiting: BTreeMap<u64, bool>,
}

/// One user's view of everything, kept up by events.
#[derive(Debug, Clone, PartialEq)]
struct Reader {
    name: &'static str,
    rooms: BTreeMap<String, Reckoned>,
    prefs: Value,
    blocked: BTreeSet<String>,
}

fn names(event: &Value, who: &str) -> bool {
    event["users"].as_array().is_some_and(|users| users.iter().any(|user| user == who))
}

fn text(event: &Value, field: &str) -> String {
    event[field].as_str().unwrap().to_owned()
}

impl Reader {
    /// Takes a snapshot in, and reads the messages that wait in each room.
    fn begin(store: &Store, name: &'static str) -> Self {
        let shown = snapshot(store, name);
        let mut reader = Self {
            name,
            rooms: BTreeMap::new(),
            prefs: shown.get("prefs").cloned().unwrap_or(json!({})),
            blocked: BTreeSet::new(),
        };
        for other in shown["blocked"].as_array().into_iter().flatten() {
            reader.blocked.insert(other.as_str().unwrap().to_owned());
        }
        for room in shown["rooms"].as_array().unwrap() {
            reader.rooms.insert(room["id"].as_str().unwrap().to_owned(), Self::reckon(store, name, room));
        }
        reader
    }

    fn reckon(store: &Store, name: &'static str, shown: &Value) -> Reckoned {
        let read = shown["read"].as_u64().unwrap();
        let mut reckoned = Reckoned {
            title: shown["title"].as_str().unwrap().to_owned(),
            role: shown["role"].as_str().unwrap().to_owned(),
            muted_until: shown["muted_until"].as_u64().unwrap_or(0),
            prefs: shown.get("prefs").cloned().unwrap_or(json!({})),
            pins: pins(store, name, shown["id"].as_str().unwrap()),
            seq: shown["seq"].as_u64().unwrap(),
            read,
            waiting: BTreeMap::new(),
        };
        let id = shown["id"].as_str().unwrap();
        reckoned.waiting = messages(store, name, id).into_iter().filter(|(seq, _)| *seq > read).collect();
        assert_eq!(shown["unread"], reckoned.waiting.len(), "{name} in {id}");
        let mentions = reckoned.waiting.values().filter(|mentioned| **mentioned).count();
        assert_eq!(shown["mentions"], mentions, "{name} in {id}");
        reckoned
    }

    /// What a client does with an event. Of a room that is new to it, it asks.
    fn take(&mut self, store: &Store, event: &Value) {
        let (kind, id) = (event["type"].as_str().unwrap(), event["room"].as_str().unwrap());
        match kind {
            "prefs" => {
                let of = event["about"].as_str().and_then(|about| self.rooms.get_mut(about));
                match of {
                    Some(room) => {
                        room.prefs = event["prefs"].clone();
                        room.read_to(event["prefs"]["hide"].as_u64().unwrap_or(0));
                    }
                    None if event.get("about").is_none() => self.prefs = event["prefs"].clone(),
                    None => {}
                }
            }
            "block" => {
                let other = text(event, "user");
                if event["on"] == true {
                    self.blocked.insert(other)
                } else {
                    self.blocked.remove(&other)
                };
            }
            "member" if names(event, self.name) => match event["action"].as_str().unwrap() {
                "leave" | "remove" | "ban" => drop(self.rooms.remove(id)),
                "role" => self.known(store, id).role = text(event, "role"),
                "mute" => self.known(store, id).muted_until = event["until"].as_u64().unwrap(),
                _ => drop(self.known(store, id)),
            },
            "room" => self.known(store, id).title = text(event, "title"),
            "read" if event["user"] == self.name => {
                let seq = event["seq"].as_u64().unwrap();
                if event["back"] == true {
                    let again = messages(store, self.name, id);
                    let room = self.known(store, id);
                    room.read = seq;
                    room.waiting =
                        again.into_iter().filter(|(at, _)| (seq + 1..=room.seq).contains(at)).collect();
                } else {
                    self.known(store, id).read_to(seq);
                }
            }
            "message" => {
                let me = self.name;
                let mentions = event["mention_all"] == true
                    || event["mentions"].as_array().is_some_and(|users| users.iter().any(|user| user == me));
                let room = self.known(store, id);
                let seq = event["seq"].as_u64().unwrap();
                room.seq = room.seq.max(seq);
                if event["from"] == me {
                    room.read_to(seq);
                } else if event["recalled"] != true && seq > room.read {
                    room.waiting.insert(seq, mentions);
                }
            }
            "message.recalled" => {
                let room = self.known(store, id);
                let seq = event["seq"].as_u64().unwrap();
                room.waiting.remove(&seq);
                room.pins.retain(|pin| *pin != seq);
            }
            "message.expired" => {
                let room = self.known(store, id);
                let to_seq = event["to_seq"].as_u64().unwrap();
                room.read_to(to_seq);
                room.pins.retain(|pin| *pin > to_seq);
            }
            "pin" => {
                let room = self.known(store, id);
                let seq = event["seq"].as_u64().unwrap();
                room.pins.retain(|pin| *pin != seq);
                if event["on"] == true {
                    room.pins.insert(0, seq);
                }
            }
            _ => {}
        }
    }

    fn known(&mut self, store: &Store, id: &str) -> &mut Reckoned {
        let name = self.name;
        self.rooms.entry(id.to_owned()).or_insert_with(|| {
            let (who, query) = (asker(name), OfRoom { room: room(id) });
            match ask(store, move |view| view.room_get(&who, &query)) {
                Ok(got) if got.room.role.is_some() => {
                    Self::reckon(store, name, &serde_json::to_value(got.room).unwrap())
                }
                // They have left in the meantime: the event that says so is on its way.
                _ => Reckoned::default(),
            }
        })
    }
}

impl Reckoned {
    fn read_to(&mut self, seq: u64) {
        self.read = self.read.max(seq);
        self.waiting = self.waiting.split_off(&(self.read + 1));
    }
}

/// A room's pins, which a snapshot does not name.
fn pins(store: &Store, name: &str, id: &str) -> Vec<u64> {
    let (who, query) = (asker(name), OfRoom { room: room(id) });
    ask(store, move |view| view.room_get(&who, &query)).unwrap().room.pins
}

/// The messages of a room that count as messages for a user, and whether each mentions them.
fn messages(store: &Store, name: &str, id: &str) -> BTreeMap<u64, bool> {
    let (who, id, me) = (asker(name), room(id), name.to_owned());
    let all = ask(store, move |view| {
        let mut all = Vec::new();
        let mut after = Some(0);
        while let Some(from) = after {
            let query = json!({"room":id,"after":from,"limit":100});
            let part = view.history(&who, &serde_json::from_value(query).unwrap())?;
            let part = serde_json::to_value(part).unwrap();
            all.extend(part["messages"].as_array().unwrap().clone());
            after = if part["more"] == true { all.last().and_then(|one| one["seq"].as_u64()) } else { None };
        }
        Ok(all)
    });
    let Ok(all) = all else { return BTreeMap::new() };
    let counts = all.iter().filter(|message| message["recalled"] != true);
    let mentions = |message: &Value| {
        message["mention_all"] == true
            || message["mentions"].as_array().is_some_and(|users| users.iter().any(|user| *user == me))
    };
    counts.map(|message| (message["seq"].as_u64().unwrap(), mentions(message))).collect()
}

/// Everything a user is shown after a position; `None` if some of it has gone, and they begin anew.
fn events(store: &Store, name: &str, after: u64) -> Option<Vec<Value>> {
    let request = PageRequest {
        user: user(name),
        watch: Vec::new(),
        after,
        frames_max: usize::MAX,
        bytes_max: usize::MAX,
        max_per_room: None,
    };
    let page = ask(store, move |view| view.page(&request)).unwrap();
    assert!(!page.more);
    if page.gone {
        return None;
    }
    let shown = |record: wigeon_store::read::Record| {
        let cursor = Cursor { epoch: wigeon_proto::cursor::Epoch::new(7), position: record.position };
        serde_json::from_slice(&frame::event(&record.kind, &cursor.to_string(), &record.tail)).unwrap()
    };
    Some(page.records.into_iter().map(shown).collect())
}

/// Takes in what there is since the last time, or begins anew where some of that has gone.
fn catch_up(store: &Store, (reader, after): &mut (Reader, u64)) {
    match events(store, reader.name, *after) {
        Some(events) => events.iter().for_each(|event| reader.take(store, event)),
        None => *reader = Reader::begin(store, reader.name),
    }
    *after = store.writer.position();
}

/// What a crash would leave: nothing but the disk.
fn reopened(dir: &tempfile::TempDir, store: Store) -> Store {
    drop(store);
    Store::open(dir.path(), Durability::Os, 8).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_snapshot_and_the_events_since_are_the_newer_snapshot(
        steps in prop::collection::vec(any_step(), 40..160), percent in 0..60usize,
    ) {
        let (dir, mut store) = store();
        let all = entries(&steps);
        let cut = all.len() * percent / 100;
        for entry in &all[..cut] {
            let _ = store.writer.step(&entry.clone().into()).unwrap();
        }
        store.writer.commit().unwrap();
        store = reopened(&dir, store);
        let mut before: Vec<(Reader, u64)> =
            USERS.iter().map(|name| (Reader::begin(&store, name), store.writer.position())).collect();
        for (i, entry) in all[cut..].iter().enumerate() {
            let _ = store.writer.step(&entry.clone().into()).unwrap();
            if i % 3 == 0 {
                store.writer.commit().unwrap();
            }
            if i % 4 == 0 {
                // A sender that has no answer sends again.
                let _ = store.writer.step(&entry.clone().into()).unwrap();
            }
            if i % 9 == 0 {
                store.writer.commit().unwrap();
                for old in expired(&store, entry.at) {
                    let _ = store.writer.step(&old.into()).unwrap();
                }
            }
            if i % 16 == 15 {
                store = reopened(&dir, store);
            }
            // One who comes every day, one who comes once a week, and two who come at the end.
            for (reader, days) in before.iter_mut().zip([2, 14]) {
                if i % days == 0 {
                    store.writer.commit().unwrap();
                    catch_up(&store, reader);
                }
            }
        }
        store.writer.commit().unwrap();
        for mut reader in before {
            catch_up(&store, &mut reader);
            let newer = Reader::begin(&store, reader.0.name);
            prop_assert_eq!(reader.0, newer);
        }
    }
}
