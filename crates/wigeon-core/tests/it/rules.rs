//! Rooms, messages and roles.

use serde_json::json;
use wigeon_core::entry::Rights;
use wigeon_core::outcome::{Applied, Outcome};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::What;
use wigeon_proto::id::UserId;

use crate::world::{World, send};

#[test]
fn a_direct_room_comes_with_its_first_message_from_either_side() {
    let mut world = World::default();
    let first = world.does("bob", json!({"type":"send","to":"ann","body":{"text":"hi"}}));
    let second = world.does("ann", json!({"type":"send","to":"bob","body":{"text":"hello"}}));
    let room = |applied: &Applied| applied.event.as_ref().unwrap().room.clone();
    assert_eq!(room(&first).as_str(), "d:ann~bob");
    assert_eq!((room(&first), second.reply.seq), (room(&second), Some(2)));
    assert_eq!(
        world.refuses("cat", json!({"type":"send","room":"d:ann~bob","body":{"text":"me too"}})),
        ErrorCode::NotMember
    );
    assert_eq!(
        world.refuses("cat", json!({"type":"send","room":"d:ann~dan","body":{"text":"x"}})),
        ErrorCode::NotFound
    );
    assert_eq!(world.refuses("ann", json!({"type":"room.leave","room":"d:ann~bob"})), ErrorCode::Forbidden);
    assert_eq!(
        world.refuses("ann", json!({"type":"member.add","room":"d:ann~bob","user":"cat"})),
        ErrorCode::Forbidden
    );
}

#[test]
fn a_repeated_id_gets_the_first_answer_and_another_payload_a_conflict() {
    let mut world = World::with_group();
    let Outcome::Applied(first) = world.enter("ann", Rights::User, "same", send("one")) else { panic!() };
    world.does("bob", send("between"));
    let again = world.enter("ann", Rights::User, "same", send("one"));
    assert_eq!(again, Outcome::Repeated(wigeon_proto::json::to_vec(&first.reply)));
    let Outcome::Rejected(error) = world.enter("ann", Rights::User, "same", send("two")) else { panic!() };
    assert_eq!(error.code, ErrorCode::Conflict);
    assert!(
        matches!(world.enter("bob", Rights::User, "same", send("two")), Outcome::Applied(_)),
        "ids are per user"
    );
    assert!(matches!(
        world.enter("cat", Rights::User, "later", json!({"type":"send","room":"none","body":{"text":"x"}})),
        Outcome::Rejected(_)
    ));
    assert!(
        matches!(world.enter("cat", Rights::User, "later", send("x")), Outcome::Applied(_)),
        "rejections are not remembered"
    );
}

#[test]
fn seq_is_dense_and_counts_messages_only() {
    let mut world = World::with_group();
    let mut seqs = Vec::new();
    for text in ["a", "b", "c"] {
        seqs.push(world.does("ann", send(text)).reply.seq.unwrap());
        world.does("bob", json!({"type":"react","room":"made","seq":seqs.len(),"emoji":"👍","on":true}));
        world.does("bob", json!({"type":"read","room":"made","seq":seqs.len()}));
    }
    assert_eq!(seqs, [1, 2, 3]);
}

#[test]
fn only_the_sender_edits_and_the_version_guards_the_edit() {
    let mut world = World::with_group();
    world.does("bob", send("teh"));
    let edit = |version: Option<u64>| json!({"type":"edit","room":"made","seq":1,"body":{"text":"the"},"version":version});
    assert_eq!(world.refuses("ann", edit(None)), ErrorCode::Forbidden);
    assert_eq!(world.does("bob", edit(Some(0))).reply.version, Some(1));
    assert_eq!(world.refuses("bob", edit(Some(0))), ErrorCode::Conflict);
    assert_eq!(world.refuses("cat", json!({"type":"recall","room":"made","seq":1})), ErrorCode::Forbidden);
    world.does("ann", json!({"type":"recall","room":"made","seq":1}));
    assert_eq!(world.refuses("bob", edit(None)), ErrorCode::Gone);
    assert_eq!(
        world.refuses("bob", json!({"type":"edit","room":"made","seq":9,"body":{"text":"x"}})),
        ErrorCode::NotFound
    );
    assert_eq!(
        world.refuses("bob", json!({"type":"edit","room":"made","seq":u64::MAX,"body":{"text":"x"}})),
        ErrorCode::NotFound
    );
}

