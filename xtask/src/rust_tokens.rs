//! Rust source as a list of words: identifiers, `::`, and single punctuation marks.
//!
//! Comments, strings and character literals are gone, since a path inside them imports nothing. This is
//! all that the drawing of imports needs, and it saves a parser of the whole language.

/// The words of `source` in order.
pub(crate) fn tokens(source: &str) -> Vec<&str> {
    let bytes = source.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &source[at..];
        let length = match bytes[at] {
            b'/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with("/*") => block_comment(rest),
            b'"' => string(rest),
            b'r' | b'b' | b'c' if prefixed_string(rest).is_some() => prefixed_string(rest).unwrap_or(1),
            b'\'' => quote(rest),
            b':' if rest.starts_with("::") => {
                found.push(&rest[..2]);
                2
            }
            byte if word_start(byte) => {
                let length =
                    rest.bytes().take_while(|byte| word_start(*byte) || byte.is_ascii_digit()).count();
                found.push(&rest[..length]);
                length
            }
            byte if byte.is_ascii_punctuation() => {
                found.push(&rest[..1]);
                1
            }
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        at += length;
    }
    found
}

fn word_start(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphabetic()
}

/// Block comments nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `r"…"`, `r#"…"#`, `b"…"`, `br#"…"#`, `c"…"`; none when it is an ordinary word.
fn prefixed_string(text: &str) -> Option<usize> {
    let prefix = text.bytes().take_while(|byte| matches!(byte, b'r' | b'b' | b'c')).count();
    let hashes = text.bytes().skip(prefix).take_while(|byte| *byte == b'#').count();
    let start = prefix + hashes;
    if prefix > 2 || text.as_bytes().get(start) != Some(&b'"') {
        return None;
    }
    if !text[..prefix].contains('r') {
        return (hashes == 0).then(|| start + string(&text[start..]));
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let length = text[start + 1..].find(&end).map_or(text.len(), |at| start + 1 + at + end.len());
    Some(length)
}

/// A character literal as a whole; of a lifetime only the mark, its name is then a word that harms nobody.
fn quote(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match characters.next() {
        Some((_, '\\')) => {
            text[2..].char_indices().skip(1).find(|(_, c)| *c == '\'').map_or(1, |(at, _)| at + 3)
        }
        Some((_, _)) => match characters.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn paths_in_comments_and_strings_are_no_words() {
        let source = r#"
            // crate::comment
            /* crate::block /* crate::nested */ crate::still */
            let text = "crate::string \" crate::more"; let raw = r"crate::raw";
            let letter = '"'; let escaped = '\''; fn f<'a>(x: &'a str, b: u8) {}
            use crate::real;
        "#;
        let words = tokens(source);
        let paths: Vec<_> = words.windows(3).filter(|three| three[1] == "::").collect();
        assert_eq!(paths, [["crate", "::", "real"]]);
    }
}
