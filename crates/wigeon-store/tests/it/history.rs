//! History, snapshots and counts, told as short stories.

use serde_json::{Value, json};
use wigeon_core::entry::Rights;
use wigeon_proto::command::{Command, Page, Query, Request};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::id::RoomId;
use wigeon_store::Store;
use wigeon_store::read::QueryError;

use crate::world::{as_user, ask, asker, entry, play, said, snapshot, user};

fn history(store: &Store, who: &str, fields: Value) -> Result<Value, ErrorCode> {
    let mut fields = fields;
    fields["type"] = json!("history");
    let Command::Query(Query::History(query)) = Request::decode(&fields.to_string()).unwrap().command else {
        panic!("not a history query")
    };
    let who = asker(who);
    match ask(store, move |view| view.history(&who, &query)) {
        Ok(history) => Ok(serde_json::to_value(&history).unwrap()),
        Err(QueryError::Refused(error)) => Err(error.code),
        Err(QueryError::Fault(fault)) => panic!("{fault}"),
    }
}

fn seqs(history: &Value) -> Vec<u64> {
    history["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap()).collect()
}

#[test]
fn history_is_paged_by_exclusive_bounds_and_ascends() {
    let (_dir, store) = play((1..=10).map(|i| said("ann", &format!("m{i}"), "x")).collect());
    let page = |fields| history(&store, "bob", fields).unwrap();
    assert_eq!(seqs(&page(json!({"room":"group","limit":3}))), [8, 9, 10]);
    assert_eq!(seqs(&page(json!({"room":"group","before":8,"limit":3}))), [5, 6, 7]);
    assert_eq!(seqs(&page(json!({"room":"group","after":8,"limit":3}))), [9, 10]);
    assert_eq!(seqs(&page(json!({"room":"group","around":5,"limit":4}))), [3, 4, 5, 6]);
    let first = page(json!({"room":"group","after":0,"limit":100}));
    assert_eq!(
        (first["more"].as_bool(), first["min_seq"].as_u64(), first["max_seq"].as_u64()),
        (Some(false), Some(1), Some(10))
    );
    assert_eq!(page(json!({"room":"group","before":8,"limit":3}))["more"], json!(true));
    assert_eq!(seqs(&page(json!({"room":"group","before":u64::MAX,"limit":1}))), [10]);
}

#[test]
fn a_recalled_text_is_gone_from_history_and_from_the_replay() {
    let (_dir, store) = play(vec![
        said("ann", "m1", "secret"),
        as_user("ann", "m2", json!({"type":"edit","room":"group","seq":1,"body":{"text":"secret too"}})),
        as_user("bob", "m3", json!({"type":"react","room":"group","seq":1,"emoji":"👍","on":true})),
        as_user("ann", "m4", json!({"type":"recall","room":"group","seq":1})),
    ]);
    let seen = history(&store, "bob", json!({"room":"group"})).unwrap();
    assert_eq!(seen["messages"][0]["recalled"], json!(true));
    assert!(seen["messages"][0].get("body").is_none() && seen["messages"][0].get("reactions").is_none());
    let request = wigeon_store::read::PageRequest {
        user: user("bob"),
        watch: vec![],
        after: 0,
        frames_max: 100,
        bytes_max: usize::MAX,
        max_per_room: None,
    };
    let page = ask(&store, move |view| view.page(&request)).unwrap();
    for record in page.records {
        assert!(!String::from_utf8(record.tail).unwrap().contains("secret"));
    }
}

#[test]
fn edits_and_reactions_stand_in_the_current_form() {
    let (_dir, store) = play(vec![
        said("ann", "m1", "teh"),
        as_user(
            "ann",
            "m2",
            json!({"type":"edit","room":"group","seq":1,"body":{"text":"the </script>"},"version":0}),
        ),
        as_user("bob", "m3", json!({"type":"react","room":"group","seq":1,"emoji":"👍","on":true})),
        as_user("ann", "m4", json!({"type":"react","room":"group","seq":1,"emoji":"👍","on":true})),
    ]);
    let message = &history(&store, "bob", json!({"room":"group"})).unwrap()["messages"][0];
    assert_eq!(message["body"]["text"], json!("the </script>"));
    assert_eq!(message["version"], json!(1));
    assert_eq!(message["reactions"], json!([{"emoji":"👍","users":["bob","ann"]}]));
    assert!(!message.to_string().is_empty());
}

#[test]
fn a_newcomer_sees_what_the_rooms_policy_says() {
    let (_dir, store) = play(vec![
        said("ann", "m1", "before"),
        entry("host", Rights::Service, "m2", json!({"type":"member.add","room":"group","user":"dan"})),
        said("ann", "m3", "after"),
        as_user("cat", "m4", json!({"type":"send","room":"open","body":{"text":"before"}})),
        as_user("dan", "m5", json!({"type":"room.join","room":"open"})),
    ]);
    assert_eq!(seqs(&history(&store, "dan", json!({"room":"group"})).unwrap()), [2], "joined history");
    assert_eq!(seqs(&history(&store, "dan", json!({"room":"open"})).unwrap()), [1], "shared history");
    assert_eq!(history(&store, "cat", json!({"room":"group"})), Err(ErrorCode::NotMember));
    assert_eq!(history(&store, "cat", json!({"room":"nowhere"})), Err(ErrorCode::NotFound));
    assert_eq!(
        seqs(&history(&store, "stranger", json!({"room":"news"})).unwrap()),
        Vec::<u64>::new(),
        "public"
    );
}

#[test]
fn one_who_comes_back_sees_both_stays_and_nothing_between() {
    let (_dir, store) = play(vec![
        said("bob", "m1", "one"),
        as_user("bob", "m2", json!({"type":"room.leave","room":"group"})),
        said("ann", "m3", "two"),
        entry("host", Rights::Service, "m4", json!({"type":"member.add","room":"group","user":"bob"})),
        said("ann", "m5", "three"),
    ]);
    assert_eq!(seqs(&history(&store, "bob", json!({"room":"group"})).unwrap()), [1, 3]);
    assert_eq!(seqs(&history(&store, "bob", json!({"room":"group","limit":1})).unwrap()), [3]);
    assert_eq!(seqs(&history(&store, "bob", json!({"room":"group","after":0,"limit":1})).unwrap()), [1]);
}

#[test]
fn unread_is_what_a_person_would_count() {
    let (_dir, store) = play(vec![
        said("ann", "m1", "one"),
        said("ann", "m2", "two"),
        as_user(
            "ann",
            "m3",
            json!({"type":"send","room":"group","body":{"text":"@bob"},"mentions":["bob","dan"]}),
        ),
        said("ann", "m4", "oops"),
        as_user("ann", "m5", json!({"type":"recall","room":"group","seq":4})),
        as_user("bob", "m6", json!({"type":"read","room":"group","seq":1})),
    ]);
    let counts = |who: &str| {
        let snapshot = snapshot(&store, who);
        let room =
            snapshot["rooms"].as_array().unwrap().iter().find(|room| room["id"] == "group").unwrap().clone();
        (
            room["seq"].as_u64().unwrap(),
            room["read"].as_u64().unwrap(),
            room["unread"].as_u64().unwrap(),
            room["mentions"].as_u64().unwrap(),
        )
    };
    assert_eq!(counts("bob"), (4, 1, 2, 1));
    assert_eq!(counts("ann"), (4, 4, 0, 0), "one's own messages are read");
}

#[test]
fn a_snapshot_names_every_room_and_where_to_go_on() {
    let (_dir, store) = play(vec![
        as_user("ann", "m1", json!({"type":"send","to":"bob","body":{"text":"hi"}})),
        as_user("ann", "m2", json!({"type":"user.update","name":"Ann"})),
        said("bob", "m3", "newest"),
    ]);
    let first = snapshot(&store, "ann");
    let ids: Vec<&str> =
        first["rooms"].as_array().unwrap().iter().map(|room| room["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["group", "d:ann~bob"], "the most recently active first");
    assert_eq!(first["name"], json!("Ann"));
    assert_eq!(first["rooms"][0]["last"]["body"]["text"], json!("newest"));
    let users = &first["rooms"][1]["users"];
    assert_eq!(
        users,
        &json!([{"id":"ann","name":"Ann","role":"member"},{"id":"bob","name":"bob","role":"member"}])
    );
    let who = asker("ann");
    let part = ask(&store, move |view| view.snapshot(&who, &Page { after: None, limit: Some(1) })).unwrap();
    let next = part.next.clone();
    let who = asker("ann");
    let rest = ask(&store, move |view| view.snapshot(&who, &Page { after: next, limit: Some(1) })).unwrap();
    assert_eq!(
        (part.rooms[0].id.as_str(), rest.rooms[0].id.as_str(), rest.next),
        ("group", "d:ann~bob", None)
    );
}

#[test]
fn a_policy_that_opens_a_room_does_not_open_what_was_said_before() {
    let update = |id: &str, room: &str, policy: Value| {
        entry("host", Rights::Service, id, json!({"type":"room.update","room":room,"policy":policy}))
    };
    let create = |id: &str, kind: &str, policy: Value| {
        let create = json!({"type":"room.create","room":"r","kind":kind,"title":"R","members":["ann"],"policy":policy});
        entry("host", Rights::Service, id, create)
    };
    let say = |id: &str| as_user("ann", id, json!({"type":"send","room":"r","body":{"text":"x"}}));
    let come =
        |who: &str| entry("host", Rights::Service, who, json!({"type":"member.add","room":"r","user":who}));
    let shown = |store: &Store, who: &str| history(store, who, json!({"room":"r"})).map(|found| seqs(&found));

    let (_dir, store) = play(vec![
        create("c", "group", json!({})),
        say("m1"),
        come("bob"),
        say("m2"),
        update("u1", "r", json!({"history":"shared"})),
        say("m3"),
        come("cat"),
        update("u2", "r", json!({"history":"joined"})),
        say("m4"),
        update("u3", "r", json!({"history":"shared"})),
        say("m5"),
        come("dan"),
    ]);
    assert_eq!(shown(&store, "ann"), Ok(vec![1, 2, 3, 4, 5]));
    assert_eq!(shown(&store, "bob"), Ok(vec![2, 3, 4, 5]), "not the first, whoever changes the policy");
    assert_eq!(shown(&store, "cat"), Ok(vec![4, 5]));
    assert_eq!(shown(&store, "dan"), Ok(vec![5]));

    let (_dir, store) = play(vec![
        create("c", "channel", json!({"visibility":"private","history":"joined"})),
        say("m1"),
        update("u1", "r", json!({"visibility":"public"})),
        say("m2"),
    ]);
    assert_eq!(shown(&store, "bob"), Ok(vec![2]), "a visitor of what was private");
    let request = wigeon_store::read::PageRequest {
        user: user("dan"),
        watch: vec![RoomId::parse("r").unwrap()],
        after: 0,
        frames_max: 100,
        bytes_max: usize::MAX,
        max_per_room: None,
    };
    let ann = wigeon_store::read::PageRequest { user: user("ann"), ..request.clone() };
    let kinds = |request| -> Vec<String> {
        let page = ask(&store, move |view| view.page(&request)).unwrap();
        page.records.into_iter().map(|record| record.kind).collect()
    };
    assert_eq!(kinds(request), ["room", "message"], "who watches hears that it opened, and what came then");
    assert_eq!(kinds(ann), ["room", "room", "message", "room", "message"], "who was there, everything once");
}
