//! What is told and not remembered, and what follows from it, goes from node to node: a client's stream is with one
//! node, its requests go to others.

use crate::ops::{frame_of, group, live, now};
use crate::server::{Server, send, soon};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;
use tokio::time::sleep;
use wigeon_client::{Client, Frame, Method, ReadOptions, Reader};
use wigeon_proto::transport::Transport;

/// Between two attempts at what may be lost.
const AGAIN: Duration = Duration::from_millis(500);

/// Does something that nobody remembers, until it is heard.
async fn until_heard<T>(mut act: impl AsyncFnMut(), heard: impl Future<Output = T>) -> T {
    let mut heard = pin!(heard);
    loop {
        act().await;
        tokio::select! {
            heard = &mut heard => return heard,
            () = sleep(AGAIN) => {}
        }
    }
}

async fn ask(client: &Client, command: Value) -> Value {
    client.command(command).await.expect("an answer")
}

#[tokio::test]
async fn what_is_told_at_one_node_is_heard_at_the_others() {
    let server = Server::start().await;
    let (ann, bob) = (server.user_at(0, "ann"), server.user_at(1, "bob"));
    let room = group(&ann, &["bob"]).await;
    let start = now(&bob).await;
    let mut anns = live(&ann, Transport::Sse, &start).await;
    let mut bobs = live(&bob, Transport::Websocket, &start).await;

    let elsewhere = server.user_at(2, "ann");
    let types = async || drop(ask(&elsewhere, json!({"type":"typing","room":room})).await);
    let typing = until_heard(types, frame_of(&mut bobs, "typing")).await;
    assert_eq!((typing.text("user"), typing.text("room")), ("ann", room.as_str()));

    ask(&ann, send(&room, "hello")).await;
    let message = frame_of(&mut bobs, "message").await;
    let elsewhere = server.user_at(2, "bob");
    let acks = async || drop(ask(&elsewhere, json!({"type":"ack","cursor":message.cursor()})).await);
    let delivered = until_heard(acks, frame_of(&mut anns, "delivered")).await;
    assert_eq!((delivered.text("user"), delivered.number("seq")), ("bob", Some(1)));
    for node in 0..3 {
        let at = server.user_at(node, "ann");
        soon("every node to know", async {
            let receipts = json!({"type":"receipts.get","room":room,"seq":1});
            while ask(&at, receipts.clone()).await["delivered"]["count"] != 1 {
                sleep(AGAIN).await;
            }
        })
        .await;
    }

    ask(&elsewhere, json!({"type":"read","room":room,"seq":1})).await;
    for node in 0..3 {
        let here = ask(&server.user_at(node, "bob"), json!({"type":"room.get","room":room})).await;
        assert_eq!((&here["room"]["unread"], &here["room"]["read"]), (&json!(0), &json!(1)), "at once");
    }
    assert_eq!(frame_of(&mut bobs, "read").await.number("seq"), Some(1));
}

#[tokio::test]
async fn unread_counts_follow_what_happens_at_other_nodes() {
    let server = Server::start().await;
    let (ann, bob) = (server.user_at(0, "ann"), server.user_at(1, "bob"));
    let room = group(&ann, &["bob"]).await;
    let options = ReadOptions { unread: true, ..ReadOptions::after(Some(&now(&bob).await)) };
    let mut hears = bob.read(Transport::Sse, options);
    let mut until = async |count| {
        while frame_of(&mut hears, "unread").await.number("unread") != Some(count) {}
    };
    ask(&ann, send(&room, "one")).await;
    ask(&server.user_at(2, "ann"), send(&room, "two")).await;
    until(2).await;
    ask(&server.user_at(2, "bob"), json!({"type":"read","room":room,"seq":1})).await;
    until(1).await;
    ask(&ann, json!({"type":"recall","room":room,"seq":2})).await;
    until(0).await;
}

#[tokio::test]
async fn a_ticket_that_ends_at_one_node_ends_at_all() {
    let server = Server::start().await;
    let ticket = server.user_at(0, "bob").ticket(&server.nodes[0].base()).await.expect("a ticket");
    let status = async |node: usize| {
        let path = format!("/v1/events?transport=poll&ticket={ticket}");
        let stranger = Client::new(&server.nodes[node].base()).expect("a base");
        stranger.raw(Method::GET, &path, &[], "").await.expect("an answer").status
    };
    for node in 0..3 {
        assert_eq!(status(node).await, 200, "it is good everywhere");
    }
    ask(&server.user_at(1, "bob"), json!({"type":"ticket.revoke","ticket":ticket})).await;
    for node in 0..3 {
        soon("the end of the ticket", async {
            while status(node).await != 401 {
                sleep(AGAIN).await;
            }
        })
        .await;
    }
}

/// The next change of presence: who, and how they are.
async fn change(reader: &mut Reader) -> (String, String) {
    let frame: Frame = frame_of(reader, "presence").await;
    assert!(frame.number("at") > Some(0), "when they were last there: {frame:?}");
    (frame.text("user").to_owned(), frame.text("state").to_owned())
}

/// Waits until a node says of these users how they are.
async fn until_known(server: &Server, node: usize, wanted: &[(&str, &str)]) {
    let ann = server.user_at(node, "ann");
    let users: Vec<_> = wanted.iter().map(|(user, _)| *user).collect();
    soon("what a node knows", async {
        loop {
            let shown = ask(&ann, json!({"type":"presence.watch","users":users})).await;
            let is = |(user, state): &(&str, &str)| {
                let of = shown["users"].as_array().expect("users").iter().find(|of| of["user"] == *user);
                of.is_some_and(|of| of["state"] == *state)
            };
            if wanted.iter().all(is) {
                return;
            }
            sleep(AGAIN).await;
        }
    })
    .await;
}

/// Takes as long as others believe a node that has died (`CLUSTER_PRESENCE_MS_MAX`): nearly all of it is waiting.
#[tokio::test]
async fn who_is_there_is_known_at_every_node_also_when_one_dies() {
    let mut server = Server::start().await;
    let ann = server.user_at(0, "ann");
    group(&ann, &["bob", "cat", "dan"]).await;
    let start = now(&ann).await;
    let mut hears = live(&ann, Transport::Websocket, &start).await;
    let away = [("bob", "offline"), ("cat", "offline"), ("dan", "offline")];
    until_known(&server, 1, &away).await;
    until_known(&server, 0, &away).await;

    let bobs = live(&server.user_at(1, "bob"), Transport::Sse, &start).await;
    let _cats = live(&server.user_at(2, "cat"), Transport::Sse, &start).await;
    let _dans = live(&server.user_at(2, "dan"), Transport::Sse, &start).await;
    let mut came = HashSet::new();
    while came.len() < 3 {
        let (user, state) = change(&mut hears).await;
        assert_eq!(state, "online", "{user}");
        came.insert(user);
    }
    for node in 0..3 {
        until_known(&server, node, &[("bob", "online"), ("cat", "online"), ("dan", "online")]).await;
    }

    drop(bobs);
    server.nodes[2].kill();
    let _again = live(&server.user_at(1, "dan"), Transport::Sse, &start).await;
    let mut gone = HashSet::new();
    while gone.len() < 2 {
        let (user, state) = change(&mut hears).await;
        assert_eq!(state, "offline", "{user}");
        assert_ne!(user, "dan", "who comes by another node has never been away");
        gone.insert(user);
    }
    server.nodes[2].spawn();
    server.nodes[2].ready().await;
    for node in 0..3 {
        until_known(&server, node, &[("bob", "offline"), ("cat", "offline"), ("dan", "online")]).await;
    }
}
