//! A check finds what is not as the log says, and nothing else.

use std::path::Path;

use rusqlite::Connection;
use serde_json::json;
use wigeon_core::entry::{Entry, Rights};
use wigeon_store::check::{CheckError, Report, check};
use wigeon_store::{Durability, IndexSizes, Store};

use crate::world::{apply, as_user, ask, beginning, entry, play, said, store};

fn report(directory: &Path) -> Result<Report, CheckError> {
    let scratch = tempfile::tempdir().unwrap();
    check(directory, scratch.path(), &mut |_| ())
}

/// That everything is right, and nothing was changed by looking.
pub(crate) fn is_right(directory: &Path) -> Report {
    let report = report(directory).unwrap();
    assert!(report.is_right(), "{report:#?}");
    report
}

/// A store with something in every corner, at rest.
fn lived_in() -> tempfile::TempDir {
    let (dir, store) = play(vec![
        said("ann", "m1", "one"),
        said("bob", "m2", "two"),
        said("ann", "m3", "three"),
        as_user("ann", "e1", json!({"type":"edit","room":"group","seq":1,"body":{"text":"uno"}})),
        as_user("bob", "r1", json!({"type":"react","room":"group","seq":1,"emoji":"👍","on":true})),
        entry("host", Rights::Service, "p1", json!({"type":"pin","room":"group","seq":2,"on":true})),
        as_user("ann", "c1", json!({"type":"recall","room":"group","seq":3})),
        as_user("ann", "u1", json!({"type":"user.update","name":"Ann"})),
        as_user("bob", "s1", json!({"type":"read","room":"group","seq":2})),
        as_user("bob", "l1", json!({"type":"room.leave","room":"group"})),
    ]);
    store.writer.close().unwrap();
    dir
}

/// What a check says after `sql` was done to the tables: table, key, column, expected, found.
fn tampered(sql: &str) -> Vec<[String; 5]> {
    let dir = lived_in();
    let db = Connection::open(dir.path().join("wigeon.db")).unwrap();
    db.execute_batch(sql).unwrap();
    drop(db);
    let report = report(dir.path()).unwrap();
    assert_eq!(report.count as usize, report.differences.len());
    let told = report.differences.into_iter();
    told.map(|one| [one.table, one.key, one.column.unwrap_or_default(), one.expected, one.found]).collect()
}

fn has(found: &[[String; 5]], one: [&str; 5]) {
    assert!(found.iter().any(|there| *there == one), "{one:?} is not among {found:#?}");
}

#[test]
fn nothing_is_wrong_where_nothing_is() {
    let dir = lived_in();
    let report = is_right(dir.path());
    assert_eq!((report.from, report.position, report.waiting), (0, 13, 0));
    let rows = |name: &str| report.tables.iter().find(|(table, _)| table == name).map(|(_, rows)| *rows);
    assert_eq!((rows("room"), rows("amend"), rows("scrub")), (Some(4), Some(2), None));
}

#[test]
fn a_changed_counter_is_found() {
    let found = tampered("UPDATE room SET users = 9 WHERE id = 'group'");
    assert_eq!(found, [["room", "n=1", "users", "1", "9"]]);
    let found = tampered("UPDATE member SET read_seq = 1 WHERE user = 'ann' AND room = 1");
    has(&found, ["member", "room=1 user=\"ann\"", "read_seq", "0", "1"]);
}

#[test]
fn a_missing_row_is_found() {
    let found = tampered("DELETE FROM event WHERE seq = 2");
    has(&found, ["event", "pos=5", "", "the row", "none"]);
    has(&found, ["event", "room=1", "seq", "3 messages", "2 messages"]);
    has(
        &tampered("DELETE FROM answer WHERE id = 'r1'"),
        ["answer", "actor=\"bob\" id=\"r1\"", "", "the row", "none"],
    );
}

#[test]
fn a_row_too_many_is_found() {
    let found = tampered("INSERT INTO reaction VALUES (1, 2, '👎', 'ann', 7)");
    has(&found, ["reaction", "room=1 seq=2 emoji=\"👎\" user=\"ann\"", "", "none", "the row"]);
}

#[test]
fn a_changed_text_is_found() {
    let found = tampered("UPDATE amend SET text = 'due' WHERE text = 'uno'");
    has(&found, ["amend", "room=1 seq=1", "text", "\"uno\"", "\"due\""]);
    let found = tampered("UPDATE event SET tail = CAST(replace(CAST(tail AS TEXT), 'two', '2') AS BLOB)");
    assert_eq!((found.len(), found[0][2].as_str()), (1, "tail"), "{found:#?}");
    assert!(found[0][3].contains("two") && !found[0][4].contains("two"), "{found:#?}");
}

