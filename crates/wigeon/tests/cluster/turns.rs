//! What nodes settle among themselves: whose turn it is, and who is wrong.

use crate::hand::Hand;
use crate::nats::Nats;
use crate::node::Node;
use crate::ops::group;
use crate::server::{send, token, until};
use serde_json::json;
use wigeon_client::{Client, ReadOptions};
use wigeon_proto::cursor::Cursor;
use wigeon_proto::limits::CLUSTER_DIGEST_ENTRIES;

#[tokio::test]
async fn one_node_has_the_turn_and_another_takes_it_over_when_that_one_dies() {
    let nats = Nats::start(1).await;
    let mut nodes = [Node::new(&nats.urls(), 1, &[]), Node::new(&nats.urls(), 1, &[])];
    nodes.iter_mut().for_each(Node::spawn);
    let has_it = |node: &Node| node.log().contains("this node does what one node does for all");
    until("somebody's turn", || nodes.iter().any(has_it)).await;
    for node in &mut nodes {
        node.ready().await;
    }
    let first = nodes.iter().position(has_it).expect("it was seen");
    assert!(!has_it(&nodes[1 - first]), "one at a time");
    nodes[first].kill();
    until("the other's turn", || has_it(&nodes[1 - first])).await;
}

#[tokio::test]
async fn a_node_that_comes_to_something_else_than_most_takes_itself_out_of_service() {
    let nats = Nats::start(1).await;
    let mut node = Node::new(&nats.urls(), 1, &[]);
    node.spawn();
    node.ready().await;
    let ann = Client::new(&node.base()).expect("a base").with_token(&token(&["--user", "ann"]));
    let room = group(&ann, &["bob"]).await;
    let here = ann.poll(&ReadOptions::default()).await.expect("now").cursor;
    let here = Cursor::parse(&here).expect("a cursor");
    let subject = format!("wigeon.digests.{:010x}", here.epoch.bits());
    let digest = json!({"last": CLUSTER_DIGEST_ENTRIES, "sum": "of something else"}).to_string();
    let mut others = Hand::to(nats.ports()[0]);
    others.say(&subject, "another", &digest);
    others.say(&subject, "one more", &digest);
    for n in here.position..CLUSTER_DIGEST_ENTRIES - 1 {
        ann.command(send(&room, &n.to_string())).await.expect("an ack");
    }
    // Its answer may come before the node goes, or not.
    let _ = ann.command(send(&room, "the last of the stretch")).await;
    assert_eq!(node.exited().await.code(), Some(1));
    let wanted = format!("entries 1 to {CLUSTER_DIGEST_ENTRIES} have come to something else here");
    assert!(node.log().contains(&wanted), "{}", node.log());
    node.spawn();
    assert_eq!(node.exited().await.code(), Some(1), "what is wrong is not served again");
    assert!(node.log().contains("when it last ran, entries 1 to"), "{}", node.log());
}
