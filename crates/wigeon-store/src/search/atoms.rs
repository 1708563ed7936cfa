//! A text's atoms: what search takes it to be made of.
//!
//! Scripts that put spaces between words give a word each; the others (Chinese, Japanese, Korean, Thai,
//! Lao, Khmer, Burmese), and emoji, give one atom for each character, since no dictionary would know every
//! word that people look for. What is between atoms counts for nothing.
//!
//! Atoms are folded as a person expects who looks for them: NFKC, lower case, accents off, `ß` as `ss`; but
//! `が` stays another letter than `か`, and `й` another than `и`. A mark of an emoji's colour is no part of it.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A text, folded and cut into atoms.
#[derive(Debug, Default)]
pub(crate) struct Atoms {
    folded: String,
    list: Vec<Atom>,
}

/// Bounds are bytes, the second exclusive.
#[derive(Debug)]
struct Atom {
    /// Where in the folded text.
    start: usize,
    end: usize,
    /// Where in the text as it was written.
    from: usize,
    to: usize,
    /// A character by itself.
    gram: bool,
}

impl Atoms {
    /// Cuts a text.
    pub(crate) fn of(text: &str) -> Self {
        let mut atoms = Cutter { atoms: Self::default(), open: false };
        let mut from = 0;
        while let Some(first) = text[from..].chars().next() {
            let word = plain_word(&text[from..]);
            if !word.is_empty() {
                atoms.push_word(word, from);
                from += word.len();
                continue;
            }
            let mut to = from + first.len_utf8();
            to += text[to..].chars().take_while(|next| joins(*next)).map(char::len_utf8).sum::<usize>();
            if to - from == first.len_utf8() && folds_simply(first) {
                atoms.push(first.to_ascii_lowercase(), from, to);
            } else {
                for c in fold(&text[from..to]).nfc() {
                    atoms.push(c, from, to);
                }
            }
            from = to;
        }
        atoms.atoms
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// An atom's folded text.
    pub(crate) fn text(&self, i: usize) -> &str {
        &self.folded[self.list[i].start..self.list[i].end]
    }

    /// Where some atoms, the last exclusive, stand in the text as it was written.
    pub(crate) fn place(&self, first: usize, end: usize) -> (usize, usize) {
        (self.list[first].from, self.list[end - 1].to)
    }

    /// The atom and the one after it as one text, if both are characters by themselves.
    pub(crate) fn pair(&self, i: usize) -> Option<&str> {
        let (one, next) = (self.list.get(i)?, self.list.get(i + 1)?);
        (one.gram && next.gram).then(|| &self.folded[one.start..next.end])
    }
}

struct Cutter {
    atoms: Atoms,
    /// The last atom may still grow.
    open: bool,
}

impl Cutter {
    /// As many times [`Self::push`].
    fn push_word(&mut self, word: &str, from: usize) {
        let Self { atoms: Atoms { folded, list }, open } = self;
        let (start, to) = (folded.len(), from + word.len());
        folded.push_str(word);
        folded[start..].make_ascii_lowercase();
        let end = folded.len();
        match list.last_mut() {
            Some(last) if *open && !last.gram => (last.end, last.to) = (end, to),
            _ => list.push(Atom { start, end, from, to, gram: false }),
        }
        *open = true;
    }

