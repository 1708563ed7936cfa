//! Rooms joined by a code.

use serde_json::{Value, json};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::{MemberAction, What};
use wigeon_proto::id::InviteCode;

use crate::world::{World, send};

fn make(world: &mut World, with: Value) -> InviteCode {
    let mut command = json!({"type":"invite.create","room":"made"});
    command.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    let made = world.does("ann", command);
    assert!(made.event.is_none(), "a code is told to nobody");
    made.reply.invite.unwrap().code
}

fn accept(code: &InviteCode) -> Value {
    json!({"type":"invite.accept","code":code})
}

#[test]
fn a_code_makes_members_as_often_as_it_says() {
    let mut world = World::with_group();
    let code = make(&mut world, json!({"uses":2}));
    let joined = world.does("dan", accept(&code)).event.unwrap();
    assert!(matches!(joined.what, What::Member { action: MemberAction::Join, .. }));
    world.does("dan", send("hello"));
    assert!(world.does("dan", accept(&code)).event.is_none(), "a member uses nothing up");
    world.does("eve", accept(&code));
    assert_eq!(world.refuses("fay", accept(&code)), ErrorCode::Gone);
    assert!(world.does("dan", accept(&code)).event.is_none(), "whoever is in stays in");
    let unknown = InviteCode::parse("nothing").unwrap();
    assert_eq!(world.refuses("fay", accept(&unknown)), ErrorCode::NotFound);
}

#[test]
fn a_code_ends_with_its_time_or_when_it_is_revoked() {
    let mut world = World::with_group();
    let short = make(&mut world, json!({"expires_in":60}));
    let long = make(&mut world, json!({}));
    world.now = 59_999;
    world.does("dan", accept(&short));
    world.now = 60_000;
    assert_eq!(world.refuses("eve", accept(&short)), ErrorCode::Gone);
    let revoke = json!({"type":"invite.revoke","code":long});
    assert_eq!(world.refuses("bob", revoke.clone()), ErrorCode::Forbidden);
    world.does("ann", json!({"type":"member.role","room":"made","user":"bob","role":"admin"}));
    world.does("bob", revoke);
    assert_eq!(world.refuses("eve", accept(&long)), ErrorCode::Gone);
}

#[test]
fn admins_make_codes_and_not_too_many() {
    let mut world = World::with_group();
    assert_eq!(world.refuses("bob", json!({"type":"invite.create","room":"made"})), ErrorCode::Forbidden);
    let mut codes = Vec::new();
    for _ in 0..wigeon_proto::limits::INVITES_MAX {
        codes.push(make(&mut world, json!({"expires_in":60})));
    }
    assert_eq!(world.refuses("ann", json!({"type":"invite.create","room":"made"})), ErrorCode::TooLarge);
    world.does("ann", json!({"type":"invite.revoke","code":codes[0]}));
    make(&mut world, json!({}));
    world.now = 60_000;
    make(&mut world, json!({"uses":1}));
}
