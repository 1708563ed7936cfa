//! From one version to the next: nodes go and come in turn, and one that is behind its time knows it.

use crate::dice::Dice;
use crate::hand::Hand;
use crate::nats::Nats;
use crate::node::Node;
use crate::ops::{frame_of, group, history, live, now};
use crate::server::{Server, token};
use crate::storm::Storm;
use serde_json::json;
use wigeon_client::{Client, fresh_id};
use wigeon_core::entry::RULES_VERSION;
use wigeon_proto::transport::Transport;

const READERS: usize = 3;
/// What is sent for each node, some of it before it goes and while it is away.
const MESSAGES: usize = 3000;
const SOME: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_are_restarted_in_turn_are_not_missed() {
    let mut dice = Dice::rolled();
    let mut server = Server::start().await;
    let nodes = server.nodes.len();
    let all = MESSAGES * nodes;
    let storm = Storm::begin(&server, READERS, all, &mut dice).await;
    for node in 0..nodes {
        storm.until_acked(MESSAGES * node + SOME).await;
        let (guest, mut streams) = (server.user_at(node, "guest"), Vec::new());
        let here = now(&guest).await;
        for transport in [Transport::Websocket, Transport::Sse, Transport::Ndjson] {
            streams.push(live(&guest, transport, &here).await);
        }
        server.nodes[node].signal("TERM");
        for stream in &mut streams {
            let bye = frame_of(stream, "bye").await;
            assert!(bye.number("retry_ms") > Some(0), "{bye:?}");
        }
        let status = server.nodes[node].exited().await;
        assert_eq!(status.code(), Some(0), "{}", server.nodes[node].log());
        storm.until_acked((storm.acked() + SOME).min(all)).await;
        server.nodes[node].spawn();
        server.nodes[node].ready().await;
    }
    println!("{READERS} readers, {nodes} restarts, {}", storm.calm(&server.witnesses()).await);
}

/// An entry as another node writes it.
fn entry(version: u32, room: &str, text: &str) -> String {
    json!({
        "v": version, "actor": "ann", "rights": "user", "at": 1_764_000_000_000_u64, "id": fresh_id(),
        "command": {"type": "send", "room": room, "body": {"text": text}},
    })
    .to_string()
}

#[tokio::test]
async fn a_node_that_meets_newer_rules_stops_and_does_not_guess() {
    let nats = Nats::start(1).await;
    let mut node = Node::new(&nats.urls(), 1, &[]);
    node.spawn();
    node.ready().await;
    let user = |id: &str| Client::new(&node.base()).expect("a base").with_token(&token(&["--user", id]));
    let (ann, bob) = (user("ann"), user("bob"));
    let room = group(&ann, &["bob"]).await;
    let mut hand = Hand::to(nats.ports()[0]);
    let subject = hand.stream("wigeon")["config"]["subjects"][0].as_str().expect("a subject").to_owned();
    hand.say(&subject, "another.1", &entry(RULES_VERSION, &room, "of our rules"));
    hand.say(&subject, "another.2", "no entry at all");
    hand.say(&subject, "another.3", &entry(RULES_VERSION, &room, "after that"));
    let texts: Vec<_> =
        history(&bob, &room).await.into_iter().map(|message| message["body"]["text"].clone()).collect();
    assert_eq!(texts, ["of our rules", "after that"], "what is no entry is passed over");

    let mut hears = live(&bob, Transport::Sse, &now(&bob).await).await;
    hand.say(&subject, "another.4", &entry(RULES_VERSION + 1, &room, "of rules to come"));
    let newer = format!("is of rules {}, this node knows {RULES_VERSION}: upgrade it", RULES_VERSION + 1);
    frame_of(&mut hears, "bye").await;
    assert_eq!(node.exited().await.code(), Some(1));
    assert_eq!(node.log().matches(&newer).count(), 1, "{}", node.log());
    node.spawn();
    assert_eq!(node.exited().await.code(), Some(1), "and not before it has been upgraded");
    assert_eq!(node.log().matches(&newer).count(), 2, "{}", node.log());
}
