//! Search, told as short stories: each before anything is indexed, and after everything is.

use std::time::Duration;

use serde_json::{Value, json};
use wigeon_core::entry::{Entry, Rights};
use wigeon_proto::command::{Command, Query, Request};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::limits::SEARCH_BYTES_MAX;
use wigeon_store::read::{Asker, QueryError};
use wigeon_store::{Durability, IndexSizes, Store, verify_index};

use crate::world::{apply, as_user, ask, asker, beginning, entry, said};

/// Each entry is indexed as soon as it is folded.
pub(crate) const AT_ONCE: IndexSizes = IndexSizes { stretch: 1, merge: 2 };
/// No story is as long as this.
const NEVER: IndexSizes = IndexSizes { stretch: 1_000_000, merge: 2 };

/// Waits until everything there is is indexed.
pub(crate) fn index_all(store: &Store) {
    wait_for(store, store.writer.position());
}

fn wait_for(store: &Store, position: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let there = store.readers.index_reaches(position);
    let there = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(30), there).await });
    assert_eq!(there, Ok(true), "indexed {} of {position}", store.readers.indexed());
}

/// Tells a story to a store that indexes nothing, and to one that indexes everything.
fn tell(entries: &[Entry], then: impl Fn(&Store)) {
    for sizes in [NEVER, AT_ONCE] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open_with(dir.path(), Durability::Os, 7, sizes).unwrap();
        go_on(&mut store, &beginning());
        go_on(&mut store, entries);
        if sizes.stretch == 1 {
            index_all(&store);
        }
        then(&store);
    }
}

/// Applies entries that are not against the rules.
fn go_on(store: &mut Store, entries: &[Entry]) {
    for (entry, answer) in entries.iter().zip(apply(store, entries)) {
        assert!(answer.is_ok(), "{entry:?}: {answer:?}");
    }
}

pub(crate) fn search_as(store: &Store, asker: Asker, mut fields: Value) -> Result<Value, ErrorCode> {
    fields["type"] = json!("search");
    let request = Request::decode(&fields.to_string()).map_err(|unreadable| unreadable.error.code)?;
    let Command::Query(Query::Search(query)) = request.command else { panic!("not a search") };
    match ask(store, move |view| view.search(&asker, &query)) {
        Ok(found) => Ok(serde_json::to_value(&found).unwrap()),
        Err(QueryError::Refused(error)) => Err(error.code),
        Err(QueryError::Fault(fault)) => panic!("{fault}"),
    }
}

fn search(store: &Store, who: &str, fields: Value) -> Result<Value, ErrorCode> {
    search_as(store, asker(who), fields)
}

/// Where a user finds it: room and seq, the newest first.
fn places(store: &Store, who: &str, q: &str) -> Vec<(String, u64)> {
    places_of(&search(store, who, json!({"q":q,"limit":100})).unwrap())
}

fn places_of(found: &Value) -> Vec<(String, u64)> {
    let place = |hit: &Value| (hit["room"].as_str().unwrap().to_owned(), hit["seq"].as_u64().unwrap());
    found["hits"].as_array().unwrap().iter().map(place).collect()
}

fn in_group(seqs: &[u64]) -> Vec<(String, u64)> {
    seqs.iter().map(|seq| ("group".to_owned(), *seq)).collect()
}

fn group(command: &str, fields: Value) -> Value {
    let mut command = json!({"type":command,"room":"group"});
    command.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    command
}

#[test]
fn a_hit_says_where_who_when_and_what() {
    let story = [said("ann", "m1", "no"), said("bob", "m2", "The <b>Duck</b> fliés, 鸭子也飞 🦆")];
    tell(&story, |store| {
        let found = search(store, "ann", json!({"q":"flies duck"})).unwrap();
        let hit = &found["hits"][0];
        assert_eq!(
            (&hit["room"], &hit["seq"], &hit["from"], &hit["at"]),
            (&json!("group"), &json!(2), &json!("bob"), &json!(1_764_000_000_000_u64))
        );
        assert_eq!(hit["snippet"], json!(["The <b>", "Duck", "</b> ", "fliés", ", 鸭子也飞 🦆"]));
        assert_eq!((&found["more"], found.get("next")), (&json!(false), None));
        for q in ["鸭子", "飞", "子也飞", "🦆", "\"b duck\""] {
            assert_eq!(places(store, "ann", q), in_group(&[2]), "{q}");
        }
        assert_eq!(places(store, "ann", "鸭飞"), []);
    });
}

#[test]
fn the_newest_come_first_and_pages_go_on() {
    let story: Vec<Entry> = (1..=7).map(|i| said("ann", &format!("m{i}"), "duck")).collect();
    tell(&story, |store| {
        let mut asked = json!({"q":"duck","limit":3});
        let mut seen = Vec::new();
        loop {
            let found = search(store, "bob", asked.clone()).unwrap();
            seen.push(places_of(&found));
            assert_eq!(found["more"], json!(found.get("next").is_some()));
            let Some(next) = found.get("next") else { break };
            asked["before"] = next.clone();
        }
        assert_eq!(seen, [in_group(&[7, 6, 5]), in_group(&[4, 3, 2]), in_group(&[1])]);
    });
}

