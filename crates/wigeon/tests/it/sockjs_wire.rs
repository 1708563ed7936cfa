//! HTTP and WebSocket by the byte, for the stories of SockJS: what is tested there is the wire itself.

use crate::server::{Server, soon};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wigeon_client::fresh_id;
use wigeon_proto::websocket::{Decoder, Event, Opcode, Role, encode};

/// A connection that speaks HTTP.
pub(crate) struct Wire {
    stream: TcpStream,
    host: String,
    input: Vec<u8>,
}

/// The head of a response.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    /// A header's value, or nothing.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn is(&self, status: u16, body: &str) {
        assert_eq!((self.head.status, self.body.as_str()), (status, body), "{:?}", self.head);
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// One request on a connection of its own.
pub(crate) async fn ask(server: &Server, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut wire = Wire::open(server).await;
    wire.ask(line, headers, body).await
}

impl Wire {
    pub(crate) async fn open(server: &Server) -> Self {
        let host = server.base().trim_start_matches("http://").to_owned();
        let stream = soon("a connection", TcpStream::connect(host.as_str())).await.expect("a connection");
        Self { stream, host, input: Vec::new() }
    }

    /// Sends a request; `line` is method and path, and HTTP/1.1 unless it says otherwise.
    pub(crate) async fn send(&mut self, line: &str, headers: &[(&str, &str)], body: &str) {
        let version = if line.contains(" HTTP/") { "" } else { " HTTP/1.1" };
        let mut lines = vec![format!("{line}{version}")];
        if headers.iter().all(|(name, _)| !name.eq_ignore_ascii_case("host")) {
            lines.push(format!("Host: {}", self.host));
        }
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        if !body.is_empty() || line.starts_with("POST") {
            lines.push(format!("Content-Length: {}", body.len()));
        }
        let request = lines.join("\r\n") + "\r\n\r\n" + body;
        self.stream.write_all(request.as_bytes()).await.expect("sent");
    }

    /// Sends a request and reads its whole response.
    pub(crate) async fn ask(&mut self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send(line, headers, body).await;
        let head = self.head().await;
        let length = head.header("content-length").map_or(0, |length| length.parse().expect("a number"));
        let body = String::from_utf8(self.bytes(length).await).expect("UTF-8");
        Answer { head, body }
    }

    pub(crate) async fn head(&mut self) -> Head {
        let end = self.find(b"\r\n\r\n").await;
        let text = String::from_utf8(self.bytes(end + 4).await).expect("UTF-8");
        let mut lines = text.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
        let status = status.parse().expect("a status");
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Head { status, headers }
    }

    /// The next chunk of a chunked body; nothing at its end.
    pub(crate) async fn chunk(&mut self) -> String {
        let end = self.find(b"\r\n").await;
        let size = String::from_utf8(self.bytes(end + 2).await).expect("UTF-8");
        let size = usize::from_str_radix(size.trim_end(), 16).expect("a size");
        let mut chunk = self.bytes(size + 2).await;
        chunk.truncate(size);
        String::from_utf8(chunk).expect("UTF-8")
    }

    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.input.len() < count {
            assert!(self.more().await, "it ended: {}", String::from_utf8_lossy(&self.input));
        }
        self.input.drain(..count).collect()
    }

    /// Everything up to the end of the connection.
    pub(crate) async fn rest(mut self) -> String {
        while self.more().await {}
        String::from_utf8(self.input).expect("UTF-8")
    }

    async fn find(&mut self, what: &[u8]) -> usize {
        loop {
            if let Some(at) = self.input.windows(what.len()).position(|window| window == what) {
                return at;
            }
            assert!(self.more().await, "it ended: {}", String::from_utf8_lossy(&self.input));
        }
    }

    async fn more(&mut self) -> bool {
        // A connection that was reset has ended as well.
        soon("bytes", self.stream.read_buf(&mut self.input)).await.unwrap_or(0) > 0
    }
}

/// A session's address that nobody else has.
pub(crate) fn fresh_session(face: &str) -> String {
    format!("{face}/000/{}", fresh_id())
}

/// A stream that is read chunk by chunk, opened with its prelude read.
pub(crate) async fn stream(server: &Server, line: &str) -> Wire {
    let mut wire = Wire::open(server).await;
    wire.send(line, &[], "").await;
    let head = wire.head().await;
    assert_eq!(head.status, 200, "{line}: {head:?}");
    wire.chunk().await;
    wire
}

/// The messages of an `a` frame.
pub(crate) fn messages(frame: &str) -> Vec<Value> {
    let array = frame.trim_end().strip_prefix('a').unwrap_or_else(|| panic!("no messages: {frame}"));
    let texts: Vec<String> = serde_json::from_str(array).expect("an array of strings");
    texts.iter().map(|text| serde_json::from_str(text).expect("JSON in JSON")).collect()
}

/// A WebSocket, from the client's side.
pub(crate) struct Socket {
    wire: Wire,
    decoder: Decoder,
}

pub(crate) const UPGRADE: [(&str, &str); 4] = [
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "WebSocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "x3JJHMbDL1EzLkh9GBhXDw=="),
];

impl Socket {
    pub(crate) async fn open(server: &Server, path: &str) -> Self {
        let mut wire = Wire::open(server).await;
        wire.send(&format!("GET {path}"), &UPGRADE, "").await;
        let head = wire.head().await;
        assert_eq!(head.status, 101, "{head:?}");
        assert_eq!(head.header("sec-websocket-accept"), Some("HSmrc0sMlYUkAGmm5OPpG2HaGWk="));
        Self { wire, decoder: Decoder::new(Role::Client, 1 << 20) }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.send_as(Opcode::Text, text.as_bytes()).await;
    }

    pub(crate) async fn send_as(&mut self, opcode: Opcode, payload: &[u8]) {
        let mut out = Vec::new();
        encode::masked(&mut out, opcode, [1, 2, 3, 4], payload);
        self.send_raw(&out).await;
    }

    /// Several frames in one write.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.wire.stream.write_all(bytes).await.expect("sent");
    }

    /// The next event; none once the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            let mut input = self.wire.input.as_slice();
            let event = self.decoder.decode(&mut input).expect("what a server may say");
            let taken = self.wire.input.len() - input.len();
            self.wire.input.drain(..taken);
            if event.is_some() {
                return event;
            }
            if !self.wire.more().await {
                return None;
            }
        }
    }

    pub(crate) async fn text(&mut self) -> String {
        match self.next().await {
            Some(Event::Text(text)) => text,
            other => panic!("no text: {other:?}"),
        }
    }

    /// The code and reason it was closed with.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        match self.next().await {
            Some(Event::Close(Some(close))) => (close.code, close.reason),
            other => panic!("no close: {other:?}"),
        }
    }
}
