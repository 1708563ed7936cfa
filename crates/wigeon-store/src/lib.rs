//! The memory: one ordered, durable log, and everything folded from it.
//!
//! [`open`] finds or makes the data directory; the [`sequencer`] is the only one who appends, through the
//! [`writer`]; [`read`] answers from committed state, each answer from one snapshot.
//!
//! ```text
//! entry ─▶ step ─▶ log, one write and one sync for a batch ─▶ answers, events
//!           │ ▲            │
//!           ▼ │            ▼
//!         overlay ◀─ lets go ─ fold, on its own thread ─▶ tables ─▶ read
//! ```
//! The log is what is durable, and it is kept; the tables are folded from it a little later. What is not in
//! them yet is in the overlay for the rules, and a reader waits until the tables hold what was acknowledged
//! before.

pub mod backup;
mod base;
mod cache;
pub mod check;
pub mod cluster;
pub mod copy;
mod digest;
mod facts;
mod fold;
mod known;
mod level;
mod log;
mod nats;
pub mod open;
mod outbox;
mod overlay;
mod rare;
pub mod read;
mod refold;
mod retention;
mod rows;
pub mod schema;
mod scrub;
mod search;
pub mod sequencer;
mod step;
mod tables;
pub mod writer;

pub use nats::{Lease, Nats};
pub use open::{Durability, OpenError, Store};
pub use read::{Pool, View};
pub use search::index::IndexSizes;
pub use search::verify::{Wrong, verify_index};
pub use sequencer::{Outlet, Sequencer};
pub use step::{Admitted, Answer, Committed};

/// A fault of the medium: the disk, the file, a bug in a statement. Nothing a caller can mend.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// SQLite says so.
    #[error("the database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The log cannot be read or written.
    #[error("the log: {0}")]
    Disk(#[from] std::io::Error),
    /// The log holds something else than what was written.
    #[error("the log cannot be folded: {0}")]
    Log(String),
    /// The stream of a cluster cannot be followed.
    #[error("the log in NATS: {0}")]
    Stream(String),
    /// What is stored is not what was written.
    #[error("the database holds what was never written: {0}")]
    Corrupt(String),
}

/// An id that was checked before it was stored.
fn stored<T, E: std::fmt::Display>(parsed: Result<T, E>) -> Result<T, Fault> {
    parsed.map_err(|error| Fault::Corrupt(error.to_string()))
}
