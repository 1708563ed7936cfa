//! What a commit should not leave behind: unfinished marks, tests that are skipped, paths of the
//! machine it was written on. Files that have grown very long are named, as a question only.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// A source file longer than this may hold two ideas.
const LINES_MAX: usize = 500;

/// Not ours to judge: licences, lock files, and what a build made.
const SKIPPED: &[&str] = &["LICENSE-", "Cargo.lock", "package-lock.json", "client/dist/", "web/dist/"];

/// This file says the words it looks for.
const SELF: &str = "xtask/src/leftovers.rs";

/// Words that stand for work not done, in any file.
const UNFINISHED: &[&str] = &["TODO", "FIXME", "XXX:", "HACK:"];

/// A test that does not run, or a line left from looking for a bug.
const RUST: &[&str] = &["#[ignore", "todo!(", "unimplemented!(", "dbg!("];
const SCRIPT: &[&str] =
    &["test.only(", "it.only(", "describe.only(", "test.skip(", "test.todo(", "debugger;"];

/// Homes of people and machines. Documents say `~` or a relative path.
const PLACES: &[&str] = &["/home/", "/root/", "/Users/", "/work/", "C:\\Users"];

pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut found = Vec::new();
    for file in workspace.files()? {
        let name = file.to_string_lossy().into_owned();
        if name == SELF || SKIPPED.iter().any(|skipped| name.starts_with(skipped)) {
            continue;
        }
        let Ok(text) = fs::read_to_string(workspace.root.join(&file)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = leftover(&file, line) {
                found.push(format!("{name}:{}: {word}", number + 1));
            }
        }
        let lines = text.lines().count();
        if lines > LINES_MAX && file.extension().is_some_and(|end| end != "md") {
            println!("note: {name} has {lines} lines; does it hold two ideas?");
        }
    }
    if found.is_empty() { Ok(()) } else { bail!("{}", found.join("\n")) }
}

fn leftover(file: &Path, line: &str) -> Option<&'static str> {
    let extension = file.extension().and_then(|end| end.to_str()).unwrap_or_default();
    let of_language: &[&str] = match extension {
        "rs" => RUST,
        "ts" | "tsx" | "js" | "mjs" => SCRIPT,
        _ => &[],
    };
    let words = UNFINISHED.iter().chain(of_language).chain(PLACES);
    words.copied().find(|word| line.contains(word) && !inside_a_longer_word(line, word))
}

/// `toTODOList` is a name, `/framework/` is no place.
fn inside_a_longer_word(line: &str, word: &str) -> bool {
    let joined = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).all(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(|before| joined(before) || before == '.');
        let whole = word.ends_with(|end: char| !end.is_alphanumeric());
        before || (!whole && line[at + word.len()..].chars().next().is_some_and(joined))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, line: &str) -> bool {
        leftover(Path::new(file), line).is_some()
    }

    #[test]
    fn marks_skipped_tests_and_places_are_found() {
        assert!(found("a.md", "- TODO: write this"));
        assert!(found("a.rs", "    #[ignore = \"slow\"]"));
        assert!(found("a.mjs", "test.skip(\"x\", () => {});"));
        assert!(found("a.toml", "path = \"/home/ann/wigeon\""));
    }

    #[test]
    fn words_that_only_look_alike_are_not() {
        assert!(!found("a.rs", "let todos = autoTODOs();"));
        assert!(!found("a.ts", "// not skipped: contest.only(one)"));
        assert!(!found("a.md", "see https://example.com/framework/home"));
        assert!(!found("a.md", "see docs/work/notes"));
    }
}
