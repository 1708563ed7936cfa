//! Small things that several stories do.

use crate::server::soon;
use serde_json::{Value, json};
use wigeon_client::{Client, Error, Frame, ReadOptions, Reader};
use wigeon_proto::transport::Transport;

/// A group of `owner` and `members`; its id.
pub(crate) async fn group(owner: &Client, members: &[&str]) -> String {
    let command = json!({ "type": "room.create", "kind": "group", "title": "Story", "members": members });
    let ok = owner.command(command).await.expect("a room");
    ok["room"]["id"].as_str().expect("its id").to_owned()
}

/// Where the log is for this user now.
pub(crate) async fn now(client: &Client) -> String {
    client.poll(&ReadOptions::default()).await.expect("an answer").cursor
}

/// Everything after a cursor, by polling until level.
pub(crate) async fn walk(client: &Client, after: &str) -> Vec<Frame> {
    let (mut frames, mut options) = (Vec::new(), ReadOptions::after(Some(after)));
    loop {
        let answer = client.poll(&options).await.expect("an answer");
        frames.extend(answer.frames);
        options.after = Some(answer.cursor);
        if !answer.more {
            return frames;
        }
    }
}

/// A reader that has said its first word, so that it is live.
pub(crate) async fn live(client: &Client, transport: Transport, after: &str) -> Reader {
    let mut reader = client.read(transport, ReadOptions::after(Some(after)));
    if !polls(transport) {
        let ready = frame(&mut reader).await;
        assert_eq!((ready.kind(), ready.cursor()), ("ready", Some(after)), "{transport:?}");
    }
    reader
}

/// Whether it is made of answers, which have no `ready`.
pub(crate) fn polls(transport: Transport) -> bool {
    matches!(transport, Transport::Poll | Transport::Longpoll | Transport::Jsonp)
}

/// The next frame that is not a heartbeat.
pub(crate) async fn frame(reader: &mut Reader) -> Frame {
    let what = format!("a frame over {:?}", reader.transport());
    soon(&what, async {
        loop {
            let frame = reader.frame().await.expect(&what).expect("the stream goes on");
            if frame.kind() != "heartbeat" {
                return frame;
            }
        }
    })
    .await
}

/// The next event or control frame of this type, passing over others.
pub(crate) async fn frame_of(reader: &mut Reader, kind: &str) -> Frame {
    loop {
        let frame = frame(reader).await;
        if frame.kind() == kind {
            return frame;
        }
    }
}

/// A message's text.
pub(crate) fn text(frame: &Frame) -> &str {
    frame.value["body"]["text"].as_str().expect("a message")
}

/// The error code a request ended with.
pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::Refused { error, .. }) => error.code.as_str(),
        other => panic!("not refused: {other:?}"),
    }
}

/// What a command is refused with.
pub(crate) async fn refused(client: &Client, command: Value) -> &'static str {
    code(client.command(command).await)
}

/// All messages of a room that this user may see, oldest first.
pub(crate) async fn history(client: &Client, room: &str) -> Vec<Value> {
    let (mut messages, mut after) = (Vec::new(), 0);
    loop {
        let command = json!({ "type": "history", "room": room, "after": after, "limit": 100 });
        let ok = client.command(command).await.expect("history");
        let page = ok["messages"].as_array().expect("messages").clone();
        let Some(last) = page.last() else { return messages };
        after = last["seq"].as_u64().expect("a seq");
        messages.extend(page);
    }
}
