//! The built browser files are committed, so that `cargo run --release` needs no Node. This proves
//! that they are what the sources build, and that they keep their weight.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::javascript;
use crate::shell;
use crate::workspace::Workspace;

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Builds all of them in place: the library first, for the pages contain it.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    javascript::install(workspace)?;
    for package in javascript::PACKAGES {
        shell::run(workspace.command("npm").args(["run", "--silent", "build", "--workspace", package]))?;
    }
    Ok(())
}

/// Builds again and compares bytes; the build scripts themselves refuse what is too heavy.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let committed = read_all(workspace)?;
    let built = build(workspace).and_then(|()| read_all(workspace));
    // The check leaves the tree as it was, whatever came out.
    let built = match built {
        Ok(built) if built == committed => return Ok(()),
        other => {
            restore(workspace, &committed)?;
            other?
        }
    };
    bail!("not what the sources build: {}\n`cargo xtask assets` builds them", difference(&committed, &built))
}

fn difference(committed: &Files, built: &Files) -> String {
    let mut names: Vec<String> = Vec::new();
    for path in committed.keys().chain(built.keys()) {
        let name = path.display().to_string();
        if committed.get(path) != built.get(path) && !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn read_all(workspace: &Workspace) -> Result<Files> {
    let mut files = Files::new();
    for package in javascript::PACKAGES {
        let folder = workspace.root.join(package).join("dist");
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            files.insert(path.strip_prefix(&workspace.root)?.to_path_buf(), fs::read(&path)?);
        }
    }
    Ok(files)
}

fn restore(workspace: &Workspace, files: &Files) -> Result<()> {
    let built = read_all(workspace)?;
    for path in built.keys().filter(|path| !files.contains_key(*path)) {
        fs::remove_file(workspace.root.join(path))?;
    }
    for (path, bytes) in files {
        write_when_different(&workspace.root.join(path), bytes)?;
    }
    Ok(())
}

fn write_when_different(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_a_missing_and_an_extra_file_are_all_named() {
        let files = |list: &[(&str, &str)]| -> Files {
            list.iter().map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec())).collect()
        };
        let committed = files(&[("a.js", "1"), ("b.js", "1"), ("c.js", "1")]);
        let built = files(&[("a.js", "1"), ("b.js", "2"), ("d.js", "1")]);
        assert_eq!(difference(&committed, &built), "b.js, c.js, d.js");
    }
}
