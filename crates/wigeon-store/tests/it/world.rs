//! Random histories: a few users, a few rooms, every durable command.

use proptest::prelude::*;
use serde_json::{Value, json};
use wigeon_core::entry::{Entry, Rights};
use wigeon_proto::command::{Command, Durable, Page, Request, RoomRetain};
use wigeon_proto::id::{CommandId, InviteCode, RoomId, UserId};
use wigeon_store::read::{Asker, Expired, QueryError};
use wigeon_store::{Answer, Durability, Store, View};

pub(crate) const USERS: [&str; 4] = ["ann", "bob", "cat", "dan"];
pub(crate) const ROOMS: [&str; 4] = ["group", "open", "news", "d:ann~bob"];

/// When histories begin: milliseconds since 1970.
pub(crate) const START: u64 = 1_764_000_000_000;
/// Milliseconds from one step of a history to the next: half a day.
const STEP_MS: u64 = 12 * 3600 * 1000;
/// Days for which a store of these tests keeps messages, where it does not keep them for ever: ten steps.
pub(crate) const KEPT_DAYS: u32 = 5;

pub(crate) fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

pub(crate) fn room(name: &str) -> RoomId {
    RoomId::parse(name).unwrap()
}

/// An entry from a command's JSON, as it would be admitted.
pub(crate) fn entry(actor: &str, rights: Rights, id: &str, command: serde_json::Value) -> Entry {
    let mut command = command;
    command["id"] = json!(id);
    let Command::Durable(command) = Request::decode(&command.to_string()).unwrap().command else {
        panic!("not a durable command")
    };
    let new_code = matches!(command, Durable::InviteCreate(_)).then(|| InviteCode::parse(id).unwrap());
    let (actor, id) = (user(actor), CommandId::parse(id).unwrap());
    Entry { new_code, ..Entry::new(actor, rights, START, id, command) }
}

/// The rooms every history begins with: a group, an open group with shared history, a public channel.
pub(crate) fn beginning() -> Vec<Entry> {
    let create = |id: &str, command| entry("host", Rights::Service, id, command);
    vec![
        create(
            "b1",
            json!({"type":"room.create","room":"group","kind":"group","title":"Group","members":["ann","bob"]}),
        ),
        create(
            "b2",
            json!({"type":"room.create","room":"open","kind":"group","title":"Open","members":["cat"],
                "policy":{"join":"open","history":"shared"}}),
        ),
        create("b3", json!({"type":"room.create","room":"news","kind":"channel","title":"News"})),
    ]
}

/// What somebody might do next. Much of it is against the rules.
pub(crate) fn any_step() -> impl Strategy<Value = (usize, serde_json::Value)> {
    let room = || (0..ROOMS.len()).prop_map(|i| ROOMS[i]);
    let other = || (0..USERS.len()).prop_map(|i| USERS[i]);
    let seq = || 1..8u64;
    let command = prop_oneof![
        6 => (room(), "[a-c<]{1,4}").prop_map(|(room, text)| json!({"type":"send","room":room,"body":{"text":text}})),
        2 => other().prop_map(|to| json!({"type":"send","to":to,"body":{"text":"direct"}})),
        1 => (room(), other()).prop_map(|(room, who)| json!({"type":"send","room":room,"body":{"text":"@"},"mentions":[who]})),
        2 => (room(), seq()).prop_map(|(room, seq)| json!({"type":"edit","room":room,"seq":seq,"body":{"text":"edited"}})),
        1 => (room(), seq()).prop_map(|(room, seq)| json!({"type":"recall","room":room,"seq":seq})),
        1 => (room(), seq(), any::<bool>())
            .prop_map(|(room, seq, on)| json!({"type":"react","room":room,"seq":seq,"emoji":"👍","on":on})),
        2 => (room(), seq()).prop_map(|(room, seq)| json!({"type":"read","room":room,"seq":seq})),
        2 => room().prop_map(|room| json!({"type":"room.join","room":room})),
        2 => room().prop_map(|room| json!({"type":"room.leave","room":room})),
        2 => (room(), other()).prop_map(|(room, who)| json!({"type":"member.add","room":room,"user":who})),
        1 => (room(), other()).prop_map(|(room, who)| json!({"type":"member.remove","room":room,"user":who})),
        1 => (room(), other(), any::<bool>()).prop_map(|(room, who, up)| {
            json!({"type":"member.role","room":room,"user":who,"role":if up { "admin" } else { "reader" }})
        }),
        2 => (room(), seq()).prop_map(|(room, seq)| json!({"type":"unread","room":room,"seq":seq})),
        1 => (room(), seq(), any::<bool>()).prop_map(|(room, seq, on)| json!({"type":"pin","room":room,"seq":seq,"on":on})),
        1 => room().prop_map(|room| json!({"type":"send","room":room,"body":{"text":"@all"},"mention_all":true})),
        1 => (room(), room(), seq())
            .prop_map(|(to, from, seq)| json!({"type":"send","room":to,"forward":{"room":from,"seq":seq}})),
        1 => (room(), other()).prop_map(|(room, who)| json!({"type":"member.ban","room":room,"user":who})),
        1 => (room(), other()).prop_map(|(room, who)| json!({"type":"member.unban","room":room,"user":who})),
        1 => (room(), other(), any::<bool>()).prop_map(|(room, who, on)| {
            json!({"type":"member.mute","room":room,"user":who,"until":if on { 1_900_000_000_000_u64 } else { 0 }})
        }),
        1 => room().prop_map(|room| json!({"type":"invite.create","room":room,"uses":1})),
        1 => (0..60usize).prop_map(|i| json!({"type":"invite.accept","code":format!("k{i}")})),
        1 => (0..60usize).prop_map(|i| json!({"type":"invite.revoke","code":format!("k{i}")})),
        1 => (room(), seq()).prop_map(|(room, seq)| json!({"type":"prefs.set","room":room,"prefs":{"hide":seq}})),
        1 => any::<bool>().prop_map(|on| json!({"type":"prefs.set","prefs":{"private_read":on}})),
        1 => (other(), any::<bool>()).prop_map(|(who, on)| json!({"type":"block.set","user":who,"on":on})),
        1 => Just(json!({"type":"user.update","name":"New Name"})),
        2 => (room(), any_policy()).prop_map(|(room, policy)| json!({"type":"room.update","room":room,"policy":policy})),
    ];
    (0..=USERS.len(), command)
}

