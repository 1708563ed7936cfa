//! The same command again, by another way and after a crash: the first answer, and one message.

use crate::ops::{group, history};
use crate::server::{Server, send};
use serde_json::{Value, json};
use wigeon_client::{Client, Connection, ReadOptions, Reply, Uplink, fresh_id};

/// Every way up: the four over HTTP, and a WebSocket.
const WAYS: [Option<Uplink>; 5] =
    [Some(Uplink::Json), Some(Uplink::Text), Some(Uplink::Form), Some(Uplink::Jsonp), None];

async fn by(way: Option<Uplink>, client: &Client, command: &Value) -> Reply {
    let commands = [command.clone()];
    let replies = if let Some(uplink) = way {
        client.commands_over(uplink, &commands).await
    } else {
        let mut socket = Connection::open(client, &ReadOptions::default()).await.expect("a WebSocket");
        socket.commands(&commands).await
    };
    replies.unwrap_or_else(|error| panic!("{way:?}: {error}")).remove(0)
}

#[tokio::test]
async fn a_repeat_by_any_way_and_after_a_crash_gets_the_first_answer() {
    let mut server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &["bob"]).await;
    let mut firsts = Vec::new();
    for way in WAYS {
        let command = send(&room, "once");
        let first = by(way, &ann, &command).await;
        assert!(first.ok.is_some(), "{way:?}: {first:?}");
        firsts.push((command, first));
    }
    for crashed in [false, true] {
        if crashed {
            server.kill();
            server.restart().await;
        }
        for (command, first) in &firsts {
            for way in WAYS {
                assert_eq!(by(way, &ann, command).await, *first, "{way:?}, crashed: {crashed}");
                let mut other = command.clone();
                other["body"]["text"] = "another text".into();
                assert_eq!(by(way, &ann, &other).await.code(), Some("conflict"), "{way:?}");
                assert_eq!(by(way, &ann, command).await, *first, "a conflict changes nothing");
            }
        }
    }
    assert_eq!(history(&ann, &room).await.len(), firsts.len());
}

#[tokio::test]
async fn ids_belong_to_their_user_and_rejections_are_not_remembered() {
    let server = Server::start().await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let room = group(&ann, &[]).await;
    let command = send(&room, "hello");
    let first = by(Some(Uplink::Json), &ann, &command).await;
    assert_eq!(first.ok.as_ref().expect("an ack")["seq"], 1);
    assert_eq!(by(Some(Uplink::Json), &bob, &command).await.code(), Some("not_member"));
    ann.command(json!({ "type": "member.add", "room": room, "user": "bob" })).await.expect("bob is in");
    let now_allowed = by(Some(Uplink::Json), &bob, &command).await;
    assert_eq!(now_allowed.ok.expect("the refusal is forgotten")["seq"], 2);
}

#[tokio::test]
async fn durable_commands_of_other_kinds_are_repeated_as_safely() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let create = json!({ "id": fresh_id(), "type": "room.create", "kind": "group", "title": "One" });
    let first = by(Some(Uplink::Json), &ann, &create).await;
    let room = first.ok.as_ref().expect("a room")["room"]["id"].as_str().expect("an id").to_owned();
    for way in WAYS {
        assert_eq!(by(way, &ann, &create).await, first, "{way:?}");
    }
    ann.command(send(&room, "text")).await.expect("a message");
    let edit = json!({ "id": fresh_id(), "type": "edit", "room": room, "seq": 1, "body": { "text": "new" } });
    let edited = by(Some(Uplink::Json), &ann, &edit).await;
    assert_eq!(edited.ok.as_ref().expect("an edit")["seq"], 1);
    for way in WAYS {
        assert_eq!(by(way, &ann, &edit).await, edited, "{way:?}");
    }
}

#[tokio::test]
async fn the_same_command_at_once_by_all_ways_is_one_message() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    for round in 1..=20 {
        let command = send(&room, "at once");
        let tasks = WAYS.map(|way| {
            let (ann, command) = (ann.clone(), command.clone());
            tokio::spawn(async move { by(way, &ann, &command).await })
        });
        for task in tasks {
            assert_eq!(task.await.expect("no panic").ok.expect("an ack")["seq"], round);
        }
    }
    assert_eq!(history(&ann, &room).await.len(), 20);
}
