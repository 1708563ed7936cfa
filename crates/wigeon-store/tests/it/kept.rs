//! The log is kept, and the tables can be folded from it again: after a crash, from an older copy, from a
//! base, from nothing.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::json;
use wigeon_core::entry::{Entry, Rights};
use wigeon_store::{Durability, OpenError, Store};

use crate::world::{apply, ask, beginning, entry, snapshot, store};

fn message(id: &str, text: &str) -> Entry {
    entry("ann", Rights::User, id, json!({"type":"send","room":"group","body":{"text":text}}))
}

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory.join("log"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "log"))
        .collect();
    names.sort();
    names
}

fn crash(directory: &Path, store: Store) -> Result<Store, OpenError> {
    drop(store);
    Store::open(directory, Durability::Os, 8)
}

/// Copies what a crash would leave behind. The store must stand still.
fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    fs::create_dir(to.path().join("log")).unwrap();
    for part in ["", "log"] {
        for file in fs::read_dir(from.join(part)).unwrap().map(Result::unwrap) {
            if file.file_type().unwrap().is_file() {
                fs::copy(file.path(), to.path().join(part).join(file.file_name())).unwrap();
            }
        }
    }
    to
}

#[test]
fn a_read_right_after_an_answer_sees_it() {
    let (_dir, mut store) = store();
    apply(&mut store, &beginning());
    for i in 0..50 {
        apply(&mut store, &[message(&format!("m{i}"), "x")]);
        let position = store.writer.position();
        assert_eq!(ask(&store, |view| Ok(view.position)).unwrap(), position);
    }
}

/// Removes the tables.
fn forget(directory: &Path) {
    for name in ["wigeon.db", "wigeon.db-wal", "wigeon.db-shm"] {
        let _ = fs::remove_file(directory.join(name));
    }
}

/// What `ann` sees of the group, in a store that is folded from its log alone.
fn rebuilt(directory: &Path) -> (u64, serde_json::Value) {
    let copied = copy(directory);
    forget(copied.path());
    let store = Store::open(copied.path(), Durability::Os, 9).unwrap();
    (store.writer.position(), seen(&store))
}

/// The rooms in `ann`'s snapshot, without what depends on the epoch.
fn seen(store: &Store) -> serde_json::Value {
    let mut rooms = snapshot(store, "ann")["rooms"].take();
    for room in rooms.as_array_mut().unwrap() {
        room["last"].as_object_mut().map(|last| last.remove("cursor"));
    }
    rooms
}

#[test]
fn the_log_is_kept_through_segments_folds_and_stops() {
    let (dir, mut store) = store();
    apply(&mut store, &beginning());
    let text = "x".repeat(60_000);
    for round in 0..3 {
        for i in 0..30 {
            apply(&mut store, &[message(&format!("m{round}-{i}"), &text)]);
        }
        let (position, rooms) = (store.writer.position(), seen(&store));
        assert_eq!(rebuilt(dir.path()), (position, rooms));
        store.writer.close().unwrap();
        drop((store.readers, store.lock));
        store = Store::open(dir.path(), Durability::Os, 8).unwrap();
        assert_eq!((store.epoch.bits(), store.writer.position()), (7, position));
    }
    assert!(files(dir.path()).len() > 1, "5 MB in one segment");
    assert_eq!(files(dir.path())[0], "00000000000000000001.log");
}

#[test]
fn whatever_the_fold_had_done_a_crash_leaves_the_same_log() {
    let (dir, mut store) = store();
    apply(&mut store, &beginning());
    ask(&store, |view| Ok(view.position)).unwrap();
    // Durable, and not folded: copied before anybody reads.
    apply(&mut store, &[message("m1", "x"), message("m2", "y")]);
    let position = store.writer.position();
    drop(store);
    let behind = copy(dir.path());
    // Folded, and the end of the log not looked at yet.
    drop(Store::open(dir.path(), Durability::Os, 8).unwrap());
    let folded = copy(dir.path());
    for directory in [behind, folded] {
        let mut store = Store::open(directory.path(), Durability::Os, 9).unwrap();
        assert_eq!(store.writer.position(), position);
        let again = apply(&mut store, &[message("m1", "x"), message("m3", "z")]);
        assert_eq!(store.writer.position(), position + 1, "m1 is known, m3 is new: {again:?}");
        assert_eq!(ask(&store, |view| Ok(view.position)).unwrap(), position + 1);
    }
}

