//! What members ask of a room and of each other: bans, invitations, versions, receipts, settings.

use serde::Serialize;
use serde_json::{Value, json};
use wigeon_core::entry::{Entry, Rights};
use wigeon_proto::command::{Command, Query, Request, Target};
use wigeon_proto::error::ErrorCode;
use wigeon_store::Store;
use wigeon_store::read::QueryError;

use crate::world::{apply, as_user, ask, asker, entry, play, said, snapshot};

/// Milliseconds since 1970 at which these questions are asked: a second after what happened.
const NOW: u64 = 1_764_000_001_000;

fn json<T: Serialize>(answer: Result<T, QueryError>) -> Result<Value, QueryError> {
    answer.map(|answer| serde_json::to_value(answer).unwrap())
}

fn put(store: &Store, who: &str, query: Value) -> Result<Value, ErrorCode> {
    let Command::Query(query) = Request::decode(&query.to_string()).unwrap().command else {
        panic!("not a query")
    };
    let who = asker(who);
    let answer = ask(store, move |view| match query {
        Query::BanList(query) => json(view.ban_list(&who, &query)),
        Query::MessageVersions(query) => json(view.message_versions(&who, &query)),
        Query::ReceiptsGet(query) => json(view.receipts(&who, &query).map(|(receipts, _)| receipts)),
        Query::InviteList(query) => json(view.invite_list(&who, &query, NOW)),
        Query::InviteGet(query) => json(view.invite_get(&who, &query, NOW)),
        Query::BlockList(page) => json(view.block_list(&who, &page)),
        Query::MemberList(query) => json(view.member_list(&who, &query)),
        Query::RoomGet(query) => json(view.room_get(&who, &query)),
        Query::History(query) => json(view.history(&who, &query)),
        other => panic!("{other:?}"),
    });
    match answer {
        Ok(answer) => Ok(answer),
        Err(QueryError::Refused(error)) => Err(error.code),
        Err(QueryError::Fault(fault)) => panic!("{fault}"),
    }
}

fn host(id: &str, command: Value) -> Entry {
    entry("host", Rights::Service, id, command)
}

fn ids(users: &Value) -> Vec<&str> {
    users.as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect()
}

fn room(store: &Store, who: &str, room: &str) -> Value {
    put(store, who, json!({"type":"room.get","room":room})).unwrap()["room"].clone()
}

#[test]
fn admins_see_who_is_banned_and_everybody_who_is_muted() {
    let (_dir, store) = play(vec![
        host("m1", json!({"type":"member.role","room":"group","user":"ann","role":"admin"})),
        as_user("ann", "m2", json!({"type":"member.ban","room":"group","user":"cat"})),
        as_user("ann", "m3", json!({"type":"member.ban","room":"group","user":"dan"})),
        as_user("ann", "m4", json!({"type":"member.mute","room":"group","user":"bob","until":NOW + 5000})),
    ]);
    let list = |who: &str, more: Value| {
        let mut query = json!({"type":"ban.list","room":"group"});
        query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        put(&store, who, query)
    };
    let first = list("ann", json!({"limit":1})).unwrap();
    assert_eq!((ids(&first["users"]), &first["users"][0]["by"]), (vec!["cat"], &json!("ann")));
    let rest = list("ann", json!({"after":first["next"]})).unwrap();
    assert_eq!((ids(&rest["users"]), rest.get("next")), (vec!["dan"], None));
    assert_eq!(list("bob", json!({})), Err(ErrorCode::Forbidden));
    assert_eq!(list("cat", json!({})), Err(ErrorCode::NotMember));
    let members = put(&store, "bob", json!({"type":"member.list","room":"group"})).unwrap();
    assert_eq!(members["users"][1]["muted_until"], json!(NOW + 5000));
    assert_eq!(members["users"][0].get("muted_until"), None);
    assert_eq!(room(&store, "bob", "group")["muted_until"], json!(NOW + 5000));
}

#[test]
fn an_invitation_is_shown_to_who_keeps_the_room_and_leads_who_has_its_code() {
    let (_dir, store) = play(vec![
        host("m1", json!({"type":"member.role","room":"group","user":"ann","role":"admin"})),
        as_user("ann", "once", json!({"type":"invite.create","room":"group","uses":1})),
        as_user("ann", "brief", json!({"type":"invite.create","room":"group","expires_in":1})),
        as_user("ann", "long", json!({"type":"invite.create","room":"group"})),
        as_user("cat", "m2", json!({"type":"invite.accept","code":"once"})),
    ]);
    let list = put(&store, "ann", json!({"type":"invite.list","room":"group"})).unwrap();
    let codes: Vec<&Value> = list["invites"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, ["long"], "those used up or past their time are over");
    assert_eq!(put(&store, "bob", json!({"type":"invite.list","room":"group"})), Err(ErrorCode::Forbidden));
    let get = |who: &str, code: &str| put(&store, who, json!({"type":"invite.get","code":code}));
    let shown = get("dan", "long").unwrap();
    assert_eq!(shown["room"], json!({"id":"group","kind":"group","title":"Group","users":3,"joined":false}));
    assert_eq!(get("dan", "once"), Err(ErrorCode::Gone));
    assert_eq!(get("dan", "brief"), Err(ErrorCode::Gone));
    assert_eq!(get("cat", "once").unwrap()["room"]["joined"], json!(true));
    assert_eq!(get("dan", "none"), Err(ErrorCode::NotFound));
}

