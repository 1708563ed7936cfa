//! Who may stop whom: kick, ban, mute, slow mode.

use serde_json::{Value, json};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::{MemberAction, What};

use crate::world::{START, World, send};

fn about(command: &str, user: &str) -> Value {
    json!({"type":command,"room":"made","user":user})
}

fn role(user: &str, role: &str) -> Value {
    json!({"type":"member.role","room":"made","user":user,"role":role})
}

fn mute(user: &str, until: u64) -> Value {
    json!({"type":"member.mute","room":"made","user":user,"until":START + until})
}

#[test]
fn who_is_banned_leaves_and_comes_back_by_no_way_until_the_ban_is_lifted() {
    let mut world = World::with_group();
    world.does("ann", json!({"type":"room.update","room":"made","policy":{"join":"open"}}));
    let code = world.does("ann", json!({"type":"invite.create","room":"made"})).reply.invite.unwrap().code;
    let banned = world.does("ann", about("member.ban", "bob")).event.unwrap();
    assert!(matches!(banned.what, What::Member { action: MemberAction::Ban, .. }));
    assert_eq!(world.refuses("bob", send("x")), ErrorCode::NotMember);
    assert_eq!(world.refuses("bob", json!({"type":"room.join","room":"made"})), ErrorCode::Forbidden);
    assert_eq!(world.refuses("bob", json!({"type":"invite.accept","code":code})), ErrorCode::Forbidden);
    assert_eq!(world.refuses("ann", about("member.add", "bob")), ErrorCode::Forbidden);
    assert!(world.does("ann", about("member.ban", "bob")).event.is_none(), "once is enough");
    assert_eq!(world.refuses("cat", about("member.unban", "bob")), ErrorCode::Forbidden);
    world.does("ann", about("member.unban", "bob"));
    world.does("bob", json!({"type":"room.join","room":"made"}));
}

#[test]
fn one_is_banned_who_was_never_there() {
    let mut world = World::with_group();
    let banned = world.does("ann", about("member.ban", "dan"));
    assert!(!banned.changes.iter().any(|change| matches!(change, wigeon_core::outcome::Change::Left { .. })));
    assert_eq!(world.refuses("ann", about("member.add", "dan")), ErrorCode::Forbidden);
}

#[test]
fn nobody_stops_themself_or_whom_they_do_not_outrank() {
    let mut world = World::with_group();
    world.does("ann", role("bob", "admin"));
    world.does("ann", role("cat", "admin"));
    for command in ["member.ban", "member.remove"] {
        assert_eq!(world.refuses("bob", about(command, "cat")), ErrorCode::Forbidden, "{command}: an equal");
        assert_eq!(world.refuses("bob", about(command, "ann")), ErrorCode::Forbidden, "{command}: above");
    }
    assert_eq!(world.refuses("bob", mute("cat", 9000)), ErrorCode::Forbidden);
    assert_eq!(world.refuses("ann", about("member.ban", "ann")), ErrorCode::Forbidden);
    assert_eq!(world.refuses("ann", mute("ann", 9000)), ErrorCode::Forbidden);
    assert_eq!(world.refuses("ann", mute("dan", 9000)), ErrorCode::NotFound);
    world.does("ann", about("member.ban", "bob"));
}

#[test]
fn direct_rooms_know_no_moderation() {
    let mut world = World::default();
    world.does("ann", json!({"type":"send","to":"bob","body":{"text":"hi"}}));
    for command in ["member.ban", "member.remove"] {
        let command = json!({"type":command,"room":"d:ann~bob","user":"bob"});
        assert_eq!(world.refuses("ann", command), ErrorCode::Forbidden);
    }
    let invite = json!({"type":"invite.create","room":"d:ann~bob"});
    assert_eq!(world.refuses("ann", invite), ErrorCode::Forbidden);
}

#[test]
fn who_is_muted_writes_nothing_until_the_time_is_over() {
    let mut world = World::with_group();
    world.does("bob", send("before"));
    let muted = world.does("ann", mute("bob", 60_000)).event.unwrap();
    assert!(matches!(muted.what, What::Member { until: Some(until), .. } if until == START + 60_000));
    world.now = 10_000;
    let refused = world.refusal("bob", send("x"));
    assert_eq!((refused.code, refused.retry_after_ms), (ErrorCode::Forbidden, Some(50_000)));
    let edit = json!({"type":"edit","room":"made","seq":1,"body":{"text":"x"}});
    assert_eq!(world.refuses("bob", edit), ErrorCode::Forbidden);
    let react = json!({"type":"react","room":"made","seq":1,"emoji":"👍","on":true});
    assert_eq!(world.refuses("bob", react), ErrorCode::Forbidden);
    world.does("bob", json!({"type":"read","room":"made","seq":1}));
    world.now = 60_000;
    world.does("bob", send("after"));
}

#[test]
fn leaving_and_coming_again_does_not_end_a_mute() {
    let mut world = World::with_group();
    world.does("ann", json!({"type":"room.update","room":"made","policy":{"join":"open"}}));
    world.does("ann", mute("bob", 60_000));
    world.does("bob", json!({"type":"room.leave","room":"made"}));
    world.does("bob", json!({"type":"room.join","room":"made"}));
    assert_eq!(world.refuses("bob", send("x")), ErrorCode::Forbidden);
    let lifted = world.does("ann", mute("bob", 0)).event.unwrap();
    assert!(matches!(lifted.what, What::Member { until: Some(0), .. }));
    world.does("bob", send("x"));
    world.now = 10;
    assert!(world.does("ann", mute("bob", 5)).event.is_none(), "a time that has passed mutes nobody");
}

#[test]
fn slow_mode_makes_members_wait_and_admins_not() {
    let mut world = World::with_group();
    world.does("ann", json!({"type":"room.update","room":"made","policy":{"slow_s":10}}));
    world.does("bob", send("one"));
    world.now = 4_000;
    let refused = world.refusal("bob", send("two"));
    assert_eq!((refused.code, refused.retry_after_ms), (ErrorCode::RateLimited, Some(6_000)));
    world.does("cat", send("others may"));
    world.does("ann", send("one"));
    world.does("ann", send("two"));
    world.now = 10_000;
    world.does("bob", send("two"));
    world.does("ann", json!({"type":"room.update","room":"made","policy":{"join":"open"}}));
    world.does("bob", json!({"type":"room.leave","room":"made"}));
    world.does("bob", json!({"type":"room.join","room":"made"}));
    assert_eq!(world.refuses("bob", send("three")), ErrorCode::RateLimited, "coming again is no way round");
}

#[test]
fn a_reader_reads_and_reacts_and_writes_nothing() {
    let mut world = World::with_group();
    world.does("bob", send("mine"));
    world.does("ann", role("bob", "reader"));
    assert_eq!(world.refuses("bob", send("x")), ErrorCode::Forbidden);
    let edit = json!({"type":"edit","room":"made","seq":1,"body":{"text":"x"}});
    assert_eq!(world.refuses("bob", edit), ErrorCode::Forbidden);
    let pin = json!({"type":"pin","room":"made","seq":1,"on":true});
    assert_eq!(world.refuses("bob", pin), ErrorCode::Forbidden);
    world.does("bob", json!({"type":"react","room":"made","seq":1,"emoji":"👍","on":true}));
    world.does("bob", json!({"type":"read","room":"made","seq":1}));
}
