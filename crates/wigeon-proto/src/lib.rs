//! The words of Wigeon, and how they look on the wire.
//!
//! Ids, cursors, commands, frames, errors and limits, shared by the server, the client and the tests;
//! below them the framings that carry the same frame bytes over each transport. No I/O, no clock, no
//! chance: every function here maps values to bytes or bytes to values.

pub mod framing;
pub mod websocket;
