//! The words of Wigeon, and how they look on the wire.
//!
//! Ids, cursors, commands, events, frames, errors and limits, shared by the server, the client and the
//! tests; below them the framings that carry the same frame bytes over each transport. No I/O, no
//! clock, no chance: every function here maps values to bytes or bytes to values.
//!
//! Read in this order: [`id`], [`cursor`], [`command`], [`event`], [`frame`], [`error`], [`limits`],
//! then [`transport`], [`framing`], [`websocket`] and [`sockjs`].

pub mod command;
pub mod cursor;
pub mod error;
pub mod event;
pub mod frame;
pub mod framing;
pub mod id;
pub mod json;
pub mod limits;
pub mod reply;
pub mod room;
pub mod sockjs;
pub mod transport;
pub mod websocket;
