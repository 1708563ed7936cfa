//! What was taken back leaves the log as well, and the log still comes to the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;
use tokio::sync::oneshot;
use wigeon_core::entry::Entry;
use wigeon_store::backup::backup;
use wigeon_store::{Answer, Committed, Durability, Outlet, Sequencer, Store};

use crate::check::is_right;
use crate::search::{AT_ONCE, index_all};
use crate::world::{
    KEPT_DAYS, START, any_step, apply, as_user, ask, asker, beginning, entries, expired, play, said, store,
};

/// Commands are never the same twice.
static COUNT: AtomicU64 = AtomicU64::new(0);

const DAY_MS: u64 = 24 * 3600 * 1000;
const PATIENCE: Duration = Duration::from_secs(30);

/// Hears nothing.
struct Deaf;

impl Outlet for Deaf {
    type Feed = ();
    type Reply = oneshot::Sender<Answer>;

    fn answer(&mut self, reply: Self::Reply, answer: Answer) {
        let _ = reply.send(answer);
    }

    fn commit(&mut self, _: Vec<Committed>, _: u64) {}

    fn attach(&mut self, (): (), _: Vec<wigeon_proto::id::RoomId>, _: u64) {}
}

/// Opens the directory as a server does, until nothing is left to scrub.
pub(crate) fn scrub(directory: &Path, durability: Durability) {
    let store = Store::open_with(directory, durability, 9, AT_ONCE).unwrap();
    let (sequencer, thread) = Sequencer::start(store.writer, Deaf, ());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = Instant::now();
    while left(directory) > 0 {
        // Positions are struck off with the next fold.
        let (reply, answer) = oneshot::channel();
        let id = format!("z{}", COUNT.fetch_add(1, Ordering::Relaxed));
        sequencer.submit(as_user("zoe", &id, json!({"type":"user.update","name":"Zoe"})), reply).unwrap();
        let _ = runtime.block_on(answer).unwrap();
        assert!(began.elapsed() < PATIENCE, "{} left", left(directory));
    }
    runtime.block_on(sequencer.close());
    thread.join().unwrap().unwrap();
}

fn left(directory: &Path) -> u64 {
    let db = rusqlite::Connection::open(directory.join("wigeon.db")).unwrap();
    db.query_row("SELECT count(*) FROM scrub", [], |row| row.get(0)).unwrap()
}

/// Whether a file has these bytes anywhere.
fn has(directory: &Path, text: &str) -> bool {
    [directory.to_owned(), directory.join("log")].iter().any(|at| !files_with(at, text).is_empty())
}

/// The files right in a directory that have these bytes anywhere; a database and its write-ahead log are one.
fn files_with(directory: &Path, text: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let has = |bytes: Vec<u8>| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let with = files.filter(|file| has(fs::read(file.path()).unwrap()));
    let name = |file: fs::DirEntry| file.file_name().to_str().unwrap().trim_end_matches("-wal").to_owned();
    with.map(name).collect::<BTreeSet<_>>().into_iter().collect()
}

fn recall(actor: &str, id: &str, seq: u64) -> Entry {
    as_user(actor, id, json!({"type":"recall","room":"group","seq":seq}))
}

fn edit(id: &str, seq: u64, text: &str) -> Entry {
    as_user("ann", id, json!({"type":"edit","room":"group","seq":seq,"body":{"text":text}}))
}

#[test]
fn recalled_text_leaves_the_log_and_a_retry_is_still_known() {
    let sent = said("ann", "m1", "a word too many");
    let (dir, store) = play(vec![
        sent.clone(),
        said("ann", "m2", "to be kept"),
        edit("e1", 1, "worse than before"),
        recall("ann", "c1", 1),
    ]);
    drop(store);
    assert!(has(dir.path(), "a word too many"));
    scrub(dir.path(), Durability::Os);
    for text in ["a word too many", "worse than before"] {
        assert!(!has(dir.path(), text), "{text}");
    }
    assert!(has(dir.path(), "to be kept"));
    is_right(dir.path());
    // Made again from the log alone, it is the same; also which commands were sent.
    fs::remove_file(dir.path().join("wigeon.db")).unwrap();
    let mut store = Store::open(dir.path(), Durability::Os, 10).unwrap();
    let position = store.writer.position();
    assert!(apply(&mut store, &[sent, edit("e1", 1, "worse than before")]).iter().all(Result::is_ok));
    assert_eq!(store.writer.position(), position);
    let other = apply(&mut store, &[said("ann", "m1", "another text")]);
    assert_eq!(other[0].as_ref().unwrap_err().code, wigeon_proto::error::ErrorCode::Conflict);
}

