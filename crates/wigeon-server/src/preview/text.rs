//! What strangers' words go through before they stand on our page: one line, of bounded length, that does not
//! reach beyond itself.

/// A text in one line: white space as single spaces, without characters that control a terminal or turn the
/// direction of what stands after them, and cut where it is longer. `None` where nothing is left.
pub(super) fn line(text: &str, chars_max: usize) -> Option<String> {
    let words = text.split(|char: char| char.is_whitespace() || char.is_control());
    let words = words.map(|word| word.chars().filter(|char| !is_mark(*char)).collect::<String>());
    let mut line = String::new();
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
        // At four bytes a character there is more than enough: a giant text is not gone through.
        if line.len() > 4 * chars_max {
            break;
        }
    }
    if line.chars().count() > chars_max {
        let end = line.char_indices().nth(chars_max - 1).map_or(0, |(at, _)| at);
        line.truncate(line[..end].trim_end().len());
        line.push('…');
    }
    (!line.is_empty()).then_some(line)
}

/// Unseen characters that change how others look: marks, embeddings, overrides and isolates of direction, byte
/// order marks, annotations. Joiners stay, since scripts and emoji need them.
fn is_mark(char: char) -> bool {
    matches!(char,
        '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_one_space_and_nothing_is_none() {
        assert_eq!(line(" a\n\t b\u{a0}\u{3000}c ", 10), Some("a b c".into()));
        assert_eq!(line(" \n ", 10), None);
        assert_eq!(line("\u{202e}\u{200b}", 10), None);
    }

    #[test]
    fn what_turns_the_direction_or_controls_is_gone_and_joiners_stay() {
        assert_eq!(
            line("pay \u{202e}moc.elgoog\u{202c} \u{7}x\u{0}y", 50),
            Some("pay moc.elgoog x y".into())
        );
        assert_eq!(line("👩\u{200d}🚀 می\u{200c}خواهم", 50), Some("👩\u{200d}🚀 می\u{200c}خواهم".into()));
    }

    #[test]
    fn a_long_text_is_cut_at_a_character_to_the_very_length() {
        assert_eq!(line("鸭鸭鸭鸭鸭", 5), Some("鸭鸭鸭鸭鸭".into()));
        assert_eq!(line("鸭鸭鸭鸭鸭鸭", 5), Some("鸭鸭鸭鸭…".into()));
        assert_eq!(line("abcd efgh", 6), Some("abcd…".into()));
        assert_eq!(line("abcde f", 6), Some("abcde…".into()));
        assert_eq!(line(&"long ".repeat(1000), 200).unwrap().chars().count(), 200);
    }
}
