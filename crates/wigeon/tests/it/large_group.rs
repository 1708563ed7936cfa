//! A group of hundreds: a message is one record and one frame for each who is there; marks are nobody else's.

use crate::ops::{frame, frame_of, group, live, now, text};
use crate::server::{Server, send, soon};
use serde_json::json;
use wigeon_client::{Client, Connection, Frame, ReadOptions};
use wigeon_proto::cursor::Cursor;
use wigeon_proto::transport::Transport;

/// More than hear of each other's marks, and more than are added at once.
const MEMBERS: usize = 240;

/// How many entries the log has.
async fn records(client: &Client) -> u64 {
    Cursor::parse(&now(client).await).expect("a cursor").position
}

async fn large_group(ann: &Client, names: &[String]) -> String {
    let room = group(ann, &[]).await;
    for some in names.chunks(100) {
        ann.command(json!({"type":"member.add","room":room,"users":some})).await.expect("members");
    }
    room
}

#[tokio::test]
async fn a_message_is_one_record_and_a_mark_is_told_to_nobody_else() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let names: Vec<String> = (0..MEMBERS).map(|n| format!("m{n}")).collect();
    let room = large_group(&ann, &names).await;
    let members: Vec<Client> = names.iter().map(|name| server.user(name)).collect();
    let start = now(&ann).await;
    let mut feeds = Vec::new();
    for (n, member) in members.iter().enumerate() {
        let transport = [Transport::Sse, Transport::Websocket, Transport::Ndjson][n % 3];
        feeds.push(live(member, transport, &start).await);
    }
    let mut anns = live(&ann, Transport::Websocket, &start).await;

    let before = records(&ann).await;
    ann.command(send(&room, "hello, everybody")).await.expect("a message");
    assert_eq!(records(&ann).await - before, 1);
    for feed in feeds.iter_mut().chain([&mut anns]) {
        assert_eq!(text(&frame(feed).await), "hello, everybody");
    }

    let before = records(&ann).await;
    for member in &members {
        member.command(json!({"id":"r","type":"read","room":room,"seq":1})).await.expect("read");
        member.command(json!({"id":"r2","type":"read","room":room,"seq":1})).await.expect("read again");
    }
    assert_eq!(records(&ann).await - before, MEMBERS as u64, "one for each who has read, and once");
    ann.command(send(&room, "the end")).await.expect("a message");
    assert_eq!(text(&frame(&mut anns).await), "the end", "the sender hears of no mark");
    for (feed, name) in feeds.iter_mut().zip(&names) {
        let read = frame(feed).await;
        assert_eq!(
            (read.kind(), read.text("user")),
            ("read", name.as_str()),
            "one's own devices, and only those"
        );
        assert_eq!(text(&frame(feed).await), "the end");
    }
    let receipts = ann.command(json!({"type":"receipts.get","room":room,"seq":1})).await.expect("receipts");
    assert_eq!((&receipts["read"]["count"], receipts.get("delivered")), (&json!(MEMBERS), None));
    assert_eq!(receipts["read"]["users"].as_array().map(Vec::len), Some(20));
}

/// A connection that has said that the room is before its user's eyes.
async fn looking(client: &Client, room: &str, after: &str) -> Connection {
    let mut looks = Connection::open(client, &ReadOptions::after(Some(after))).await.expect("a WebSocket");
    let focused =
        looks.commands(&[json!({"id":"f","type":"focus","rooms":[room]})]).await.expect("an answer");
    assert!(focused[0].ok.is_some());
    looks
}

/// The next frame of this type on a connection.
async fn heard(connection: &mut Connection, kind: &str) -> Frame {
    soon(kind, async {
        loop {
            match connection.next().await.expect("a frame") {
                Some(frame) if frame.kind() == kind => return frame,
                Some(_) => {}
                None => panic!("the connection ended"),
            }
        }
    })
    .await
}

#[tokio::test]
async fn typing_in_a_large_group_is_for_who_looks_at_it() {
    let server = Server::start().await;
    let (ann, bob, cat) = (server.user("ann"), server.user("bob"), server.user("cat"));
    let names: Vec<String> = (0..98).map(|n| format!("m{n}")).chain(["bob".into(), "cat".into()]).collect();
    let room = large_group(&ann, &names).await;
    let start = now(&ann).await;
    let mut looks = looking(&bob, &room, &start).await;
    let mut elsewhere = live(&cat, Transport::Sse, &start).await;
    ann.command(json!({"type":"typing","room":room})).await.expect("typing");
    let heard = heard(&mut looks, "typing").await;
    assert_eq!(heard.text("user"), "ann");
    // A signal that was on its way would come before what is sent after it.
    ann.command(send(&room, "here it is")).await.expect("a message");
    assert_eq!(frame(&mut elsewhere).await.kind(), "message");

    // With one member fewer it is a small one.
    ann.command(json!({"type":"member.remove","room":room,"user":"m0"})).await.expect("removed");
    ann.command(json!({"type":"typing","room":room})).await.expect("typing");
    frame_of(&mut elsewhere, "typing").await;
}

#[tokio::test]
async fn a_new_name_in_a_large_group_is_for_who_looks_at_it_or_asked() {
    let server = Server::start().await;
    let [ann, bob, cat, dan] = ["ann", "bob", "cat", "dan"].map(|name| server.user(name));
    let names: Vec<String> =
        (0..98).map(|n| format!("m{n}")).chain(["bob", "cat", "dan"].map(str::to_owned)).collect();
    let room = large_group(&ann, &names).await;
    let start = now(&ann).await;
    let mut looks = looking(&bob, &room, &start).await;
    let mut asked = live(&cat, Transport::Sse, &start).await;
    cat.command(json!({"type":"presence.watch","users":["ann"]})).await.expect("an answer");
    let mut elsewhere = live(&dan, Transport::Sse, &start).await;
    ann.command(json!({"type":"user.update","name":"Anna"})).await.expect("a name");
    assert_eq!(heard(&mut looks, "user").await.text("name"), "Anna");
    assert_eq!(frame_of(&mut asked, "user").await.text("name"), "Anna");
    ann.command(send(&room, "here I am")).await.expect("a message");
    assert_eq!(frame(&mut elsewhere).await.kind(), "message");
}
