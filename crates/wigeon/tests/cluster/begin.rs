//! A cluster's first moment: nodes that are started at once make one log, whoever is first.

use crate::nats::Nats;
use crate::node::Node;
use crate::server::token;
use std::collections::HashSet;
use wigeon_client::{Client, ReadOptions};
use wigeon_proto::cursor::Cursor;

/// Each is a log of its own; of those that were made in different ways, some would be two.
const LOGS: usize = 6;
const NODES: usize = 3;

#[tokio::test]
async fn nodes_that_begin_at_once_make_one_log() {
    let nats = Nats::start(3).await;
    let token = token(&["--user", "ann"]);
    for n in 0..LOGS {
        let stream = format!("log-{n}");
        let environment = [("WIGEON_NATS_STREAM", stream.as_str())];
        let mut nodes: Vec<_> = (0..NODES).map(|_| Node::new(&nats.urls(), 3, &environment)).collect();
        nodes.iter_mut().for_each(Node::spawn);
        let mut epochs = HashSet::new();
        for node in &mut nodes {
            node.ready().await;
            let client = Client::new(&node.base()).expect("a base").with_token(&token);
            let now = client.poll(&ReadOptions::default()).await.expect("an answer").cursor;
            epochs.insert(Cursor::parse(&now).expect("a cursor").epoch.bits());
        }
        assert_eq!(epochs.len(), 1, "{stream}");
    }
}
