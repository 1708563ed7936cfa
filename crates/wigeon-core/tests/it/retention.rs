//! What a room keeps: what goes, what goes with it, and who may say how long.

use serde_json::{Value, json};
use wigeon_core::entry::{Entry, Rights};
use wigeon_core::outcome::Outcome;
use wigeon_proto::command::{Durable, Request, RoomRetain};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::What;
use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::limits::ANSWERS_KEPT_MS;

use crate::world::{START, World, send};

fn retain(world: &mut World, rights: Rights, to_seq: u64, to_pos: u64) -> Outcome {
    let room = RoomId::parse("made").unwrap();
    world.apply(&Entry::new(
        UserId::parse("wigeon").unwrap(),
        rights,
        START + world.now,
        CommandId::parse("r").unwrap(),
        Durable::RoomRetain(RoomRetain { room, to_seq, to_pos }),
    ))
}

fn about(command: &str, seq: u64) -> Value {
    json!({"type":command,"room":"made","seq":seq,"emoji":"👍","on":true,"body":{"text":"x"}})
}

/// Three messages after the room's creation at position 1; the first is pinned, by the event at 5.
fn with_messages() -> World {
    let mut world = World::with_group();
    for text in ["one", "two", "three"] {
        world.does("ann", send(text));
    }
    world.does("ann", about("pin", 1));
    world
}

#[test]
fn what_has_gone_is_there_for_nobody() {
    let mut world = with_messages();
    let Outcome::Applied(gone) = retain(&mut world, Rights::Service, 2, 3) else { panic!() };
    assert_eq!(gone.event.unwrap().what, What::Expired { to_seq: 2 });
    for command in ["edit", "recall", "react", "pin"] {
        assert_eq!(world.refuses("ann", about(command, 2)), ErrorCode::NotFound, "{command}");
    }
    let forward = |seq: u64| json!({"type":"send","to":"bob","forward":{"room":"made","seq":seq}});
    assert_eq!(world.refuses("ann", forward(2)), ErrorCode::NotFound);
    world.does("ann", forward(3));
    assert_eq!(world.does("bob", send("four")).reply.seq, Some(4), "a seq is not given out twice");
    let back = world.does("cat", json!({"type":"read","room":"made","seq":4}));
    assert_eq!(back.reply.seq, Some(4));
    let unread = world.does("cat", json!({"type":"unread","room":"made","seq":1}));
    assert_eq!(unread.reply.seq, Some(2), "what has gone does not become unread again");
}

#[test]
fn it_goes_once_forward_and_only_by_the_server_itself() {
    let mut world = with_messages();
    let refused = |outcome| matches!(outcome, Outcome::Rejected(_));
    assert!(refused(retain(&mut world, Rights::User, 1, 2)));
    assert!(refused(retain(&mut world, Rights::Service, 4, 4)), "there is no fourth message");
    assert!(refused(retain(&mut world, Rights::Service, 3, 9)), "nor a ninth position");
    assert!(!refused(retain(&mut world, Rights::Service, 2, 3)));
    assert!(refused(retain(&mut world, Rights::Service, 2, 3)));
    assert!(refused(retain(&mut world, Rights::Service, 1, 4)));
    let Outcome::Applied(around) = retain(&mut world, Rights::Service, 2, 4) else { panic!() };
    assert_eq!(around.event, None, "no message went: nobody has to know");
    let asked = r#"{"id":"x","type":"room.retain","room":"made","to_seq":3,"to_pos":4}"#;
    assert_eq!(Request::decode(asked).unwrap_err().error.code, ErrorCode::BadRequest);
}

#[test]
fn the_id_of_a_message_that_has_gone_is_known_for_thirty_days() {
    let mut world = World::with_group();
    let Outcome::Applied(first) = world.enter("ann", Rights::User, "same", send("one")) else { panic!() };
    world.now = ANSWERS_KEPT_MS - 1;
    retain(&mut world, Rights::Service, 1, 2);
    let again = world.enter("ann", Rights::User, "same", send("one"));
    assert_eq!(again, Outcome::Repeated(wigeon_proto::json::to_vec(&first.reply)));
    world.now += 1;
    assert!(matches!(world.enter("ann", Rights::User, "same", send("one")), Outcome::Applied(_)));
}

#[test]
fn only_an_owner_says_how_long_a_room_keeps() {
    let mut world = World::with_group();
    world.does("ann", json!({"type":"member.role","room":"made","user":"bob","role":"admin"}));
    let keep = |days: u32| json!({"type":"room.update","room":"made","policy":{"retention_days":days}});
    assert_eq!(world.refuses("bob", keep(1)), ErrorCode::Forbidden);
    world.does("ann", keep(7));
    world.does("bob", keep(7));
    assert_eq!(world.refuses("bob", keep(0)), ErrorCode::Forbidden);
}
