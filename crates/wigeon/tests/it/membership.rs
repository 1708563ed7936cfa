//! Membership is an interval: what happened while one was away stays unseen, live and in every replay.

use crate::ops::{frame, group, history, live, now, polls, refused, walk};
use crate::server::{Server, send, soon};
use serde_json::json;
use std::time::Duration;
use wigeon_client::{Client, Frame, Item, ReadOptions};
use wigeon_proto::transport::Transport;

/// A frame in a few words.
fn words(frame: &Frame) -> String {
    match frame.kind() {
        "message" | "message.edited" => frame.value["body"]["text"].as_str().unwrap_or_default().to_owned(),
        kind => format!("{kind}:{}", frame.text("action")),
    }
}

/// Ann and bob, bob's leaving and coming back, and a fence that both see.
struct Story {
    ann: Client,
    bob: Client,
    room: String,
    fence: String,
    start: String,
}

impl Story {
    async fn begin(server: &Server) -> Self {
        let (ann, bob) = (server.user("ann"), server.user("bob"));
        let fence = group(&ann, &["bob"]).await;
        let start = now(&bob).await;
        let room = group(&ann, &["bob"]).await;
        Self { ann, bob, room, fence, start }
    }

    async fn say(&self, text: &str) {
        self.ann.command(send(&self.room, text)).await.expect("a message");
    }

    async fn edit(&self, seq: u64, text: &str) {
        let command = json!({ "type": "edit", "room": self.room, "seq": seq, "body": { "text": text } });
        self.ann.command(command).await.expect("an edit");
    }

    async fn member(&self, action: &str) {
        let command = json!({ "type": action, "room": self.room, "user": "bob" });
        self.ann.command(command).await.expect("a change of membership");
    }

    async fn leave(&self) {
        let command = json!({ "type": "room.leave", "room": self.room });
        self.bob.command(command).await.expect("bob leaves");
    }

    async fn tell(&self) {
        self.say("one").await;
        self.leave().await;
        self.say("two, unseen").await;
        self.member("member.add").await;
        self.say("three").await;
        self.member("member.remove").await;
        self.say("four, unseen").await;
        self.member("member.add").await;
        self.say("five").await;
        self.edit(1, "one, edited").await;
        self.edit(2, "two, edited, unseen").await;
        self.edit(3, "three, edited").await;
        self.ann.command(send(&self.fence, "the end")).await.expect("a message");
    }
}

const SEEN: [&str; 11] = [
    "room:create",
    "one",
    "member:leave",
    "member:add",
    "three",
    "member:remove",
    "member:add",
    "five",
    "one, edited",
    "three, edited",
    "the end",
];

#[tokio::test]
async fn every_transport_shows_exactly_the_intervals_live_and_replayed() {
    let server = Server::start().await;
    let story = Story::begin(&server).await;
    let mut readers = Vec::new();
    for transport in Transport::ALL {
        readers.push(live(&story.bob, transport, &story.start).await);
    }
    story.tell().await;
    for transport in Transport::ALL {
        readers.push(live(&story.bob, transport, &story.start).await);
    }
    for (i, reader) in readers.iter_mut().enumerate() {
        let mut seen = Vec::new();
        while seen.last().map(String::as_str) != Some("the end") {
            seen.push(words(&frame(reader).await));
        }
        let how = if i < Transport::ALL.len() { "live" } else { "replayed" };
        assert_eq!(seen, SEEN, "{:?}, {how}", reader.transport());
    }
}

#[tokio::test]
async fn the_own_leave_is_the_last_frame_of_a_room() {
    let server = Server::start().await;
    let story = Story::begin(&server).await;
    story.say("one").await;
    story.leave().await;
    story.say("two").await;
    let frames = walk(&story.bob, &story.start).await;
    assert_eq!(frames.iter().map(words).collect::<Vec<_>>(), SEEN[..3]);
    let leave = &frames[2];
    assert_eq!(
        (leave.text("from"), leave.text("user"), &leave.value["users"]),
        ("bob", "bob", &json!(["bob"]))
    );
    let snapshot = story.bob.command(json!({ "type": "snapshot" })).await.expect("a snapshot");
    let rooms = snapshot["rooms"].as_array().expect("rooms");
    assert!(rooms.iter().all(|room| room["id"] != story.room.as_str()), "gone from the snapshot");
}

#[tokio::test]
async fn a_room_that_was_left_answers_nothing_any_more() {
    let server = Server::start().await;
    let story = Story::begin(&server).await;
    story.say("one").await;
    story.leave().await;
    let room = &story.room;
    for command in [
        json!({ "type": "history", "room": room, "after": 0 }),
        json!({ "type": "send", "room": room, "body": { "text": "still here" } }),
        json!({ "type": "edit", "room": room, "seq": 1, "body": { "text": "x" } }),
        json!({ "type": "react", "room": room, "seq": 1, "emoji": "+", "on": true }),
        json!({ "type": "read", "room": room, "seq": 1 }),
        json!({ "type": "typing", "room": room }),
        json!({ "type": "member.list", "room": room }),
        json!({ "type": "member.add", "room": room, "user": "eve" }),
        json!({ "type": "room.get", "room": room }),
        json!({ "type": "room.update", "room": room, "title": "Mine" }),
    ] {
        let code = refused(&story.bob, command.clone()).await;
        assert!(matches!(code, "not_member" | "not_found" | "forbidden"), "{command}: {code}");
    }
}

#[tokio::test]
async fn history_of_a_joined_room_has_only_what_was_said_in_ones_time() {
    let server = Server::start().await;
    let story = Story::begin(&server).await;
    story.tell().await;
    let texts: Vec<_> =
        history(&story.bob, &story.room).await.into_iter().map(|m| m["body"]["text"].clone()).collect();
    assert!(!texts.iter().any(|text| text.as_str().is_some_and(|text| text.contains("unseen"))), "{texts:?}");
    assert!(texts.contains(&json!("five")), "{texts:?}");
    let all = history(&story.ann, &story.room).await;
    assert_eq!(all.len(), 5, "the owner was there all the time");
}

#[tokio::test]
async fn a_cursor_gives_no_rights() {
    let server = Server::start().await;
    let story = Story::begin(&server).await;
    story.tell().await;
    let eve = server.user("eve");
    assert_eq!(walk(&eve, &story.start).await, [], "ann's and bob's cursor in eve's hands");
    for transport in Transport::ALL {
        let options = ReadOptions {
            rooms: vec![story.room.clone()],
            wait: Duration::from_secs(1),
            ..ReadOptions::after(Some(&story.start))
        };
        let mut reader = eve.read(transport, options);
        match soon("what eve gets", reader.next()).await.expect("an answer") {
            Some(Item::Frame(ready)) if !polls(transport) => {
                assert_eq!(ready.kind(), "ready");
                assert_eq!(ready.value["unavailable"], json!([story.room]), "{transport:?}");
            }
            Some(Item::Cursor(_)) => {}
            other => panic!("{transport:?}: {other:?}"),
        }
    }
}
