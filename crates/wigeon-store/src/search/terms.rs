//! What the index knows a message by: its words, its characters, its pairs of characters; its room and its
//! sender.
//!
//! Pairs make Chinese found without going through every text that has both characters; single characters
//! are there because a single one may be looked for. The order within a text is not kept: each text that
//! the index names is looked at again, since it may have changed anyway.

use wigeon_proto::id::UserId;
use wigeon_proto::limits::SEARCH_TERM_BYTES_MAX;

use super::atoms::Atoms;

/// Changes when texts are cut otherwise: an index of another version is built again.
pub(crate) const VERSION: u64 = 1;

/// Everything a text is known by; the same term may come several times.
pub(crate) fn of_text(atoms: &Atoms) -> impl Iterator<Item = &str> {
    (0..atoms.len()).flat_map(|i| [Some(cut(atoms.text(i))), atoms.pair(i)]).flatten()
}

/// What a text that has this phrase is known by: a character's pairs say more than the character.
pub(crate) fn of_phrase(phrase: &Atoms) -> impl Iterator<Item = &str> {
    let alone = |i: usize| phrase.pair(i).is_none() && (i == 0 || phrase.pair(i - 1).is_none());
    (0..phrase.len()).filter_map(move |i| if alone(i) { Some(cut(phrase.text(i))) } else { phrase.pair(i) })
}

/// What a message of a room is known by. No atom has such a character.
pub(crate) fn of_room(n: i64) -> String {
    format!("\u{1}{n}")
}

/// What a message of a sender is known by.
pub(crate) fn of_sender(user: &UserId) -> String {
    format!("\u{2}{}", user.as_str())
}

/// The beginning of a very long word stands for it.
fn cut(word: &str) -> &str {
    let fits = |end: &usize| word.is_char_boundary(*end);
    let end = (0..=SEARCH_TERM_BYTES_MAX.min(word.len())).rev().find(fits);
    &word[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_by_all_that_a_phrase_of_it_asks_for() {
        let long = format!("中文{} 全文搜索!", "ä".repeat(300));
        for text in ["我用iPhone手机", "to be or not", "字", "a字b", &long] {
            let atoms = Atoms::of(text);
            let all: Vec<&str> = of_text(&atoms).collect();
            for term in of_phrase(&atoms) {
                assert!(all.contains(&term), "{term} of {text}");
                assert!(term.len() <= SEARCH_TERM_BYTES_MAX);
            }
        }
        let phrase = Atoms::of("用手机");
        assert_eq!(of_phrase(&phrase).collect::<Vec<_>>(), ["用手", "手机"]);
    }
}
