//! One node and its NATS: what it says when it cannot start, and what it does when it is cut off.

use crate::nats::Nats;
use crate::node::Node;
use crate::ops::{group, history};
use crate::server::{send, token};
use crate::single::{Scratch, program, soon};
use serde_json::json;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use wigeon_client::{Client, Error, ReadOptions};
use wigeon_proto::limits::CLUSTER_ACK_MS_MAX;

fn user(node: &Node, id: &str) -> Client {
    Client::new(&node.base()).expect("a base").with_token(&token(&["--user", id]))
}

/// What a node says that does not start.
async fn last_words(mut node: Node) -> String {
    node.spawn();
    let status = node.exited().await;
    assert_eq!(status.code(), Some(1), "{}", node.log());
    node.log()
}

#[tokio::test]
async fn a_node_that_cannot_take_part_says_why() {
    let nats = Nats::start(1).await;
    let words = last_words(Node::new(&nats.urls(), 1, &[("WIGEON_AUTH_SECRET", "")])).await;
    assert!(words.contains("all nodes of a cluster share one secret"), "{words}");

    let mut first = Node::new(&nats.urls(), 1, &[]);
    first.spawn();
    first.ready().await;
    let words = last_words(Node::new(&nats.urls(), 3, &[])).await;
    assert!(words.contains("the NATS stream wigeon has 1 replicas, and the settings say 3"), "{words}");

    // A directory of a single machine, in which something is logged.
    let single = Node::new(&nats.urls(), 1, &[]);
    let log = single.data().join("log");
    std::fs::create_dir_all(&log).expect("a directory");
    std::fs::write(log.join("00000000000000000001.log"), "x").expect("a file");
    let words = last_words(single).await;
    assert!(words.contains("holds the log of a single machine"), "{words}");

    // A stream that is gone.
    user(&first, "ann").command(json!({"type":"user.update","name":"Ann"})).await.expect("an ack");
    first.signal("TERM");
    assert_eq!(first.exited().await.code(), Some(0), "{}", first.log());
    drop(nats);
    let other = Nats::start(1).await;
    let moved = first.moved_to(&other.urls());
    let words = last_words(moved).await;
    assert!(words.contains("is not there, and this directory holds entries of it"), "{words}");
}

/// A process that ends with its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().expect("it ran");
        self.0.wait().expect("it is gone");
    }
}

#[tokio::test]
async fn nats_without_jetstream_is_said() {
    let scratch = Scratch::new();
    let port = crate::single::free_port();
    let config = scratch.path().join("nats.conf");
    std::fs::write(&config, format!("listen: 127.0.0.1:{port}")).expect("a file");
    let plain = Command::new("nats-server").arg("--config").arg(&config).spawn();
    let _plain = Killed(plain.expect("nats-server is installed"));
    let words = last_words(Node::new(&format!("nats://127.0.0.1:{port}"), 1, &[])).await;
    assert!(words.contains("has no JetStream"), "{words}");
}

#[tokio::test]
async fn credentials_of_the_url_are_used_and_not_shown() {
    let scratch = Scratch::new();
    let nats = Nats::start_with(1, &["--user=wigeon", "--pass=p@ss"]).await;
    let with = |who: &str| nats.urls().replace("nats://", &format!("nats://{who}@"));
    let words = last_words(Node::new(&with("wigeon:wrong"), 1, &[])).await;
    assert!(words.contains("cannot connect to NATS") && !words.contains("wrong"), "{words}");
    let mut node = Node::new(&with("wigeon:p%40ss"), 1, &[]);
    node.spawn();
    node.ready().await;
    assert!(!node.log().contains("p%40ss"), "{}", node.log());
    let shown = Command::new(program())
        .args(["check-config", "--nats", &with("wigeon:p%40ss"), "--data"])
        .arg(scratch.path())
        .output()
        .expect("the program runs");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("nats://***@127.0.0.1") && !shown.contains("p%40ss"), "{shown}");
}

#[tokio::test]
async fn a_node_that_is_cut_off_answers_reads_and_refuses_writes_at_once() {
    let mut nats = Nats::start(1).await;
    let mut node = Node::new(&nats.urls(), 1, &[]);
    node.spawn();
    node.ready().await;
    let ann = user(&node, "ann");
    let room = group(&ann, &["bob"]).await;
    ann.command(send(&room, "before")).await.expect("an ack");
    let here = ann.poll(&ReadOptions::default()).await.expect("an answer").cursor;

    nats.kill(0);
    soon("it to notice", async { while node.says_ready().await {} }).await;
    let refused = {
        let begun = Instant::now();
        let refused = ann.command(send(&room, "during")).await.expect_err("nobody would have it");
        let wait = Duration::from_millis(CLUSTER_ACK_MS_MAX);
        assert!(begun.elapsed() < wait, "without waiting for the stream");
        refused
    };
    let Error::Refused { error, .. } = &refused else { panic!("{refused}") };
    assert_eq!((error.code.as_str(), error.outcome.is_some()), ("unavailable", true), "{error:?}");
    assert!(error.retry_after_ms.is_some());
    assert_eq!(history(&ann, &room).await.len(), 1, "what it has, it shows");
    let ahead = later(&here);
    let unknown = ann.poll(&ReadOptions::after(Some(&ahead))).await.expect_err("a cursor of another node");
    assert!(unknown.to_string().contains("cut off"), "{unknown}");

    nats.restart(0);
    node.ready().await;
    ann.command(send(&room, "after")).await.expect("an ack");
    let texts: Vec<_> =
        history(&ann, &room).await.into_iter().map(|message| message["body"]["text"].clone()).collect();
    assert_eq!(texts, ["before", "after"], "what was refused is not there");
    let reset = ann.poll(&ReadOptions::after(Some(&later(&later(&later(&here)))))).await.expect("an answer");
    assert_eq!(reset.frames.first().map(wigeon_client::Frame::kind), Some("reset"), "beyond the end");
}

/// A cursor of the same log, some positions later.
fn later(cursor: &str) -> String {
    let cursor = wigeon_proto::cursor::Cursor::parse(cursor).expect("a cursor");
    wigeon_proto::cursor::Cursor { position: cursor.position + 100, ..cursor }.to_string()
}
