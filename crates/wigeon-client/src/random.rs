//! Chance, where the protocol wants it: ids of commands, masks, nonces, and time to wait.

use std::time::Duration;

/// Random bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    getrandom::fill(&mut out).expect("the system has random bytes");
    out
}

/// An id no other command has: 128 bits in hex.
pub fn fresh_id() -> String {
    format!("{:032x}", u128::from_ne_bytes(bytes()))
}

/// Anything from nothing to `most`, so that clients that failed together do not come back together.
pub(crate) fn up_to(most: Duration) -> Duration {
    most.mul_f64(f64::from(u32::from_ne_bytes(bytes())) / f64::from(u32::MAX))
}