#[test]
fn a_read_mark_only_rises_and_never_passes_the_newest() {
    let mut world = World::with_group();
    world.does("ann", send("a"));
    world.does("ann", send("b"));
    let read = |seq: u64| json!({"type":"read","room":"made","seq":seq});
    let marked = world.does("bob", read(99));
    assert_eq!(marked.reply.seq, Some(2));
    assert!(matches!(marked.event.unwrap().what, What::Read { seq: 2, .. }));
    let lower = world.does("bob", read(1));
    assert_eq!((lower.event, lower.reply.seq), (None, Some(2)));
}

#[test]
fn in_a_channel_a_read_mark_is_for_the_readers_own_devices() {
    let mut world = World::default();
    world.does("ann", json!({"type":"room.create","kind":"channel","title":"News","members":["bob"]}));
    world.does("ann", send("a"));
    let event = world.does("bob", json!({"type":"read","room":"made","seq":1})).event.unwrap();
    assert_eq!((event.audience().as_str(), event.room.as_str()), ("self:bob", "made"));
}

#[test]
fn a_mention_counts_from_the_first_direct_message_on() {
    let mut world = World::default();
    let first =
        world.does("ann", json!({"type":"send","to":"bob","body":{"text":"@bob"},"mentions":["bob","cat"]}));
    let What::Message { mentions, .. } = first.event.unwrap().what else { panic!() };
    assert_eq!(mentions.iter().map(UserId::as_str).collect::<Vec<_>>(), ["bob"]);
}

#[test]
fn roles_bound_what_a_member_may_do() {
    let mut world = World::with_group();
    let add = json!({"type":"member.add","room":"made","user":"dan"});
    assert_eq!(world.refuses("bob", add.clone()), ErrorCode::Forbidden);
    world.does("ann", json!({"type":"member.role","room":"made","user":"bob","role":"admin"}));
    world.does("bob", add);
    assert_eq!(
        world.refuses("bob", json!({"type":"member.remove","room":"made","user":"ann"})),
        ErrorCode::Forbidden
    );
    assert_eq!(
        world.refuses("bob", json!({"type":"member.role","room":"made","user":"dan","role":"owner"})),
        ErrorCode::Forbidden
    );
    world.does("ann", json!({"type":"member.role","room":"made","user":"dan","role":"reader"}));
    assert_eq!(world.refuses("dan", send("x")), ErrorCode::Forbidden);
    assert_eq!(
        world.refuses("ann", json!({"type":"room.leave","room":"made"})),
        ErrorCode::Forbidden,
        "the last owner"
    );
    assert_eq!(
        world.refuses("ann", json!({"type":"member.remove","room":"made","user":"ann"})),
        ErrorCode::Forbidden,
        "nor does the last owner remove themself"
    );
    world.does("ann", json!({"type":"member.role","room":"made","user":"bob","role":"owner"}));
    world.does("ann", json!({"type":"room.leave","room":"made"}));
    assert_eq!(world.refuses("ann", send("x")), ErrorCode::NotMember);
}

#[test]
fn only_open_rooms_are_joined_by_oneself() {
    let mut world = World::with_group();
    assert_eq!(world.refuses("dan", json!({"type":"room.join","room":"made"})), ErrorCode::Forbidden);
    world.does("ann", json!({"type":"room.update","room":"made","policy":{"join":"open"}}));
    let joined = world.does("dan", json!({"type":"room.join","room":"made"}));
    assert!(
        matches!(joined.event.unwrap().what, What::Member { user: Some(user), .. } if user.as_str() == "dan")
    );
    let again = world.does("dan", json!({"type":"room.join","room":"made"}));
    assert!(again.event.is_none() && again.changes.is_empty());
}

#[test]
fn a_service_brings_a_channel_into_being_and_chooses_ids() {
    let mut world = World::default();
    let news = json!({"type":"send","room":"news","body":{"text":"first"}});
    assert_eq!(world.refuses("ann", news.clone()), ErrorCode::NotFound);
    assert!(matches!(world.enter("bot", Rights::Service, "s1", news), Outcome::Applied(_)));
    assert_eq!(
        world.refuses("ann", json!({"type":"send","room":"news","body":{"text":"x"}})),
        ErrorCode::NotMember
    );
    world.does("ann", json!({"type":"room.join","room":"news"}));
    assert_eq!(
        world.does("ann", json!({"type":"send","room":"news","body":{"text":"x"}})).reply.seq,
        Some(2)
    );
    let named = json!({"type":"room.create","room":"mine","kind":"group","title":"Mine"});
    assert_eq!(world.refuses("ann", named), ErrorCode::Forbidden);
    assert_eq!(
        world.refuses("ann", json!({"type":"send","room":"self:ann","body":{"text":"x"}})),
        ErrorCode::NotFound
    );
}