/// Says a word in a directory whose index has everything, until it stands in the index's largest pieces.
fn say_and_index(directory: &Path, word: &str) {
    let mut store = Store::open_with(directory, Durability::Os, 7, AT_ONCE).unwrap();
    apply(&mut store, &beginning());
    apply(&mut store, &[said("ann", "m1", word), said("ann", "m2", "to be kept")]);
    let others: Vec<_> = (0..8).map(|i| said("ann", &format!("o{i}"), "another")).collect();
    apply(&mut store, &others);
    index_all(&store);
}

#[test]
fn recalled_words_leave_the_tables_and_the_index() {
    let dir = tempfile::tempdir().unwrap();
    say_and_index(dir.path(), "zymurgy");
    assert_eq!(files_with(dir.path(), "zymurgy"), ["search.db", "wigeon.db"]);
    let mut store = Store::open_with(dir.path(), Durability::Os, 8, AT_ONCE).unwrap();
    apply(&mut store, &[recall("ann", "c1", 1)]);
    drop(store);
    scrub(dir.path(), Durability::Os);
    assert_eq!(files_with(dir.path(), "zymurgy"), [""; 0]);
    assert_eq!(files_with(dir.path(), "kept"), ["search.db", "wigeon.db"]);
}

#[test]
fn expired_words_leave_the_tables_and_the_index() {
    let dir = tempfile::tempdir().unwrap();
    say_and_index(dir.path(), "zymurgy");
    let mut store = Store::open_with(dir.path(), Durability::Os, 8, AT_ONCE).unwrap();
    let gone = expired(&store, START + u64::from(KEPT_DAYS + 1) * DAY_MS);
    assert!(!gone.is_empty());
    assert!(apply(&mut store, &gone).iter().all(Result::is_ok));
    drop(store);
    scrub(dir.path(), Durability::Os);
    assert_eq!(files_with(dir.path(), "zymurgy"), [""; 0]);
}

#[test]
fn expired_text_leaves_the_log_and_a_retry_is_still_known() {
    let later = |entry: Entry| Entry { at: START + 9 * DAY_MS, ..entry };
    let sent = said("ann", "m1", "a word of long ago");
    let (dir, mut store) = play(vec![
        sent.clone(),
        edit("e1", 1, "in other words"),
        later(edit("e2", 1, "in words of today")),
        later(said("ann", "m2", "to be kept")),
    ]);
    let gone = expired(&store, START + 9 * DAY_MS);
    assert_eq!(gone.len(), 1);
    assert!(apply(&mut store, &gone).iter().all(Result::is_ok));
    drop(store);
    let texts = ["a word of long ago", "in other words", "in words of today"];
    assert!(texts.iter().all(|text| has(dir.path(), text)));
    scrub(dir.path(), Durability::Os);
    for text in texts {
        assert!(!has(dir.path(), text), "{text}");
    }
    assert!(has(dir.path(), "to be kept"));
    is_right(dir.path());
    fs::remove_file(dir.path().join("wigeon.db")).unwrap();
    let mut store = Store::open(dir.path(), Durability::Os, 10).unwrap();
    let other = said("ann", "m1", "another text");
    let answers = apply(&mut store, &[sent, other]);
    assert!(answers[0].is_ok(), "{answers:?}");
    assert_eq!(answers[1].as_ref().unwrap_err().code, wigeon_proto::error::ErrorCode::Conflict);
    drop(store);
    is_right(dir.path());
}

#[test]
fn a_damaged_segment_is_left_as_it_is() {
    let large = "x".repeat(60_000);
    let mut all = vec![said("ann", "m1", "a word too many")];
    all.extend((2..30).map(|i| said("ann", &format!("m{i}"), &large)));
    all.push(recall("ann", "c1", 1));
    let (dir, store) = play(all);
    // All of it is folded, so that a start has no need of that segment.
    store.writer.close().unwrap();
    drop((store.readers, store.lock));
    let first = dir.path().join("log/00000000000000000001.log");
    let mut bytes = fs::read(&first).unwrap();
    bytes[300_000] ^= 1;
    fs::write(&first, &bytes).unwrap();
    let store = Store::open(dir.path(), Durability::Os, 9).unwrap();
    let (sequencer, thread) = Sequencer::start(store.writer, Deaf, ());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(sequencer.close());
    thread.join().unwrap().unwrap();
    assert_eq!((left(dir.path()), fs::read(&first).unwrap() == bytes), (1, true));
    assert!(!first.with_extension("unfinished").exists());
}

