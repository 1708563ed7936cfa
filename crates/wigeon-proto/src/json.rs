//! JSON that is safe inside a `<script>`.
//!
//! The bytes of an event are the same for every receiver, and some receivers are script elements: so
//! `<`, `>`, `&`, U+2028 and U+2029 are always written as `\uXXXX`. An unescaped `</script>` ends the
//! element, `<!--<script>` wedges the parser, and old engines end a string at U+2028.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

struct ScriptSafe;

impl ScriptSafe {
    /// The escape for the character that begins `rest`, and its length, if it needs one.
    fn escape(rest: &[u8]) -> Option<(&'static str, usize)> {
        Some(match rest {
            [b'<', ..] => ("\\u003c", 1),
            [b'>', ..] => ("\\u003e", 1),
            [b'&', ..] => ("\\u0026", 1),
            [0xe2, 0x80, 0xa8, ..] => ("\\u2028", 3),
            [0xe2, 0x80, 0xa9, ..] => ("\\u2029", 3),
            _ => return None,
        })
    }
}

impl Formatter for ScriptSafe {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let bytes = fragment.as_bytes();
        // Most text has none of them. A look without an exit is one that the compiler makes sixteen bytes wide.
        if !bytes.iter().fold(false, |found, byte| found | matches!(byte, b'<' | b'>' | b'&' | 0xe2)) {
            return CompactFormatter.write_string_fragment(writer, fragment);
        }
        let (mut written, mut at) = (0, 0);
        while at < bytes.len() {
            let Some((escape, length)) = Self::escape(&bytes[at..]) else {
                at += 1;
                continue;
            };
            writer.write_all(&bytes[written..at])?;
            writer.write_all(escape.as_bytes())?;
            at += length;
            written = at;
        }
        CompactFormatter.write_string_fragment(writer, &fragment[written..])
    }
}

/// Compact, script-safe JSON.
///
/// # Panics
/// Only if `value` cannot be JSON at all (a map with keys that are no strings): a bug here, never input.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    append(&mut out, value);
    out
}

/// Appends what [`to_vec`] makes.
pub fn append<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    value.serialize(&mut Serializer::with_formatter(out, ScriptSafe)).expect("our values are JSON");
}

/// Appends a string. Most have nothing to escape, and are copied as they stand.
fn append_text(out: &mut Vec<u8>, text: &str) {
    let escaped = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&' | 0xe2);
    // Without an exit, as above.
    if text.as_bytes().iter().fold(false, |found, byte| found | escaped(byte)) {
        return append(out, text);
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// An object written field by field, for what is made so often that a derived `Serialize` is too dear: that looks
/// for what must be escaped in the names, too. Names here are ours, and stand as they are.
pub struct Fields<'a> {
    out: &'a mut Vec<u8>,
    any: bool,
}

impl<'a> Fields<'a> {
    /// Appends to `out`, first what comes after the object's `{`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, any: false }
    }

    fn name(&mut self, name: &'static str) {
        self.out.extend_from_slice(if self.any { b",\"" } else { b"\"" });
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.any = true;
    }

    /// A string.
    pub fn text(&mut self, name: &'static str, text: &str) {
        self.name(name);
        append_text(self.out, text);
    }

    /// Anything else.
    pub fn value<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) {
        self.name(name);
        append(self.out, value);
    }

    /// An object.
    pub fn object(&mut self, name: &'static str, fields: impl FnOnce(&mut Fields<'_>)) {
        self.name(name);
        self.out.push(b'{');
        let mut object = Fields::new(self.out);
        fields(&mut object);
        object.end();
    }

    /// The object's `}`.
    pub fn end(self) {
        self.out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_string_can_end_a_script_or_a_line() {
        let nasty = "x </script><!--<script> \u{2028}\u{2029} 中文 🦆 \"q\" \\ &amp;\n\0";
        let json = to_vec(nasty);
        let text = std::str::from_utf8(&json).unwrap();
        assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{2029}', '\n']), "{text}");
        assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), nasty);
    }
}
