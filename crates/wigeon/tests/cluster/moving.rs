//! From one machine to a cluster, to more nodes, and back, all over the same cursors.

use crate::nats::Nats;
use crate::node::Node;
use crate::ops::group;
use crate::server::{send, token};
use crate::single::{self, program};
use std::path::Path;
use std::process::{Command, Output};
use wigeon_client::{Client, ReadOptions};

fn user(base: &str, id: &str) -> Client {
    Client::new(base).expect("a base").with_token(&token(&["--user", id]))
}

fn wigeon(arguments: &[&str], data: impl AsRef<Path>) -> Output {
    let run = Command::new(program()).args(arguments).arg("--data").arg(data.as_ref()).output();
    run.expect("the program runs")
}

fn migrate(which: &str, nats: &Nats, data: impl AsRef<Path>) -> Output {
    wigeon(&["migrate", which, "--nats", &nats.urls(), "--nats-replicas", "1"], data)
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What was said after a cursor; whatever is no message would be said, too.
async fn after(client: &Client, cursor: &str) -> Vec<String> {
    let page = client.poll(&ReadOptions::after(Some(cursor))).await.expect("an answer");
    let text = |frame: &wigeon_client::Frame| match frame.kind() {
        "message" => frame.value["body"]["text"].as_str().unwrap_or_default().to_owned(),
        other => other.to_owned(),
    };
    page.frames.iter().map(text).collect()
}

#[tokio::test]
async fn a_log_moves_into_a_cluster_and_back_and_every_cursor_stays_good() {
    let nats = Nats::start(1).await;
    let mut alone = single::Server::start().await;
    let ann = user(&alone.base(), "ann");
    let room = group(&ann, &["bob"]).await;
    let start = user(&alone.base(), "bob").poll(&ReadOptions::default()).await.expect("now").cursor;
    for text in ["one", "two"] {
        ann.command(send(&room, text)).await.expect("an ack");
    }
    let running = migrate("--to-nats", &nats, alone.data());
    assert!(error(&running).contains("in use by another wigeon"), "{}", error(&running));
    alone.terminate();
    alone.exited().await;
    let moved = migrate("--to-nats", &nats, alone.data());
    assert!(moved.status.success(), "{}", error(&moved));

    let node = || Node::new(&nats.urls(), 1, &[]);
    let mut first = node();
    std::fs::rename(alone.data(), first.data()).expect("a move");
    first.spawn();
    first.ready().await;
    assert_eq!(after(&user(&first.base(), "bob"), &start).await, ["one", "two"]);
    user(&first.base(), "ann").command(send(&room, "three")).await.expect("an ack");

    let mut empty = node();
    empty.spawn();
    empty.exited().await;
    assert!(empty.log().contains("copy of another node's data directory"), "{}", empty.log());
    let mut second = node();
    let copied = wigeon(&["backup", &second.data().to_string_lossy()], first.data());
    assert!(copied.status.success(), "{}", error(&copied));
    second.spawn();
    second.ready().await;
    user(&second.base(), "ann").command(send(&room, "four")).await.expect("an ack");
    for node in [&first, &second] {
        assert_eq!(after(&user(&node.base(), "bob"), &start).await, ["one", "two", "three", "four"]);
    }

    for (node, last) in [(&mut second, None), (&mut first, Some("five"))] {
        if let Some(text) = last {
            user(&node.base(), "ann").command(send(&room, text)).await.expect("an ack");
        }
        node.signal("TERM");
        assert_eq!(node.exited().await.code(), Some(0), "{}", node.log());
    }
    let behind = migrate("--from-nats", &nats, second.data());
    assert!(error(&behind).contains("start this one until it is level"), "{}", error(&behind));
    let back = migrate("--from-nats", &nats, first.data());
    assert!(back.status.success(), "{}", error(&back));

    std::fs::rename(first.data(), alone.data()).expect("a move");
    alone.restart().await;
    user(&alone.base(), "ann").command(send(&room, "six")).await.expect("an ack");
    let all = ["one", "two", "three", "four", "five", "six"];
    assert_eq!(after(&user(&alone.base(), "bob"), &start).await, all);
    alone.terminate();
    alone.exited().await;
    let checked = wigeon(&["check"], alone.data());
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));

    second.spawn();
    second.ready().await;
    let refused = user(&second.base(), "ann").command(send(&room, "elsewhere")).await;
    refused.expect_err("the stream has ended");
}
