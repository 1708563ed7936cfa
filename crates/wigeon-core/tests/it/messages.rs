//! Mentions of all, threads, forwarding, pins, taking back in time.

use serde_json::{Value, json};
use wigeon_core::outcome::Applied;
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::{Forwarded, What};
use wigeon_proto::limits::REACTIONS_PER_MESSAGE_MAX;

use crate::world::{World, send};

fn forward(to: &str, room: &str, seq: u64) -> Value {
    json!({"type":"send","room":to,"forward":{"room":room,"seq":seq}})
}

fn said(applied: Applied) -> (String, Option<Forwarded>) {
    match applied.event.unwrap().what {
        What::Message { body, forwarded, .. } => (body.text, forwarded),
        other => panic!("{other:?}"),
    }
}

#[test]
fn everybody_is_mentioned_by_whom_the_policy_lets() {
    let mut world = World::with_group();
    let all = json!({"type":"send","room":"made","body":{"text":"@all"},"mention_all":true});
    let event = world.does("bob", all.clone()).event.unwrap();
    assert!(matches!(event.what, What::Message { mention_all: true, .. }));
    world.does("ann", json!({"type":"room.update","room":"made","policy":{"mention_all":"admin"}}));
    assert_eq!(world.refuses("bob", all.clone()), ErrorCode::Forbidden);
    world.does("ann", all);
}

#[test]
fn replies_and_threads_name_earlier_messages_only() {
    let mut world = World::with_group();
    world.does("ann", send("root"));
    for field in ["reply_to", "thread"] {
        for target in [0, 2, 99] {
            let command = json!({"type":"send","room":"made","body":{"text":"x"},field:target});
            assert_eq!(world.refuses("bob", command), ErrorCode::BadRequest, "{field} {target}");
        }
    }
    let reply = json!({"type":"send","room":"made","body":{"text":"x"},"reply_to":1,"thread":1});
    let event = world.does("bob", reply).event.unwrap();
    assert!(matches!(event.what, What::Message { reply_to: Some(1), thread: Some(1), .. }));
}

#[test]
fn what_is_sent_on_has_its_present_text_and_keeps_its_author() {
    let mut world = World::with_group();
    world.does("ann", send("teh"));
    world.does("ann", json!({"type":"edit","room":"made","seq":1,"body":{"text":"the"}}));
    world.does("bob", json!({"type":"send","to":"dan","body":{"text":"look:"}}));
    let (text, forwarded) = said(world.does("bob", forward("d:bob~dan", "made", 1)));
    let from_group = forwarded.unwrap();
    assert_eq!((text.as_str(), from_group.from.as_str()), ("the", "ann"));
    assert_eq!((from_group.room.as_ref().unwrap().as_str(), from_group.seq), ("made", Some(1)));
    world.does("dan", json!({"type":"send","to":"eve","body":{"text":"look:"}}));
    let (_, again) = said(world.does("dan", forward("d:dan~eve", "d:bob~dan", 2)));
    assert_eq!(again.unwrap(), from_group, "sent on twice, the first author stands");
    let edit = json!({"type":"edit","room":"d:bob~dan","seq":2,"body":{"text":"I said so"}});
    assert_eq!(world.refuses("bob", edit), ErrorCode::Forbidden, "nobody edits another's words");
}

#[test]
fn a_direct_room_is_not_named_elsewhere() {
    let mut world = World::with_group();
    world.does("ann", json!({"type":"send","to":"bob","body":{"text":"secret"}}));
    let (_, elsewhere) = said(world.does("bob", forward("made", "d:ann~bob", 1)));
    let elsewhere = elsewhere.unwrap();
    assert_eq!((elsewhere.from.as_str(), elsewhere.room, elsewhere.seq), ("ann", None, None));
    let (_, within) = said(world.does("bob", forward("d:ann~bob", "d:ann~bob", 1)));
    assert_eq!(within.unwrap().seq, Some(1));
}

