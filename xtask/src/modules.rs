//! The modules inside one crate, and which of them imports which.
//!
//! Layers are kept between crates by the compiler; inside a crate nothing keeps them but this. Only
//! top-level modules count: what a module does among its own files is its own affair. Code under
//! `#[cfg(test)]` is left out, for a test may look wherever it likes. The front door of a crate does not
//! import what it re-exports; whoever takes a name from there imports the module that the name is from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::rust_tokens::tokens;

/// Who imports whom; the key is there also for what imports nothing.
pub(crate) type Graph = BTreeMap<String, BTreeSet<String>>;

/// The imports between the top-level modules of the crate whose sources are in `src`.
///
/// What `lib.rs` or `main.rs` defines beside its modules is the module `lib` or `main`.
pub(crate) fn of_crate(src: &Path) -> Result<Graph> {
    let mut files = Vec::new();
    rust_files(src, &mut files)?;
    let root = if src.join("lib.rs").is_file() { "lib" } else { "main" };
    let paths: Vec<(PathBuf, Vec<String>)> = files
        .into_iter()
        .map(|file| module_path(src, &file).map(|path| (file, path)))
        .collect::<Result<_>>()?;
    let mut graph = Graph::new();
    for (_, path) in &paths {
        if let Some(module) = path.first() {
            graph.entry(module.clone()).or_default();
        }
    }
    let modules: BTreeSet<String> = graph.keys().cloned().collect();
    let mut front_door = BTreeMap::new();
    for (file, _) in paths.iter().filter(|(_, path)| path.is_empty()) {
        front_door.extend(re_exports(&tokens(&fs::read_to_string(file)?), &modules));
    }
    for (file, path) in &paths {
        let source = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let from = path.first().map_or(root, String::as_str);
        for name in imports(&source, path, &modules) {
            let name = front_door.get(&name).cloned().unwrap_or(name);
            let to = if modules.contains(&name) { name } else { root.to_owned() };
            if to != from {
                graph.entry(from.to_owned()).or_default().insert(to.clone());
                graph.entry(to).or_default();
            }
        }
    }
    Ok(graph)
}

/// The names that the root re-exports, and the module each is from.
fn re_exports(words: &[&str], modules: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut at = 0;
    while at < words.len() {
        let length = re_export(&words[at..]).unwrap_or(0);
        let statement = &words[at..at + length];
        if let Some(module) = statement.iter().find(|word| modules.contains(**word)) {
            let names = statement.iter().filter(|word| *word != module);
            found.extend(names.map(|name| ((*name).to_owned(), (*module).to_owned())));
        }
        at += length.max(1);
    }
    found
}

/// How many words `pub use …;` or `pub(…) use …;` at the beginning of `words` has.
fn re_export(words: &[&str]) -> Option<usize> {
    let found = matches!(words, ["pub", "use", ..] | ["pub", "(", _, ")", "use", ..]);
    found.then(|| words.iter().position(|word| *word == ";").map_or(words.len(), |end| end + 1))
}

/// Fails with a circle, spelt out.
pub(crate) fn no_circle(name: &str, graph: &Graph) -> Result<()> {
    match circle(graph) {
        Some(circle) => bail!("{name} imports in a circle: {}", circle.join(" → ")),
        None => Ok(()),
    }
}

/// One circle, as the list of its members with the first again at the end.
fn circle(graph: &Graph) -> Option<Vec<String>> {
    graph.keys().find_map(|start| way(graph, start, start))
}

