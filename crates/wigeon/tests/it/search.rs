//! Search from outside: over HTTP, as plain REST, and on a WebSocket.

use std::collections::BTreeMap;

use crate::ops::{group, refused};
use crate::server::{Server, send};
use serde_json::{Value, json};
use wigeon_client::{Client, Connection, Method, ReadOptions, Uplink};

fn seqs(found: &Value) -> Vec<u64> {
    let hits = found["hits"].as_array().expect("hits");
    hits.iter().map(|hit| hit["seq"].as_u64().expect("a seq")).collect()
}

/// The same question in each way there is.
async fn everywhere(client: &Client, q: &str, room: &str) -> BTreeMap<String, Value> {
    let command = json!({"id":"s1","type":"search","q":q,"room":room,"limit":10});
    let mut answers = BTreeMap::new();
    for uplink in Uplink::ALL {
        let replies = client.commands_over(uplink, std::slice::from_ref(&command)).await.expect("an answer");
        answers.insert(format!("{uplink:?}"), replies[0].ok.clone().expect("ok"));
    }
    let bearer = format!("Bearer {}", client.token().expect("a token"));
    let q: Vec<String> = q.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let q = q.concat();
    let path = format!("/v1/search?q={q}&room={room}&limit=10&after=1000");
    let answer = client.raw(Method::GET, &path, &[("authorization", &bearer)], "").await.expect("an answer");
    assert_eq!(answer.status, 200);
    answers.insert("rest".into(), answer.json().expect("JSON"));
    let mut socket = Connection::open(client, &ReadOptions::default()).await.expect("a WebSocket");
    let replies = socket.commands(&[command]).await.expect("an answer");
    answers.insert("websocket".into(), replies[0].ok.clone().expect("ok"));
    answers
}

#[tokio::test]
async fn a_message_is_found_over_every_uplink_until_it_is_recalled() {
    let mut server = Server::start().await;
    let (ann, bob, cat) = (server.user("ann"), server.user("bob"), server.user("cat"));
    let room = group(&ann, &["bob"]).await;
    for text in ["我们在河边看见一只鸭子", "a <b>wild</b> DUCK", "nothing"] {
        ann.command(send(&room, text)).await.expect("a message");
    }
    for (way, found) in everywhere(&bob, "duck wild", &room).await {
        assert_eq!(seqs(&found), [2], "{way}");
        assert_eq!(found["hits"][0]["snippet"], json!(["a <b>", "wild", "</b> ", "DUCK", ""]), "{way}");
        assert_eq!(found["more"], json!(false), "{way}");
    }
    for (way, found) in everywhere(&bob, "鸭子", &room).await {
        assert_eq!(seqs(&found), [1], "{way}");
    }
    assert_eq!(refused(&cat, json!({"type":"search","q":"duck","room":room})).await, "not_member");
    assert_eq!(refused(&bob, json!({"type":"search","q":" "})).await, "bad_request");
    let elsewhere = cat.command(json!({"type":"search","q":"duck"})).await.expect("an answer");
    assert_eq!(elsewhere["hits"], json!([]));
    ann.command(json!({"type":"edit","room":room,"seq":1,"body":{"text":"一只天鹅"}}))
        .await
        .expect("an edit");
    ann.command(json!({"type":"recall","room":room,"seq":2})).await.expect("a recall");
    for q in ["鸭子", "duck"] {
        let found = bob.command(json!({"type":"search","q":q})).await.expect("an answer");
        assert_eq!(found["hits"], json!([]), "{q}");
    }
    server.kill();
    server.restart().await;
    let found = bob.command(json!({"type":"search","q":"天鹅"})).await.expect("an answer");
    assert_eq!(seqs(&found), [1]);
}
