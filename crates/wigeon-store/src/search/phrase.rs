//! What is looked for, and whether a text has it.
//!
//! Words between spaces, or between quotes, are a phrase: its atoms must stand one after another in the
//! text, whatever is between them. All phrases must be there. There are no operators, so nothing that is
//! typed can mean something else than itself.

use std::collections::BTreeSet;

use wigeon_proto::limits::{SEARCH_TERMS_MAX, SNIPPET_CHARS_MAX};

use super::atoms::Atoms;
use super::terms;

/// What is looked for.
#[derive(Debug)]
pub(crate) struct Wanted {
    phrases: Vec<Atoms>,
}

/// Where a text has what is looked for: bytes, ascending, the second bound exclusive.
pub(crate) type Marks = Vec<(usize, usize)>;

impl Wanted {
    /// Reads what somebody typed; none if it holds nothing to look for.
    pub(crate) fn parse(q: &str) -> Option<Self> {
        let is_quote = |c| matches!(c, '"' | '“' | '”' | '„' | '«' | '»' | '「' | '」');
        let mut phrases = Vec::new();
        for (i, part) in q.split(is_quote).enumerate() {
            if i % 2 == 1 {
                phrases.push(Atoms::of(part));
            } else {
                phrases.extend(part.split_whitespace().map(Atoms::of));
            }
        }
        phrases.retain(|phrase| phrase.len() > 0);
        (!phrases.is_empty()).then_some(Self { phrases })
    }

    /// Terms that the index has for every text that has what is looked for: not each of them, if they are
    /// many, but enough.
    pub(crate) fn terms(&self) -> Vec<&str> {
        let all: BTreeSet<&str> = self.phrases.iter().flat_map(terms::of_phrase).collect();
        let mut all: Vec<&str> = all.into_iter().collect();
        // The longest are mostly the rarest.
        all.sort_by_key(|term| std::cmp::Reverse(term.len()));
        all.truncate(SEARCH_TERMS_MAX);
        all
    }

    /// Where the text has it all; none if something is missing.
    pub(crate) fn marks(&self, text: &str) -> Option<Marks> {
        let atoms = Atoms::of(text);
        let mut marks = Marks::new();
        for phrase in &self.phrases {
            let before = marks.len();
            marks.extend(occurrences(&atoms, phrase));
            if marks.len() == before {
                return None;
            }
        }
        marks.sort_unstable();
        marks.dedup_by(|next, last| {
            let touches = next.0 <= last.1;
            if touches {
                last.1 = last.1.max(next.1);
            }
            touches
        });
        Some(marks)
    }
}

fn occurrences<'a>(atoms: &'a Atoms, phrase: &'a Atoms) -> impl Iterator<Item = (usize, usize)> + 'a {
    let length = phrase.len();
    let starts = 0..(atoms.len() + 1).saturating_sub(length);
    starts
        .filter(move |start| (0..length).all(|i| atoms.text(start + i) == phrase.text(i)))
        .map(move |start| atoms.place(start, start + length))
}

/// A piece of the text around the first mark, in parts: the odd ones are marked. What is cut off is `…`.
pub(crate) fn snippet(text: &str, marks: &Marks) -> Vec<String> {
    let first = marks.first().map_or(0, |mark| mark.0);
    let from = back(text, first, SNIPPET_CHARS_MAX / 4);
    let to = forth(text, from, SNIPPET_CHARS_MAX);
    let mut parts = vec![String::new()];
    if from > 0 {
        parts[0].push('…');
    }
    let mut at = from;
    for (start, end) in marks.iter().filter(|(start, _)| *start < to) {
        let end = (*end).min(to);
        parts.last_mut().expect("there is one").push_str(&text[at..*start]);
        parts.push(text[*start..end].to_owned());
        parts.push(String::new());
        at = end;
    }
    let last = parts.last_mut().expect("there is one");
    last.push_str(&text[at..to]);
    if to < text.len() {
        last.push('…');
    }
    parts
}

/// So many characters before a place, or a little fewer, so that a word is whole.
fn back(text: &str, at: usize, count: usize) -> usize {
    let Some((start, _)) = text[..at].char_indices().rev().nth(count) else { return 0 };
    text[start..at].find(char::is_whitespace).map_or(start, |space| {
        let word = start + space;
        word + text[word..].chars().next().map_or(0, char::len_utf8)
    })
}

