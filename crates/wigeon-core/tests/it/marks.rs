//! Read marks: who is told, who is not, and how one goes back.

use serde_json::{Value, json};
use wigeon_core::outcome::{Applied, Change};
use wigeon_core::state::Member;
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::What;

use crate::world::{World, send};

fn mark(command: &str, seq: u64) -> Value {
    json!({"type":command,"room":"made","seq":seq})
}

fn member(applied: &Applied) -> Member {
    applied
        .changes
        .iter()
        .find_map(|change| if let Change::Member(_, _, member) = change { Some(*member) } else { None })
        .unwrap()
}

/// Up to where everything counts as read.
fn floor(applied: &Applied) -> u64 {
    let Member { joined_seq, read_seq, own_seq, .. } = member(applied);
    joined_seq.max(read_seq).max(own_seq)
}

fn audience(applied: &Applied) -> String {
    applied.event.as_ref().unwrap().audience().as_str().to_owned()
}

#[test]
fn who_reads_in_private_tells_only_their_own_devices() {
    let mut world = World::with_group();
    for text in ["a", "b", "c"] {
        world.does("ann", send(text));
    }
    world.does("bob", json!({"type":"prefs.set","prefs":{"private_read":true}}));
    let private = world.does("bob", mark("read", 1));
    assert_eq!((audience(&private).as_str(), member(&private).told_seq), ("self:bob", 0));
    world.does("bob", json!({"type":"prefs.set","room":"made","prefs":{"private_read":false}}));
    let open = world.does("bob", mark("read", 2));
    assert_eq!((audience(&open).as_str(), member(&open).told_seq), ("made", 2), "the room's own word wins");
}

#[test]
fn a_mark_goes_back_only_by_unread_and_others_do_not_hear_of_it() {
    let mut world = World::with_group();
    for text in ["a", "b", "c"] {
        world.does("ann", send(text));
    }
    world.does("bob", mark("read", 3));
    let back = world.does("bob", mark("unread", 2));
    assert!(matches!(back.event.as_ref().unwrap().what, What::Read { seq: 1, back: true, .. }));
    assert_eq!((audience(&back).as_str(), back.reply.seq), ("self:bob", Some(1)));
    assert_eq!((floor(&back), member(&back).told_seq), (1, 3), "what others know stands");
    assert!(world.does("bob", mark("unread", 2)).event.is_none(), "it is unread already");
    for seq in [0, 4] {
        assert_eq!(world.refuses("bob", mark("unread", seq)), ErrorCode::NotFound);
    }
    assert_eq!(world.refuses("dan", mark("unread", 1)), ErrorCode::NotMember);
}

#[test]
fn a_mark_goes_back_also_past_ones_own_message_and_not_before_ones_coming() {
    let mut world = World::with_group();
    world.does("ann", send("a"));
    world.does("ann", send("b"));
    world.does("bob", send("mine"));
    assert_eq!(floor(&world.does("bob", mark("unread", 1))), 0);
    world.does("ann", json!({"type":"member.add","room":"made","user":"dan"}));
    assert!(world.does("dan", mark("unread", 2)).event.is_none(), "what was before them is never unread");
}

#[test]
fn in_a_large_group_marks_are_not_told() {
    let mut world = World::with_group();
    let many: Vec<String> = (0..97).map(|i| format!("u{i}")).collect();
    world.does("ann", json!({"type":"member.add","room":"made","users":many}));
    world.does("ann", send("a"));
    assert_eq!(audience(&world.does("bob", mark("read", 1))), "made", "100 are told");
    world.does("ann", json!({"type":"member.add","room":"made","user":"onemore"}));
    let read = world.does("cat", mark("read", 1));
    assert_eq!((audience(&read).as_str(), member(&read).told_seq), ("self:cat", 1), "101 may ask");
}
