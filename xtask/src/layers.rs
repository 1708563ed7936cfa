//! Imports point down only: between the crates, between the modules of each crate, and between the
//! two TypeScript packages. From the same facts the drawing in ARCHITECTURE.md is made.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};

use crate::javascript;
use crate::modules::{self, Graph};
use crate::workspace::Workspace;

/// Which crate may import which, top to bottom. A new crate or a new arrow is a decision: it is made
/// here, and its reason stands in ARCHITECTURE.md.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("wigeon", &["wigeon-server", "wigeon-client", "wigeon-store", "wigeon-core", "wigeon-proto"]),
    ("wigeon-server", &["wigeon-store", "wigeon-core", "wigeon-proto"]),
    ("wigeon-client", &["wigeon-proto"]),
    ("wigeon-store", &["wigeon-core", "wigeon-proto"]),
    ("wigeon-core", &["wigeon-proto"]),
    ("wigeon-proto", &[]),
    ("xtask", &[]),
];

/// What only one layer may know, from DESIGN's invariants: a package, and the crates that may name it.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("rusqlite", &["wigeon-store"]),
    ("async-nats", &["wigeon-store"]),
    ("axum", &["wigeon-server"]),
    ("hyper", &["wigeon-server", "wigeon-client"]),
    ("clap", &["wigeon"]),
];

/// What the pure rules must not have: clocks, chance, waiting and logs come from outside.
const NEVER_IN_CORE: &[&str] = &["tokio", "getrandom", "rand", "tracing", "metrics", "futures-util"];
const NEVER_IN_CORE_SOURCE: &[&str] =
    &["SystemTime", "Instant::now", "std::thread", "std::fs", "std::net", "std::env"];

const DRAWING: &str = "ARCHITECTURE.md";
const BEGIN: &str = "<!-- imports: drawn by `cargo xtask layers --write` -->";
const END: &str = "<!-- /imports -->";

/// Fails with every arrow that points up or round.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let dependencies = dependencies(workspace)?;
    let mut wrong = Vec::new();
    let mut note = |outcome: Result<()>| wrong.extend(outcome.err().map(|error| format!("{error:#}")));
    for (name, imports) in &dependencies {
        note(judge(name, imports));
    }
    note(core_is_pure(workspace));
    for (name, _) in MAY_IMPORT {
        let graph = modules::of_crate(&source_folder(workspace, name))?;
        note(modules::no_circle(name, &graph));
    }
    for package in javascript::PACKAGES {
        note(javascript::layers(workspace, package));
    }
    note(drawing_is_current(workspace));
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} crates, {} arrows, none up, none round", dependencies.len(), arrows(&dependencies));
    Ok(())
}

/// Fails when a crate imports what is not below it.
fn judge(name: &str, imports: &BTreeSet<String>) -> Result<()> {
    let (_, allowed) = MAY_IMPORT
        .iter()
        .find(|(known, _)| *known == name)
        .with_context(|| format!("{name} has no place in MAY_IMPORT of xtask/src/layers.rs"))?;
    for import in imports {
        let ours = MAY_IMPORT.iter().any(|(known, _)| known == import);
        ensure!(
            !ours || allowed.contains(&import.as_str()),
            "{name} imports {import}, which is not below it"
        );
        if let Some((_, only)) = ONLY_IN.iter().find(|(package, _)| package == import) {
            ensure!(only.contains(&name), "{name} imports {import}, which only {} may", only.join(", "));
        }
        let impure = name == "wigeon-core" && NEVER_IN_CORE.contains(&import.as_str());
        ensure!(!impure, "wigeon-core imports {import}: the rules are pure");
    }
    Ok(())
}

fn core_is_pure(workspace: &Workspace) -> Result<()> {
    for file in workspace.files()? {
        if !file.starts_with("crates/wigeon-core/src") || file.extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let source = fs::read_to_string(workspace.root.join(&file))?;
        let code = crate::rust_tokens::tokens(&source).concat();
        for word in NEVER_IN_CORE_SOURCE {
            ensure!(!code.contains(word), "{} uses {word}: the rules are pure", file.display());
        }
    }
    Ok(())
}

