//! What a room keeps, in the tables: old messages leave them with all there is of them, in bounded steps.

use rusqlite::Connection;
use serde_json::{Value, json};
use wigeon_core::entry::{Entry, Rights};
use wigeon_proto::command::Target;
use wigeon_proto::limits::RETENTION_STEP_ROWS;
use wigeon_store::read::PageRequest;
use wigeon_store::{Durability, Store};

use crate::world::{START, apply, as_user, ask, asker, entry, expired, play, room, said, snapshot, user};

const DAY_MS: u64 = 24 * 3600 * 1000;

fn later(days: u64, entry: Entry) -> Entry {
    Entry { at: START + days * DAY_MS, ..entry }
}

/// Lets go of everything that is too old at a day; how many steps that took.
fn clear(store: &mut Store, day: u64) -> usize {
    let mut steps = 0;
    loop {
        let old = expired(store, START + day * DAY_MS);
        if old.is_empty() {
            return steps;
        }
        steps += old.len();
        for answer in apply(store, &old) {
            answer.unwrap();
        }
    }
}

fn gone(store: &Store, who: &str, after: u64) -> bool {
    let request = PageRequest {
        user: user(who),
        watch: vec![],
        after,
        frames_max: 500,
        bytes_max: usize::MAX,
        max_per_room: Some(50),
    };
    ask(store, move |view| view.page(&request)).unwrap().gone
}

fn of_group(snapshot: &Value) -> Value {
    snapshot["rooms"].as_array().unwrap().iter().find(|room| room["id"] == "group").unwrap().clone()
}

