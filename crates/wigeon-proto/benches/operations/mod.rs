//! The hot paths of the wire: what is done once per event, per framing, per command.

use std::fmt;
use std::hint::black_box;

use wigeon_proto::command::{Body, Request};
use wigeon_proto::cursor::{Cursor, Epoch};
use wigeon_proto::event::{Event, What};
use wigeon_proto::frame;
use wigeon_proto::framing::iframe::{self, Page, Receiver};
use wigeon_proto::framing::poll::{Answer, Tail};
use wigeon_proto::framing::{Framing, jsonp};
use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::limits::BODY_BYTES_MAX;
use wigeon_proto::websocket::{Decoder, Opcode, Role, encode, negotiate};

/// One path: its name, and how it is made ready. What that gives runs it once.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) prepare: fn() -> Run,
}

pub(crate) type Run = Box<dyn FnMut()>;

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

pub(crate) const ALL: &[Operation] = &[
    Operation { name: "event to JSON", prepare: event_to_json },
    Operation { name: "frame websocket", prepare: || framed(Framing::WebSocket) },
    Operation { name: "frame websocket, deflated, 1 KiB", prepare: deflated },
    Operation { name: "frame sse", prepare: || framed(Framing::Sse) },
    Operation { name: "frame ndjson", prepare: || framed(Framing::Ndjson) },
    Operation { name: "frame iframe", prepare: || framed(Framing::Iframe(page())) },
    Operation { name: "answer poll, 20 frames", prepare: polled },
    Operation { name: "answer jsonp, 20 frames", prepare: jsonp },
    Operation { name: "read masked command", prepare: || received(masked(send(TEXT).as_bytes())) },
    Operation { name: "read masked command, deflated, 1 KiB", prepare: || received(masked_deflated()) },
    Operation { name: "decode command", prepare: command_decoded },
    Operation { name: "cursor parse", prepare: cursor_parsed },
    Operation { name: "cursor to text", prepare: cursor_written },
];

/// What most messages look like.
const TEXT: &str = "could we meet tomorrow at the office about the release notes? thanks, see you there";

/// Enough words that the whole is about 1 KiB, and not the same again and again.
fn long_text() -> String {
    let words: Vec<&str> = TEXT.split(' ').collect();
    let mut text = String::new();
    for i in 0_usize.. {
        text.push_str(words[i * i % 13]);
        text.push_str(if i % 7 == 3 { ", " } else { " " });
        if text.len() > 820 {
            break;
        }
    }
    text
}

fn cursor() -> Cursor {
    Cursor { epoch: Epoch::new(0x12_3456_789a), position: 1_234_567 }
}

fn message(text: &str) -> Event {
    let what = What::Message {
        seq: 4711,
        id: CommandId::parse("9f1c2ab0-7f5e-4a44-b0a2-1d6b0e7c3a55").expect("an id"),
        body: Body { text: text.to_owned() },
        reply_to: None,
        thread: None,
        mentions: Vec::new(),
        mention_all: false,
        forwarded: None,
    };
    let (room, from) = (RoomId::parse("release-notes"), UserId::parse("ann"));
    let (room, from) = (room.expect("a room"), from.expect("a user"));
    Event { room, from, at: 1_764_000_000_000, private: false, what }
}

fn event_json(text: &str) -> Vec<u8> {
    frame::event("message", &cursor().to_string(), &message(text).tail())
}

fn event_to_json() -> Run {
    let (event, cursor) = (message(TEXT), cursor().to_string());
    Box::new(move || drop(black_box(frame::event("message", &cursor, &black_box(&event).tail()))))
}

fn framed(framing: Framing) -> Run {
    let (json, cursor) = (event_json(TEXT), cursor().to_string());
    Box::new(move || {
        let mut out = Vec::with_capacity(json.len() + 64);
        framing.frame(&mut out, Some(&cursor), black_box(&json));
        drop(black_box(out));
    })
}

fn deflated() -> Run {
    let json = event_json(&long_text());
    Box::new(move || {
        let mut out = Vec::new();
        assert!(encode::deflated(&mut out, Opcode::Text, black_box(&json)));
        drop(black_box(out));
    })
}

fn page() -> Page {
    let target = iframe::Target::parse("https://chat.example").expect("an origin");
    Page::new(Receiver::Target(target), "bm9uY2Vub25jZW5vbmNl").expect("a nonce")
}

fn answer(json: &[u8], cursor: &str) -> Vec<u8> {
    let mut answer = Answer::default();
    (0..20).for_each(|_| answer.push(json));
    answer.finish(Tail { cursor, more: false, ticket: None, unavailable: &[] })
}

fn polled() -> Run {
    let (json, cursor) = (event_json(TEXT), cursor().to_string());
    Box::new(move || drop(black_box(answer(black_box(&json), &cursor))))
}

fn jsonp() -> Run {
    let (json, cursor) = (event_json(TEXT), cursor().to_string());
    let callback = jsonp::Callback::parse("cb").expect("a name");
    Box::new(move || drop(black_box(jsonp::wrap(&callback, &answer(black_box(&json), &cursor)))))
}

fn send(text: &str) -> String {
    format!(
        r#"{{"id":"9f1c2ab0-7f5e-4a44-b0a2-1d6b0e7c3a55","type":"send","room":"release-notes","body":{{"text":"{text}"}}}}"#
    )
}

fn masked(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode::masked(&mut out, Opcode::Text, [0x37, 0xfa, 0x21, 0x3d], payload);
    out
}

/// A client's frame with the payload that we would send.
fn masked_deflated() -> Vec<u8> {
    let mut ours = Vec::new();
    assert!(encode::deflated(&mut ours, Opcode::Text, send(&long_text()).as_bytes()));
    let mut out = masked(&ours[4..]);
    out[0] = ours[0];
    out
}

fn received(bytes: Vec<u8>) -> Run {
    let deflate = negotiate(["permessage-deflate"], "");
    let mut decoder = Decoder::new(Role::Server, BODY_BYTES_MAX).with_deflate(deflate);
    Box::new(move || assert!(matches!(decoder.decode(&mut black_box(&bytes[..])), Ok(Some(_)))))
}

fn command_decoded() -> Run {
    let text = send(TEXT);
    Box::new(move || drop(black_box(Request::decode(black_box(&text)))))
}

fn cursor_parsed() -> Run {
    let text = cursor().to_string();
    Box::new(move || assert!(Cursor::parse(black_box(&text)).is_ok()))
}

fn cursor_written() -> Run {
    Box::new(|| drop(black_box(black_box(cursor()).to_string())))
}
