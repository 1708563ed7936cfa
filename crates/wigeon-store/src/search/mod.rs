//! Search: what messages say, found by word.
//!
//! ```text
//! tables ─▶ gather ─▶ pieces ─▶ likely ─▶ read::search, which looks at each text again
//!            atoms, terms        ▲
//!            q ─▶ phrase ────────┘
//! ```
//! [`atoms`] cuts a text, [`terms`] says what the index knows it by, [`phrase`] whether it has what somebody
//! looks for, [`list`] keeps positions: pure functions. [`gather`] reads a stretch of the log, [`pieces`] and
//! [`file`] keep it, [`index`] does so on a thread of its own, [`forget`] takes words out again, [`likely`] asks
//! it, [`verify`] checks it.

mod atoms;
pub(crate) mod file;
pub(crate) mod forget;
mod gather;
pub(crate) mod index;
pub(crate) mod likely;
mod list;
pub(crate) mod phrase;
pub(crate) mod pieces;
mod terms;
pub(crate) mod verify;

pub(crate) use terms::{of_room, of_sender};
