//! The rules: what a command means, decided from state and entry alone.
//!
//! [`apply::apply`] is a deterministic fold over the log. It reads state through [`state::State`], and
//! says what changes; it never reads a clock, draws a random number, waits or logs, so that one
//! machine and every node of a cluster come to the same state from the same log.

pub mod apply;
pub mod entry;
pub mod memory;
pub mod outcome;
pub mod state;
