//! SockJS 0.3.3, as values: what a path asks for, what the messages of a payload are, and how frames look.
//!
//! SockJS puts its own small protocol between a page and a server: a session opens (`o`), beats (`h`),
//! carries arrays of messages (`a[…]`) and closes (`c[code,"reason"]`). One message of it is one Wigeon
//! frame on the way down, and the text of one or several commands on the way up.

pub mod frame;
pub mod framing;
pub mod path;
pub mod payload;

pub use frame::Frame;
pub use framing::{Callback, Framing};
pub use path::{Path, Way};