/// The drawing as text: a mark for each arrow, then the modules of each crate by height.
pub(crate) fn draw(workspace: &Workspace) -> Result<String> {
    let dependencies = dependencies(workspace)?;
    let ours: Vec<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).filter(|name| *name != "xtask").collect();
    let mut text = String::from("```text\n");
    writeln!(text, "{:<16}imports", "")?;
    for (row, name) in ours.iter().enumerate() {
        let mut line = format!("{name:<16}");
        for other in &ours[1..] {
            let width = short(other).len();
            let arrow = dependencies.get(*name).is_some_and(|imports| imports.contains(*other));
            write!(line, "{:^width$}  ", if arrow { "↓" } else { "·" })?;
        }
        if row == 0 {
            let heads: Vec<&str> = ours[1..].iter().map(|other| short(other)).collect();
            writeln!(text, "{:<16}{}", "", heads.join("  "))?;
        }
        writeln!(text, "{}", line.trim_end())?;
    }
    for name in &ours {
        let graph = modules::of_crate(&source_folder(workspace, name))?;
        write!(text, "\n{name}\n{}", storeys(&graph))?;
    }
    text.push_str("```\n");
    Ok(text)
}

/// The modules of a crate by height, the highest first.
fn storeys(graph: &Graph) -> String {
    let heights = modules::heights(graph);
    let top = heights.values().copied().max().unwrap_or(0);
    let mut text = String::new();
    for storey in (0..=top).rev() {
        let names: Vec<&str> =
            heights.iter().filter(|(_, height)| **height == storey).map(|(name, _)| name.as_str()).collect();
        if !names.is_empty() {
            let _ = writeln!(text, "  {storey:>2}  {}", names.join("  "));
        }
    }
    text
}

/// Puts the drawing between its marks in ARCHITECTURE.md.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    let path = workspace.root.join(DRAWING);
    let text = fs::read_to_string(&path).with_context(|| DRAWING.to_owned())?;
    let (before, _, after) = around(&text)?;
    fs::write(&path, format!("{before}{BEGIN}\n{}{END}{after}", draw(workspace)?))?;
    Ok(())
}

fn drawing_is_current(workspace: &Workspace) -> Result<()> {
    let text = fs::read_to_string(workspace.root.join(DRAWING)).with_context(|| DRAWING.to_owned())?;
    let (_, drawn, _) = around(&text)?;
    let current = drawn.trim() == draw(workspace)?.trim();
    ensure!(current, "the drawing in {DRAWING} is old: `cargo xtask layers --write` makes a new one");
    Ok(())
}

fn around(text: &str) -> Result<(&str, &str, &str)> {
    let (before, rest) =
        text.split_once(BEGIN).with_context(|| format!("{DRAWING} has no line `{BEGIN}`"))?;
    let (drawn, after) = rest.split_once(END).with_context(|| format!("{DRAWING} has no line `{END}`"))?;
    Ok((before, drawn, after))
}

fn short(name: &str) -> &str {
    name.strip_prefix("wigeon-").unwrap_or(name)
}

fn source_folder(workspace: &Workspace, name: &str) -> std::path::PathBuf {
    let folder = if name == "xtask" { "xtask".into() } else { format!("crates/{name}") };
    workspace.root.join(folder).join("src")
}

fn arrows(dependencies: &Graph) -> usize {
    let ours = |name: &String| dependencies.contains_key(name);
    dependencies.values().flatten().filter(|name| ours(name)).count()
}

/// Our packages and all that each names in `[dependencies]`; what only tests need is left out.
fn dependencies(workspace: &Workspace) -> Result<Graph> {
    let metadata = workspace.metadata()?;
    let members = metadata["workspace_members"].as_array().context("cargo metadata lists members")?;
    let mut graph = Graph::new();
    for package in metadata["packages"].as_array().context("cargo metadata lists packages")? {
        if !members.contains(&package["id"]) {
            continue;
        }
        let name = package["name"].as_str().context("a package has a name")?;
        let imports = package["dependencies"].as_array().context("a package lists dependencies")?;
        let imports = imports
            .iter()
            .filter(|import| import["kind"].is_null())
            .filter_map(|import| import["name"].as_str().map(str::to_owned))
            .collect();
        graph.insert(name.to_owned(), imports);
    }
    Ok(graph)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn an_arrow_up_or_into_a_private_room_is_refused() {
        assert!(judge("wigeon-server", &set(&["wigeon-store", "axum", "bytes"])).is_ok());
        assert!(judge("wigeon-core", &set(&["wigeon-store"])).is_err());
        assert!(judge("wigeon-client", &set(&["wigeon-server"])).is_err());
        assert!(judge("wigeon-server", &set(&["rusqlite"])).is_err());
        assert!(judge("wigeon-core", &set(&["tokio"])).is_err());
        assert!(judge("wigeon-new", &set(&[])).is_err());
    }

    #[test]
    fn the_table_itself_has_no_arrow_up() {
        for (row, (name, imports)) in MAY_IMPORT.iter().enumerate() {
            for import in *imports {
                let place = MAY_IMPORT.iter().position(|(known, _)| known == import);
                assert!(place.is_some_and(|place| place > row), "{name} → {import}");
            }
        }
    }
}
