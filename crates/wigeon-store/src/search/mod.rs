//! Search: what messages say, found by word.
//!
//! [`atoms`] cuts a text, [`phrase`] says whether it has what somebody looks for. Both are pure functions.

pub(crate) mod atoms;
pub(crate) mod phrase;