#[test]
fn with_a_message_goes_all_there_is_of_it() {
    let group = |id: &str, mut command: Value| {
        command["room"] = json!("group");
        as_user("ann", id, command)
    };
    let (dir, mut store) = play(vec![
        entry(
            "host",
            Rights::Service,
            "m0",
            json!({"type":"member.role","room":"group","user":"ann","role":"admin"}),
        ),
        group(
            "m1",
            json!({"type":"send","body":{"text":"the secret"},"mentions":["bob"],"mention_all":true}),
        ),
        group("m2", json!({"type":"react","seq":1,"emoji":"👍","on":true})),
        group("m3", json!({"type":"pin","seq":1,"on":true})),
        said("ann", "m4", "stays"),
        later(9, group("m5", json!({"type":"edit","seq":1,"body":{"text":"the secret, later"}}))),
        later(9, said("ann", "m6", "stays, too")),
    ]);
    let before = of_group(&snapshot(&store, "bob"));
    assert_eq!((&before["unread"], &before["mentions"]), (&json!(3), &json!(1)));
    // The second message is as old as the first, so that both go; five days are kept.
    assert_eq!(clear(&mut store, 9), 1);
    let after = of_group(&snapshot(&store, "bob"));
    let counts =
        |room: &Value| ["seq", "read", "unread", "mentions"].map(|field| room[field].as_u64().unwrap());
    assert_eq!(counts(&after), [3, 2, 1, 0]);
    assert_eq!(after["last"]["body"]["text"], "stays, too");
    let target = Target { room: room("group"), seq: 1 };
    assert!(ask(&store, move |view| view.message_versions(&asker("bob"), &target)).is_err());
    clear(&mut store, 20);
    assert_eq!(of_group(&snapshot(&store, "bob"))["last"], Value::Null);
    store.writer.close().unwrap();
    let db = Connection::open(dir.path().join("wigeon.db")).unwrap();
    for table in ["amend", "reaction", "mention", "pin"] {
        let rows: u64 = db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    let texts = "SELECT count(*) FROM event WHERE CAST(tail AS TEXT) LIKE '%secret%' OR CAST(tail AS TEXT) LIKE '%stays%'";
    assert_eq!(db.query_row(texts, [], |row| row.get::<_, u64>(0)).unwrap(), 0);
}

#[test]
fn many_messages_go_in_steps_and_nobody_is_told_of_a_step_without_one() {
    let reads = (2..2 * RETENTION_STEP_ROWS as u64 + 22).map(|i| {
        let who = if i % 2 == 0 { "ann" } else { "bob" };
        as_user(who, &format!("r{i}"), json!({"type":"read","room":"group","seq":i / 2}))
    });
    let mut entries: Vec<Entry> =
        (1..=RETENTION_STEP_ROWS + 10).map(|i| said("cat", &format!("m{i}"), "x")).collect();
    let add = json!({"type":"member.add","room":"group","user":"cat"});
    entries.insert(0, entry("host", Rights::Service, "m0", add));
    entries.extend(reads);
    let (_dir, mut store) = play(entries);
    let position = store.writer.position();
    assert_eq!(clear(&mut store, 9), 2, "the room's beginning and the first messages; the rest of them");
    assert_eq!(store.writer.position(), position + 2);
    assert_eq!(clear(&mut store, 30), 0, "what was only done around messages waits for the next of them");
    let after_reads = position + 2;
    apply(&mut store, &[later(30, said("ann", "n1", "new"))]);
    assert_eq!(clear(&mut store, 40), 2, "the reads by themselves, then the message");
    let request = PageRequest {
        user: user("bob"),
        watch: vec![],
        after: after_reads,
        frames_max: 500,
        bytes_max: usize::MAX,
        max_per_room: None,
    };
    let page = ask(&store, move |view| view.page(&request)).unwrap();
    assert!(page.gone, "the new message has gone unseen");
    assert!(!gone(&store, "bob", store.writer.position()));
}

#[test]
fn a_cursor_is_too_old_only_by_what_its_reader_could_see() {
    let (_dir, mut store) = play(vec![
        said("ann", "m1", "old"),
        entry("host", Rights::Service, "m2", json!({"type":"member.remove","room":"group","user":"bob"})),
        said("ann", "m3", "old, and bob was not there"),
        later(9, said("ann", "m4", "new")),
    ]);
    let (before_m1, before_m3, after_m3) = (3, 5, 6);
    clear(&mut store, 9);
    assert!(gone(&store, "ann", before_m1) && gone(&store, "bob", before_m1));
    assert!(gone(&store, "ann", before_m3) && !gone(&store, "bob", before_m3));
    assert!(!gone(&store, "ann", after_m3) && !gone(&store, "cat", 0), "who is in other rooms");
    let newest = ask(&store, |view| view.before_last(&user("ann"), &[], 100)).unwrap();
    assert!(!gone(&store, "ann", newest), "the newest hundred begin where there is something");
}

#[test]
fn a_room_keeps_less_than_the_server_but_not_more() {
    let kept = |days_of_room: u64| {
        let policy = json!({"type":"room.update","room":"group","policy":{"retention_days":days_of_room}});
        let (_dir, mut store) =
            play(vec![entry("host", Rights::Service, "m1", policy), said("ann", "m2", "x")]);
        let mut gone = |day| clear(&mut store, day) > 0;
        (1..10).find(|day| gone(*day))
    };
    // The server of these tests keeps five days.
    assert_eq!((kept(0), kept(2), kept(7)), (Some(6), Some(3), Some(6)));
}

#[test]
fn an_id_is_known_for_thirty_days_whatever_the_tables_hold_by_then() {
    let send = |day| later(day, said("ann", "same", "x"));
    let seq = |answer: wigeon_store::Answer| {
        serde_json::from_slice::<Value>(&answer.unwrap()).unwrap()["seq"].as_u64().unwrap()
    };
    for (day, wanted) in [(29, 1), (31, 2)] {
        let (dir, mut store) = play(vec![send(0)]);
        // The message is in the tables; that it goes is not, when its sender asks again.
        for old in expired(&store, START + day * DAY_MS) {
            store.writer.step(&old.into()).unwrap().unwrap();
        }
        assert_eq!(seq(store.writer.step(&send(day).into()).unwrap()), wanted, "day {day}");
        store.writer.commit().unwrap();
        clear(&mut store, day);
        assert_eq!(seq(store.writer.step(&send(day).into()).unwrap()), wanted, "day {day}, folded");
        drop(store);
        let mut store = Store::open(dir.path(), Durability::Os, 8).unwrap();
        assert_eq!(seq(store.writer.step(&send(day).into()).unwrap()), wanted, "day {day}, from the disk");
    }
}
