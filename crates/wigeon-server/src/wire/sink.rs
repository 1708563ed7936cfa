//! A sink: the end of a wire that has no reader, for benchmarks.
//!
//! It takes everything at once, as a level reader's socket does, and costs two additions; so what a benchmark
//! measures is the way to the socket, and not the kernel.

use std::sync::atomic::{AtomicU64, Ordering};

/// What wires have swallowed; several may share it.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    writes: AtomicU64,
    bytes: AtomicU64,
}

impl Sink {
    pub(super) fn swallow(&self, bytes: &[u8]) {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }

    /// How many writes.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// How many bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
