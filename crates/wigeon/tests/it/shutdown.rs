//! SIGTERM: everybody is told, what was promised is kept, the exit code is 0.

use crate::ops::{frame_of, group, history, live, now, polls};
use crate::server::{Server, send, soon};
use wigeon_client::{Connection, Error, ReadOptions};
use wigeon_proto::transport::Transport;

#[tokio::test]
async fn every_stream_gets_a_bye_and_the_exit_code_is_zero() {
    let mut server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    ann.command(send(&room, "kept")).await.expect("an ack");
    let start = now(&ann).await;
    let mut readers = Vec::new();
    for transport in Transport::ALL.into_iter().filter(|transport| !polls(*transport)) {
        readers.push(live(&ann, transport, &start).await);
    }
    server.terminate();
    for reader in &mut readers {
        let bye = frame_of(reader, "bye").await;
        assert!(bye.number("retry_ms").is_some(), "{:?}: {bye:?}", reader.transport());
        match soon("the end", reader.next()).await {
            Ok(None) => assert_ne!(reader.transport(), Transport::Websocket),
            Err(Error::Closed(Some(close))) => assert_eq!(close.code, 1012),
            other => panic!("{:?}: {other:?}", reader.transport()),
        }
    }
    let status = server.exited().await;
    assert_eq!(status.code(), Some(0), "{status}");
    server.restart().await;
    assert_eq!(now(&ann).await, start, "nothing was written on the way out");
    assert_eq!(history(&ann, &room).await.len(), 1);
}

#[tokio::test]
async fn a_poll_that_waits_is_answered_before_the_end() {
    for transport in [Transport::Longpoll, Transport::Jsonp] {
        let mut server = Server::start().await;
        let ann = server.user("ann");
        let start = now(&ann).await;
        let mut reader = ann.read(transport, ReadOptions::after(Some(&start)));
        // A frame of one's own proves that the reader asks; the next question then waits.
        let room = group(&ann, &[]).await;
        frame_of(&mut reader, "room").await;
        let asking = tokio::spawn(async move { reader.frame().await });
        let socket = Connection::open(&ann, &ReadOptions::default()).await.expect("a WebSocket");
        drop(socket);
        server.terminate();
        let answer = soon("an answer", asking).await.expect("no panic");
        match answer {
            // Answered empty or with a bye; after that nobody listens any more.
            Ok(Some(frame)) => assert_eq!(frame.kind(), "bye", "{transport:?}"),
            Err(error) => assert!(error.is_retryable(), "{transport:?}: {error}"),
            Ok(None) => panic!("{transport:?}: a poller has no end"),
        }
        assert_eq!(server.exited().await.code(), Some(0), "{transport:?} {room}");
    }
}

#[tokio::test]
async fn acks_given_before_the_end_hold_after_it() {
    let mut server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    let sending = tokio::spawn({
        let (ann, room) = (ann.clone(), room.clone());
        async move {
            let mut acked = Vec::new();
            while let Ok(ok) = ann.command(send(&room, "until the end")).await {
                acked.push(ok["seq"].as_u64().expect("a seq"));
            }
            acked
        }
    });
    let mut reader = live(&ann, Transport::Sse, &now(&ann).await).await;
    for _ in 0..20 {
        frame_of(&mut reader, "message").await;
    }
    server.terminate();
    assert_eq!(server.exited().await.code(), Some(0));
    let acked = soon("the sender to notice", sending).await.expect("no panic");
    assert!(acked.len() >= 20);
    server.restart().await;
    let log = history(&ann, &room).await;
    assert!(log.len() >= acked.len(), "{} acked, {} there", acked.len(), log.len());
    assert!(acked.iter().enumerate().all(|(i, seq)| *seq == i as u64 + 1));
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_nothing_up() {
    let mut server = Server::start().await;
    let service = server.service();
    let mut stalled = Vec::new();
    for transport in [Transport::Websocket, Transport::Sse] {
        let mut reader =
            service.read(transport, ReadOptions { rooms: vec!["full".into()], ..Default::default() });
        service.command(send("full", "first")).await.expect("an ack");
        assert_eq!(frame_of(&mut reader, "ready").await.kind(), "ready");
        stalled.push(reader);
    }
    // More than all buffers between here and there take, so that the server has much left to write.
    let text = "x".repeat(60_000);
    for _ in 0..300 {
        service.command(send("full", &text)).await.expect("an ack");
    }
    server.terminate();
    assert_eq!(server.exited().await.code(), Some(0));
    drop(stalled);
}
