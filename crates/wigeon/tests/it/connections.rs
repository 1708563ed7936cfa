//! Connections that end: what they held is given back, and the end is prompt.

use crate::ops::{frame, now};
use crate::server::{Server, send, soon};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;
use wigeon_client::{Client, Method, ReadOptions};
use wigeon_proto::limits::HEARTBEAT_MS;
use wigeon_proto::transport::Transport;
use wigeon_proto::websocket::{Opcode, encode};

/// Opens `path` by hand, so that the connection can be dropped at any point.
pub(crate) async fn knock(client: &Client, path: &str, more: &str) -> TcpStream {
    let host = client.base().strip_prefix("http://").expect("a base").to_owned();
    let token = client.token().expect("a token");
    let mut stream = TcpStream::connect(&host).await.expect("a connection");
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n{more}\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    stream
}

async fn web_socket(client: &Client) -> TcpStream {
    let upgrade = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    knock(client, "/v1/events", upgrade).await
}

pub(crate) async fn feeds(client: &Client) -> String {
    metric(client, "wigeon_feeds ").await.expect("the gauge of feeds")
}

/// A metric's value, once there is one.
async fn metric(client: &Client, name: &str) -> Option<String> {
    let answer = client.raw(Method::GET, "/metrics", &[], "").await.expect("the metrics");
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
}

#[tokio::test]
async fn what_has_not_happened_yet_is_counted_as_0() {
    let server = Server::start().await;
    for name in [
        "wigeon_frames_sent_total",
        "wigeon_commands_total",
        "wigeon_sockjs_sessions",
        "wigeon_reads_total{transport=\"sse\"}",
        "wigeon_command_errors_total{code=\"unavailable\"}",
        "wigeon_previews_total{outcome=\"slow\"}",
    ] {
        assert_eq!(metric(&server.anybody(), &format!("{name} ")).await.as_deref(), Some("0"), "{name}");
    }
}

#[tokio::test]
async fn frames_are_counted_whoever_writes_them() {
    let server = Server::start().await;
    let service = server.service();
    service.command(send("one", "before")).await.expect("a service makes channels");
    let start = now(&service).await;
    let options = ReadOptions { rooms: vec!["one".to_owned()], ..ReadOptions::after(Some(&start)) };
    let mut reader = service.read(Transport::Ndjson, options);
    assert_eq!(frame(&mut reader).await.kind(), "ready");
    // The reader is level: the hub writes this one, with no task in between.
    service.command(send("one", "live")).await.expect("an ack");
    assert_eq!(frame(&mut reader).await.kind(), "message");
    let count = async || metric(&service, "wigeon_frames_sent_total ").await;
    soon("the count", async {
        while count().await.is_none_or(|sent| sent == "0") {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_goes_while_its_feed_opens_leaves_nothing() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let after = now(&ann).await;
    for round in 0..300 {
        let transport = ["sse", "ndjson", "longpoll&wait=30"][round % 3];
        let mut stream = knock(&ann, &format!("/v1/events?transport={transport}&after={after}"), "").await;
        if round % 2 == 0 {
            // Now and then a little later, when the answer is on its way.
            let _ = tokio::time::timeout(Duration::from_micros(500), stream.read(&mut [0; 64])).await;
        }
        drop(stream);
        drop(web_socket(&ann).await);
    }
    soon("every feed to be let go", async {
        while feeds(&ann).await != "0" {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn after_both_have_said_close_the_server_hangs_up_at_once() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let mut bad = Vec::new();
    encode::text(&mut bad, "unmasked");
    let mut good = Vec::new();
    encode::masked(&mut good, Opcode::Close, [1, 2, 3, 4], &encode::close_payload(1000, ""));
    // The client begins; the server begins, for a reason, and the client answers.
    for said in [good.clone(), [bad, good].concat()] {
        let mut waits = Vec::new();
        // A server that waited for more would do so each time, for two seconds; a busy machine is late now and then.
        while waits.iter().all(|wait| *wait >= Duration::from_secs(1)) {
            assert!(waits.len() < 10, "hung up after {waits:?}");
            let mut stream = web_socket(&ann).await;
            let mut head = [0; 512];
            assert!(soon("the upgrade", stream.read(&mut head)).await.expect("an answer") > 0);
            stream.write_all(&said).await.expect("sent");
            let began = Instant::now();
            let mut rest = Vec::new();
            soon("the end", stream.read_to_end(&mut rest)).await.expect("a clean end");
            waits.push(began.elapsed());
        }
    }
}

#[tokio::test]
async fn what_is_said_in_one_breath_with_the_upgrade_is_answered_at_once() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let host = ann.base().strip_prefix("http://").expect("a base").to_owned();
    let hello = format!(r#"{{"id":"h","type":"hello","token":"{}"}}"#, ann.token().expect("a token"));
    let mut said = format!(
        "GET /v1/events HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .into_bytes();
    for command in [hello.as_str(), r#"{"id":"p","type":"ping"}"#, r#"{"id":"s","type":"snapshot"}"#] {
        encode::masked(&mut said, Opcode::Text, [1, 2, 3, 4], command.as_bytes());
    }
    let mut stream = TcpStream::connect(&host).await.expect("a connection");
    stream.write_all(&said).await.expect("sent");
    let (began, mut seen) = (Instant::now(), Vec::new());
    let all = |seen: &[u8]| {
        let text = String::from_utf8_lossy(seen);
        ["101 ", r#""re":"h""#, r#""re":"p""#, r#""re":"s""#].iter().all(|part| text.contains(part))
    };
    soon("every reply", async {
        while !all(&seen) {
            assert!(stream.read_buf(&mut seen).await.expect("bytes") > 0);
        }
    })
    .await;
    // Not with the next heartbeat, which is at most a tenth early.
    let beat = Duration::from_millis(HEARTBEAT_MS * 9 / 10);
    assert!(began.elapsed() < beat, "after {:?}", began.elapsed());
}

#[tokio::test]
async fn nothing_is_upgraded_that_does_not_ask_for_it() {
    let server = Server::start().await;
    let ann = server.user("ann");
    // What a proxy leaves of an upgrade when it does not know the word.
    let left = "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let mut stream = knock(&ann, "/v1/events?transport=websocket", left).await;
    let mut head = [0; 12];
    soon("an answer", stream.read_exact(&mut head)).await.expect("bytes");
    assert_eq!(&head, b"HTTP/1.1 426");
}
