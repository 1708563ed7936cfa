//! A room that is kept, from outside: people come by a code, go by a ban, and are told of each other.

use crate::ops::{frame, frame_of, group, history, live, now, refused, text};
use crate::server::{Server, send};
use serde_json::json;
use wigeon_client::ReadOptions;
use wigeon_proto::transport::Transport;

#[tokio::test]
async fn one_comes_by_a_code_and_a_ban_ends_what_they_hear() {
    let server = Server::start().await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let room = group(&ann, &[]).await;
    let start = now(&bob).await;
    let mut hears = live(&bob, Transport::Websocket, &start).await;
    let made = ann.command(json!({"type":"invite.create","room":room,"uses":1})).await.expect("a code");
    let code = made["invite"]["code"].as_str().expect("its text").to_owned();
    assert_eq!(code.len(), 20, "nobody guesses it");
    let led = bob.command(json!({"type":"invite.get","code":code})).await.expect("where it leads");
    assert_eq!((&led["room"]["id"], &led["room"]["joined"]), (&json!(room), &json!(false)));
    let id = "accept-1";
    let joined = bob.command(json!({"id":id,"type":"invite.accept","code":code})).await.expect("in");
    let again = bob.command(json!({"id":id,"type":"invite.accept","code":code})).await.expect("the same");
    assert_eq!(joined, again);
    assert_eq!(frame_of(&mut hears, "member").await.value["action"], "join");
    ann.command(send(&room, "welcome")).await.expect("a message");
    assert_eq!(text(&frame_of(&mut hears, "message").await), "welcome");
    ann.command(json!({"type":"member.ban","room":room,"user":"bob"})).await.expect("a ban");
    assert_eq!(frame_of(&mut hears, "member").await.value["action"], "ban");
    ann.command(send(&room, "not for bob")).await.expect("a message");
    ann.command(json!({"type":"send","to":"bob","body":{"text":"but this is"}})).await.expect("a message");
    assert_eq!(text(&frame_of(&mut hears, "message").await), "but this is");
    assert_eq!(refused(&bob, json!({"type":"history","room":room})).await, "not_member");
    assert_eq!(refused(&bob, json!({"type":"invite.accept","code":code})).await, "gone");
    assert_eq!(history(&ann, &room).await.len(), 2);
}

#[tokio::test]
async fn slow_mode_says_when_to_come_again() {
    let server = Server::start().await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let room = group(&ann, &["bob"]).await;
    ann.command(json!({"type":"room.update","room":room,"policy":{"slow_s":600}})).await.expect("slow");
    bob.command(send(&room, "one")).await.expect("the first");
    let replies = bob.commands(&[send(&room, "two")]).await.expect("an answer");
    let error = replies[0].error.as_ref().expect("too soon");
    assert_eq!(error.code.as_str(), "rate_limited");
    assert!((1..=600_000).contains(&error.retry_after_ms.expect("when")));
}

#[tokio::test]
async fn hiding_and_marking_unread_change_the_count_on_every_device() {
    let server = Server::start().await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let room = group(&ann, &["bob"]).await;
    for text in ["one", "two"] {
        ann.command(send(&room, text)).await.expect("a message");
    }
    let count = async || {
        let got = bob.command(json!({"type":"room.get","room":room})).await.expect("a room");
        got["room"]["unread"].as_u64().expect("a count")
    };
    assert_eq!(count().await, 2);
    let start = now(&bob).await;
    let mut other_device = live(&bob, Transport::Sse, &start).await;
    bob.command(json!({"type":"prefs.set","room":room,"prefs":{"hide":2,"mute":true}}))
        .await
        .expect("hidden");
    let prefs = frame_of(&mut other_device, "prefs").await;
    assert_eq!(
        (&prefs.value["about"], &prefs.value["prefs"]),
        (&json!(room), &json!({"hide":2,"mute":true}))
    );
    assert_eq!(count().await, 0);
    bob.command(json!({"type":"unread","room":room,"seq":2})).await.expect("unread again");
    let read = frame_of(&mut other_device, "read").await;
    assert_eq!((&read.value["seq"], &read.value["back"]), (&json!(1), &json!(true)));
    assert_eq!(count().await, 1);
}

#[tokio::test]
async fn presence_is_told_to_who_asked_and_shares_a_room() {
    let server = Server::start().await;
    let (ann, bob, eve) = (server.user("ann"), server.user("bob"), server.user("eve"));
    group(&ann, &["bob"]).await;
    let start = now(&ann).await;
    let mut hears = live(&ann, Transport::Websocket, &start).await;
    let asked = json!({"type":"presence.watch","users":["bob","eve"]});
    let shown = ann.command(asked).await.expect("an answer");
    assert_eq!(shown["users"], json!([{"user":"bob","state":"offline"}]), "eve is a stranger");
    let _there = live(&eve, Transport::Websocket, &start).await;
    let _here = live(&bob, Transport::Sse, &start).await;
    let signal = frame_of(&mut hears, "presence").await;
    assert_eq!((&signal.value["user"], &signal.value["state"]), (&json!("bob"), &json!("online")));
    let unasked = bob.command(json!({"type":"presence.watch","users":["ann"]})).await.expect("an answer");
    assert_eq!(unasked["users"][0]["state"], "online");
}

