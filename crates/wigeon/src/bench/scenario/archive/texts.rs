//! What people of an archive write: few words often and many seldom, as in any language, a fifth of it in Chinese.
//!
//! Made up, so that a run needs no file, and from a fixed seed, so that two runs store the same. Words follow Zipf's
//! law: the n-th is used an n-th as often as the first. So there is a common word and a rare one to search for.

/// Words of each language.
const WORDS: u64 = 20_000;
/// One in so many texts is in Chinese.
const CHINESE: u64 = 5;

/// In about one text of seven.
const COMMON: u64 = 5;
/// In about one text of 15,000.
const RARE: u64 = 16_000;
/// In about one text of 2,000.
const CHINESE_WORD: u64 = 300;

const CONSONANTS: &[u8; 16] = b"bcdfghjklmnprstv";
const VOWELS: &[u8; 4] = b"aeio";

/// Numbers that look drawn and are always the same (SplitMix64).
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 up to and without `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.roll() % end.max(1)
    }

    /// 0 ≤ x < 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The rank of a word, by Zipf's law.
    fn rank(&mut self) -> u64 {
        ((WORDS as f64).powf(self.unit()) as u64).saturating_sub(1)
    }
}

/// One message.
pub(super) fn text(dice: &mut Dice) -> String {
    let mut text = String::new();
    if dice.below(CHINESE) == 0 {
        for _ in 0..2 + dice.below(10) {
            push_chinese(&mut text, dice.rank());
        }
        return text;
    }
    for _ in 0..2 + dice.below(18) {
        if !text.is_empty() {
            text.push(' ');
        }
        push_word(&mut text, dice.rank());
    }
    text
}

/// What is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sought {
    Common,
    Rare,
    Chinese,
}

impl Sought {
    pub(super) const ALL: [Self; 3] = [Self::Common, Self::Rare, Self::Chinese];

    pub(super) fn word(self) -> String {
        let mut text = String::new();
        match self {
            Self::Common => push_word(&mut text, COMMON),
            Self::Rare => push_word(&mut text, RARE),
            Self::Chinese => push_chinese(&mut text, CHINESE_WORD),
        }
        text
    }
}

/// Three syllables, of which there are 64.
fn push_word(text: &mut String, rank: u64) {
    for shift in [0, 6, 12] {
        let syllable = (rank >> shift) as usize;
        text.push(char::from(CONSONANTS[syllable >> 2 & 15]));
        text.push(char::from(VOWELS[syllable & 3]));
    }
}

/// Two characters: one of a thousand, and one of twenty others.
fn push_chinese(text: &mut String, rank: u64) {
    const FIRST: u32 = 0x4e00;
    const SECOND: u32 = 0x6000;
    let character = |code: u32| char::from_u32(code).expect("a character of the unified ideographs");
    text.push(character(FIRST + (rank % 1000) as u32));
    text.push(character(SECOND + (rank / 1000 * 37) as u32));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn words_differ_and_are_as_common_as_they_say() {
        let word = |rank| {
            let mut text = String::new();
            push_word(&mut text, rank);
            text
        };
        let words: HashSet<_> = (0..WORDS).map(word).collect();
        assert_eq!(words.len() as u64, WORDS);
        let mut dice = Dice::new(7);
        let texts: Vec<_> = (0..60_000).map(|_| text(&mut dice)).collect();
        let with = |sought: Sought| {
            let word = sought.word();
            texts.iter().filter(|text| text.contains(&word)).count()
        };
        assert!((6_000..12_000).contains(&with(Sought::Common)), "{}", with(Sought::Common));
        assert!((1..20).contains(&with(Sought::Rare)), "{}", with(Sought::Rare));
        assert!((10..120).contains(&with(Sought::Chinese)), "{}", with(Sought::Chinese));
    }
}
