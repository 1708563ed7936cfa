//! A session keeps its promises while the fake server breaks its own.

use crate::fake::Fake;
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;
use wigeon_client::{Backoff, Client, Error, Notice, Session, SessionOptions};
use wigeon_proto::transport::Transport;

const PATIENCE: Duration = Duration::from_secs(10);

async fn begin(transport: Transport) -> (Fake, Session) {
    let fake = Fake::start().await;
    let client = Client::new(&fake.base).expect("a base").with_token("t");
    let mut options = SessionOptions::new(transport, None);
    options.backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(20));
    options.read.poll_interval = Duration::from_millis(1);
    let mut session = Session::start(&client, options);
    assert_eq!(next(&mut session).await, Notice::Live(transport));
    (fake, session)
}

async fn next(session: &mut Session) -> Notice {
    timeout(PATIENCE, session.next()).await.expect("a notice in time").expect("the session goes on")
}

/// The next `count` texts, whatever else is told between them.
async fn texts(session: &mut Session, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        if let Notice::Frame(frame) = next(session).await {
            texts.push(frame.value["body"]["text"].as_str().expect("a text").to_owned());
        }
    }
    texts
}

#[tokio::test]
async fn a_cut_stream_goes_on_where_it_was() {
    for transport in [Transport::Ndjson, Transport::Sse] {
        let (fake, mut session) = begin(transport).await;
        for round in 0..20 {
            fake.cut_after(round % 3);
            for _ in 0..5 {
                fake.append(&format!("m{}", fake.texts().len()));
            }
            assert_eq!(texts(&mut session, 5).await, fake.texts()[round * 5..], "{transport:?}");
        }
    }
}

#[tokio::test]
async fn a_switch_of_transport_neither_loses_nor_doubles() {
    let (fake, mut session) = begin(Transport::Ndjson).await;
    let ways = [Transport::Poll, Transport::Sse, Transport::Ndjson];
    for round in 0..60 {
        fake.append(&format!("m{}", 2 * round));
        session.switch(ways[round % ways.len()]);
        fake.append(&format!("m{}", 2 * round + 1));
        assert_eq!(texts(&mut session, 2).await, fake.texts()[2 * round..]);
    }
    session.switch(Transport::Poll);
    loop {
        if next(&mut session).await == Notice::Live(Transport::Poll) {
            break;
        }
    }
    fake.append("last");
    assert_eq!(texts(&mut session, 1).await, ["last"]);
}

#[tokio::test]
async fn a_transport_that_never_opens_does_not_disturb_the_one_that_works() {
    let (fake, mut session) = begin(Transport::Ndjson).await;
    // It needs a ticket, and the fake has none to give.
    session.switch(Transport::Iframe);
    for round in 0..20 {
        fake.append(&round.to_string());
        assert_eq!(texts(&mut session, 1).await, [round.to_string()]);
    }
}

#[tokio::test]
async fn a_reset_brings_a_snapshot_and_goes_on_after_it() {
    for transport in [Transport::Ndjson, Transport::Poll] {
        let (fake, mut session) = begin(transport).await;
        fake.append("before");
        assert_eq!(texts(&mut session, 1).await, ["before"]);
        fake.restore(&["old", "older"]);
        loop {
            if let Notice::Reset { reason, snapshot } = next(&mut session).await {
                assert_eq!(reason, "epoch");
                assert_eq!(snapshot["cursor"].as_str(), session.cursor());
                break;
            }
        }
        fake.append("after");
        assert_eq!(texts(&mut session, 1).await, ["after"], "{transport:?}");
    }
}

#[tokio::test]
async fn a_command_is_repeated_under_its_id_until_it_is_answered() {
    let (fake, session) = begin(Transport::Ndjson).await;
    fake.lose_replies(3);
    let send = |n: usize| session.submit(json!({ "type": "send", "body": { "text": n.to_string() } }));
    let receipts: Vec<_> = (0..250).map(|n| send(n).expect("room in the outbox")).collect();
    for receipt in receipts {
        let reply = timeout(PATIENCE, receipt.reply()).await.expect("in time").expect("an answer");
        assert!(reply.into_result().is_ok());
    }
    assert_eq!(fake.texts(), (0..250).map(|n| n.to_string()).collect::<Vec<_>>());
    assert!(fake.requests("/v1/commands") >= 6, "three of them were in vain");
}

#[tokio::test]
async fn a_kept_connection_that_ends_under_a_request_is_not_the_askers_affair() {
    let fake = Fake::start().await;
    let client = Client::new(&fake.base).expect("a base").with_token("t");
    let send = |text: &str| client.command(json!({ "type": "send", "body": { "text": text } }));
    send("one").await.expect("an answer, after which the connection is kept");
    fake.lose_replies(1);
    send("two").await.expect("an answer, over another connection");
    fake.lose_replies(2);
    assert!(send("three").await.is_err(), "a new one that ends is told of");
    assert_eq!(fake.texts(), ["one", "two", "three"]);
}

#[tokio::test]
async fn what_cannot_be_sent_is_said() {
    let (_fake, session) = begin(Transport::Ndjson).await;
    let receipts: Vec<_> =
        (0..3000).map(|_| session.submit(json!({ "type": "send", "body": { "text": "" } }))).collect();
    assert!(
        receipts.iter().any(|receipt| matches!(receipt, Err(Error::OutboxFull))),
        "the outbox is bounded"
    );
    let waiting = receipts.into_iter().next().expect("one").expect("queued");
    drop(session);
    assert!(matches!(timeout(PATIENCE, waiting.reply()).await.expect("in time"), Err(Error::Over)));
}