#[test]
fn a_damaged_log_is_refused_and_says_where() {
    let (dir, mut store) = store();
    apply(&mut store, &beginning());
    apply(&mut store, &[message("m1", "x")]);
    drop(store);
    let file = dir.path().join("log").join(&files(dir.path())[0]);
    let mut bytes = fs::read(&file).unwrap();
    bytes[20] ^= 1;
    fs::write(&file, bytes).unwrap();
    let error = Store::open(dir.path(), Durability::Os, 8).unwrap_err().to_string();
    assert!(error.contains("damaged at byte 0, and whole records follow"), "{error}");
}

#[test]
fn an_entry_of_rules_to_come_stops_the_start_and_says_so() {
    let (dir, mut store) = store();
    apply(&mut store, &beginning());
    apply(&mut store, &[message("m1", "x")]);
    drop(store);
    // As a newer program would have written the last of them.
    let file = dir.path().join("log").join(&files(dir.path())[0]);
    let mut bytes = fs::read(&file).unwrap();
    let entry = bytes.windows(7).rposition(|part| part == br#"{"v":1,"#).unwrap();
    bytes[entry + 5] = b'2';
    let record = entry - 20;
    let length = u32::from_le_bytes(bytes[record..record + 4].try_into().unwrap()) as usize;
    let sum = crc32fast::hash(&bytes[record + 8..record + 8 + length]);
    bytes[record + 4..record + 8].copy_from_slice(&sum.to_le_bytes());
    fs::write(&file, bytes).unwrap();
    // So that all of the log is needed.
    forget(dir.path());
    let error = Store::open(dir.path(), Durability::Os, 8).unwrap_err().to_string();
    assert!(error.contains("entry 4 was written by a newer wigeon (rules 2, this one knows 1)"), "{error}");
}

#[test]
fn tables_that_are_older_than_the_log_are_folded_up_to_it() {
    let (dir, store) = store();
    drop(store);
    let old = copy(dir.path());
    let mut store = Store::open(dir.path(), Durability::Os, 8).unwrap();
    apply(&mut store, &beginning());
    let mut store = crash(dir.path(), store).unwrap();
    apply(&mut store, &[message("m1", "x")]);
    let (position, rooms) = (store.writer.position(), seen(&store));
    drop(store);
    for name in files(dir.path()) {
        let file = Path::new("log").join(name);
        fs::copy(dir.path().join(&file), old.path().join(&file)).unwrap();
    }
    let store = Store::open(old.path(), Durability::Os, 9).unwrap();
    assert_eq!((store.writer.position(), seen(&store)), (position, rooms));
}

#[test]
fn a_log_whose_beginning_is_missing_is_refused_where_it_is_needed_and_has_a_base_where_not() {
    let (dir, mut store) = store();
    apply(&mut store, &beginning());
    let text = "x".repeat(60_000);
    let mut sent = 0;
    while files(dir.path()).len() < 2 {
        apply(&mut store, &[message(&format!("m{sent}"), &text)]);
        sent += 1;
    }
    let (position, rooms) = (store.writer.position(), seen(&store));
    store.writer.close().unwrap();
    drop((store.readers, store.lock));
    fs::remove_file(dir.path().join("log").join(&files(dir.path())[0])).unwrap();
    let without_tables = copy(dir.path());
    forget(without_tables.path());
    let error = Store::open(without_tables.path(), Durability::Os, 9).unwrap_err().to_string();
    assert!(error.contains("entries before it are missing"), "{error}");
    let mut store = Store::open(dir.path(), Durability::Os, 8).unwrap();
    assert_eq!((store.writer.position(), rebuilt(dir.path())), (position, (position, rooms)));
    apply(&mut store, &[message("after", "x")]);
    assert_eq!(rebuilt(dir.path()), (position + 1, seen(&store)));
}

#[test]
fn what_the_log_lacks_the_base_has() {
    let (dir, mut store) = store();
    apply(&mut store, &beginning());
    apply(&mut store, &[message("logged", "x")]);
    drop(store);
    // Kept in the tables alone.
    let mut store = Store::open(dir.path(), Durability::Memory, 8).unwrap();
    apply(&mut store, &[message("unlogged", "y")]);
    store.writer.close().unwrap();
    drop((store.readers, store.lock));
    let mut store = Store::open(dir.path(), Durability::Os, 9).unwrap();
    assert_eq!(rebuilt(dir.path()), (5, seen(&store)));
    apply(&mut store, &[message("logged-again", "z")]);
    assert_eq!(rebuilt(dir.path()), (6, seen(&store)));
    // The machine goes down, and with it the end of the log, but not what the tables have of it.
    ask(&store, |view| Ok(view.position)).unwrap();
    drop(store);
    let db = Connection::open(dir.path().join("wigeon.db")).unwrap();
    db.execute("UPDATE meta SET value = 'another' WHERE key = 'boot'", []).unwrap();
    drop(db);
    let newest = dir.path().join("log").join(files(dir.path()).pop().unwrap());
    fs::write(newest, [0; 100]).unwrap();
    let store = Store::open(dir.path(), Durability::Os, 10).unwrap();
    assert_eq!(store.epoch.bits(), 10, "entries were lost");
    assert_eq!(rebuilt(dir.path()), (6, seen(&store)));
}

#[test]
fn two_messages_of_one_key_keep_their_own_answers() {
    let (dir, mut store) = store();
    apply(&mut store, &beginning());
    let all = [message("m1", "x"), message("m2", "y")];
    let first = apply(&mut store, &all);
    store.writer.close().unwrap();
    drop((store.readers, store.lock));
    let db = Connection::open(dir.path().join("wigeon.db")).unwrap();
    // What only one pair of ids in 2^64 would do: m1 stands under the key of m2, before it.
    let key = "UPDATE event SET key = (SELECT key FROM event WHERE seq = 2) WHERE seq = 1";
    assert_eq!(db.execute(key, []).unwrap(), 1);
    drop(db);
    let mut store = Store::open(dir.path(), Durability::Os, 8).unwrap();
    assert_eq!(apply(&mut store, &all[1..]), first[1..], "its own, and not that of the first of its key");
}

#[test]
fn data_of_the_first_version_is_taken_over() {
    let (dir, mut store) = store();
    apply(&mut store, &beginning());
    let said = message("m1", "x");
    let answer = apply(&mut store, std::slice::from_ref(&said));
    let position = store.writer.position();
    store.writer.close().unwrap();
    drop((store.readers, store.lock));
    // As it was: entries in a table, answers beside them, and no log of its own.
    let old = tempfile::tempdir().unwrap();
    let db = Connection::open(old.path().join("wigeon.db")).unwrap();
    db.execute_batch(include_str!("v1.sql")).unwrap();
    db.execute("ATTACH ?1 AS new", [dir.path().join("wigeon.db").to_str().unwrap()]).unwrap();
    for table in ["event", "room", "member", "interval", "answer"] {
        let list = format!("SELECT group_concat(name) FROM pragma_table_info('{table}', 'main')");
        let columns: String = db.query_row(&list, [], |row| row.get(0)).unwrap();
        db.execute(&format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}"), [])
            .unwrap();
    }
    let (hash, reply) = (said.payload_hash(), answer[0].as_ref().unwrap());
    db.execute("INSERT INTO main.answer VALUES ('ann', 'm1', ?1, ?2)", (hash, reply)).unwrap();
    db.execute("INSERT INTO main.entry VALUES (?1, x'7b7d')", [position]).unwrap();
    db.execute_batch("DETACH new; PRAGMA user_version = 1").unwrap();
    drop(db);
    let mut store = Store::open(old.path(), Durability::Os, 8).unwrap();
    assert_eq!(store.writer.position(), position);
    assert_eq!(apply(&mut store, &[said]), answer, "what was answered then is still known");
    apply(&mut store, &[message("m2", "y")]);
    assert_eq!(ask(&store, |view| Ok(view.position)).unwrap(), position + 1);
}
