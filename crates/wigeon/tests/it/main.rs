//! The program from outside: a real process, real sockets, kill -9.
//!
//! One module per story. Whatever is random prints its seed; `WIGEON_SEED=<number>` repeats it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "seeds, figures and the server's log belong to a test's output"
)]

mod answers;
mod backup;
mod bad_input;
mod connections;
mod cursors;
mod deflate;
mod dice;
mod equivalence;
mod fsync;
mod intervals;
mod keeping;
mod kill;
mod large_group;
mod membership;
mod ops;
mod previews;
mod raw;
mod retention;
mod retry;
mod search;
mod server;
mod shutdown;
mod slow_reader;
mod sockjs;
mod sockjs_chat;
mod sockjs_sockets;
mod sockjs_wire;
mod switching;
mod tickets;
