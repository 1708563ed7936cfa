//! The sequencer: one order, one commit for many, answers only after it.

use std::sync::mpsc;

use serde_json::json;
use wigeon_core::entry::Rights;
use wigeon_proto::error::ErrorCode;
use wigeon_proto::id::RoomId;
use wigeon_store::{Committed, Durability, Outlet, Sequencer, Store};

use crate::world::{beginning, entry, store, user};

/// Notes what it is handed, in order.
struct Notes(mpsc::Sender<Note>);

#[derive(Debug, PartialEq)]
enum Note {
    Events(Vec<u64>),
    Feed { rooms: Vec<RoomId>, position: u64 },
}

impl Outlet for Notes {
    type Feed = ();

    fn commit(&mut self, events: Vec<Committed>, position: u64) {
        assert_eq!(events.last().map(|event| event.cursor.position), Some(position));
        let positions = events.iter().map(|event| event.cursor.position).collect();
        self.0.send(Note::Events(positions)).unwrap();
    }

    fn attach(&mut self, (): (), mut rooms: Vec<RoomId>, position: u64) {
        rooms.sort();
        self.0.send(Note::Feed { rooms, position }).unwrap();
    }
}

#[tokio::test]
async fn answers_come_in_order_and_a_feed_stands_between_commits() {
    let (_dir, store) = store();
    let (sender, notes) = mpsc::channel();
    let (sequencer, thread) = Sequencer::start(store.writer, Notes(sender), ());
    for entry in beginning() {
        sequencer.submit(entry).unwrap().await.unwrap().unwrap();
    }
    sequencer.attach(user("ann"), ()).await.unwrap();
    let send = |i: u64| {
        entry(
            "ann",
            Rights::User,
            &format!("m{i}"),
            json!({"type":"send","room":"group","body":{"text":"x"}}),
        )
    };
    let waiting: Vec<_> = (1..=50).map(|i| sequencer.submit(send(i)).unwrap()).collect();
    for (i, answer) in waiting.into_iter().enumerate() {
        let reply: serde_json::Value = serde_json::from_slice(&answer.await.unwrap().unwrap()).unwrap();
        assert_eq!(reply["seq"], json!(i + 1));
    }
    let refused = sequencer.submit(entry(
        "cat",
        Rights::User,
        "no",
        json!({"type":"send","room":"group","body":{"text":"x"}}),
    ));
    assert_eq!(refused.unwrap().await.unwrap().unwrap_err().code, ErrorCode::NotMember);
    sequencer.close().await;
    thread.join().unwrap().unwrap();
    let notes: Vec<Note> = notes.iter().collect();
    let feed = notes.iter().position(|note| matches!(note, Note::Feed { .. })).unwrap();
    assert_eq!(notes[feed], Note::Feed { rooms: vec![RoomId::parse("group").unwrap()], position: 3 });
    let after: Vec<u64> = notes[feed + 1..]
        .iter()
        .flat_map(|note| match note {
            Note::Events(positions) => positions.clone(),
            Note::Feed { .. } => panic!("one feed"),
        })
        .collect();
    assert_eq!(after, (4..=53).collect::<Vec<_>>(), "every event once, in order, after the feed");
    assert!(
        notes.len() - feed - 1 < 50,
        "what waits together is committed together: {} commits",
        notes.len() - feed - 1
    );
}

#[test]
fn a_database_of_a_newer_program_is_refused() {
    let (dir, store) = store();
    drop(store);
    let db = rusqlite::Connection::open(dir.path().join("wigeon.db")).unwrap();
    db.pragma_update(None, "user_version", 999).unwrap();
    drop(db);
    let error = Store::open(dir.path(), Durability::Fsync, 1).unwrap_err();
    assert!(error.to_string().contains("newer wigeon"), "{error}");
}
