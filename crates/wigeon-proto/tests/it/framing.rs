//! Each framing around the same three frames: a `ready` with a cursor, a message with hostile text already
//! escaped, and a signal without a cursor.

use crate::golden;
use wigeon_proto::framing::iframe::{BadPage, Callback, Page, Receiver, Target};
use wigeon_proto::framing::{Framing, jsonp, poll};

const READY: &str = r#"{"type":"ready","cursor":"1abcdefgha0"}"#;
const MESSAGE: &str = concat!(
    r#"{"type":"message","cursor":"1abcdefgha1","room":"lobby","seq":1,"from":"ann","at":1764000000000,"id":"m1","#,
    r#""body":{"text":"\u003c/script\u003e\u003c!--\u003cscript\u003e \u2028\u2029 中文 🦆 \"q\" \\ \u0026amp;"}}"#
);
const TYPING: &str = r#"{"type":"typing","room":"lobby","user":"bob"}"#;
const FRAMES: [(Option<&str>, &str); 3] =
    [(Some("1abcdefgha0"), READY), (Some("1abcdefgha1"), MESSAGE), (None, TYPING)];

fn stream(framing: &Framing, padding: usize) -> Vec<u8> {
    let mut out = Vec::new();
    framing.prelude(&mut out, padding);
    for (cursor, json) in FRAMES {
        framing.frame(&mut out, cursor, json.as_bytes());
    }
    out
}

fn page(receiver: Receiver) -> Framing {
    Framing::Iframe(Page::new(receiver, "cmFuZG9t").expect("a page"))
}

fn called(path: &str) -> Framing {
    page(Receiver::Callback(Callback::parse(path).expect("a callback")))
}

#[test]
fn sse_has_the_cursor_as_id_and_one_data_line() {
    golden::check("sse", &stream(&Framing::Sse, 16));
}

#[test]
fn ndjson_has_one_frame_a_line() {
    golden::check("ndjson", &stream(&Framing::Ndjson, 16));
}

#[test]
fn websocket_has_one_unmasked_text_message_a_frame() {
    golden::check("websocket", &stream(&Framing::WebSocket, 16));
}

#[test]
fn iframe_calls_a_function_of_its_parent() {
    golden::check("iframe-callback", &stream(&called("on_frame"), 0));
}

#[test]
fn iframe_posts_to_one_origin() {
    let target = Target::parse("https://app.example:8443").expect("an origin");
    golden::check("iframe-target", &stream(&page(Receiver::Target(target)), 0));
}

#[test]
fn without_padding_nothing_precedes_the_first_frame() {
    assert!(stream(&Framing::Ndjson, 0).starts_with(READY.as_bytes()));
    assert!(stream(&Framing::Sse, 0).starts_with(b"id: "));
    assert!(stream(&Framing::WebSocket, 0).starts_with(&[0x81, READY.len() as u8]));
}

#[test]
fn an_iframe_is_padded_more_when_asked() {
    let (mut short, mut long) = (Vec::new(), Vec::new());
    called("f").prelude(&mut short, 10);
    called("f").prelude(&mut long, 4096);
    assert_eq!(long.len() - short.len(), 4096 - 1024);
}

#[test]
fn only_script_frames_differ_between_receivers() {
    for shared in [Framing::WebSocket, Framing::Sse, Framing::Ndjson] {
        assert!(shared.shared(), "{shared:?}");
    }
    assert!(!called("f").shared());
}

#[test]
fn every_response_declares_utf_8() {
    for framing in [Framing::Sse, Framing::Ndjson, called("f")] {
        assert!(framing.content_type().is_some_and(|t| t.ends_with("; charset=utf-8")), "{framing:?}");
    }
    assert_eq!(Framing::WebSocket.content_type(), None);
}