#[test]
fn a_message_tells_the_forms_it_has_had() {
    let edit = |id: &str, text: &str| {
        as_user("ann", id, json!({"type":"edit","room":"group","seq":1,"body":{"text":text}}))
    };
    let versions = |store: &Store, who: &str, seq: u64| {
        put(store, who, json!({"type":"message.versions","room":"group","seq":seq}))
    };
    let (_dir, store) = play(vec![said("ann", "m1", "a"), edit("m2", "b"), edit("m3", "c")]);
    let told = versions(&store, "bob", 1).unwrap();
    let texts: Vec<(&Value, &Value)> =
        told["versions"].as_array().unwrap().iter().map(|v| (&v["version"], &v["body"]["text"])).collect();
    assert_eq!(texts, [(&json!(0), &json!("a")), (&json!(1), &json!("b")), (&json!(2), &json!("c"))]);
    assert_eq!(versions(&store, "bob", 2), Err(ErrorCode::NotFound));
    assert_eq!(versions(&store, "cat", 1), Err(ErrorCode::NotMember));
    let (_dir, store) = play(vec![
        said("ann", "m1", "a"),
        edit("m2", "b"),
        as_user("ann", "m3", json!({"type":"recall","room":"group","seq":1})),
    ]);
    assert_eq!(versions(&store, "bob", 1), Err(ErrorCode::Gone));
    let (_dir, store) = play(vec![
        said("ann", "m1", "before cat"),
        host("m2", json!({"type":"member.add","room":"group","user":"cat"})),
    ]);
    assert_eq!(versions(&store, "cat", 1), Err(ErrorCode::NotFound), "not of their stay");
}

#[test]
fn receipts_name_who_has_read_and_not_who_reads_in_private() {
    let read =
        |who: &str, id: &str, seq: u64| as_user(who, id, json!({"type":"read","room":"group","seq":seq}));
    let (_dir, store) = play(vec![
        host("m1", json!({"type":"member.add","room":"group","users":["cat","dan"]})),
        said("ann", "m2", "one"),
        said("ann", "m3", "two"),
        as_user("dan", "m4", json!({"type":"prefs.set","prefs":{"private_read":true}})),
        read("bob", "m5", 1),
        read("cat", "m6", 2),
        read("dan", "m7", 2),
        as_user("cat", "m8", json!({"type":"unread","room":"group","seq":1})),
        host("m9", json!({"type":"member.add","room":"group","user":"eve"})),
    ]);
    let receipts =
        |who: &str, seq: u64| put(&store, who, json!({"type":"receipts.get","room":"group","seq":seq}));
    let first = receipts("ann", 1).unwrap();
    assert_eq!((ids(&first["read"]["users"]), &first["read"]["count"]), (vec!["bob", "cat"], &json!(2)));
    assert_eq!(ids(&receipts("bob", 2).unwrap()["read"]["users"]), ["cat"], "a mark set back is not told");
    assert_eq!(receipts("ann", 2).unwrap()["state"], json!("on"));
    assert_eq!(receipts("ann", 3), Err(ErrorCode::NotFound));
    assert_eq!(receipts("eve", 1), Err(ErrorCode::NotFound));
    assert_eq!(receipts("stranger", 1), Err(ErrorCode::NotMember));
}

#[test]
fn a_message_of_a_small_room_names_whom_it_is_for() {
    let (_dir, store) = play(vec![
        said("ann", "m1", "one"),
        host("m2", json!({"type":"member.add","room":"group","user":"cat"})),
    ]);
    let query = Target { room: crate::world::room("group"), seq: 1 };
    let who = asker("ann");
    let (_, reach) = ask(&store, move |view| view.receipts(&who, &query)).unwrap();
    let reach = reach.unwrap();
    assert_eq!((reach.users.len(), reach.users[0].0.id.as_str(), reach.position), (1, "bob", 4));
}

#[test]
fn who_writes_has_shown_that_they_were_there() {
    let (_dir, store) = play(vec![
        as_user("bob", "m1", json!({"type":"prefs.set","prefs":{"private_read":true}})),
        said("ann", "m2", "one"),
        said("bob", "m3", "two"),
    ]);
    let told = put(&store, "ann", json!({"type":"receipts.get","room":"group","seq":1})).unwrap();
    assert_eq!(ids(&told["read"]["users"]), ["bob"]);
}