#[test]
fn room_sender_and_place_narrow_it() {
    let direct = as_user("ann", "m3", json!({"type":"send","to":"bob","body":{"text":"duck"}}));
    tell(&[said("ann", "m1", "duck"), said("bob", "m2", "duck"), direct], |store| {
        let find = |fields: Value| {
            let mut all = json!({"q":"duck"});
            all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            search(store, "bob", all).map(|found| places_of(&found))
        };
        assert_eq!(find(json!({"room":"group"})).unwrap(), in_group(&[2, 1]));
        assert_eq!(find(json!({"from":"ann","room":"group"})).unwrap(), in_group(&[1]));
        assert_eq!(find(json!({"from":"ann"})).unwrap().len(), 2);
        let hits = search(store, "bob", json!({"q":"duck"})).unwrap();
        let cursor = &hits["hits"][1]["cursor"];
        assert_eq!(find(json!({"before":cursor})).unwrap(), in_group(&[1]));
        assert_eq!(find(json!({"after":cursor})).unwrap(), [("d:ann~bob".to_owned(), 1)]);
        let at = 1_764_000_000_000_u64;
        assert_eq!(find(json!({"after":at - 1,"before":at + 1})).unwrap().len(), 3);
        assert_eq!(
            (find(json!({"after":at})).unwrap(), find(json!({"before":at})).unwrap()),
            (vec![], vec![])
        );
    });
}

#[test]
fn what_cannot_be_searched_for_is_refused() {
    tell(&[said("ann", "m1", "duck")], |store| {
        let refused = |fields: Value| search(store, "cat", fields).unwrap_err();
        let bad = ErrorCode::BadRequest;
        let empty = (refused(json!({"q":""})), refused(json!({"q":" !\"\" "})), refused(json!({})));
        assert_eq!(empty, (bad, bad, bad));
        assert_eq!(refused(json!({"q":"d".repeat(SEARCH_BYTES_MAX + 1)})), bad);
        assert_eq!(refused(json!({"q":"duck","before":"nonsense"})), bad);
        assert_eq!(refused(json!({"q":"duck","before":[]})), bad);
        let other = wigeon_proto::cursor::Cursor { epoch: wigeon_proto::cursor::Epoch::new(8), position: 1 };
        assert_eq!(refused(json!({"q":"duck","before":other.to_string()})), bad);
        assert_eq!(refused(json!({"q":"duck","room":"group"})), ErrorCode::NotMember);
        assert_eq!(refused(json!({"q":"duck","room":"nowhere"})), ErrorCode::NotFound);
    });
}

/// Ann's words while bob was a member, was not, and was again.
fn stays(history: &str) -> Vec<Entry> {
    let policy = json!({"policy":{"history":history}});
    vec![
        entry("host", Rights::Service, "p", group("room.update", policy)),
        said("ann", "m1", "duck one"),
        as_user("bob", "l1", group("room.leave", json!({}))),
        said("ann", "m2", "duck two"),
        entry("host", Rights::Service, "a1", group("member.add", json!({"user":"bob"}))),
        said("ann", "m3", "duck three"),
    ]
}

#[test]
fn each_finds_what_their_history_shows() {
    tell(&stays("joined"), |store| {
        assert_eq!(places(store, "bob", "duck"), in_group(&[3, 1]));
        assert_eq!(places(store, "ann", "duck"), in_group(&[3, 2, 1]));
        assert_eq!(places(store, "cat", "duck"), []);
    });
    tell(&stays("shared"), |store| assert_eq!(places(store, "bob", "duck"), in_group(&[3, 2, 1])));
    let mut gone = stays("shared");
    gone.push(as_user("bob", "l2", group("room.leave", json!({}))));
    tell(&gone, |store| {
        assert_eq!(places(store, "bob", "duck"), []);
        let host = Asker { service: true, ..asker("host") };
        assert_eq!(places_of(&search_as(store, host, json!({"q":"duck"})).unwrap()), in_group(&[3, 2, 1]));
    });
}

#[test]
fn a_public_channel_is_searched_by_who_names_it_or_joined_it() {
    let news = json!({"type":"send","room":"news","body":{"text":"duck"}});
    tell(&[entry("host", Rights::Service, "m1", news)], |store| {
        assert_eq!(places(store, "ann", "duck"), []);
        let found = search(store, "ann", json!({"q":"duck","room":"news"})).unwrap();
        assert_eq!(places_of(&found), [("news".to_owned(), 1)]);
    });
}

