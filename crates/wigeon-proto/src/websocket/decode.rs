//! Bytes of a WebSocket in, events out.
//!
//! Everything half-read lives in the struct, so a caller may stop between any two bytes and go on later: there
//! is no future whose cancellation could lose a byte. Memory is bounded by `message_bytes_max` and grows only
//! with bytes that arrived, not with lengths that were promised. Text is checked as it comes in, so that a
//! peer cannot make us collect a long message that was broken from its first byte. A compressed message is
//! collected as it came, under the same limit, and inflated at its end, under the limit again.
//!
//! ```text
//!          ┌────────────── frame ends ──────────────┐
//!          ▼                                        │
//!       Header ── data or control header ──▶ Payload(header, left)
//!          │                                        │
//!          └── violation ──▶ Failed      close ──▶ Closed: what follows is thrown away
//! ```

use super::Role;
use super::close::Close;
use super::deflate::inflate;
use super::encode::apply_mask;
use super::header::{HEADER_BYTES_MAX, Header, Opcode, Parsed, parse};
use super::negotiate::Deflate;
use thiserror::Error;

/// What a peer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A whole text message.
    Text(String),
    /// A whole binary message.
    Binary(Vec<u8>),
    /// Wants a pong with the same payload.
    Ping(Vec<u8>),
    /// Answers a ping of ours, or comes unasked.
    Pong(Vec<u8>),
    /// The last event there is.
    Close(Option<Close>),
}

/// What a peer did that ends the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Violation {
    /// Broke the protocol.
    #[error("WebSocket protocol: {0}")]
    Protocol(&'static str),
    /// Sent text that is not UTF-8.
    #[error("WebSocket text that is not UTF-8")]
    NotUtf8,
    /// Sent a compressed message that cannot be inflated.
    #[error("a WebSocket message that is not DEFLATE")]
    NotDeflate,
    /// Sent, or began, a message above the limit.
    #[error("a WebSocket message above the limit")]
    TooLarge,
}

