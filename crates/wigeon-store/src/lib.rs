//! The memory: one ordered, durable log in SQLite, and everything folded from it.
//!
//! [`open`] finds or makes the data directory; the [`sequencer`] is the only one who appends, through
//! the [`writer`]; [`read`] answers from committed state, each answer from one snapshot.

pub mod open;
pub mod read;
pub mod schema;
pub mod sequencer;
pub mod writer;

pub use open::{Durability, OpenError, Store};
pub use read::{Pool, View};
pub use sequencer::{Answer, Committed, Outlet, Sequencer};

/// A fault of the medium: the disk, the file, a bug in a statement. Nothing a caller can mend.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// SQLite says so.
    #[error("the database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// What is stored is not what was written.
    #[error("the database holds what was never written: {0}")]
    Corrupt(String),
}

/// An id that was checked before it was stored.
fn stored<T, E: std::fmt::Display>(parsed: Result<T, E>) -> Result<T, Fault> {
    parsed.map_err(|error| Fault::Corrupt(error.to_string()))
}
