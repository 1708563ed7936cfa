//! What somebody may try who means harm, or is slow to notice that they may not any more.

use serde_json::{Value, json};
use wigeon_proto::error::ErrorCode::{Forbidden, NotFound, NotMember};

use crate::world::{World, send};

fn about(command: &str, user: &str, role: &str) -> Value {
    json!({"type":command,"room":"made","user":user,"role":role})
}

fn of(command: &str, seq: u64) -> Value {
    json!({"type":command,"room":"made","seq":seq,"emoji":"👍","on":true,"body":{"text":"x"}})
}

fn forward(seq: u64) -> Value {
    json!({"type":"send","to":"eve","forward":{"room":"made","seq":seq}})
}

#[test]
fn who_has_gone_or_was_sent_away_does_nothing_more() {
    for last in ["room.leave", "member.remove", "member.ban"] {
        let mut world = World::with_group();
        world.does("bob", send("mine"));
        let who = if last == "room.leave" { "bob" } else { "ann" };
        world.does(who, about(last, "bob", "member"));
        for command in ["edit", "recall", "react", "read", "unread", "pin"] {
            assert_eq!(world.refuses("bob", of(command, 1)), NotMember, "{command} after {last}");
        }
        assert_eq!(world.refuses("bob", forward(1)), NotMember, "{last}");
        let settings = json!({"type":"prefs.set","room":"made","prefs":{"mute":true}});
        assert_eq!(world.refuses("bob", settings), NotMember, "{last}");
        assert_eq!(world.refuses("bob", about("member.add", "bob", "owner")), NotMember, "{last}");
    }
}

#[test]
fn what_was_said_without_one_is_not_to_be_had_by_sending_it_on() {
    let mut world = World::with_group();
    world.does("ann", send("before"));
    world.does("ann", about("member.add", "dan", "admin"));
    world.does("dan", json!({"type":"room.update","room":"made","policy":{"history":"shared"}}));
    for command in ["react", "pin", "recall"] {
        assert_eq!(world.refuses("dan", of(command, 1)), NotFound, "{command}");
    }
    assert_eq!(world.refuses("dan", forward(1)), NotFound);
    world.does("ann", send("after"));
    world.does("dan", forward(2));
}

#[test]
fn rank_that_was_lost_is_lost_and_none_is_taken() {
    let mut world = World::with_group();
    world.does("ann", about("member.role", "bob", "admin"));
    assert_eq!(world.refuses("bob", about("member.role", "bob", "owner")), Forbidden);
    assert_eq!(world.refuses("bob", about("member.add", "dan", "owner")), Forbidden);
    world.does("ann", about("member.role", "bob", "reader"));
    for command in ["invite.create", "room.update", "member.add", "member.ban", "member.unban"] {
        assert_eq!(world.refuses("bob", about(command, "dan", "reader")), Forbidden, "{command}");
    }
    let everybody = json!({"type":"send","room":"made","body":{"text":"x"},"mention_all":true});
    assert_eq!(world.refuses("bob", everybody), Forbidden);
    assert_eq!(world.refuses("ann", about("room.leave", "ann", "owner")), Forbidden, "the last owner");
    assert_eq!(world.refuses("ann", about("member.role", "ann", "member")), Forbidden);
}

#[test]
fn a_reader_who_leaves_and_comes_again_still_only_reads() {
    let mut world = World::with_group();
    world.does("ann", json!({"type":"room.update","room":"made","policy":{"join":"open"}}));
    let code = world.does("ann", json!({"type":"invite.create","room":"made"})).reply.invite.unwrap().code;
    world.does("ann", about("member.role", "bob", "reader"));
    let ways = [json!({"type":"room.join","room":"made"}), json!({"type":"invite.accept","code":code})];
    for way in ways {
        world.does("bob", about("room.leave", "bob", "reader"));
        world.does("bob", way);
        assert_eq!(world.refuses("bob", send("x")), Forbidden);
    }
    world.does("bob", about("room.leave", "bob", "reader"));
    world.does("ann", about("member.add", "bob", "member"));
    world.does("bob", send("by the wish of an admin"));
    world.does("bob", about("room.leave", "bob", "member"));
    world.does("bob", json!({"type":"room.join","room":"made"}));
    world.does("bob", send("as before"));
}

#[test]
fn a_block_leaves_no_way_to_be_noticed() {
    let mut world = World::default();
    world.does("bob", json!({"type":"send","to":"ann","body":{"text":"hi"}}));
    world.does("ann", json!({"type":"block.set","user":"bob","on":true}));
    for command in ["edit", "react", "pin"] {
        let mut command = of(command, 1);
        command["room"] = json!("d:ann~bob");
        assert_eq!(world.refuses("bob", command.clone()), Forbidden, "{command}");
    }
}
