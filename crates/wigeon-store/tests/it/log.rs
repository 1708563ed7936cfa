//! The sequencer: one order, one commit for many, answers only after it.

use std::fs::{self, File};
use std::sync::mpsc;

use serde_json::json;
use tokio::sync::oneshot;
use wigeon_core::entry::{Entry, Rights};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::id::RoomId;
use wigeon_store::{Answer, Committed, Durability, Outlet, Sequencer, Store};

use crate::world::{beginning, entry, store, user};

/// Notes what it is handed, in order; goes on after a feed when it is let.
struct Notes {
    told: mpsc::Sender<Note>,
    go_on: mpsc::Receiver<()>,
}

#[derive(Debug, PartialEq)]
enum Note {
    Answer,
    Events(Vec<u64>),
    Feed { rooms: Vec<RoomId>, position: u64 },
}

impl Outlet for Notes {
    type Feed = ();
    type Reply = oneshot::Sender<Answer>;

    fn answer(&mut self, reply: Self::Reply, answer: Answer) {
        let _ = reply.send(answer);
        self.told.send(Note::Answer).unwrap();
    }

    fn commit(&mut self, events: Vec<Committed>, position: u64) {
        assert!(events.last().is_none_or(|event| event.cursor.position == position));
        let positions = events.iter().map(|event| event.cursor.position).collect();
        self.told.send(Note::Events(positions)).unwrap();
    }

    fn attach(&mut self, (): (), mut rooms: Vec<RoomId>, position: u64) {
        rooms.sort();
        self.told.send(Note::Feed { rooms, position }).unwrap();
        self.go_on.recv().unwrap();
    }
}

fn submit(sequencer: &Sequencer<(), oneshot::Sender<Answer>>, entry: Entry) -> oneshot::Receiver<Answer> {
    let (reply, answer) = oneshot::channel();
    sequencer.submit(entry, reply).unwrap();
    answer
}

#[tokio::test]
async fn answers_come_in_order_and_a_feed_stands_between_commits() {
    let (_dir, store) = store();
    let ((told, notes), (let_go_on, go_on)) = (mpsc::channel(), mpsc::channel());
    let (sequencer, thread) = Sequencer::start(store.writer, Notes { told, go_on }, ());
    for entry in beginning() {
        submit(&sequencer, entry).await.unwrap().unwrap();
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
    let waiting: Vec<_> = (1..=50).map(|i| submit(&sequencer, send(i))).collect();
    let_go_on.send(()).unwrap();
    for (i, answer) in waiting.into_iter().enumerate() {
        let reply: serde_json::Value = serde_json::from_slice(&answer.await.unwrap().unwrap()).unwrap();
        assert_eq!(reply["seq"], json!(i + 1));
    }
    let refused = entry("cat", Rights::User, "no", json!({"type":"send","room":"group","body":{"text":"x"}}));
    assert_eq!(submit(&sequencer, refused).await.unwrap().unwrap_err().code, ErrorCode::NotMember);
    sequencer.close().await;
    thread.join().unwrap().unwrap();
    let notes: Vec<Note> = notes.iter().collect();
    let feed = notes.iter().position(|note| matches!(note, Note::Feed { .. })).unwrap();
    assert_eq!(notes[feed], Note::Feed { rooms: vec![RoomId::parse("group").unwrap()], position: 3 });
    let after: Vec<u64> = notes[feed + 1..]
        .iter()
        .flat_map(|note| match note {
            Note::Events(positions) => positions.clone(),
            Note::Answer => Vec::new(),
            Note::Feed { .. } => panic!("one feed"),
        })
        .collect();
    assert_eq!(after, (4..=53).collect::<Vec<_>>(), "every event once, in order, after the feed");
    let answers = notes[feed + 1..].iter().filter(|note| **note == Note::Answer).count();
    assert_eq!(answers, 51, "everybody is answered, the refused one too");
    let commits = notes.len() - feed - 1 - answers;
    assert_eq!(commits, 2, "what waits together is committed together; the refused one came later");
    let last = [Note::Answer, Note::Events(Vec::new())];
    assert_eq!(notes[notes.len() - 2..], last, "a batch ends with a commit, also without events");
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

#[test]
fn a_lock_that_is_let_go_in_a_moment_is_waited_for() {
    let (dir, store) = store();
    drop(store);
    let path = dir.path().join("lock");
    let held = File::open(&path).unwrap();
    held.lock().unwrap();
    let opened = || {
        let files = fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok);
        files.filter(|file| fs::read_link(file.path()).is_ok_and(|to| to == path)).count()
    };
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| Store::open(dir.path(), Durability::Os, 8).map(drop));
        // Until it has come to the lock.
        while opened() < 2 {
            std::thread::yield_now();
        }
        drop(held);
        opening.join().unwrap().unwrap();
    });
}
