//! A reader that stops reading costs the server no memory to speak of, and loses nothing.

use crate::ops::frame;
use crate::server::{Server, soon};
use serde_json::{Value, json};
use std::time::Duration;
use wigeon_client::{Backoff, Client, Notice, ReadOptions, Reply, Session, SessionOptions, fresh_id};
use wigeon_proto::transport::Transport;

const MESSAGES: usize = 100_000;
const ROOM: &str = "flood";

/// A hundred thousand of these are some 60 MB.
const TEXT_BYTES: usize = 450;

/// Messages until the store's page cache is as large as it gets; it would else look like growth.
const WARM: usize = 60_000;

/// What waits for each of four readers, what the fold is behind by on a busy machine (some 20 MB at most), and what an
/// allocator keeps; not the messages, which would be 60 MB for each.
const GROWTH_KIB_MAX: u64 = 36 * 1024;

/// Senders at once: enough to keep the sequencer busy.
const SENDERS: usize = 4;

fn body(n: usize) -> String {
    format!("{n} {}", "x".repeat(TEXT_BYTES))
}

async fn flood(service: &Client, from: usize, to: usize) {
    for start in (from..to).step_by(100 * SENDERS) {
        let batches = (0..SENDERS).map(|sender| start + 100 * sender).filter(|start| *start < to);
        let tasks: Vec<_> = batches
            .map(|start| {
                let service = service.clone();
                tokio::spawn(async move {
                    let send = |n| json!({ "id": fresh_id(), "type": "send", "room": ROOM, "body": { "text": body(n) } });
                    let commands: Vec<Value> = (start..(start + 100).min(to)).map(send).collect();
                    soon("a batch to be in", until_in(&service, &commands)).await;
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("the batch is in");
        }
    }
}

/// Sends until all of it is acked. The fold steps back for everybody; where others take the machine, what is sent
/// may wait for it for longer than a sender is asked to.
async fn until_in(service: &Client, commands: &[Value]) {
    loop {
        let replies = match service.commands(commands).await {
            Ok(replies) => replies.into_iter().map(Reply::into_result).collect::<Result<Vec<_>, _>>(),
            Err(error) => Err(error),
        };
        match replies {
            Ok(_) => return,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_stops_costs_little_and_misses_nothing() {
    let mut server = Server::start().await;
    let service = server.service();
    flood(&service, 0, WARM).await;
    let before = server.resident_kib();
    let stalled = [Transport::Websocket, Transport::Sse, Transport::Ndjson, Transport::Iframe];
    let mut sessions = Vec::new();
    for transport in stalled {
        let reader = server.user(&format!("slow-{}", transport.as_str()));
        reader.command(json!({ "type": "room.join", "room": ROOM })).await.expect("joined");
        let mut options = SessionOptions::new(transport, None);
        options.backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(200));
        let mut session = Session::start(&reader, options);
        assert_eq!(soon("a live reader", session.next()).await.expect("live"), Notice::Live(transport));
        sessions.push(session);
    }
    // Nobody calls `next` from here on: the sessions' own queues fill, then the sockets, then the server knows.
    flood(&service, WARM, WARM + MESSAGES).await;
    let after = server.resident_kib();
    println!("resident: {before} KiB, then {after} KiB");
    assert!(after < before + GROWTH_KIB_MAX, "grew from {before} to {after} KiB");

    for (session, transport) in sessions.iter_mut().zip(stalled) {
        let mut next_seq = WARM as u64 + 1;
        while next_seq <= (WARM + MESSAGES) as u64 {
            match soon("the next message", session.next()).await.expect("the session goes on") {
                Notice::Frame(frame) if frame.kind() == "message" => {
                    assert_eq!(frame.number("seq"), Some(next_seq), "{transport:?}: in order, each once");
                    next_seq += 1;
                }
                Notice::Reset { reason, .. } => panic!("{transport:?}: reset, {reason}"),
                Notice::Frame(frame) => assert_ne!(frame.kind(), "gap", "{transport:?}"),
                Notice::Live(_) | Notice::Lost(_) => {}
            }
        }
    }
}

#[tokio::test]
async fn a_stalled_reader_delays_nobody_else() {
    let server = Server::start().await;
    let service = server.service();
    flood(&service, 0, 1).await;
    let watch = |user: &str| {
        let options = ReadOptions { rooms: vec![ROOM.to_owned()], ..ReadOptions::default() };
        server.user(user).read(Transport::Websocket, options)
    };
    let (mut stalled, mut lively) = (watch("stalled"), watch("lively"));
    for reader in [&mut stalled, &mut lively] {
        assert_eq!(frame(reader).await.kind(), "ready");
    }
    for start in (1..5001).step_by(500) {
        flood(&service, start, start + 500).await;
        for seq in start..start + 500 {
            assert_eq!(frame(&mut lively).await.number("seq"), Some(seq as u64 + 1));
        }
    }
    drop(stalled);
}
