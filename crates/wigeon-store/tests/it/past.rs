//! What history shows, against a reckoning by hand: what was said while one was there, and what the policy has
//! opened ever since it was said; in its present form, and no more than that.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use wigeon_core::memory::Memory;
use wigeon_core::outcome::{Change, Outcome};
use wigeon_proto::cursor::Cursor;
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::What;
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::room::{History, Policy, RoomKind, Visibility};
use wigeon_store::Store;
use wigeon_store::read::QueryError;

use crate::world::{USERS, any_turn, ask, asker, entries, expired, snapshot, store, user};

/// A message, and for whom it was said.
#[derive(Debug, Clone)]
struct Said {
    /// None once it was recalled.
    text: Option<String>,
    heard: BTreeSet<UserId>,
    /// Under a policy that shares history, which it has done ever since.
    shared: bool,
    /// In a channel that was public, and has been ever since.
    public: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Told {
    policy: Option<(RoomKind, Policy)>,
    pub(crate) members: BTreeSet<UserId>,
    messages: BTreeMap<u64, Said>,
    newest: u64,
}

impl Told {
    fn is_shared(&self) -> bool {
        self.policy.is_some_and(|(_, policy)| policy.history == History::Shared)
    }

    fn is_public(&self) -> bool {
        self.policy.is_some_and(|(kind, policy)| {
            kind == RoomKind::Channel && policy.visibility == Visibility::Public
        })
    }

    /// What somebody finds there; none where they may not look.
    fn shown_to(&self, who: &UserId) -> Option<BTreeMap<u64, Option<String>>> {
        if !self.members.contains(who) && !self.is_public() {
            return None;
        }
        let is_member = self.members.contains(who);
        let shown = self.messages.iter().filter(|(seq, _)| self.shows(**seq, who, is_member));
        Some(shown.map(|(seq, said)| (*seq, said.text.clone())).collect())
    }

    /// Whether a message was said for somebody, or has been open to them ever since.
    pub(crate) fn shows(&self, seq: u64, who: &UserId, is_member: bool) -> bool {
        let shows = |said: &Said| said.heard.contains(who) || (said.shared && is_member) || said.public;
        self.messages.get(&seq).is_some_and(shows)
    }

    /// Whether a message has been open to anybody ever since.
    pub(crate) fn opens(&self, seq: u64) -> bool {
        self.messages.get(&seq).is_some_and(|said| said.public)
    }

    pub(crate) fn take(&mut self, what: &What) {
        match what {
            What::Room { kind, policy, .. } => {
                self.policy = Some((*kind, *policy));
                let (is_shared, is_public) = (self.is_shared(), self.is_public());
                for said in self.messages.values_mut() {
                    said.shared &= is_shared;
                    said.public &= is_public;
                }
            }
            What::Message { seq, body, .. } => {
                assert_eq!(*seq, self.newest + 1, "messages are counted without a hole");
                self.newest = *seq;
                let (shared, public) = (self.is_shared(), self.is_public());
                let (text, heard) = (Some(body.text.clone()), self.members.clone());
                self.messages.insert(*seq, Said { text, heard, shared, public });
            }
            What::Edited { seq, body, .. } => {
                self.messages.get_mut(seq).unwrap().text = Some(body.text.clone());
            }
            What::Recalled { seq } => self.messages.get_mut(seq).unwrap().text = None,
            What::Expired { to_seq } => self.messages = self.messages.split_off(&(to_seq + 1)),
            _ => {}
        }
    }
}

/// Plays a history into the store, and reckons what was said to whom.
fn play(store: &mut Store, steps: &[(usize, Value)]) -> BTreeMap<RoomId, Told> {
    let (mut memory, mut rooms) = (Memory::default(), BTreeMap::<RoomId, Told>::new());
    for (i, entry) in entries(steps).into_iter().enumerate() {
        let mut next = vec![entry.clone()];
        if i % 9 == 0 {
            store.writer.commit().unwrap();
            next.extend(expired(store, entry.at));
        }
        for entry in next {
            let here = Cursor { epoch: store.epoch, position: store.writer.position() + 1 };
            let outcome = memory.step(here, &entry);
            store.writer.step(&entry.into()).unwrap().ok();
            let Outcome::Applied(applied) = outcome else { continue };
            for change in &applied.changes {
                match change {
                    Change::Joined(room, user, _) => {
                        rooms.entry(room.clone()).or_default().members.insert(user.clone());
                    }
                    Change::Left { room, user, .. } => {
                        rooms.entry(room.clone()).or_default().members.remove(user);
                    }
                    _ => {}
                }
            }
            if let Some(event) = applied.event.filter(|event| !event.private) {
                rooms.entry(event.room.clone()).or_default().take(&event.what);
            }
        }
    }
    store.writer.commit().unwrap();
    rooms
}

/// All of a room's history that somebody gets, in pages of a few.
fn history(store: &Store, who: &str, room: &str, upwards: bool) -> Option<Vec<Value>> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let mut query = json!({"room":room,"limit":3});
        let end = if upwards { all.last() } else { all.first() };
        match end.map(|end| end["seq"].clone()) {
            Some(seq) => query[if upwards { "after" } else { "before" }] = seq,
            None if upwards => query["after"] = json!(0),
            None => {}
        }
        let (asker, query) = (asker(who), serde_json::from_value(query).unwrap());
        let page = match ask(store, move |view| view.history(&asker, &query)) {
            Ok(page) => serde_json::to_value(&page).unwrap(),
            Err(QueryError::Refused(error)) => {
                assert!(matches!(error.code, ErrorCode::NotMember | ErrorCode::NotFound), "{error:?}");
                return None;
            }
            Err(QueryError::Fault(fault)) => panic!("{fault}"),
        };
        let part = page["messages"].as_array().unwrap().clone();
        all = if upwards { [all, part].concat() } else { [part, all].concat() };
        if page["more"] == false {
            return Some(all);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn history_shows_what_one_heard_and_what_was_open_ever_since(
        steps in prop::collection::vec(any_turn(), 1..140),
    ) {
        let (_dir, mut store) = store();
        let rooms = play(&mut store, &steps);
        for who in USERS {
            let mut newest = BTreeMap::new();
            for (id, told) in &rooms {
                let (name, expected) = (id.as_str(), told.shown_to(&user(who)));
                for upwards in [true, false] {
                    let got = history(&store, who, name, upwards);
                    newest.insert(name, got.as_ref().and_then(|got| got.last().cloned()));
                    let got = got.map(|got| {
                        let text = |message: &Value| message["body"]["text"].as_str().map(str::to_owned);
                        let row = |message: &Value| (message["seq"].as_u64().unwrap(), text(message));
                        got.iter().map(row).collect::<Vec<_>>()
                    });
                    let expected = expected.clone().map(|expected| expected.into_iter().collect::<Vec<_>>());
                    prop_assert_eq!(got, expected, "{} in {}", who, name);
                }
            }
            for shown in snapshot(&store, who)["rooms"].as_array().unwrap() {
                let newest = newest[shown["id"].as_str().unwrap()].clone();
                prop_assert_eq!(&shown["last"], &newest.unwrap_or(Value::Null), "{}", who);
            }
        }
    }
}