#[test]
fn tables_and_indexes_that_are_not_ours_are_found_and_so_are_those_that_are_gone() {
    let found = tampered("CREATE TABLE extra (a); DROP INDEX member_user;");
    has(&found, ["sqlite_schema", "table extra", "sql", "none", "\"CREATE TABLE extra (a)\""]);
    assert!(found.iter().any(|there| there[1] == "index member_user" && there[4] == "none"), "{found:#?}");
}

#[test]
fn a_word_that_the_search_index_lacks_or_has_too_many_is_found() {
    let sizes = IndexSizes { stretch: 4, merge: 2 };
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open_with(dir.path(), Durability::Os, 7, sizes).unwrap();
    let all: Vec<Entry> =
        beginning().into_iter().chain((0..9).map(|i| said("ann", &format!("m{i}"), "duck"))).collect();
    assert!(apply(&mut store, &all).iter().all(Result::is_ok));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    assert!(runtime.block_on(store.readers.index_reaches(12)));
    store.writer.close().unwrap();
    drop((store.readers, store.lock));
    assert_eq!(is_right(dir.path()).indexed, Some(12));
    let index = dir.path().join("search.db");
    let db = Connection::open(&index).unwrap();
    assert!(db.execute("UPDATE search_posting SET term = 'goose' WHERE term = 'duck'", []).unwrap() > 0);
    drop(db);
    let told = report(dir.path()).unwrap();
    assert_eq!(told.count, 18);
    let word = |term: &str| format!("pos=4 word={term:?}");
    let found = |key: &str| told.differences.iter().find(|one| one.key == key).unwrap();
    let (lacks, has) = (found(&word("duck")), found(&word("goose")));
    assert_eq!(
        (lacks.table.as_str(), lacks.expected.as_str(), lacks.found.as_str()),
        ("search.db", "the word", "none")
    );
    assert_eq!((has.expected.as_str(), has.found.as_str()), ("none", "the word"));
    // One that the next start would not use is not looked at.
    let db = Connection::open(&index).unwrap();
    db.execute("UPDATE search_meta SET value = value + 1 WHERE key = 'epoch'", []).unwrap();
    drop(db);
    assert_eq!(is_right(dir.path()).indexed, None);
}

#[test]
fn only_the_first_differences_are_told_and_all_are_counted() {
    let (dir, store) = play((0..100).map(|i| said("ann", &format!("m{i}"), "x")).collect());
    store.writer.close().unwrap();
    drop((store.readers, store.lock));
    let db = Connection::open(dir.path().join("wigeon.db")).unwrap();
    db.execute("UPDATE event SET hash = x'00' WHERE seq > 0", []).unwrap();
    drop(db);
    let report = report(dir.path()).unwrap();
    assert_eq!((report.count, report.differences.len()), (100, 20));
    assert_eq!(report.differences[0].found, "x'00'");
}

#[test]
fn tables_that_a_crash_left_behind_are_compared_where_they_are() {
    let (dir, mut store) = store();
    apply(&mut store, &beginning());
    ask(&store, |view| Ok(view.position)).unwrap();
    // Durable, and not folded: nobody has asked.
    apply(&mut store, &[said("ann", "m1", "x"), said("bob", "m2", "y")]);
    drop(store);
    let report = is_right(dir.path());
    assert_eq!(report.position + report.waiting, 5);
    drop(Store::open(dir.path(), Durability::Os, 8).unwrap());
    assert_eq!(is_right(dir.path()).position, 5);
}

#[test]
fn what_cannot_be_checked_is_said() {
    let (dir, store) = store();
    assert!(matches!(report(dir.path()), Err(CheckError::Running(_))));
    drop(store);
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(report(empty.path()), Err(CheckError::NoData(_))));
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0, "nothing is made by looking");
    let forgetful = tempfile::tempdir().unwrap();
    let mut store = Store::open(forgetful.path(), Durability::Memory, 7).unwrap();
    apply(&mut store, &beginning());
    store.writer.close().unwrap();
    drop((store.readers, store.lock));
    assert!(matches!(report(forgetful.path()), Err(CheckError::NoLog)));
    let db = Connection::open(dir.path().join("wigeon.db")).unwrap();
    db.pragma_update(None, "user_version", 999).unwrap();
    drop(db);
    assert!(matches!(report(dir.path()), Err(CheckError::Schema { found: 999, .. })));
}

#[test]
fn tables_that_are_gone_are_made_again() {
    let dir = lived_in();
    for name in ["wigeon.db", "wigeon.db-wal", "wigeon.db-shm"] {
        let _ = std::fs::remove_file(dir.path().join(name));
    }
    assert!(matches!(report(dir.path()), Err(CheckError::NoData(_))));
    let store = Store::open(dir.path(), Durability::Os, 8).unwrap();
    assert_eq!((store.writer.position(), store.epoch.bits()), (13, 8), "everything, and another epoch");
    drop(store);
    is_right(dir.path());
}
