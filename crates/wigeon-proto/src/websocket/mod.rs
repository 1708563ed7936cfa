//! The WebSocket protocol (RFC 6455) as values: bytes in, events out; messages in, bytes out.
//!
//! Our own, because a library that owns the socket writes one message per receiver per call, and that is
//! what fan-out spends nearly all its time on: here a frame is framed once and the same bytes go to everybody.
//! The one extension is `permessage-deflate` (RFC 7692), for those who ask: [`negotiate`] agrees on it, so that a
//! compressed frame, too, is made once for everybody.

mod close;
mod decode;
mod deflate;
pub mod encode;
pub mod handshake;
mod header;
mod negotiate;

pub use close::Close;
pub use decode::{Decoder, Event, Violation};
pub use header::Opcode;
pub use negotiate::{Deflate, negotiate};

/// Which end of the connection we are: clients mask what they send, servers do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads masked frames.
    Server,
    /// Reads unmasked frames.
    Client,
}
