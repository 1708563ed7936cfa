//! Compression on a WebSocket (RFC 7692), as its bytes are on the wire.

use crate::connections::knock;
use crate::ops::group;
use crate::server::{Server, send, soon};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wigeon_client::Client;
use wigeon_proto::limits::{BODY_BYTES_MAX, DEFLATE_BYTES_MIN};
use wigeon_proto::websocket::{Decoder, Event, Opcode, Role, encode, negotiate};

/// First bytes of frames: a whole text, plain and compressed.
const PLAIN: u8 = 0x81;
const COMPRESSED: u8 = 0xc1;

const CHROME: &str = "permessage-deflate; client_max_window_bits";

/// A socket and what was read of it.
struct Socket {
    stream: TcpStream,
    input: Vec<u8>,
    /// What was agreed on.
    extensions: Option<String>,
}

impl Socket {
    /// Opens with these headers, up to `ready`.
    async fn open(client: &Client, more: &str) -> Self {
        let upgrade = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let stream = knock(client, "/v1/events", &format!("{upgrade}{more}")).await;
        let mut socket = Self { stream, input: Vec::new(), extensions: None };
        let end = loop {
            let end = socket.input.windows(4).position(|window| window == b"\r\n\r\n");
            match end {
                Some(end) => break end + 4,
                None => socket.read().await,
            }
        };
        let head = String::from_utf8(socket.input.drain(..end).collect()).expect("a head");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let extensions = lines.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-extensions"));
        socket.extensions = extensions.map(|(_, value)| value.to_owned());
        assert_eq!(socket.next().await.0[0], PLAIN, "`ready` is short");
        socket
    }

    async fn read(&mut self) {
        let count = soon("bytes", self.stream.read_buf(&mut self.input)).await.expect("a read");
        assert!(count > 0, "the server hung up");
    }

    /// The next frame, as it came and as it is meant.
    async fn next(&mut self) -> (Vec<u8>, Event) {
        loop {
            let deflate = self.extensions.as_deref().and_then(|answer| negotiate([answer], ""));
            let mut decoder = Decoder::new(Role::Client, BODY_BYTES_MAX).with_deflate(deflate);
            let mut rest = &self.input[..];
            if let Some(event) = decoder.decode(&mut rest).expect("a frame") {
                let length = self.input.len() - rest.len();
                return (self.input.drain(..length).collect(), event);
            }
            self.read().await;
        }
    }

    /// The next frame of this type, its bytes and its JSON.
    async fn frame_of(&mut self, kind: &str) -> (Vec<u8>, String) {
        loop {
            let (bytes, event) = self.next().await;
            let Event::Text(text) = event else { panic!("{event:?}") };
            let json: Value = serde_json::from_str(&text).expect("JSON");
            if json["type"] == kind {
                return (bytes, text);
            }
        }
    }

    /// Sends a message compressed, as our encoder does it.
    async fn send_deflated(&mut self, text: &str) {
        let mut ours = Vec::new();
        assert!(encode::deflated(&mut ours, Opcode::Text, text.as_bytes()));
        let payload = if ours[1] == 126 { &ours[4..] } else { &ours[2..] };
        let mut frame = Vec::new();
        encode::masked(&mut frame, Opcode::Text, [1, 2, 3, 4], payload);
        frame[0] = ours[0];
        self.stream.write_all(&frame).await.expect("sent");
    }

    async fn close_code(&mut self) -> u16 {
        loop {
            if let (_, Event::Close(close)) = self.next().await {
                return close.expect("a reason").code;
            }
        }
    }
}

fn offer(extensions: &str) -> String {
    format!("sec-websocket-extensions: {extensions}\r\n")
}

#[tokio::test]
async fn a_long_event_is_the_same_compressed_bytes_for_everybody_who_agreed() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &["bob", "cat", "dan", "eve"]).await;
    let mut bob = Socket::open(&server.user("bob"), &offer(CHROME)).await;
    let mut cat = Socket::open(&server.user("cat"), &offer("permessage-deflate")).await;
    let mut dan = Socket::open(&server.user("dan"), "").await;
    let mut eve =
        Socket::open(&server.user("eve"), &offer("permessage-deflate; server_max_window_bits=9")).await;
    let answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    assert_eq!(bob.extensions.as_deref(), Some(answer));
    assert_eq!((cat.extensions.as_deref(), dan.extensions.as_deref()), (Some(answer), None));
    assert_eq!(eve.extensions, Some(format!("{answer}; server_max_window_bits=9")));

    ann.command(send(&room, &"so it goes, ".repeat(100))).await.expect("sent");
    let (plain, json) = dan.frame_of("message").await;
    let (compressed, inflated) = bob.frame_of("message").await;
    assert_eq!((plain[0], compressed[0]), (PLAIN, COMPRESSED));
    assert_eq!(inflated, json, "and it is the same event");
    assert!(compressed.len() < plain.len() / 4, "{} of {}", compressed.len(), plain.len());
    assert_eq!(cat.frame_of("message").await.0, compressed);
    assert_eq!(eve.frame_of("message").await.0, plain, "it might not fit into a window of 512 bytes");

    ann.command(send(&room, "so it goes")).await.expect("sent");
    let (plain, _) = dan.frame_of("message").await;
    assert!(plain.len() < DEFLATE_BYTES_MIN);
    assert_eq!(bob.frame_of("message").await.0, plain, "a short one is not worth it");
}

#[tokio::test]
async fn a_command_may_come_compressed() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    let mut socket = Socket::open(&ann, &offer(CHROME)).await;
    let text = "as long as a story ".repeat(50);
    socket.send_deflated(&send(&room, &text).to_string()).await;
    let (_, message) = socket.frame_of("message").await;
    let message: Value = serde_json::from_str(&message).expect("JSON");
    assert_eq!(message["body"]["text"], *text);
}

#[tokio::test]
async fn a_bomb_is_too_large_and_what_was_not_agreed_on_is_refused() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let bomb = "a".repeat(BODY_BYTES_MAX + 1);
    let mut agreed = Socket::open(&ann, &offer(CHROME)).await;
    agreed.send_deflated(&bomb).await;
    assert_eq!(agreed.close_code().await, 1009);
    let mut plain = Socket::open(&ann, "").await;
    plain.send_deflated(&bomb).await;
    assert_eq!(plain.close_code().await, 1002);
}

#[tokio::test]
async fn a_browser_that_would_break_on_it_is_not_answered() {
    let server = Server::start().await;
    let agent = "user-agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 12_2) AppleWebKit/605.1.15 Version/15.2 Safari/605.1.15\r\n";
    let socket = Socket::open(&server.user("ann"), &format!("{agent}{}", offer("permessage-deflate"))).await;
    assert_eq!(socket.extensions, None);
}
