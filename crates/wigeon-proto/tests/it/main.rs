//! The wire, byte by byte: framings against golden files, the WebSocket codec against the RFC.

mod deflate;
mod framing;
mod golden;
mod protocol;
mod websocket;
mod websocket_chunks;