#[test]
fn settings_and_blocks_come_with_the_snapshot() {
    let (_dir, store) = play(vec![
        as_user("ann", "m1", json!({"type":"prefs.set","prefs":{"level":"mentions"}})),
        as_user("ann", "m2", json!({"type":"prefs.set","room":"group","prefs":{"pin":true,"mute":true}})),
        as_user("ann", "m3", json!({"type":"prefs.set","room":"group","prefs":{"mute":null}})),
        as_user("ann", "m4", json!({"type":"block.set","user":"cat","on":true})),
        as_user("ann", "m5", json!({"type":"block.set","user":"dan","on":true})),
        as_user("ann", "m6", json!({"type":"block.set","user":"cat","on":false})),
    ]);
    let shown = snapshot(&store, "ann");
    assert_eq!((&shown["prefs"], &shown["blocked"]), (&json!({"level":"mentions"}), &json!(["dan"])));
    assert_eq!(shown["rooms"][0]["prefs"], json!({"pin":true}));
    let other = snapshot(&store, "bob");
    assert!(other.get("prefs").is_none() && other.get("blocked").is_none());
    assert!(other["rooms"][0].get("prefs").is_none(), "they are each user's own");
    assert_eq!(ids(&put(&store, "ann", json!({"type":"block.list"})).unwrap()["users"]), ["dan"]);
}

#[test]
fn pins_are_named_newest_first_and_their_messages_can_be_had() {
    let pin = |id: &str, seq: u64| host(id, json!({"type":"pin","room":"group","seq":seq,"on":true}));
    let mut entries: Vec<Entry> = (1..=9).map(|i| said("ann", &format!("m{i}"), "x")).collect();
    entries.extend([pin("p1", 7), pin("p2", 2), pin("p3", 5)]);
    entries.push(as_user("ann", "r", json!({"type":"recall","room":"group","seq":2})));
    let (_dir, store) = play(entries);
    assert_eq!(room(&store, "bob", "group")["pins"], json!([5, 7]), "what is recalled is not pinned");
    let exactly = put(&store, "bob", json!({"type":"history","room":"group","seqs":[7, 5, 5, 99]})).unwrap();
    let seqs: Vec<&Value> = exactly["messages"].as_array().unwrap().iter().map(|one| &one["seq"]).collect();
    assert_eq!(seqs, [5, 7]);
    let many: Vec<u64> = (0..=100).collect();
    let too_many = put(&store, "bob", json!({"type":"history","room":"group","seqs":many}));
    assert_eq!(too_many, Err(ErrorCode::TooLarge));
}

#[test]
fn a_mention_of_all_counts_once_for_everybody_but_its_sender() {
    let all = |id: &str, mentions: Value| {
        let body = json!({"text":"@all"});
        as_user(
            "ann",
            id,
            json!({"type":"send","room":"group","body":body,"mention_all":true,"mentions":mentions}),
        )
    };
    let (_dir, store) = play(vec![
        host("m0", json!({"type":"member.add","room":"group","user":"cat"})),
        all("m1", json!(["bob"])),
        all("m2", json!([])),
        as_user("ann", "m3", json!({"type":"recall","room":"group","seq":2})),
    ]);
    let mentions = |who: &str| room(&store, who, "group")["mentions"].clone();
    assert_eq!([mentions("ann"), mentions("bob"), mentions("cat")], [json!(0), json!(1), json!(1)]);
}

#[test]
fn in_a_room_of_more_than_5000_nobody_counts_who_has_read() {
    let add = |part: usize| {
        let users: Vec<String> = (0..100).map(|n| format!("m{part}-{n}")).collect();
        host(&format!("a{part}"), json!({"type":"member.add","room":"group","users":users}))
    };
    let mut story = vec![said("ann", "m1", "hello, everybody")];
    story.extend((0..49).map(add));
    let rest: Vec<String> = (0..98).map(|n| format!("r{n}")).collect();
    story.push(host("r", json!({"type":"member.add","room":"group","users":rest})));
    story.push(as_user("bob", "m2", json!({"type":"read","room":"group","seq":1})));
    let ask = json!({"type":"receipts.get","room":"group","seq":1});
    let (_dir, mut store) = play(story);
    let receipts = put(&store, "ann", ask.clone()).unwrap();
    assert_eq!((&receipts["state"], &receipts["read"]["count"]), (&json!("on"), &json!(1)), "5000 members");
    let one_more = host("one", json!({"type":"member.add","room":"group","user":"one-more"}));
    assert!(apply(&mut store, &[one_more])[0].is_ok());
    let receipts = put(&store, "ann", ask).unwrap();
    assert_eq!((&receipts["state"], &receipts["read"]["count"]), (&json!("off"), &json!(0)), "5001");
}
