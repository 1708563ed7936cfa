//! The other side of Wigeon, in Rust: for tests, benchmarks and the doctor.
//!
//! A [`Client`] asks and commands over HTTP; a [`Reader`] follows the log over one transport; a [`Session`]
//! keeps a conversation going over whichever transport there is. Plain HTTP only, because all of its users
//! speak to a server next to them.

mod answer;
mod backoff;
mod client;
mod error;
mod frame;
mod http;
mod limits;
mod outbox;
mod parse;
mod poller;
mod progress;
mod random;
mod read;
mod reader;
mod reply;
mod session;
mod stream;
mod task;
mod websocket;

pub use ::http::Method;
pub use answer::Answer as PollAnswer;
pub use backoff::Backoff;
pub use client::{Client, Guest, Uplink};
pub use error::Error;
pub use frame::Frame;
pub use http::Answer;
pub use outbox::Receipt;
pub use parse::{BadStream, Parser};
pub use progress::is_new;
pub use random::fresh_id;
pub use read::{Item, ReadOptions};
pub use reader::Reader;
pub use reply::Reply;
pub use session::{Notice, Session, SessionOptions};
pub use websocket::Connection;
