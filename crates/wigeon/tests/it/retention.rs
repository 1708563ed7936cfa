//! What a room keeps, from outside: a server that starts over old data lets it go, tells who is there, and
//! says to who comes too late that something is missing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::ops::{frame, frame_of, history, live, now, polls};
use crate::server::{Server, send, soon};
use serde_json::{Value, json};
use wigeon_client::{Client, ReadOptions};
use wigeon_core::entry::{Entry, Rights};
use wigeon_proto::command::{Command, Request};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::transport::Transport;
use wigeon_store::{Durability, Store};

const DAY_MS: u64 = 24 * 3600 * 1000;

/// Ann's doing, some days ago.
fn ago(days: u64, command: &Value) -> Entry {
    let request = Request::decode(&command.to_string()).expect("a command");
    let Command::Durable(command) = request.command else { panic!("not durable") };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64;
    Entry {
        new_room: RoomId::parse("kept").ok(),
        ..Entry::new(
            UserId::parse("ann").expect("an id"),
            Rights::User,
            now - days * DAY_MS,
            request.id.expect("an id"),
            command,
        )
    }
}

/// Puts into the log of a server that stands what would have happened before.
fn write(server: &Server, entries: Vec<Entry>) {
    let mut store = Store::open(server.data(), Durability::Fsync, 1).expect("the data");
    for entry in entries {
        store.writer.step(&entry.into()).expect("a log").expect("by the rules");
    }
    store.writer.commit().expect("a disk");
    store.writer.close().expect("a clean end");
}

async fn until_gone(ann: &Client) {
    soon("the old messages to go", async {
        while history(ann, "kept").await.len() > 1 {
            // The rate limit is not what is tried here.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn old_messages_go_and_nobody_is_left_in_the_dark() {
    let mut server = Server::start().await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let first = now(&bob).await;
    server.terminate();
    server.exited().await;
    let create = json!({"id":"c","type":"room.create","kind":"group","title":"Kept","members":["bob"],
        "policy":{"retention_days":7}});
    let old = json!({"id":"same","type":"send","room":"kept","body":{"text":"old"}});
    let new = json!({"id":"new","type":"send","room":"kept","body":{"text":"new"}});
    write(&server, vec![ago(20, &create), ago(10, &old), ago(1, &new)]);
    server.restart().await;
    until_gone(&ann).await;

    for transport in Transport::ALL {
        let mut reader = bob.read(transport, ReadOptions::after(Some(&first)));
        if !polls(transport) {
            assert_eq!(frame(&mut reader).await.kind(), "ready", "{transport:?}");
        }
        let reset = frame(&mut reader).await;
        assert_eq!((reset.kind(), reset.text("reason")), ("reset", "retention"), "{transport:?}");
        assert_eq!(reset.cursor(), Some(now(&bob).await.as_str()), "{transport:?}: it goes on from now");
        ann.command(send("kept", "on")).await.expect("a message");
        let next = frame(&mut reader).await;
        assert_eq!(next.value["body"]["text"], "on", "{transport:?}");
    }
    let room = bob.command(json!({"type":"room.get","room":"kept"})).await.expect("the room");
    assert_eq!(room["room"]["unread"], 1 + Transport::ALL.len());
    // Its id is still known: a device that slept for ten days sends nothing twice.
    let again = ann.command(old.clone()).await.expect("the first answer");
    assert_eq!((&again["seq"], &again["room"]), (&json!(1), &json!("kept")));
    let other = json!({"id":"same","type":"send","room":"kept","body":{"text":"another"}});
    let replies = ann.commands(&[other]).await.expect("an answer");
    assert_eq!(replies[0].code(), Some("conflict"));
}

#[tokio::test]
async fn who_is_there_is_told_what_went() {
    let mut server = Server::start_with(&[("WIGEON_RETENTION_DAYS", "7")]).await;
    let bob = server.user("bob");
    server.terminate();
    server.exited().await;
    let send = |id: &str, text: &str| json!({"id":id,"type":"send","to":"bob","body":{"text":text}});
    write(&server, vec![ago(10, &send("m1", "old"))]);
    server.restart().await;
    // Whether it has happened by now or not, it comes after the message. If it happens while the page is read, the
    // page says to begin anew.
    let newest = ReadOptions { last: Some(1), ..ReadOptions::default() };
    let mut page = bob.poll(&newest).await.expect("an answer");
    while page.frames.iter().any(|frame| frame.kind() == "reset") {
        page = bob.poll(&newest).await.expect("an answer");
    }
    let mut hears = live(&bob, Transport::Sse, &page.cursor).await;
    let gone = match page.frames.iter().find(|frame| frame.kind() == "message.expired") {
        Some(gone) => gone.value.clone(),
        None => frame_of(&mut hears, "message.expired").await.value,
    };
    assert_eq!((&gone["room"], &gone["to_seq"]), (&json!("d:ann~bob"), &json!(1)));
    let snapshot = bob.command(json!({"type":"snapshot"})).await.expect("a snapshot");
    assert_eq!((&snapshot["rooms"][0]["unread"], &snapshot["rooms"][0]["last"]), (&json!(0), &Value::Null));
}
