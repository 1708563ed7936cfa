//! The TypeScript side: packages installed, types checked, tests run, imports pointing down.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::modules::{self, Graph};
use crate::report::Tally;
use crate::shell;
use crate::workspace::Workspace;

/// The npm workspaces that hold sources.
pub(crate) const PACKAGES: &[&str] = &["client", "web"];

/// Installs exactly what package-lock.json names, unless that has been done.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let modified = |path: &str| fs::metadata(workspace.root.join(path)).and_then(|file| file.modified());
    let wanted = modified("package-lock.json")?;
    // npm writes this file last: older than the lock means stale, absent means broken off.
    if modified("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted) {
        return Ok(());
    }
    shell::run(workspace.command("npm").args(["ci", "--no-audit", "--no-fund"]))
}

/// Type checks of one package.
pub(crate) fn types(workspace: &Workspace, package: &str) -> Result<()> {
    shell::run(workspace.command("npm").args(["run", "--silent", "check", "--workspace", package]))
}

/// Unit tests of one package.
pub(crate) fn tests(workspace: &Workspace, package: &str) -> Result<Tally> {
    shell::run_tests(workspace.command("npm").args(["test", "--silent", "--workspace", package]))
}

/// No file imports in a circle; the library needs nothing; the pages see only the library's front door.
pub(crate) fn layers(workspace: &Workspace, package: &str) -> Result<()> {
    let (graph, wrong) = graph(workspace, package)?;
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    modules::no_circle(package, &graph)
}

/// Imports between the files of a package, and those that leave it as they should not.
fn graph(workspace: &Workspace, package: &str) -> Result<(Graph, Vec<String>)> {
    let folder = Path::new(package).join("src");
    let files: BTreeSet<PathBuf> =
        workspace.files()?.into_iter().filter(|file| file.starts_with(&folder)).collect();
    let (mut graph, mut wrong) = (Graph::new(), Vec::new());
    for file in files.iter().filter(|file| is_script(file)) {
        let source =
            fs::read_to_string(workspace.root.join(file)).with_context(|| file.display().to_string())?;
        let name = file.display().to_string();
        for specifier in specifiers(&source) {
            let base = normal(&file.parent().unwrap_or(Path::new("")).join(specifier));
            if let Some(reason) = forbidden(package, specifier, &base) {
                wrong.push(format!("{name} imports {specifier}: {reason}"));
            } else if let Some(target) = resolve(&files, &base) {
                graph.entry(name.clone()).or_default().insert(target.display().to_string());
                graph.entry(target.display().to_string()).or_default();
            }
        }
    }
    Ok((graph, wrong))
}

/// Why an import may not be, if so.
fn forbidden(package: &str, specifier: &str, base: &Path) -> Option<&'static str> {
    if specifier.starts_with('.') {
        return (!base.starts_with(package)).then_some("the inside of another package");
    }
    if package == "client" {
        return Some("the library has no dependencies");
    }
    specifier.starts_with("wigeon-client/").then_some("pages use the library's public API only")
}

fn is_script(file: &Path) -> bool {
    file.extension().is_some_and(|end| end == "ts" || end == "tsx" || end == "js" || end == "mjs")
}

/// What stands after `from` or `import` in quotes, at the start of a statement.
fn specifiers(source: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for statement in source.split(';') {
        let Some(start) = statement.find("import ").into_iter().chain(statement.find("export ")).min() else {
            continue;
        };
        let line_start = statement[..start].rfind('\n').map_or(0, |at| at + 1);
        if !statement[line_start..start].trim().is_empty() {
            continue;
        }
        let text = &statement[start..];
        let quoted = match text.find(" from ") {
            Some(at) => &text[at + " from ".len()..],
            None if text.starts_with("import ") => &text["import ".len()..],
            None => continue,
        };
        let mut parts = quoted.splitn(3, ['"', '\'']);
        if let (Some(""), Some(specifier)) = (parts.next(), parts.next()) {
            found.push(specifier);
        }
    }
    found
}

/// `a/b/../c` is `a/c`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

/// The file that a specifier means: as written, with an extension, or in place of one.
fn resolve<'a>(files: &'a BTreeSet<PathBuf>, base: &Path) -> Option<&'a PathBuf> {
    let with = |end: &str| PathBuf::from(format!("{}{end}", base.display()));
    let candidates = [
        base.to_path_buf(),
        with(".ts"),
        with(".tsx"),
        with(".js"),
        base.with_extension("ts"),
        base.with_extension("tsx"),
        base.join("index.ts"),
    ];
    candidates.iter().find_map(|candidate| files.get(candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_read_in_every_form() {
        let source = r#"
            import { a,
              b } from "./one.js";
            import "./two";
            import type { C } from './three';
            export * from "./four.ts";
            export const five = "from ./five";
            const six = 1;
        "#;
        assert_eq!(specifiers(source), ["./one.js", "./two", "./three", "./four.ts"]);
    }

    #[test]
    fn a_specifier_finds_its_file() {
        let files = ["client/src/a.ts".into(), "client/src/deep/index.ts".into()].into();
        let found =
            |text: &str| resolve(&files, &normal(Path::new(text))).map(|file| file.display().to_string());
        assert_eq!(found("client/src/x/../a.js").as_deref(), Some("client/src/a.ts"));
        assert_eq!(found("client/src/deep").as_deref(), Some("client/src/deep/index.ts"));
        assert_eq!(found("client/src/none"), None);
    }
}