/// Who sees the past.
fn any_policy() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        any::<bool>().prop_map(|on| json!({"history":if on { "shared" } else { "joined" }})),
        any::<bool>().prop_map(|on| json!({"visibility":if on { "public" } else { "private" }})),
    ]
}

/// Talking, coming and going, and another policy; now and then anything else.
pub(crate) fn any_turn() -> impl Strategy<Value = (usize, serde_json::Value)> {
    const HOST: usize = USERS.len();
    let room = || (0..3usize).prop_map(|i| ["group", "open", "news"][i]);
    let other = || (0..USERS.len()).prop_map(|i| USERS[i]);
    prop_oneof![
        6 => any_step(),
        8 => (0..=HOST, room(), "[a-c]{1,2}")
            .prop_map(|(who, room, text)| (who, json!({"type":"send","room":room,"body":{"text":text}}))),
        3 => (room(), other()).prop_map(|(room, who)| (HOST, json!({"type":"member.add","room":room,"user":who}))),
        3 => (0..HOST, room()).prop_map(|(who, room)| (who, json!({"type":"room.leave","room":room}))),
        3 => (room(), any_policy())
            .prop_map(|(room, policy)| (HOST, json!({"type":"room.update","room":room,"policy":policy}))),
    ]
}

/// A history as entries: the beginning, then the steps; the actor past the users is a service.
pub(crate) fn entries(steps: &[(usize, serde_json::Value)]) -> Vec<Entry> {
    let mut all = beginning();
    for (i, (actor, command)) in steps.iter().enumerate() {
        let (actor, rights) = match USERS.get(*actor) {
            Some(name) => (*name, Rights::User),
            None => ("host", Rights::Service),
        };
        let made = entry(actor, rights, &format!("k{i}"), command.clone());
        all.push(Entry { at: START + i as u64 * STEP_MS, ..made });
    }
    all
}

/// What the server's clock puts in line at a time, of what is committed, where [`KEPT_DAYS`] are kept.
pub(crate) fn expired(store: &Store, at: u64) -> Vec<Entry> {
    let sweep = ask(store, move |view| view.expired(0, KEPT_DAYS, at)).unwrap();
    let retain = |Expired { room, to_seq, to_pos }| {
        Entry::new(
            user("wigeon"),
            Rights::Service,
            at,
            CommandId::parse("retain").unwrap(),
            Durable::RoomRetain(RoomRetain { room, to_seq, to_pos }),
        )
    };
    sweep.expired.into_iter().map(retain).collect()
}

/// A store in a directory of its own.
pub(crate) fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Durability::Os, 7).unwrap();
    (dir, store)
}

/// Applies entries in batches of a few, and says what each was answered.
pub(crate) fn apply(store: &mut Store, entries: &[Entry]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for batch in entries.chunks(3) {
        for entry in batch {
            answers.push(store.writer.step(&entry.clone().into()).unwrap());
        }
        store.writer.commit().unwrap();
    }
    answers
}

/// Asks the store a question, as a server would.
pub(crate) fn ask<T: Send + 'static>(
    store: &Store,
    question: impl FnOnce(&View<'_>) -> Result<T, QueryError> + Send + 'static,
) -> Result<T, QueryError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(store.readers.read(question))
}

/// An entry of a plain user.
pub(crate) fn as_user(actor: &str, id: &str, command: Value) -> Entry {
    entry(actor, Rights::User, id, command)
}

/// A plain user who asks.
pub(crate) fn asker(name: &str) -> Asker {
    Asker { user: user(name), service: false }
}

/// A message in `group`.
pub(crate) fn said(actor: &str, id: &str, text: &str) -> Entry {
    as_user(actor, id, json!({"type":"send","room":"group","body":{"text":text}}))
}

/// What a user is shown at first.
pub(crate) fn snapshot(store: &Store, who: &str) -> Value {
    let who = asker(who);
    serde_json::to_value(ask(store, move |view| view.snapshot(&who, &Page::default())).unwrap()).unwrap()
}

/// A store after the beginning and these entries, none of which may be against the rules.
pub(crate) fn play(entries: Vec<Entry>) -> (tempfile::TempDir, Store) {
    let (dir, mut store) = store();
    let all: Vec<Entry> = beginning().into_iter().chain(entries).collect();
    for (entry, answer) in all.iter().zip(apply(&mut store, &all)) {
        assert!(answer.is_ok(), "{entry:?}: {answer:?}");
    }
    (dir, store)
}