#[tokio::test]
async fn who_is_blocked_is_neither_read_nor_seen_typing() {
    let server = Server::start().await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let direct = json!({"type":"send","to":"ann","body":{"text":"hi"}});
    let typing = json!({"type":"typing","room":"d:ann~bob"});
    bob.command(direct.clone()).await.expect("a message");
    bob.command(typing.clone()).await.expect("typing");
    ann.command(json!({"type":"block.set","user":"bob","on":true})).await.expect("a block");
    assert_eq!(refused(&bob, direct).await, "forbidden");
    assert_eq!(refused(&bob, typing.clone()).await, "forbidden");
    assert_eq!(refused(&server.user("cat"), typing).await, "not_member");
    let asked = bob.command(json!({"type":"presence.watch","users":["ann"]})).await.expect("an answer");
    assert_eq!(asked["users"], json!([]), "nor does one see whether the other is there");
}

#[tokio::test]
async fn a_new_name_is_told_at_once_to_those_who_share_a_room() {
    let server = Server::start().await;
    let [ann, bob, cat, dan, eve] = ["ann", "bob", "cat", "dan", "eve"].map(|name| server.user(name));
    let room = group(&ann, &["bob", "cat", "dan"]).await;
    dan.command(json!({"type":"block.set","user":"ann","on":true})).await.expect("a block");
    let start = now(&ann).await;
    let mut near = [
        live(&bob, Transport::Sse, &start).await,
        live(&bob, Transport::Websocket, &start).await,
        live(&cat, Transport::Ndjson, &start).await,
        live(&cat, Transport::Htmlfile, &start).await,
    ];
    let mut blocks = live(&dan, Transport::Sse, &start).await;
    let mut stranger = live(&eve, Transport::Sse, &start).await;
    ann.command(json!({"type":"user.update","name":"Anna"})).await.expect("a name");
    for feed in &mut near {
        let signal = frame_of(feed, "user").await;
        assert_eq!(signal.value, json!({"type":"user","user":"ann","name":"Anna"}), "{:?}", feed.transport());
    }
    // A signal that was on its way would come before what is sent after it.
    ann.command(send(&room, "it is me")).await.expect("a message");
    assert_eq!(frame(&mut blocks).await.kind(), "message");
    ann.command(json!({"type":"send","to":"eve","body":{"text":"hi"}})).await.expect("a message");
    assert_eq!(frame(&mut stranger).await.kind(), "message");
}

#[tokio::test]
async fn one_who_polls_is_there_by_their_session() {
    let server = Server::start().await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    group(&ann, &["bob"]).await;
    let state = async || {
        let ask = json!({"type":"presence.watch","users":["bob"]});
        ann.command(ask).await.expect("an answer")["users"][0]["state"].clone()
    };
    now(&bob).await;
    assert_eq!(state().await, "offline", "a poll by itself is over when it is answered");
    let session = ReadOptions { session: Some("tab-1".to_owned()), ..ReadOptions::default() };
    bob.poll(&session).await.expect("an answer");
    assert_eq!(state().await, "online");
}

#[tokio::test]
async fn what_a_device_has_taken_in_is_delivered_before_it_is_read() {
    let server = Server::start().await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let start = now(&bob).await;
    let mut hears = live(&bob, Transport::Ndjson, &start).await;
    let sent = ann.command(json!({"type":"send","to":"bob","body":{"text":"hi"}})).await.expect("a message");
    let receipts = async || {
        let ask = json!({"type":"receipts.get","room":"d:ann~bob","seq":1});
        let got = ann.command(ask).await.expect("receipts");
        (got["delivered"]["count"].as_u64(), got["read"]["count"].as_u64())
    };
    assert_eq!(receipts().await, (Some(0), Some(0)));
    frame_of(&mut hears, "message").await;
    bob.command(json!({"type":"ack","cursor":sent["cursor"]})).await.expect("taken in");
    assert_eq!(receipts().await, (Some(1), Some(0)));
    bob.command(json!({"type":"read","room":"d:ann~bob","seq":1})).await.expect("read");
    assert_eq!(receipts().await, (Some(1), Some(1)));
    assert_eq!(refused(&bob, json!({"type":"ack","cursor":"nonsense"})).await, "bad_request");
}

#[tokio::test]
async fn who_wrote_is_told_when_it_has_arrived() {
    let server = Server::start().await;
    let (ann, bob, cat) = (server.user("ann"), server.user("bob"), server.user("cat"));
    let room = group(&ann, &["bob", "cat"]).await;
    let start = now(&bob).await;
    let mut hears = live(&ann, Transport::Websocket, &start).await;
    let mut streams = live(&bob, Transport::Ndjson, &start).await;
    // Its next question says that it has the answer to the last.
    let mut polls = live(&cat, Transport::Longpoll, &start).await;
    for text in ["one", "two"] {
        ann.command(send(&room, text)).await.expect("a message");
        for reader in [&mut streams, &mut polls] {
            frame_of(reader, "message").await;
        }
    }
    bob.command(json!({"type":"ack","cursor":now(&bob).await})).await.expect("taken in");
    let mut arrived = std::collections::BTreeMap::new();
    while arrived.get("bob") != Some(&2) || arrived.get("cat") < Some(&1) {
        let signal = frame_of(&mut hears, "delivered").await;
        assert_eq!(signal.text("room"), room);
        arrived.insert(signal.text("user").to_owned(), signal.value["seq"].as_u64().expect("a seq"));
    }
    assert!(!arrived.contains_key("ann"));
}
