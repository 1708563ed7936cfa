//! Chance that can be repeated: `WIGEON_SEED=<number>` rolls the same numbers again.

/// Numbers from a seed (xorshift).
pub(crate) struct Dice(u64);

impl Dice {
    /// A new seed, which is printed, or the one that was asked for.
    pub(crate) fn rolled() -> Self {
        let fresh = || u64::from_str_radix(&wigeon_client::fresh_id()[..15], 16).expect("hex");
        let asked = std::env::var("WIGEON_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = asked.unwrap_or_else(fresh);
        println!("WIGEON_SEED={seed}");
        Self::from(seed)
    }

    /// From 0 to `sides` - 1.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

impl From<u64> for Dice {
    fn from(seed: u64) -> Self {
        // Zero would stay zero.
        Self(seed | 1)
    }
}
