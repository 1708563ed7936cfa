//! Settings over a user's devices, and blocking.

use serde_json::{Value, json};
use wigeon_core::outcome::Change;
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::What;

use crate::world::{World, send};

fn set(prefs: Value) -> Value {
    json!({"type":"prefs.set","room":"made","prefs":prefs})
}

fn direct(to: &str) -> Value {
    json!({"type":"send","to":to,"body":{"text":"hi"}})
}

#[test]
fn settings_of_two_devices_do_not_undo_each_other() {
    let mut world = World::with_group();
    world.does("bob", set(json!({"mute":true,"level":"mentions"})));
    let event = world.does("bob", set(json!({"draft":{"text":"half a"},"level":null}))).event.unwrap();
    assert_eq!(event.audience().as_str(), "self:bob");
    let What::Prefs { prefs, .. } = event.what else { panic!() };
    assert_eq!(Value::Object(prefs), json!({"mute":true,"draft":{"text":"half a"}}));
    assert_eq!(world.refuses("dan", set(json!({"mute":true}))), ErrorCode::NotMember);
    let draft = json!({"type":"prefs.set","room":"d:bob~dan","prefs":{"draft":{"text":"first words"}}});
    world.does("bob", draft.clone());
    assert_eq!(world.refuses("ann", draft), ErrorCode::NotMember);
}

#[test]
fn settings_have_a_size_also_all_together() {
    let mut world = World::with_group();
    let long = "x".repeat(wigeon_proto::limits::PREFS_BYTES_MAX - 100);
    world.does("bob", set(json!({"a":long})));
    assert_eq!(world.refuses("bob", set(json!({"b":long}))), ErrorCode::TooLarge);
    world.does("bob", set(json!({"a":null,"b":long})));
}

#[test]
fn what_is_hidden_counts_as_read_up_to_there() {
    let mut world = World::with_group();
    world.does("ann", send("a"));
    world.does("ann", send("b"));
    let hidden = world.does("bob", set(json!({"hide":99})));
    let What::Prefs { prefs, .. } = &hidden.event.as_ref().unwrap().what else { panic!() };
    assert_eq!(prefs["hide"], 2, "no further than the newest");
    let marked = hidden.changes.iter().any(
        |change| matches!(change, Change::Member(_, _, member) if member.read_seq == 2 && member.told_seq == 0),
    );
    assert!(marked, "read for themself, and nobody is told");
}

#[test]
fn a_block_ends_what_is_written_directly_both_ways() {
    let mut world = World::with_group();
    world.does("bob", direct("ann"));
    let event = world.does("ann", json!({"type":"block.set","user":"bob","on":true})).event.unwrap();
    assert_eq!(event.audience().as_str(), "self:ann");
    assert_eq!(world.refusal("bob", direct("ann")).message, "this user takes no messages from you");
    assert_eq!(world.refusal("ann", direct("bob")).message, "you have blocked this user");
    let edit = json!({"type":"edit","room":"d:ann~bob","seq":1,"body":{"text":"x"}});
    assert_eq!(world.refuses("bob", edit), ErrorCode::Forbidden);
    let react = json!({"type":"react","room":"d:ann~bob","seq":1,"emoji":"👍","on":true});
    assert_eq!(world.refuses("bob", react), ErrorCode::Forbidden);
    world.does("bob", send("in the group they still meet"));
    world.does("ann", json!({"type":"block.set","user":"cat","on":true}));
    assert_eq!(world.refuses("cat", direct("ann")), ErrorCode::Forbidden, "nor does a new room begin");
    world.does("ann", json!({"type":"block.set","user":"bob","on":false}));
    world.does("bob", direct("ann"));
    assert_eq!(
        world.refuses("ann", json!({"type":"block.set","user":"ann","on":true})),
        ErrorCode::BadRequest
    );
}