#[test]
fn a_scrub_of_the_base_that_was_cut_short_is_undone() {
    let all = (0..200).map(|i| said("ann", &format!("m{i}"), &"x".repeat(1000)));
    let (dir, store) = play(all.collect());
    let place = tempfile::tempdir().unwrap();
    let restored = place.path().join("restored");
    backup(dir.path(), &restored, &[], &mut |_| ()).unwrap();
    drop(store);
    // As a crash leaves it: pages are written already, and nothing is committed.
    let log = restored.join("log");
    let db = rusqlite::Connection::open(log.join("base.db")).unwrap();
    db.pragma_update(None, "cache_size", 10).unwrap();
    db.execute_batch("BEGIN; UPDATE event SET tail = zeroblob(1000)").unwrap();
    let cut = place.path().join("cut");
    fs::create_dir_all(cut.join("log")).unwrap();
    for name in ["base.db", "base.db-journal"] {
        fs::copy(log.join(name), cut.join("log").join(name)).unwrap();
    }
    assert!(has(&cut, &"\0".repeat(500)));
    let store = Store::open(&cut, Durability::Fsync, 8).unwrap();
    assert_eq!(store.writer.position(), 203);
    drop(store);
    is_right(&cut);
}

#[test]
fn words_that_were_passed_on_stay_where_they_stand() {
    let forward = |id: &str, seq: u64| {
        as_user("ann", id, json!({"type":"send","room":"open","forward":{"room":"group","seq":seq}}))
    };
    let (dir, store) = play(vec![
        as_user("ann", "j1", json!({"type":"room.join","room":"open"})),
        said("ann", "m1", "first words"),
        forward("f1", 1),
        edit("e1", 1, "second words"),
        recall("ann", "c1", 1),
    ]);
    drop(store);
    scrub(dir.path(), Durability::Os);
    assert!(!has(dir.path(), "second words"));
    is_right(dir.path());
    fs::remove_file(dir.path().join("wigeon.db")).unwrap();
    let store = Store::open(dir.path(), Durability::Os, 10).unwrap();
    let query = serde_json::from_value(json!({"room":"open","limit":10})).unwrap();
    let history = ask(&store, move |view| view.history(&asker("ann"), &query)).unwrap();
    let history = serde_json::to_value(history).unwrap();
    assert_eq!(history["messages"][0]["body"]["text"], "first words");
}

#[test]
fn a_base_is_scrubbed_too() {
    let (dir, store) = play(vec![
        said("ann", "m1", "a word too many"),
        edit("e1", 1, "worse than before"),
        said("ann", "m2", "to be kept"),
    ]);
    let place = tempfile::tempdir().unwrap();
    let restored = place.path().join("restored");
    backup(dir.path(), &restored, &[], &mut |_| ()).unwrap();
    drop(store);
    let mut store = Store::open(&restored, Durability::Os, 8).unwrap();
    let later = [edit("e2", 1, "not better"), recall("ann", "c1", 1)];
    assert!(apply(&mut store, &later).iter().all(Result::is_ok));
    drop(store);
    scrub(&restored, Durability::Os);
    for text in ["a word too many", "worse than before", "not better"] {
        assert!(!has(&restored, text), "{text}");
    }
    assert!(has(&restored, "to be kept"));
    let report = is_right(&restored);
    assert_eq!(report.from, 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whenever_it_is_scrubbed_or_copied_the_log_comes_to_the_same(
        steps in prop::collection::vec(any_step(), 20..120), parts in 1..5usize, copied in 0..5usize,
    ) {
        let (dir, store) = store();
        drop(store);
        let place = tempfile::tempdir().unwrap();
        let mut at = dir.path().to_owned();
        let all = entries(&steps);
        for (i, part) in all.chunks(all.len().div_ceil(parts)).enumerate() {
            let mut store = Store::open(&at, Durability::Os, 8).unwrap();
            apply(&mut store, part);
            let gone = expired(&store, part.last().unwrap().at);
            apply(&mut store, &gone);
            if i == copied {
                at = place.path().join("copy");
                backup(dir.path(), &at, &[], &mut |_| ()).unwrap();
            }
            drop(store);
            is_right(&at);
            scrub(&at, Durability::Os);
            is_right(&at);
        }
        is_right(dir.path());
    }
}