#[test]
fn who_is_in_many_rooms_finds_what_is_in_theirs() {
    let mut story = Vec::new();
    for i in 0..40 {
        let members = if i % 2 == 0 { json!(["ann"]) } else { json!(["bob"]) };
        let room = format!("r{i}");
        let create = json!({"type":"room.create","room":room,"kind":"group","title":"R","members":members});
        story.push(entry("host", Rights::Service, &format!("c{i}"), create));
        let send = json!({"type":"send","room":room,"body":{"text":"duck"}});
        story.push(entry("host", Rights::Service, &format!("s{i}"), send));
    }
    tell(&story, |store| {
        let found = places(store, "ann", "duck");
        let expected: Vec<_> = (0..20).rev().map(|i| (format!("r{}", 2 * i), 1)).collect();
        assert_eq!(found, expected);
    });
}

fn recall(seq: u64) -> Entry {
    as_user("ann", &format!("r{seq}"), group("recall", json!({"seq":seq})))
}

fn edit(id: &str, seq: u64, text: &str) -> Entry {
    as_user("ann", id, group("edit", json!({"seq":seq,"body":{"text":text}})))
}

fn finds_new_words_only(store: &Store) {
    assert_eq!(places(store, "bob", "secret"), []);
    assert_eq!(places(store, "bob", "old"), []);
    assert_eq!(places(store, "bob", "first"), []);
    assert_eq!(places(store, "bob", "new"), in_group(&[2]));
    assert_eq!(places(store, "bob", "duck"), in_group(&[2]));
    let in_room = search(store, "bob", json!({"q":"new","room":"group","from":"ann"})).unwrap();
    assert_eq!(places_of(&in_room), in_group(&[2]));
}

#[test]
fn a_recalled_text_is_not_found_and_an_edited_one_by_its_new_words() {
    let said = [said("ann", "m1", "secret duck"), said("ann", "m2", "old duck")];
    let changed = [recall(1), edit("e1", 2, "first duck"), edit("e2", 2, "new duck")];
    tell(&said.iter().chain(&changed).cloned().collect::<Vec<_>>(), finds_new_words_only);
}

#[test]
fn what_changes_after_it_was_indexed_is_found_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = IndexSizes { stretch: 4, merge: 2 };
    let mut store = Store::open_with(dir.path(), Durability::Os, 7, sizes).unwrap();
    go_on(&mut store, &beginning());
    // Positions 4 and 5, then enough of others that a piece has them.
    go_on(&mut store, &[said("ann", "m1", "secret duck"), said("ann", "m2", "old duck")]);
    go_on(&mut store, &[said("bob", "x1", "x"), said("bob", "x2", "x"), said("bob", "x3", "x")]);
    wait_for(&store, 8);
    go_on(&mut store, &[recall(1), edit("e1", 2, "first duck"), edit("e2", 2, "new duck")]);
    assert_eq!(store.readers.indexed(), 8, "the changes are not indexed");
    finds_new_words_only(&store);
    go_on(&mut store, &[said("bob", "y1", "x"), said("bob", "y2", "x")]);
    wait_for(&store, 12);
    finds_new_words_only(&store);
    // And after their pieces were put together.
    let more: Vec<Entry> = (0..20).map(|i| said("bob", &format!("z{i}"), "x")).collect();
    go_on(&mut store, &more);
    wait_for(&store, 32);
    finds_new_words_only(&store);
}

#[test]
fn an_index_goes_on_after_a_crash_and_a_lost_one_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Store::open_with(dir.path(), Durability::Fsync, 7, AT_ONCE).unwrap();
    let mut store = open();
    go_on(&mut store, &beginning());
    go_on(&mut store, &[said("ann", "m1", "duck"), edit("e1", 1, "swan")]);
    // Not closed: as a crash leaves it, with more or less of it indexed.
    drop(store);
    let mut store = open();
    go_on(&mut store, &[said("ann", "m2", "swan")]);
    index_all(&store);
    assert_eq!(places(&store, "bob", "swan"), in_group(&[2, 1]));
    drop(store);
    std::fs::write(dir.path().join("search.db"), "no index").unwrap();
    let store = open();
    index_all(&store);
    assert_eq!((places(&store, "bob", "swan"), places(&store, "bob", "duck")), (in_group(&[2, 1]), vec![]));
}

#[test]
fn an_index_that_is_wrong_is_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let (index, tables) = (dir.path().join("search.db"), dir.path().join("wigeon.db"));
    let mut store = Store::open_with(dir.path(), Durability::Os, 7, AT_ONCE).unwrap();
    go_on(&mut store, &beginning());
    go_on(&mut store, &[said("ann", "m1", "duck"), said("ann", "m2", "swan")]);
    index_all(&store);
    drop(store);
    let wrong = || {
        let mut wrong = Vec::new();
        verify_index(&index, &tables, |found| wrong.push((found.position, found.term, found.missing)))
            .unwrap();
        wrong
    };
    assert_eq!(wrong(), []);
    let db = rusqlite::Connection::open(&index).unwrap();
    db.execute("UPDATE search_posting SET term = 'goose' WHERE term = 'duck'", []).unwrap();
    assert_eq!(wrong(), [(4, "goose".to_owned(), false), (4, "duck".to_owned(), true)]);
}