    fn push(&mut self, c: char, from: usize, to: usize) {
        let Self { atoms: Atoms { folded, list }, open } = self;
        let is_mark = !c.is_ascii() && is_combining_mark(c);
        let gram = !is_mark && is_gram(c);
        if !is_mark && !gram && !c.is_alphanumeric() {
            *open = false;
            return;
        }
        let start = folded.len();
        match list.last_mut() {
            Some(last) if *open && (is_mark || !gram && !last.gram) => {
                folded.push(c);
                (last.end, last.to) = (folded.len(), to);
            }
            // There is nothing that it marks.
            _ if is_mark => return,
            _ => {
                folded.push(c);
                list.push(Atom { start, end: folded.len(), from, to, gram });
            }
        }
        *open = true;
    }
}

/// The ASCII letters and digits that a text begins with. Most texts have many, and they need no tables. Before any
/// other character the last of them is left out: that may be one that joins it.
fn plain_word(text: &str) -> &str {
    let bytes = text.as_bytes();
    let length = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let is_last_open = bytes.get(length).is_some_and(|next| !next.is_ascii());
    &text[..length - usize::from(is_last_open && length > 0)]
}

/// Whether a character only changes the one before it.
fn joins(c: char) -> bool {
    match c {
        '\0'..'\u{300}' => false,
        // Vowels and ends of a Korean syllable; joiners; marks of half-width kana; tags and colours of emoji.
        '\u{1160}'..='\u{11ff}'
        | '\u{200c}'
        | '\u{200d}'
        | '\u{ff9e}'
        | '\u{ff9f}'
        | '\u{1f3fb}'..='\u{1f3ff}'
        | '\u{e0020}'..='\u{e007f}' => true,
        _ => is_combining_mark(c),
    }
}

/// Whether folding a character that stands alone is at most a matter of ASCII case. Most are of this kind.
fn folds_simply(c: char) -> bool {
    matches!(c, '\0'..='\u{7f}' | 'ぁ'..='ゖ' | 'ァ'..='ー' | '\u{4e00}'..='\u{9fff}' | '가'..='힣')
}

/// A character with what joins it, folded and decomposed.
fn fold(cluster: &str) -> String {
    let mut folded = String::new();
    let mut base = ' ';
    for c in cluster.nfkd().flat_map(char::to_lowercase) {
        if is_combining_mark(c) {
            if !is_accent(c, base) {
                folded.push(c);
            }
            continue;
        }
        base = c;
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            // Joiners, the Arabic stretcher, tags and colours of emoji.
            '\u{200c}' | '\u{200d}' | '\u{640}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' => {}
            _ => folded.push(c),
        }
    }
    folded
}

/// Whether a mark may be left out without making another letter.
fn is_accent(mark: char, base: char) -> bool {
    match mark {
        // й and ў, ї: letters of their own; ё is not.
        '\u{306}' => !is_cyrillic(base),
        '\u{308}' => !is_cyrillic(base) || base == 'е',
        '\u{300}'..='\u{36f}'
        | '\u{483}'..='\u{487}'
        | '\u{591}'..='\u{5c7}'
        | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}'
        | '\u{670}'
        | '\u{6d6}'..='\u{6ed}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{fe20}'..='\u{fe2f}'
        | '\u{e0100}'..='\u{e01ef}' => true,
        _ => false,
    }
}

fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{52f}')
}

