//! A WebSocket: frames down, commands up.

use crate::limits::{ANSWER, FRAME_BYTES_MAX, SILENCE};
use crate::{Client, Error, Frame, ReadOptions, Reply, random};
use bytes::{Buf as _, Bytes, BytesMut};
use http::Method;
use http_body_util::BodyExt as _;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::collections::VecDeque;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout, timeout_at};
use wigeon_proto::transport::Transport;
use wigeon_proto::websocket::{Close, Decoder, Event, Opcode, Role, encode, handshake};

/// Reads of the socket are at most this long.
const READ_BYTES: usize = 16 * 1024;

/// An open WebSocket.
#[derive(Debug)]
pub struct Connection {
    io: TokioIo<Upgraded>,
    decoder: Decoder,
    input: BytesMut,
    /// What is still to be written: here and not in a future, so that a cancelled call loses nothing.
    output: BytesMut,
    frames: VecDeque<Frame>,
    end: Option<End>,
}

/// How the server ended it. Frames that came before are delivered first.
#[derive(Debug, Clone)]
enum End {
    /// With 1000 or without a code.
    Plainly,
    /// With a code that says something.
    Saying(Close),
}

impl Connection {
    /// Opens with the token in the header.
    pub async fn open(client: &Client, options: &ReadOptions) -> Result<Self, Error> {
        let bearer = client.bearer()?;
        let path = options.path(Transport::Websocket, None);
        Self::connect(client, &path, &[("authorization", &bearer)]).await
    }

    /// Opens at `path` with these headers beside the handshake's own; says nothing yet.
    pub async fn connect(client: &Client, path: &str, headers: &[(&str, &str)]) -> Result<Self, Error> {
        let key = handshake::key(random::bytes());
        let mut all = vec![
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", &*key),
        ];
        all.extend_from_slice(headers);
        let response = client.http.open(client.request(Method::GET, path, &all, "")?).await?;
        let status = response.status().as_u16();
        if status != 101 {
            let body = response.into_body().collect().await?.to_bytes();
            return Err(crate::http::refusal(status, &body));
        }
        let accept = response.headers().get("sec-websocket-accept").and_then(|value| value.to_str().ok());
        if accept != handshake::accept(&key).as_deref() {
            return Err(Error::Protocol("a handshake for another key".to_owned()));
        }
        let upgraded = timeout(ANSWER, hyper::upgrade::on(response)).await;
        let upgraded = upgraded.map_err(|_| Error::Deadline("upgrade"))??;
        Ok(Self {
            io: TokioIo::new(upgraded),
            decoder: Decoder::new(Role::Client, FRAME_BYTES_MAX),
            input: BytesMut::with_capacity(READ_BYTES),
            output: BytesMut::new(),
            frames: VecDeque::new(),
            end: None,
        })
    }

    /// Sends one text message: a command, an array of them, or whatever a test wants the server to refuse.
    pub async fn send(&mut self, text: &str) -> Result<(), Error> {
        self.queue(Opcode::Text, text.as_bytes());
        self.flush().await
    }

    /// Sends bytes as they are, past the codec: for tests of the server's own.
    pub async fn send_raw(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.output.extend_from_slice(bytes);
        self.flush().await
    }

    /// The next frame; `None` after a close with 1000 or no code, [`Error::Closed`] after any other.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Result<Option<Frame>, Error> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Ok(Some(frame));
            }
            match &self.end {
                Some(End::Plainly) => return Ok(None),
                Some(End::Saying(close)) => return Err(Error::Closed(Some(close.clone()))),
                None => {}
            }
            self.flush().await?;
            self.read(Instant::now() + SILENCE).await?;
        }
    }

    /// Sends commands and waits for their replies, in the order of the commands. Other frames stay for
    /// [`Self::next`].
    pub async fn commands(&mut self, commands: &[Value]) -> Result<Vec<Reply>, Error> {
        self.send(&serde_json::to_string(commands)?).await?;
        let deadline = Instant::now() + ANSWER;
        let mut replies = Vec::with_capacity(commands.len());
        for command in commands {
            loop {
                let found = self
                    .frames
                    .iter()
                    .position(|frame| frame.value.get("re").is_some_and(|re| *re == command["id"]));
                if let Some(frame) = found.and_then(|at| self.frames.remove(at)) {
                    replies.push(serde_json::from_value(frame.value)?);
                    break;
                }
                if self.end.is_some() {
                    return Err(Error::Closed(None));
                }
                self.read(deadline).await?;
            }
        }
        Ok(replies)
    }

    async fn read(&mut self, deadline: Instant) -> Result<(), Error> {
        self.input.reserve(READ_BYTES);
        let read = timeout_at(deadline, self.io.read_buf(&mut self.input)).await;
        if read.map_err(|_| Error::Deadline("heartbeat"))?.map_err(Error::Broken)? == 0 {
            return Err(Error::Closed(None));
        }
        let input = self.input.split().freeze();
        let mut rest = &input[..];
        while let Some(event) = self.decoder.decode(&mut rest)? {
            match event {
                Event::Text(text) => self.message(&Bytes::from(text))?,
                Event::Ping(payload) => self.queue(Opcode::Pong, &payload),
                Event::Pong(_) => {}
                Event::Binary(_) => return Err(Error::Protocol("a binary message".to_owned())),
                Event::Close(None | Some(Close { code: 1000, .. })) => self.end = Some(End::Plainly),
                Event::Close(Some(close)) => self.end = Some(End::Saying(close)),
            }
        }
        Ok(())
    }

    /// One message may hold several frames, one a line.
    fn message(&mut self, text: &Bytes) -> Result<(), Error> {
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            self.frames.push_back(Frame::parse(text.slice_ref(line))?);
        }
        Ok(())
    }

    fn queue(&mut self, opcode: Opcode, payload: &[u8]) {
        let mut frame = Vec::with_capacity(payload.len() + 14);
        encode::masked(&mut frame, opcode, random::bytes(), payload);
        self.output.extend_from_slice(&frame);
    }

    async fn flush(&mut self) -> Result<(), Error> {
        while self.output.has_remaining() {
            let wrote = timeout(SILENCE, self.io.write_buf(&mut self.output)).await;
            wrote.map_err(|_| Error::Deadline("room to write"))?.map_err(Error::Broken)?;
        }
        self.io.flush().await.map_err(Error::Broken)
    }
}