/// The shortest way along imports from `start` to `goal`, at least one step long.
fn way(graph: &Graph, start: &str, goal: &str) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut ways = vec![vec![start.to_owned()]];
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in &ways {
            let end = way.last()?;
            for next in graph.get(end).into_iter().flatten() {
                let mut way = way.clone();
                way.push(next.clone());
                if next == goal {
                    return Some(way);
                }
                if seen.insert(next) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}

/// Height above the ground: 0 imports nothing, each other stands one above the highest it imports.
pub(crate) fn heights(graph: &Graph) -> BTreeMap<String, usize> {
    let mut heights: BTreeMap<String, usize> = graph.keys().map(|name| (name.clone(), 0)).collect();
    // As many rounds as there are names settle every graph without a circle.
    for _ in graph {
        for (name, imports) in graph {
            let height = imports.iter().map(|below| heights[below] + 1).max().unwrap_or(0);
            heights.insert(name.clone(), height);
        }
    }
    heights
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

/// `src/a/b.rs` and `src/a/b/mod.rs` are `a::b`; the root of the crate is empty.
fn module_path(src: &Path, file: &Path) -> Result<Vec<String>> {
    let mut path: Vec<String> = file
        .strip_prefix(src)?
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let root = path.len() == 1 && matches!(path[0].as_str(), "lib" | "main");
    if root || path.last().is_some_and(|name| name == "mod") {
        path.pop();
    }
    Ok(path)
}

/// The names that paths of this file start with at the root of the crate.
fn imports(source: &str, module: &[String], modules: &BTreeSet<String>) -> BTreeSet<String> {
    let words = tokens(source);
    let mut found = BTreeSet::new();
    // The inline modules around the word, by the depth of braces that each began at.
    let mut inside: Vec<usize> = Vec::new();
    let (mut depth, mut at) = (0_usize, 0);
    if words.starts_with(&["#", "!", "[", "cfg", "(", "test"])
        || module.last().is_some_and(|name| name == "tests")
    {
        return found;
    }
    while at < words.len() {
        match &words[at..] {
            ["#", "[", "cfg", "(", "test", ..] => {
                at = skip_item(&words, at);
                continue;
            }
            ["mod", _, "{", ..] => {
                inside.push(depth);
                depth += 1;
                at += 3;
                continue;
            }
            ["{", ..] => depth += 1,
            ["}", ..] => {
                depth = depth.saturating_sub(1);
                if inside.last() == Some(&depth) {
                    inside.pop();
                }
            }
            ["crate", "::", rest @ ..] => heads(rest, &mut found),
            ["super", "::", ..] => {
                let mut rest = &words[at..];
                let mut up = 0;
                while let ["super", "::", more @ ..] = rest {
                    rest = more;
                    up += 1;
                }
                at = words.len() - rest.len();
                if up == module.len() + inside.len() {
                    heads(rest, &mut found);
                }
                continue;
            }
            ["pub", ..] if module.is_empty() && re_export(&words[at..]).is_some() => {
                at += re_export(&words[at..]).unwrap_or(1);
                continue;
            }
            // In the root file, a path may begin with the name of a module.
            [name, "::", ..]
                if module.is_empty()
                    && inside.is_empty()
                    && modules.contains(*name)
                    && (at == 0 || words[at - 1] != "::") =>
            {
                found.insert((*name).to_owned());
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The first name of a path, or of each path in braces.
fn heads(words: &[&str], found: &mut BTreeSet<String>) {
    let ["{", rest @ ..] = words else {
        if let Some(name) = words.first() {
            found.insert((*name).to_owned());
        }
        return;
    };
    let (mut depth, mut fresh) = (1, true);
    for word in rest {
        match *word {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 1 => fresh = true,
            name if fresh && depth == 1 => {
                found.insert(name.to_owned());
                fresh = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
}

/// Where the item under the attribute at `at` is over: after its braces or its semicolon.
fn skip_item(words: &[&str], at: usize) -> usize {
    let mut depth = 0;
    for (offset, word) in words[at..].iter().enumerate() {
        match *word {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if depth == 0 {
                    return at + offset + 1;
                }
            }
            ";" if depth == 0 => return at + offset + 1,
            _ => {}
        }
    }
    words.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str, module: &[&str]) -> Vec<String> {
        let module: Vec<String> = module.iter().map(|name| (*name).to_owned()).collect();
        let modules = ["feed".to_owned(), "hub".to_owned()].into();
        imports(source, &module, &modules).into_iter().collect()
    }

    #[test]
    fn every_way_to_name_a_sibling_is_an_import() {
        assert_eq!(found("use crate::feed::Feed;", &["hub"]), ["feed"]);
        assert_eq!(found("use crate::{feed::{Feed, next}, limits as l};", &["hub"]), ["feed", "limits"]);
        assert_eq!(found("fn f() { super::feed::next(); }", &["hub"]), ["feed"]);
        assert_eq!(found("use super::super::feed::Feed; use super::near;", &["hub", "shard"]), ["feed"]);
        assert_eq!(found("mod a { use super::own; use super::super::feed; }", &["hub"]), ["feed"]);
        assert_eq!(found("use feed::Feed; mod hub; fn f() { hub::start(); }", &[]), ["feed", "hub"]);
    }

    #[test]
    fn the_front_door_does_not_import_what_it_re_exports() {
        assert!(
            found("mod feed; pub use feed::{Feed, next as after}; pub(crate) use hub::Hub;", &[]).is_empty()
        );
        let modules = ["feed".to_owned(), "hub".to_owned()].into();
        let names = re_exports(&tokens("pub use feed::{Feed, next as after}; use hub::Hub;"), &modules);
        assert_eq!(names.get("Feed").map(String::as_str), Some("feed"));
        assert_eq!(names.get("after").map(String::as_str), Some("feed"));
        assert_eq!(names.get("Hub"), None);
    }

    #[test]
    fn tests_may_import_what_they_like() {
        assert_eq!(found("#[cfg(test)] mod tests { use crate::feed; } use crate::hub;", &["a"]), ["hub"]);
        assert_eq!(found("#[cfg(test)] use crate::feed; use crate::hub;", &["a"]), ["hub"]);
        assert!(found("use crate::feed;", &["hub", "tests"]).is_empty());
    }

    #[test]
    fn a_circle_is_found_and_told() {
        let graph = |edges: &[(&str, &str)]| {
            let mut graph = Graph::new();
            for (from, to) in edges {
                graph.entry((*from).to_owned()).or_default().insert((*to).to_owned());
                graph.entry((*to).to_owned()).or_default();
            }
            graph
        };
        assert_eq!(circle(&graph(&[("a", "b"), ("b", "c"), ("a", "c")])), None);
        let round = circle(&graph(&[("a", "b"), ("b", "c"), ("c", "b")]));
        assert_eq!(round, Some(vec!["b".to_owned(), "c".to_owned(), "b".to_owned()]));
        assert_eq!(heights(&graph(&[("a", "b"), ("b", "c"), ("a", "c")]))["a"], 2);
    }
}
