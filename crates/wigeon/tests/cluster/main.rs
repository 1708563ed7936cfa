//! Three nodes on three servers of NATS, all real processes on this machine.
//!
//! First the stories of a single server, word for word, through a proxy that sends each request to another node;
//! then what only a cluster goes through. Whatever is random prints its seed; `WIGEON_SEED=<number>` repeats it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "seeds, figures and the nodes' logs belong to a test's output"
)]

mod absent;
mod alone;
mod begin;
mod faults;
mod hand;
mod link;
mod moving;
mod nats;
mod node;
mod proxy;
mod replicas;
mod server;
mod signals;
mod turns;
mod upgrade;

#[path = "../it/dice.rs"]
mod dice;
#[allow(dead_code, reason = "shared with the stories of a single server, which need more of it")]
#[path = "../it/ops.rs"]
mod ops;
#[allow(dead_code, reason = "shared with the stories of a single server, which need more of it")]
#[path = "../it/server.rs"]
mod single;

#[path = "../torture/chaos.rs"]
mod chaos;
#[path = "../it/equivalence.rs"]
mod equivalence;
#[path = "../it/membership.rs"]
mod membership;
#[path = "../torture/readers.rs"]
mod readers;
#[path = "../it/retry.rs"]
mod retry;
#[path = "../torture/senders.rs"]
mod senders;
#[path = "../torture/storm.rs"]
mod storm;
#[path = "../it/switching.rs"]
mod switching;
