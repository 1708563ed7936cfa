//! Nodes that lack something of the log: one that lags behind, and those that the stream has nothing for any more.

use crate::hand::Hand;
use crate::link::Link;
use crate::nats::Nats;
use crate::node::Node;
use crate::ops::{group, now, text, walk};
use crate::server::{program, send, soon, token, until};
use std::process::Command;
use wigeon_client::{Client, Error, Method, ReadOptions};
use wigeon_proto::transport::Transport;

const STREAM: &str = "wigeon";
const BEHIND: &str = "this node is behind the log";

fn user(node: &Node, id: &str) -> Client {
    Client::new(&node.base()).expect("a base").with_token(&token(&["--user", id]))
}

/// What a client is told that may come again.
fn refusal(error: Error) -> String {
    let Error::Refused { error, .. } = error else { panic!("{error}") };
    assert_eq!((error.code.as_str(), error.retry_after_ms.is_some()), ("unavailable", true), "{error:?}");
    error.message
}

/// What a reader with a cursor of another node is told.
async fn said(client: Client, transport: Transport, after: String) -> String {
    loop {
        let mut reader = client.read(transport, ReadOptions::after(Some(&after)));
        let said = match reader.frame().await {
            Ok(frame) => frame.expect("a stream has a last word").value["error"]["message"].to_string(),
            Err(error) => refusal(error),
        };
        // On a slow machine NATS may not answer in time how far the log is.
        if !said.contains("cut off") {
            return said.trim_matches('"').to_owned();
        }
    }
}

#[tokio::test]
async fn a_cursor_of_a_node_that_is_ahead_waits_bounded_and_means_what_it_meant() {
    let nats = Nats::start_with(1, &["--no_advertise"]).await;
    let link = Link::start(&nats.ports()).await;
    let (mut ahead, mut behind) = (Node::new(&nats.urls(), 1, &[]), Node::new(link.urls(), 1, &[]));
    for node in [&mut ahead, &mut behind] {
        node.spawn();
        node.ready().await;
    }
    let (ann, bob) = (user(&ahead, "ann"), user(&behind, "bob"));
    let room = group(&ann, &["bob"]).await;
    let start = now(&bob).await;
    link.lose_the_log(true);
    ann.command(send(&room, "ahead")).await.expect("an ack");
    let further = now(&user(&ahead, "bob")).await;

    // At once, since each waits as long as a reader may.
    let asking = Transport::ALL.map(|transport| tokio::spawn(said(bob.clone(), transport, further.clone())));
    for said in asking {
        assert_eq!(soon("an answer", said).await.expect("no panic"), BEHIND);
    }
    soon("what the node says of itself", async {
        loop {
            let says = bob.raw(Method::GET, "/readyz", &[], "").await.expect("an answer");
            assert_eq!(says.status, 503);
            if String::from_utf8_lossy(&says.body).contains(BEHIND) {
                return;
            }
        }
    })
    .await;

    link.lose_the_log(false);
    let answer = soon("a node that is level", async {
        loop {
            match bob.poll(&ReadOptions::after(Some(&further))).await {
                Ok(answer) => return answer,
                Err(error) => drop(refusal(error)),
            }
        }
    })
    .await;
    assert_eq!(
        (answer.frames.len(), answer.cursor.as_str()),
        (0, further.as_str()),
        "neither reset nor set back"
    );
    ann.command(send(&room, "later")).await.expect("an ack");
    let texts =
        async |after: &str| walk(&bob, after).await.iter().map(|f| text(f).to_owned()).collect::<Vec<_>>();
    assert_eq!(texts(&further).await, ["later"]);
    assert_eq!(texts(&start).await, ["ahead", "later"]);
}

#[tokio::test]
async fn who_lacks_what_the_stream_has_forgotten_says_so_and_starts_from_a_copy() {
    let nats = Nats::start_with(1, &["--no_advertise"]).await;
    let mut hand = Hand::to(nats.ports()[0]);
    let link = Link::start(&nats.ports()).await;
    let node = |urls: &str| Node::new(urls, 1, &[]);
    let (mut here, mut away, mut deaf) = (node(&nats.urls()), node(&nats.urls()), node(link.urls()));
    for node in [&mut here, &mut away, &mut deaf] {
        node.spawn();
        node.ready().await;
    }
    let ann = user(&here, "ann");
    let room = group(&ann, &["bob"]).await;
    let start = now(&user(&away, "bob")).await;
    now(&user(&deaf, "bob")).await;
    away.signal("TERM");
    assert_eq!(away.exited().await.code(), Some(0), "{}", away.log());
    link.lose_the_log(true);
    for text in ["one", "two"] {
        ann.command(send(&room, text)).await.expect("an ack");
    }
    hand.keep_for_ms(STREAM, 100);
    until("the stream to forget", || hand.stream(STREAM)["state"]["messages"] == 0).await;
    hand.keep_for_ms(STREAM, 0);

    assert_eq!(deaf.exited().await.code(), Some(1));
    assert!(deaf.log().contains("are gone from the stream"), "{}", deaf.log());
    away.spawn();
    assert_eq!(away.exited().await.code(), Some(1));
    let wanted = format!("and the NATS stream {STREAM} begins at");
    assert!(away.log().contains(&wanted) && away.log().contains("copy of another node's"), "{}", away.log());

    ann.command(send(&room, "three")).await.expect("whoever has everything goes on");
    std::fs::remove_dir_all(away.data()).expect("a directory");
    let (from, to) = (here.data(), away.data());
    let copied = Command::new(program()).arg("backup").arg(to).arg("--data").arg(from).output();
    let copied = copied.expect("the program runs");
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    ann.command(send(&room, "four")).await.expect("an ack");
    away.spawn();
    away.ready().await;
    let found: Vec<_> =
        walk(&user(&away, "bob"), &start).await.iter().map(|frame| text(frame).to_owned()).collect();
    assert_eq!(found, ["one", "two", "three", "four"]);
}