/// Whether a character is an atom by itself.
fn is_gram(c: char) -> bool {
    match c {
        '\0'..'\u{e00}' => matches!(c, '©' | '®'),
        // Thai and Lao, Burmese, Korean, Khmer, New Tai Lue.
        '\u{e00}'..='\u{eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{1980}'..='\u{19df}' => c.is_alphanumeric(),
        // Money, arrows, signs of mathematics and technology; pictures.
        '\u{20a0}'..='\u{20cf}'
        | '\u{2190}'..='\u{23ff}'
        | '\u{25a0}'..='\u{27bf}'
        | '\u{2900}'..='\u{2bff}'
        | '\u{1f000}'..='\u{1faff}' => true,
        // Radicals, kana, bopomofo, Korean letters, ideographs, Yi, syllables.
        '\u{2e80}'..='\u{2fdf}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3031}'..='\u{3035}'
        | '\u{3041}'..='\u{318f}'
        | '\u{31a0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{a4cf}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{1b000}'..='\u{1b2ff}'
        | '\u{20000}'..='\u{3ffff}' => c != '\u{30fb}',
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<String> {
        let atoms = Atoms::of(text);
        (0..atoms.len()).map(|i| atoms.text(i).to_owned()).collect()
    }

    #[test]
    fn words_are_cut_where_anything_else_stands() {
        assert_eq!(
            cut("Hello, World! don't foo_bar@x.org 3.14"),
            ["hello", "world", "don", "t", "foo", "bar", "x", "org", "3", "14"]
        );
        assert_eq!(cut(" \n\t—…!?"), [""; 0]);
    }

    #[test]
    fn case_accents_and_widths_are_folded() {
        for (written, looked_for) in [
            ("Café Señor ÅNGSTRÖM", "cafe senor angstrom"),
            ("cafe\u{301}", "CAFÉ"),
            ("Straße ŁÓDŹ Ðorđe smørrebrød", "strasse lodz dorde smorrebrod"),
            ("ΟΔΥΣΣΕΎΣ", "οδυσσευς"),
            ("ёлка", "елка"),
            ("İstanbul ılık", "istanbul ilik"),
            ("Ｗｉｇｅｏｎ　２０２６", "wigeon 2026"),
            ("ﬁne Ⅳ ①", "fine iv 1"),
            ("مُحَمَّد محـــمد", "محمد محمد"),
            ("שָׁלוֹם", "שלום"),
            ("Việt Nam", "viet nam"),
        ] {
            assert_eq!(cut(written), cut(looked_for), "{written}");
        }
    }

    #[test]
    fn letters_of_their_own_stay_apart() {
        for (one, other) in [("か", "が"), ("は", "ぱ"), ("й", "и"), ("ї", "і"), ("가", "각"), ("क", "की")]
        {
            assert_ne!(cut(one), cut(other), "{one} {other}");
        }
    }

    #[test]
    fn half_width_kana_and_loose_korean_letters_are_put_together() {
        assert_eq!(cut("ｶﾞｷﾞ ﾊﾟｿｺﾝ"), ["ガ", "ギ", "パ", "ソ", "コ", "ン"]);
        assert_eq!(cut("\u{1112}\u{1161}\u{11ab}글"), ["한", "글"]);
        assert_eq!(cut("コーヒー・パン"), ["コ", "ー", "ヒ", "ー", "パ", "ン"]);
    }

    #[test]
    fn scripts_without_spaces_and_emoji_give_characters() {
        assert_eq!(cut("我用iPhone手机。"), ["我", "用", "iphone", "手", "机"]);
        assert_eq!(cut("서울에서"), ["서", "울", "에", "서"]);
        assert_eq!(cut("น้ำ"), ["น\u{e49}\u{e4d}", "า"].map(|t| t.nfc().collect::<String>()));
        assert_eq!(cut("👍🏽ok❤️"), ["👍", "ok", "❤"]);
        assert_eq!(cut("👨\u{200d}👩\u{200d}👧"), ["👨", "👩", "👧"]);
        assert_eq!(cut("🇩🇪"), ["🇩", "🇪"]);
        assert_eq!(cut("हिन्दी"), ["हिन्दी"], "vowel signs belong to the word");
    }

    #[test]
    fn a_word_is_the_same_however_it_goes_on() {
        for (written, atoms) in [
            ("cafe\u{301}s", ["cafes"].as_slice()),
            ("e\u{301}", &["e"]),
            ("naïve2", &["naive2"]),
            ("Ａb", &["ab"]),
            ("abＣd", &["abcd"]),
            ("x中y", &["x", "中", "y"]),
            ("1️⃣", &["1"]),
        ] {
            assert_eq!(cut(written), atoms, "{written}");
        }
    }

    proptest::proptest! {
        /// The short way through ASCII comes to what the long one does, which full-width letters take.
        #[test]
        fn ascii_is_cut_as_its_full_width_forms(text in "[a-zA-Z0-9 .é中か\u{301}\u{200d}\u{20e3}\u{ff9e}👍]{0,24}") {
            let wide = |c: char| if c.is_ascii_alphanumeric() { char::from_u32(c as u32 + 0xfee0).unwrap() } else { c };
            let wide: String = text.chars().map(wide).collect();
            proptest::prop_assert_eq!(cut(&text), cut(&wide));
        }
    }

    #[test]
    fn an_atom_knows_where_it_was_written() {
        let text = "Ach, ﬁne ÉTÉ 中文ｶﾞ";
        let atoms = Atoms::of(text);
        let written = |i| {
            let (from, to) = atoms.place(i, i + 1);
            &text[from..to]
        };
        let all: Vec<&str> = (0..atoms.len()).map(written).collect();
        assert_eq!(all, ["Ach", "ﬁne", "ÉTÉ", "中", "文", "ｶﾞ"]);
        assert_eq!((atoms.pair(3), atoms.pair(2), atoms.pair(5)), (Some("中文"), None, None));
    }

    #[test]
    fn marks_without_end_and_words_without_end_are_one_atom() {
        let marks = format!("a{}b", "\u{301}".repeat(20_000));
        assert_eq!(cut(&marks), ["ab"]);
        assert_eq!(cut(&"x".repeat(60_000)).len(), 1);
        assert_eq!(cut("\u{301}\u{301} \u{200d}"), [""; 0]);
    }
}
