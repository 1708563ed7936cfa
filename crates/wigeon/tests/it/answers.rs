//! What PROTOCOL.md says of every answer, whoever gives it: the raw connection, the HTTP library behind it, or
//! the guard before both.

use crate::ops::now;
use crate::server::{Server, send, soon};
use crate::sockjs_wire::{Wire, ask};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use wigeon_proto::limits::REQUEST_HEAD_BYTES_MAX;

/// What every answer below `/v1` has.
const ALWAYS: [(&str, &str); 5] = [
    ("cache-control", "no-store, no-transform"),
    ("x-accel-buffering", "no"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("vary", "Origin"),
];

/// A request's line, its headers, and the status it gets.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], u16);

#[tokio::test]
async fn every_answer_has_the_headers_of_all_and_every_refusal_says_why() {
    let server = Server::start().await;
    let ours = server.base();
    let bearer = format!("Bearer {}", server.user("ann").token().expect("a token"));
    let known = ("Authorization", &*bearer);
    let (evil, elsewhere) = (("Origin", "http://evil.example"), ("Host", "evil.example"));
    let asked: [Row<'_>; 16] = [
        ("GET /v1/events?transport=poll", &[known], 200),
        ("GET /v1/events?transport=poll", &[], 401),
        ("GET /v1/events?transport=poll", &[known, elsewhere], 421),
        ("GET /v1/events?transport=poll", &[known, evil], 403),
        ("GET /v1/events?transport=poll", &[known, ("Origin", &ours), evil], 403),
        ("GET /v1/events?transport=poll", &[known, ("Last-Event-ID", "é")], 400),
        ("GET /v1/events?transport=pigeon", &[known], 400),
        ("GET /v1/info", &[], 200),
        ("GET /v1/info", &[elsewhere], 421),
        ("GET /v1/info", &[evil], 403),
        ("GET /v1/nothing", &[], 404),
        ("GET /v1/rooms/%ff", &[known], 400),
        ("POST /v1/rooms/%ff/messages", &[known], 400),
        ("DELETE /v1/rooms", &[known], 405),
        ("POST /v1/commands", &[known], 400),
        ("OPTIONS /v1/commands", &[("Origin", &ours), ("Access-Control-Request-Method", "POST")], 204),
    ];
    // HTTP/1.0 is the library's on every path.
    for (line, version) in asked.iter().flat_map(|row| [(row, ""), (row, " HTTP/1.0")]) {
        let (line, headers, status) = *line;
        let answer = ask(&server, &format!("{line}{version}"), headers, "").await;
        let what = format!("{line}{version} {headers:?}: {answer:?}");
        assert_eq!(answer.head.status, status, "{what}");
        for (name, value) in ALWAYS {
            assert_eq!(answer.head.header(name), Some(value), "{name} of {what}");
        }
        if status >= 400 {
            assert_eq!(answer.head.header("content-type"), Some("application/problem+json"), "{what}");
            let problem = answer.json();
            assert_eq!(problem["status"], status, "{what}");
            assert!(problem["code"].is_string() && problem["detail"].is_string(), "{what}");
        }
    }
    let probe = ask(&server, "DELETE /healthz", &[], "").await;
    assert_eq!((probe.head.status, probe.json()["code"].as_str()), (405, Some("bad_request")));
}

#[tokio::test]
async fn an_answer_that_is_known_is_known_by_a_weak_tag_and_among_others() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.user("ann").token().expect("a token"));
    let read = async |known: &str| {
        let headers = [("Authorization", &*bearer), ("If-None-Match", known)];
        ask(&server, "GET /v1/events?transport=poll", &headers, "").await.head
    };
    let head = read("\"another\"").await;
    let tag = head.header("etag").expect("a tag");
    // A proxy that compresses makes it weak (RFC 9110, 8.8.1).
    for known in [tag, &format!("W/{tag}"), &format!("\"another\", {tag}")] {
        assert_eq!(read(known).await.status, 304, "{known}");
    }
}

#[tokio::test]
async fn a_connection_is_closed_for_who_says_so_among_other_words() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.user("ann").token().expect("a token"));
    let headers = [("Authorization", &*bearer), ("Connection", "TE, Close")];
    let answer = ask(&server, "GET /v1/events?transport=poll", &headers, "").await;
    assert_eq!(answer.head.header("connection"), Some("close"), "{answer:?}");
}

#[tokio::test]
async fn a_head_is_not_waited_for_beyond_its_bound() {
    let server = Server::start().await;
    for path in ["/v1/info", "/v1/events"] {
        let mut stream =
            TcpStream::connect(server.base().trim_start_matches("http://")).await.expect("a connection");
        let mut head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nX: ").into_bytes();
        head.resize(REQUEST_HEAD_BYTES_MAX, b'x');
        stream.write_all(&head).await.expect("sent");
        let mut line = [0; 12];
        soon("an answer", tokio::io::AsyncReadExt::read_exact(&mut stream, &mut line)).await.expect("bytes");
        assert_eq!(&line, b"HTTP/1.1 431", "{path}");
    }
}

#[tokio::test]
async fn a_stream_that_is_kept_in_memory_ends_at_its_bound_also_when_much_was_missed() {
    const BOUND: usize = 20_000;
    const TEXT: usize = 2_000;
    let server = Server::start_with(&[("WIGEON_STREAM_BYTES_MAX", &BOUND.to_string())]).await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let start = now(&bob).await;
    for _ in 0..30 {
        ann.command(send("d:ann~bob", &"x".repeat(TEXT))).await.expect("a message");
    }
    let bearer = format!("Bearer {}", bob.token().expect("a token"));
    for version in ["", " HTTP/1.0"] {
        let mut wire = Wire::open(&server).await;
        let line = format!("GET /v1/events?transport=ndjson&after={start}{version}");
        wire.send(&line, &[("Authorization", &bearer)], "").await;
        let is_chunked = wire.head().await.header("transfer-encoding") == Some("chunked");
        let mut body = String::new();
        if is_chunked {
            loop {
                let chunk = wire.chunk().await;
                if chunk.is_empty() {
                    break;
                }
                body += &chunk;
            }
        } else {
            body = wire.rest().await;
        }
        assert!((BOUND..BOUND + 2 * TEXT).contains(&body.len()), "{} bytes{version}", body.len());
    }
}