/// So many characters after a place, or a little fewer, so that a word is whole.
fn forth(text: &str, at: usize, count: usize) -> usize {
    let Some((end, _)) = text[at..].char_indices().nth(count) else { return text.len() };
    let half = text[at..].char_indices().nth(count / 2).map_or(at, |(half, _)| at + half);
    text[half..at + end].rfind(char::is_whitespace).map_or(at + end, |space| half + space)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(q: &str, text: &str) -> Option<String> {
        let marks = Wanted::parse(q).expect("something to look for").marks(text)?;
        let parts = snippet(text, &marks);
        let shown = parts
            .iter()
            .enumerate()
            .map(|(i, part)| if i % 2 == 1 { format!("[{part}]") } else { part.clone() });
        Some(shown.collect())
    }

    fn finds(q: &str, text: &str) -> bool {
        found(q, text).is_some()
    }

    #[test]
    fn all_words_must_be_there_in_any_order() {
        assert_eq!(found("flies duck", "The Duck flies.").unwrap(), "The [Duck] [flies].");
        assert!(!finds("duck swims", "The duck flies."));
        assert!(!finds("duc", "duck"), "whole words");
    }

    #[test]
    fn quotes_ask_for_words_one_after_another() {
        let text = "to be or not to be";
        assert_eq!(found("\"or not\"", text).unwrap(), "to be [or not] to be");
        assert!(!finds("\"not or\"", text) && finds("not or", text));
        assert!(finds("“or not” be", text) && finds("\"or not", text));
        assert!(finds("don't", "I don’t know") && !finds("don't", "t don"));
        assert!(finds("x.org/a", "see https://x.org/a?b") && !finds("x.org/a", "a x org"));
    }

    #[test]
    fn chinese_japanese_and_korean_are_found_within_a_sentence() {
        assert_eq!(found("全文搜索", "我们支持全文搜索吗").unwrap(), "我们支持[全文搜索]吗");
        assert!(!finds("全文搜索", "全部文字搜不到索引"));
        assert!(finds("索", "全文搜索") && finds("手机", "我用iPhone手机"));
        assert!(finds("ガイド", "旅行ｶﾞｲﾄﾞです") && finds("서울", "서울에서 만나요"));
        assert!(finds("中文 search", "Search 能找到中文"));
    }

    #[test]
    fn emoji_are_found_whatever_their_colour() {
        assert_eq!(found("👍", "ok 👍🏽!").unwrap(), "ok [👍🏽]!");
        assert!(finds("🦆", "a🦆b") && !finds("🦆", "🦢"));
    }

    #[test]
    fn nothing_that_is_typed_is_an_operator() {
        for q in ["a OR b", "a NOT b", "NEAR(a b)", "a AND b", "text:a", "a*", "-a", "^a", "(a", "a'b\"c"] {
            assert!(Wanted::parse(q).is_some(), "{q}");
        }
        assert!(!finds("a OR b", "a") && finds("a OR b", "a or b"));
        assert!(finds("a*", "a") && !finds("a*", "ab"));
        for q in ["", " ", "\"\"", "!?", "\u{200d}", "—"] {
            assert!(Wanted::parse(q).is_none(), "{q}");
        }
    }

    #[test]
    fn a_snippet_is_short_and_has_the_first_mark() {
        let text = format!("{} needle {}", "hay ".repeat(500), "stack ".repeat(500));
        let shown = found("needle", &text).unwrap();
        assert!(shown.contains("[needle]") && shown.starts_with('…') && shown.ends_with('…'), "{shown}");
        assert!(shown.chars().count() <= SNIPPET_CHARS_MAX + 4);
        let long = "字".repeat(5000);
        let shown = found(&long[..300], &long).unwrap();
        assert!(shown.chars().count() <= SNIPPET_CHARS_MAX + 4);
    }

    #[test]
    fn a_snippet_says_what_the_text_says() {
        for text in ["a<b>&amp; duck \u{1f3fb}", "duck", "\u{301}duck e\u{301}"] {
            let marks = Wanted::parse("duck").unwrap().marks(text).unwrap();
            assert_eq!(snippet(text, &marks).concat(), text);
        }
    }
}
