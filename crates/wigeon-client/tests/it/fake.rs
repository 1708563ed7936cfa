//! A server with a little of the protocol, which cuts connections when it is told to.
//!
//! It keeps a log of texts, speaks `ndjson`, `sse` and `poll`, applies commands once per id, and can lose any
//! answer. What it does not do is be right about anything else.

use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use wigeon_proto::cursor::{Cursor, Epoch};
use wigeon_proto::framing::{Framing, poll};

#[derive(Default)]
struct State {
    epoch: u64,
    texts: Vec<String>,
    ids: HashSet<String>,
    requests: Vec<String>,
    /// A stream is cut in the middle of its next frame once it has sent this many.
    cut_after: Option<usize>,
    /// So many answers to commands are lost after the commands were applied.
    lose_replies: usize,
}

/// The server's handle; it ends with the runtime.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) base: String,
    state: Arc<Mutex<State>>,
    changed: watch::Sender<()>,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let fake = Self { base, state: Arc::default(), changed: watch::Sender::new(()) };
        let serving = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        fake
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().expect("no panic inside"))
    }

    /// The same, and wakes the streams.
    fn change(&self, change: impl FnOnce(&mut State)) {
        self.with(change);
        self.changed.send_replace(());
    }

    pub(crate) fn append(&self, text: &str) {
        self.change(|state| state.texts.push(text.to_owned()));
    }

    pub(crate) fn cut_after(&self, frames: usize) {
        self.change(|state| state.cut_after = Some(frames));
    }

    pub(crate) fn lose_replies(&self, count: usize) {
        self.change(|state| state.lose_replies = count);
    }

    /// Another log under another epoch; its first event cuts every stream.
    pub(crate) fn restore(&self, texts: &[&str]) {
        self.with(|state| {
            state.epoch += 1;
            state.texts = texts.iter().map(|text| (*text).to_owned()).collect();
        });
        self.cut_after(0);
        self.append("cuts");
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.with(|state| state.texts.clone())
    }

    pub(crate) fn requests(&self, of: &str) -> usize {
        self.with(|state| state.requests.iter().filter(|path| path.contains(of)).count())
    }

    fn end(&self) -> usize {
        self.with(|state| state.texts.len())
    }

    fn epoch(&self) -> Epoch {
        Epoch::new(self.with(|state| state.epoch))
    }

    fn cursor(&self, position: usize) -> String {
        Cursor { epoch: self.epoch(), position: position as u64 }.to_string()
    }

    async fn serve(self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let (mut line, mut length) = (String::new(), 0);
            stream.read_line(&mut line).await.ok()?;
            let path = line.split(' ').nth(1)?.to_owned();
            loop {
                let mut header = String::new();
                stream.read_line(&mut header).await.ok()?;
                match header.trim_end().split_once(": ") {
                    Some(("content-length", value)) => length = value.parse().ok()?,
                    Some(_) => {}
                    None => break,
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.ok()?;
            self.with(|state| state.requests.push(path.clone()));
            match path.split_once("transport=") {
                None => self.commands(stream.get_mut(), &body).await?,
                Some((_, rest)) if rest.starts_with("poll") => self.poll(stream.get_mut(), &path).await?,
                Some((_, rest)) => {
                    let framing = if rest.starts_with("sse") { Framing::Sse } else { Framing::Ndjson };
                    return self.stream(stream.get_mut(), &path, &framing).await;
                }
            }
        }
    }

    async fn commands(&self, stream: &mut TcpStream, body: &[u8]) -> Option<()> {
        let commands: Vec<Value> = serde_json::from_slice(body).ok()?;
        let replies: Vec<Value> = commands.iter().map(|command| self.command(command)).collect();
        let lost = self.with(|state| {
            let lost = state.lose_replies > 0;
            state.lose_replies = state.lose_replies.saturating_sub(1);
            lost
        });
        if lost { None } else { answer(stream, json!({ "replies": replies }).to_string().as_bytes()).await }
    }

    fn command(&self, command: &Value) -> Value {
        let id = command["id"].as_str().expect("an id").to_owned();
        if command["type"] == "snapshot" {
            return json!({ "re": id, "ok": { "cursor": self.cursor(self.end()) } });
        }
        if self.with(|state| state.ids.insert(id.clone())) {
            self.append(command["body"]["text"].as_str().expect("a text"));
        }
        json!({ "re": id, "ok": {} })
    }

    /// Where a read begins: a position, or a reset.
    fn begin(&self, path: &str) -> Result<usize, String> {
        let end = self.end();
        let Some((_, rest)) = path.split_once("after=") else { return Ok(end) };
        let after = Cursor::parse(rest.split('&').next().unwrap_or_default()).expect("a cursor of ours");
        if after.epoch == self.epoch() {
            Ok(after.position as usize)
        } else {
            Err(json!({ "type": "reset", "reason": "epoch", "cursor": self.cursor(end) }).to_string())
        }
    }

    fn event(&self, position: usize) -> Vec<u8> {
        let text = self.texts()[position].clone();
        json!({ "type": "message", "cursor": self.cursor(position + 1), "body": { "text": text } })
            .to_string()
            .into_bytes()
    }

    async fn poll(&self, stream: &mut TcpStream, path: &str) -> Option<()> {
        let mut frames = poll::Answer::default();
        let end = self.end();
        match self.begin(path) {
            Ok(start) => (start..end).for_each(|at| frames.push(&self.event(at))),
            Err(reset) => frames.push(reset.as_bytes()),
        }
        let cursor = self.cursor(end);
        let tail = poll::Tail { cursor: &cursor, more: false, ticket: None, unavailable: &[] };
        answer(stream, &frames.finish(tail)).await
    }

    async fn stream(&self, stream: &mut TcpStream, path: &str, framing: &Framing) -> Option<()> {
        let mut changed = self.changed.subscribe();
        let mut out = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
        let (mut at, reset) = match self.begin(path) {
            Ok(at) => (at, None),
            Err(reset) => (self.end(), Some(reset)),
        };
        let ready = json!({ "type": "ready", "cursor": self.cursor(at) }).to_string();
        framing.frame(&mut out, None, ready.as_bytes());
        if let Some(reset) = reset {
            framing.frame(&mut out, None, reset.as_bytes());
        }
        let mut sent = 0;
        loop {
            changed.mark_unchanged();
            let end = self.end();
            for at in std::mem::replace(&mut at, end)..end {
                let mut frame = Vec::new();
                framing.frame(&mut frame, None, &self.event(at));
                if self.with(|state| state.cut_after.take_if(|after| *after <= sent)).is_some() {
                    frame.truncate(frame.len() / 2);
                    stream.write_all(&[out, frame].concat()).await.ok()?;
                    return None;
                }
                out.extend_from_slice(&frame);
                sent += 1;
            }
            stream.write_all(&std::mem::take(&mut out)).await.ok()?;
            changed.changed().await.ok()?;
        }
    }
}

async fn answer(stream: &mut TcpStream, body: &[u8]) -> Option<()> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).await.ok()
}