#[test]
fn only_what_one_sees_can_be_sent_on() {
    let mut world = World::with_group();
    world.does("ann", send("before dan"));
    world.does("dan", json!({"type":"send","to":"eve","body":{"text":"hi"}}));
    assert_eq!(world.refuses("dan", forward("d:dan~eve", "made", 1)), ErrorCode::NotMember);
    world.does("ann", json!({"type":"member.add","room":"made","user":"dan"}));
    assert_eq!(
        world.refuses("dan", forward("d:dan~eve", "made", 1)),
        ErrorCode::NotFound,
        "before their stay"
    );
    world.does("ann", send("with dan"));
    world.does("dan", forward("d:dan~eve", "made", 2));
    world.does("ann", json!({"type":"recall","room":"made","seq":2}));
    assert_eq!(world.refuses("dan", forward("d:dan~eve", "made", 2)), ErrorCode::Gone);
    let react = json!({"type":"react","room":"made","seq":1,"emoji":"👍","on":true});
    assert_eq!(world.refuses("dan", react), ErrorCode::NotFound, "nor reacted to");
}

#[test]
fn a_message_with_all_the_reactions_it_can_have_takes_more_of_the_same() {
    let mut world = World::with_group();
    world.does("ann", send("look"));
    let react = |emoji: &str| json!({"type":"react","room":"made","seq":1,"emoji":emoji,"on":true});
    for i in 0..REACTIONS_PER_MESSAGE_MAX {
        world.does("ann", react(&i.to_string()));
    }
    assert_eq!(world.refuses("bob", react("another")), ErrorCode::TooLarge);
    assert!(world.does("bob", react("7")).event.is_some(), "one that is there already");
}

#[test]
fn admins_pin_and_in_a_direct_room_both_do() {
    let mut world = World::with_group();
    world.does("bob", send("rules"));
    let pin = |on: bool| json!({"type":"pin","room":"made","seq":1,"on":on});
    assert_eq!(world.refuses("bob", pin(true)), ErrorCode::Forbidden);
    assert!(matches!(world.does("ann", pin(true)).event.unwrap().what, What::Pin { seq: 1, on: true }));
    assert!(world.does("ann", pin(true)).event.is_none());
    world.does("ann", pin(false));
    world.does("bob", json!({"type":"recall","room":"made","seq":1}));
    assert_eq!(world.refuses("ann", pin(true)), ErrorCode::Gone);
    world.does("ann", json!({"type":"send","to":"bob","body":{"text":"hi"}}));
    world.does("bob", json!({"type":"pin","room":"d:ann~bob","seq":1,"on":true}));
}

#[test]
fn pins_are_bounded_and_a_recall_makes_room() {
    let mut world = World::with_group();
    let pin = |seq: usize| json!({"type":"pin","room":"made","seq":seq,"on":true});
    for seq in 1..=wigeon_proto::limits::PINS_MAX {
        world.does("ann", send("x"));
        world.does("ann", pin(seq));
    }
    world.does("ann", send("one more"));
    let next = wigeon_proto::limits::PINS_MAX + 1;
    assert_eq!(world.refuses("ann", pin(next)), ErrorCode::TooLarge);
    world.does("ann", json!({"type":"recall","room":"made","seq":1}));
    world.does("ann", pin(next));
}

#[test]
fn authors_take_back_in_time_and_admins_always() {
    let mut world = World::with_group();
    world.does("ann", json!({"type":"room.update","room":"made","policy":{"recall_s":60}}));
    world.does("bob", send("one"));
    world.does("bob", send("two"));
    world.now = 60_000;
    world.does("bob", json!({"type":"recall","room":"made","seq":1}));
    world.now = 60_001;
    assert_eq!(world.refuses("bob", json!({"type":"recall","room":"made","seq":2})), ErrorCode::Forbidden);
    world.does("ann", json!({"type":"recall","room":"made","seq":2}));
}
