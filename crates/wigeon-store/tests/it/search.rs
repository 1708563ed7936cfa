//! Search, told as short stories, and against the simplest search there is.

use serde_json::{Value, json};
use wigeon_core::entry::{Entry, Rights};
use wigeon_proto::command::{Command, Query, Request};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::limits::SEARCH_BYTES_MAX;
use wigeon_store::Store;
use wigeon_store::read::{Asker, QueryError};

use crate::world::{as_user, ask, asker, entry, play, said};

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
    let (_dir, store) =
        play(vec![said("ann", "m1", "no"), said("bob", "m2", "The <b>Duck</b> fliés, 鸭子也飞")]);
    let found = search(&store, "ann", json!({"q":"flies duck"})).unwrap();
    let hit = &found["hits"][0];
    assert_eq!(
        (&hit["room"], &hit["seq"], &hit["from"], &hit["at"]),
        (&json!("group"), &json!(2), &json!("bob"), &json!(1_764_000_000_000_u64))
    );
    assert_eq!(hit["snippet"], json!(["The <b>", "Duck", "</b> ", "fliés", ", 鸭子也飞"]));
    assert_eq!((&found["more"], found.get("next")), (&json!(false), None));
    assert_eq!(places(&store, "ann", "鸭子"), in_group(&[2]));
    assert_eq!(places(&store, "ann", "飞"), in_group(&[2]));
}

#[test]
fn the_newest_come_first_and_pages_go_on() {
    let (_dir, store) = play((1..=7).map(|i| said("ann", &format!("m{i}"), "duck")).collect());
    let mut asked = json!({"q":"duck","limit":3});
    let mut seen = Vec::new();
    loop {
        let found = search(&store, "bob", asked.clone()).unwrap();
        seen.push(places_of(&found));
        assert_eq!(found["more"], json!(found.get("next").is_some()));
        let Some(next) = found.get("next") else { break };
        asked["before"] = next.clone();
    }
    assert_eq!(seen, [in_group(&[7, 6, 5]), in_group(&[4, 3, 2]), in_group(&[1])]);
}

#[test]
fn room_sender_and_place_narrow_it() {
    let direct = json!({"type":"send","to":"bob","body":{"text":"duck"}});
    let (_dir, store) =
        play(vec![said("ann", "m1", "duck"), said("bob", "m2", "duck"), as_user("ann", "m3", direct)]);
    let find = |fields: Value| {
        let mut all = json!({"q":"duck"});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        search(&store, "bob", all).map(|found| places_of(&found))
    };
    assert_eq!(find(json!({"room":"group"})).unwrap(), in_group(&[2, 1]));
    assert_eq!(find(json!({"from":"ann","room":"group"})).unwrap(), in_group(&[1]));
    assert_eq!(find(json!({"from":"ann"})).unwrap().len(), 2);
    let hits = search(&store, "bob", json!({"q":"duck"})).unwrap();
    let cursor = &hits["hits"][1]["cursor"];
    assert_eq!(find(json!({"before":cursor})).unwrap(), in_group(&[1]));
    assert_eq!(find(json!({"after":cursor})).unwrap(), [("d:ann~bob".to_owned(), 1)]);
    let at = 1_764_000_000_000_u64;
    assert_eq!(find(json!({"after":at - 1,"before":at + 1})).unwrap().len(), 3);
    assert_eq!((find(json!({"after":at})).unwrap(), find(json!({"before":at})).unwrap()), (vec![], vec![]));
}

#[test]
fn what_cannot_be_searched_for_is_refused() {
    let (_dir, store) = play(vec![said("ann", "m1", "duck")]);
    let refused = |fields: Value| search(&store, "cat", fields).unwrap_err();
    let bad = ErrorCode::BadRequest;
    assert_eq!(
        (refused(json!({"q":""})), refused(json!({"q":" !\"\" "})), refused(json!({}))),
        (bad, bad, bad)
    );
    assert_eq!(refused(json!({"q":"d".repeat(SEARCH_BYTES_MAX + 1)})), bad);
    assert_eq!(refused(json!({"q":"duck","before":"nonsense"})), bad);
    assert_eq!(refused(json!({"q":"duck","before":[]})), bad);
    let other = wigeon_proto::cursor::Cursor { epoch: wigeon_proto::cursor::Epoch::new(8), position: 1 };
    assert_eq!(refused(json!({"q":"duck","before":other.to_string()})), bad);
    assert_eq!(refused(json!({"q":"duck","room":"group"})), ErrorCode::NotMember);
    assert_eq!(refused(json!({"q":"duck","room":"nowhere"})), ErrorCode::NotFound);
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
    let (_dir, store) = play(stays("joined"));
    assert_eq!(places(&store, "bob", "duck"), in_group(&[3, 1]));
    assert_eq!(places(&store, "ann", "duck"), in_group(&[3, 2, 1]));
    assert_eq!(places(&store, "cat", "duck"), []);
    let (_dir, store) = play(stays("shared"));
    assert_eq!(places(&store, "bob", "duck"), in_group(&[3, 2, 1]));
    let mut gone = stays("shared");
    gone.push(as_user("bob", "l2", group("room.leave", json!({}))));
    let (_dir, store) = play(gone);
    assert_eq!(places(&store, "bob", "duck"), []);
    let host = Asker { service: true, ..asker("host") };
    assert_eq!(places_of(&search_as(&store, host, json!({"q":"duck"})).unwrap()), in_group(&[3, 2, 1]));
}

#[test]
fn a_public_channel_is_searched_by_who_names_it_or_joined_it() {
    let news = json!({"type":"send","room":"news","body":{"text":"duck"}});
    let (_dir, store) = play(vec![entry("host", Rights::Service, "m1", news)]);
    assert_eq!(places(&store, "ann", "duck"), []);
    let found = search(&store, "ann", json!({"q":"duck","room":"news"})).unwrap();
    assert_eq!(places_of(&found), [("news".to_owned(), 1)]);
}

#[test]
fn a_recalled_text_is_not_found_and_an_edited_one_by_its_new_words() {
    let (_dir, store) = play(vec![
        said("ann", "m1", "secret duck"),
        said("ann", "m2", "old duck"),
        as_user("ann", "r1", group("recall", json!({"seq":1}))),
        as_user("ann", "e1", group("edit", json!({"seq":2,"body":{"text":"new duck"}}))),
    ]);
    assert_eq!(places(&store, "bob", "secret"), []);
    assert_eq!(places(&store, "bob", "old"), []);
    assert_eq!(
        (places(&store, "bob", "new"), places(&store, "bob", "duck")),
        (in_group(&[2]), in_group(&[2]))
    );
}