impl Violation {
    /// The close code that tells the peer.
    pub fn close_code(self) -> u16 {
        match self {
            Self::Protocol(_) => 1002,
            Self::NotUtf8 | Self::NotDeflate => 1007,
            Self::TooLarge => 1009,
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum State {
    Header,
    Payload { header: Header, left: u64 },
    Closed,
    Failed(Violation),
}

/// A message of which the last fragment is not there yet.
#[derive(Debug)]
struct Message {
    text: bool,
    compressed: bool,
    bytes: Vec<u8>,
    /// How far `bytes` is known to be UTF-8; a character cut by the end of the input is not counted.
    valid: usize,
}

/// The reading half of one connection.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    message_bytes_max: usize,
    deflate: Option<Deflate>,
    state: State,
    head: [u8; HEADER_BYTES_MAX],
    head_length: usize,
    message: Option<Message>,
    control: Vec<u8>,
}

impl Decoder {
    /// `message_bytes_max` bounds a message over all its fragments, as it comes and as it is inflated.
    pub fn new(role: Role, message_bytes_max: usize) -> Self {
        Self {
            role,
            message_bytes_max,
            deflate: None,
            state: State::Header,
            head: [0; HEADER_BYTES_MAX],
            head_length: 0,
            message: None,
            control: Vec::new(),
        }
    }

    /// Reads compressed messages, too, where the handshake agreed on them.
    #[must_use]
    pub fn with_deflate(mut self, deflate: Option<Deflate>) -> Self {
        self.deflate = deflate;
        self
    }

    /// Takes bytes from the front of `input` up to the end of the next event. `Ok(None)` means that all of it
    /// is taken and more is needed. After a violation nothing is read any more.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Event>, Violation> {
        loop {
            let step = match self.state {
                State::Header => self.read_header(input),
                State::Payload { header, left } => self.read_payload(header, left, input),
                State::Closed => {
                    *input = &[];
                    return Ok(None);
                }
                State::Failed(violation) => return Err(violation),
            };
            match step {
                Ok(Step::Again) => {}
                Ok(Step::Starved) => return Ok(None),
                Ok(Step::Done(event)) => return Ok(Some(event)),
                Err(violation) => {
                    self.state = State::Failed(violation);
                    self.message = None;
                    return Err(violation);
                }
            }
        }
    }

    fn read_header(&mut self, input: &mut &[u8]) -> Result<Step, Violation> {
        loop {
            match parse(&self.head[..self.head_length]) {
                Parsed::Bad(what) => return Err(Violation::Protocol(what)),
                Parsed::Whole(header) => {
                    self.head_length = 0;
                    self.begin(header)?;
                    self.state = State::Payload { header, left: header.length };
                    return Ok(Step::Again);
                }
                Parsed::Need(length) => {
                    let taken = take(input, length - self.head_length);
                    if taken.is_empty() {
                        return Ok(Step::Starved);
                    }
                    self.head[self.head_length..][..taken.len()].copy_from_slice(taken);
                    self.head_length += taken.len();
                }
            }
        }
    }

    /// Refuses a frame that must not stand here before any of its payload is read.
    fn begin(&mut self, header: Header) -> Result<(), Violation> {
        if header.mask.is_some() != (self.role == Role::Server) {
            return Err(Violation::Protocol("masked where it must not be, or not where it must"));
        }
        // RFC 7692, 6: the first frame of a message says for all that it is compressed, and no control frame is.
        let may_be_compressed =
            self.deflate.is_some() && matches!(header.opcode, Opcode::Text | Opcode::Binary);
        if header.compressed && !may_be_compressed {
            return Err(Violation::Protocol("a reserved bit is set"));
        }
        if header.opcode.is_control() {
            return Ok(());
        }
        match (header.opcode, &self.message) {
            (Opcode::Continuation, None) => Err(Violation::Protocol("a fragment of nothing")),
            (Opcode::Text | Opcode::Binary, Some(_)) => Err(Violation::Protocol("a message inside another")),
            (_, message) => {
                let so_far = message.as_ref().map_or(0, |m| m.bytes.len()) as u64;
                if header.length > self.message_bytes_max as u64 - so_far {
                    return Err(Violation::TooLarge);
                }
                let (text, compressed) = (header.opcode == Opcode::Text, header.compressed);
                self.message.get_or_insert(Message { text, compressed, bytes: Vec::new(), valid: 0 });
                Ok(())
            }
        }
    }

    fn read_payload(&mut self, header: Header, left: u64, input: &mut &[u8]) -> Result<Step, Violation> {
        let taken = take(input, usize::try_from(left).unwrap_or(usize::MAX));
        let buffer = match &mut self.message {
            Some(message) if !header.opcode.is_control() => &mut message.bytes,
            _ => &mut self.control,
        };
        let start = buffer.len();
        buffer.extend_from_slice(taken);
        if let Some(mut key) = header.mask {
            key.rotate_left(((header.length - left) % 4) as usize);
            apply_mask(&mut buffer[start..], key);
        }
        let left = left - taken.len() as u64;
        self.state = if left == 0 { State::Header } else { State::Payload { header, left } };
        if header.opcode.is_control() {
            return if left == 0 { self.end_control(header.opcode) } else { Ok(Step::Starved) };
        }
        if left == 0 && header.last {
            return self.end_message();
        }
        if let Some(message) = &mut self.message {
            message.check()?;
        }
        Ok(if left == 0 { Step::Again } else { Step::Starved })
    }

    fn end_control(&mut self, opcode: Opcode) -> Result<Step, Violation> {
        let payload = std::mem::take(&mut self.control);
        Ok(Step::Done(match opcode {
            Opcode::Ping => Event::Ping(payload),
            Opcode::Pong => Event::Pong(payload),
            _ => {
                let close = Close::parse(&payload)?;
                self.state = State::Closed;
                self.message = None;
                Event::Close(close)
            }
        }))
    }

    fn end_message(&mut self) -> Result<Step, Violation> {
        let Some(Message { text, compressed, mut bytes, .. }) = self.message.take() else {
            return Ok(Step::Again);
        };
        if compressed {
            bytes = inflate(bytes, self.message_bytes_max)?;
        }
        Ok(Step::Done(if text {
            Event::Text(String::from_utf8(bytes).map_err(|_| Violation::NotUtf8)?)
        } else {
            Event::Binary(bytes)
        }))
    }
}

enum Step {
    Again,
    Starved,
    Done(Event),
}

impl Message {
    /// Fails as soon as no further byte could make this UTF-8.
    fn check(&mut self) -> Result<(), Violation> {
        if !self.text || self.compressed {
            return Ok(());
        }
        match simdutf8::compat::from_utf8(&self.bytes[self.valid..]) {
            Ok(_) => self.valid = self.bytes.len(),
            Err(error) if error.error_len().is_none() => self.valid += error.valid_up_to(),
            Err(_) => return Err(Violation::NotUtf8),
        }
        Ok(())
    }
}

/// The front of `input`, at most `length` bytes, which it then no longer has.
fn take<'a>(input: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (front, rest) = input.split_at(length.min(input.len()));
    *input = rest;
    front
}