#[test]
fn a_frame_callback_is_a_name_or_a_short_path_from_parent() {
    let same = |a: &str, b: &str| assert_eq!(Callback::parse(a), Callback::parse(b), "{a}");
    same("f12", "parent.f12");
    for good in ["parent.f12", "parent.wigeon.f12", "_"] {
        assert!(Callback::parse(good).is_ok(), "{good}");
    }
    let long = "a".repeat(33);
    for bad in [
        "",
        ".",
        "parent",
        "parent.",
        "parent..f",
        "top.f",
        "a.b",
        "parent.a.b.c",
        "alert(1)//",
        "a;b",
        "1a",
        "a-b",
        "a b",
        "a\n",
        "\u{e9}",
        "parent.a[0]",
        "<b>",
        &long,
    ] {
        assert_eq!(Callback::parse(bad), Err(BadPage::Callback), "{bad}");
    }
}

#[test]
fn a_target_is_exactly_one_origin() {
    for good in ["http://127.0.0.1:8088", "https://app.example", "http://[::1]:80"] {
        assert!(Target::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "*",
        "null",
        "",
        "/",
        "https://",
        "javascript://x",
        "https://a.example/",
        "https://a\"b",
        "https://a<b",
        "https://a b",
        "HTTPS://a",
        "https://a\\b",
    ] {
        assert_eq!(Target::parse(bad), Err(BadPage::Target), "{bad}");
    }
}

#[test]
fn a_nonce_cannot_leave_its_attribute() {
    let receiver = || Receiver::Callback(Callback::parse("f").expect("a callback"));
    for bad in ["", "a\"b", "a b", "a>b", "a'b", "a;b"] {
        assert_eq!(Page::new(receiver(), bad), Err(BadPage::Nonce), "{bad}");
    }
}

#[test]
fn a_poll_answer_with_everything() {
    let mut answer = poll::Answer::default();
    for (_, json) in FRAMES {
        answer.push(json.as_bytes());
    }
    assert_eq!(answer.frames(), 3);
    let tail = poll::Tail {
        cursor: "1abcdefgha1",
        more: true,
        ticket: Some(("t.0123", 600)),
        unavailable: &["secret", "</script>\n\"\\\u{2028}&"],
    };
    golden::check("poll-full", &answer.finish(tail));
}

#[test]
fn a_poll_answer_with_nothing() {
    let tail = poll::Tail { cursor: "1abcdefgha0", more: false, ticket: None, unavailable: &[] };
    golden::check("poll-empty", &poll::Answer::default().finish(tail));
}

#[test]
fn a_poll_answer_knows_its_bytes_and_is_json() {
    let mut answer = poll::Answer::default();
    let before = answer.bytes();
    answer.push(READY.as_bytes());
    assert_eq!(answer.bytes() - before, READY.len());
    answer.push(TYPING.as_bytes());
    assert_eq!(answer.bytes() - before, READY.len() + 1 + TYPING.len());
    let tail =
        poll::Tail { cursor: "\u{1}\"", more: false, ticket: Some(("<", 1)), unavailable: &["é\u{2029}"] };
    let value: serde_json::Value = serde_json::from_slice(&answer.finish(tail)).expect("JSON");
    assert_eq!(value["frames"][1]["user"], "bob");
    assert_eq!(value["cursor"], "\u{1}\"");
    assert_eq!(value["ticket"]["ticket"], "<");
    assert_eq!(value["unavailable"][0], "é\u{2029}");
}

#[test]
fn jsonp_is_a_call_behind_a_comment() {
    let callback = jsonp::Callback::parse("cb_1").expect("a callback");
    golden::check("jsonp", &jsonp::wrap(&callback, br#"{"frames":[],"cursor":"1abcdefgha0","more":false}"#));
}

#[test]
fn a_jsonp_callback_is_one_plain_name() {
    let long = "a".repeat(33);
    for bad in ["", "1a", "a.b", "parent.f", "a-b", "alert(1)//", "a;b", "<b>", "a\u{301}", &long] {
        assert_eq!(jsonp::Callback::parse(bad), Err(jsonp::BadCallback), "{bad}");
    }
    for good in ["_", "cb_1", "ABC", &long[1..]] {
        assert!(jsonp::Callback::parse(good).is_ok(), "{good}");
    }
}
