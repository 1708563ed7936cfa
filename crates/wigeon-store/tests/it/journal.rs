//! Where the journal ends and the tables begin: reads right after an answer, files that are full, data of
//! earlier versions.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::json;
use wigeon_core::entry::{Entry, Rights};
use wigeon_store::{Durability, OpenError, Store};

use crate::world::{apply, ask, beginning, entry, store};

fn message(id: &str, text: &str) -> Entry {
    entry("ann", Rights::User, id, json!({"type":"send","room":"group","body":{"text":text}}))
}

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory.join("journal"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
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
    fs::create_dir(to.path().join("journal")).unwrap();
    for part in ["", "journal"] {
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

#[test]
fn a_full_file_goes_when_the_tables_hold_it() {
    let (dir, mut store) = store();
    apply(&mut store, &beginning());
    let text = "x".repeat(60_000);
    let mut sent = 0;
    while files(dir.path()).len() < 2 {
        assert!(sent < 1000, "60 MB in one file");
        apply(&mut store, &[message(&format!("m{sent}"), &text)]);
        sent += 1;
    }
    // A slice of the fold that ends after the first file: it is the one that takes it away.
    let before = files(dir.path());
    while files(dir.path()) == before {
        assert!(sent < 2000, "a file stays for ever: {before:?}");
        apply(&mut store, &[message(&format!("m{sent}"), &text)]);
        ask(&store, |view| Ok(view.position)).unwrap();
        sent += 1;
    }
    let position = store.writer.position();
    let mut store = crash(dir.path(), store).unwrap();
    assert_eq!(store.writer.position(), position);
    apply(&mut store, &[message("after", "x")]);
    store.writer.close().unwrap();
    assert_eq!(files(dir.path()), Vec::<String>::new(), "after a clean stop the database is all");
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
    // Folded, and the journal not yet emptied: the database of a start, the journal from before it.
    drop(Store::open(dir.path(), Durability::Os, 8).unwrap());
    let folded = copy(dir.path());
    fs::remove_dir_all(folded.path().join("journal")).unwrap();
    fs::create_dir(folded.path().join("journal")).unwrap();
    for name in files(behind.path()) {
        let file = Path::new("journal").join(name);
        fs::copy(behind.path().join(&file), folded.path().join(&file)).unwrap();
    }
    for directory in [behind, folded] {
        let mut store = Store::open(directory.path(), Durability::Os, 9).unwrap();
        assert_eq!(store.writer.position(), position);
        let again = apply(&mut store, &[message("m1", "x"), message("m3", "z")]);
        assert_eq!(store.writer.position(), position + 1, "m1 is known, m3 is new: {again:?}");
        assert_eq!(ask(&store, |view| Ok(view.position)).unwrap(), position + 1);
    }
}

#[test]
fn a_damaged_journal_is_refused_and_says_where() {
    let (dir, mut store) = store();
    apply(&mut store, &beginning());
    apply(&mut store, &[message("m1", "x")]);
    drop(store);
    let file = dir.path().join("journal").join(&files(dir.path())[0]);
    let mut bytes = fs::read(&file).unwrap();
    bytes[20] ^= 1;
    fs::write(&file, bytes).unwrap();
    let error = Store::open(dir.path(), Durability::Os, 8).unwrap_err().to_string();
    assert!(error.contains("damaged at byte 0, and whole records follow"), "{error}");
}

#[test]
fn a_database_that_is_older_than_the_journal_is_refused() {
    let (dir, store) = store();
    drop(store);
    let old = copy(dir.path());
    let mut store = Store::open(dir.path(), Durability::Os, 8).unwrap();
    apply(&mut store, &beginning());
    let mut store = crash(dir.path(), store).unwrap();
    apply(&mut store, &[message("m1", "x")]);
    drop(store);
    for name in files(dir.path()) {
        let file = Path::new("journal").join(name);
        fs::copy(dir.path().join(&file), old.path().join(&file)).unwrap();
    }
    let error = Store::open(old.path(), Durability::Os, 9).unwrap_err().to_string();
    assert!(error.contains("entries before it are missing"), "{error}");
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
    // As it was: entries in a table, answers beside them, and no journal.
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
