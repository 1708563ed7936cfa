//! Cursors that cannot be served: said aloud, the same on every transport, and the way on stays open.

use crate::ops::{frame, group, now, polls, text};
use crate::server::{Server, send, soon};
use wigeon_client::{Client, Error, Item, ReadOptions};
use wigeon_proto::cursor::{Cursor, Epoch};
use wigeon_proto::transport::Transport;

/// Reads from `cursor` until a reset comes, then what is sent after it.
async fn resets(ann: &Client, room: &str, transport: Transport, cursor: &str, reason: &str) {
    let mut reader = ann.read(transport, ReadOptions::after(Some(cursor)));
    let mut first = frame(&mut reader).await;
    if !polls(transport) {
        assert_eq!(first.kind(), "ready", "{transport:?}");
        first = frame(&mut reader).await;
    }
    assert_eq!((first.kind(), first.text("reason")), ("reset", reason), "{transport:?} from {cursor}");
    let on = first.cursor().expect("a reset says where it goes on").to_owned();
    assert_eq!(on, now(ann).await, "{transport:?}: it goes on from now");
    ann.command(send(room, "after the reset")).await.expect("a message");
    let next = frame(&mut reader).await;
    assert_eq!(text(&next), "after the reset", "{transport:?}");
    assert!(wigeon_client::is_new(Some(&on), next.cursor().expect("a cursor")), "{transport:?}");
}

#[tokio::test]
async fn a_cursor_of_another_log_or_of_the_future_is_reset() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    for transport in Transport::ALL {
        let own = Cursor::parse(&now(&ann).await).expect("a cursor");
        let foreign = Cursor { epoch: Epoch::new(own.epoch.bits() ^ 1), ..own };
        resets(&ann, &room, transport, &foreign.to_string(), "epoch").await;
        let future = Cursor { position: own.position + 1_000_000, ..own };
        resets(&ann, &room, transport, &future.to_string(), "future").await;
        let last = Cursor { position: u64::MAX, ..own };
        resets(&ann, &room, transport, &last.to_string(), "future").await;
    }
}

#[tokio::test]
async fn a_crash_keeps_the_epoch_and_new_data_has_another() {
    let mut server = Server::start().await;
    let cursor = now(&server.user("ann")).await;
    server.kill();
    server.restart().await;
    assert_eq!(now(&server.user("ann")).await, cursor);
    let other = Server::start().await;
    let foreign = now(&other.user("ann")).await;
    assert_ne!(cursor[..9], foreign[..9], "another log, another epoch");
}

/// How a read from an unreadable cursor ends.
async fn end(ann: &Client, transport: Transport, cursor: &str) -> String {
    let mut reader = ann.read(transport, ReadOptions::after(Some(cursor)));
    match soon("the refusal", reader.next()).await {
        Err(Error::Refused { error, .. }) => error.code.as_str().to_owned(),
        Ok(Some(Item::Frame(frame))) if frame.kind() == "error" => {
            frame.value["error"]["code"].as_str().unwrap_or("no code").to_owned()
        }
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_cursor_nobody_gave_is_a_bad_request() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let own = now(&ann).await;
    let longer = format!("{own}0");
    let huge = "1".repeat(5000);
    let bad = [
        "garbage",
        "0",
        "1",
        &longer,
        &own[..own.len() - 1],
        "\u{0}",
        "1\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
        &huge,
    ];
    for transport in Transport::ALL {
        for cursor in bad {
            assert_eq!(end(&ann, transport, cursor).await, "bad_request", "{transport:?} {cursor:?}");
        }
    }
}

#[tokio::test]
async fn an_empty_cursor_is_no_cursor_or_a_bad_one_on_every_transport_alike() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let mut answers = Vec::new();
    for transport in Transport::ALL.into_iter().filter(|transport| !polls(*transport)) {
        let mut reader = ann.read(transport, ReadOptions::after(Some("")));
        answers.push(match soon("an answer", reader.next()).await {
            Ok(Some(Item::Frame(frame))) => frame.kind().to_owned(),
            Err(Error::Refused { error, .. }) => error.code.as_str().to_owned(),
            other => panic!("{transport:?}: {other:?}"),
        });
    }
    let alike = answers.iter().all(|answer| answer == "ready") || answers.iter().all(|a| a != "ready");
    assert!(alike, "{answers:?}");
}
