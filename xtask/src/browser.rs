//! The browser tests: plain Node scripts under e2e/, real Chromium, the release binary.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::report::Tally;
use crate::shell;
use crate::workspace::Workspace;

/// A file that hangs is ended and counted as failed, in milliseconds.
const FILE_MS_MAX: u32 = 10 * 60 * 1000;

/// Runs all of them.
pub(crate) fn all(workspace: &Workspace) -> Result<Tally> {
    run(workspace, &[])
}

/// Runs the files whose name holds one of the words; all of them without words.
pub(crate) fn run(workspace: &Workspace, words: &[&str]) -> Result<Tally> {
    let wigeon = workspace.wigeon()?;
    ensure!(wigeon.is_file(), "{} is missing: cargo build --release", wigeon.display());
    let mut files = Vec::new();
    for file in workspace.files()? {
        let Ok(name) = file.strip_prefix("e2e") else { continue };
        let name = name.to_string_lossy();
        let wanted = words.is_empty() || words.iter().any(|word| name.contains(word));
        if name.ends_with(".test.mjs") && wanted {
            files.push(file);
        }
    }
    ensure!(!files.is_empty(), "no file under e2e/ is called so");
    let mut all = Tally::default();
    for file in files {
        let mut tally = run_file(workspace, &wigeon, &file)?;
        if tally.failed > 0 {
            // A browser on a busy machine is late now and then. What fails twice is broken; what fails once
            // is said aloud, for somebody to look at.
            println!("!!! {} failed; once more", file.display());
            let first = std::mem::take(&mut tally.failures);
            tally = run_file(workspace, &wigeon, &file)?;
            if tally.failed == 0 {
                tally.passing = first;
            }
        }
        all.add(tally);
    }
    Ok(all)
}

/// One file at a time: two browsers on two cores measure each other.
fn run_file(workspace: &Workspace, wigeon: &Path, file: &Path) -> Result<Tally> {
    let mut node = workspace.command("node");
    node.args(["--test", "--test-reporter=spec", "--test-concurrency=1"]);
    node.arg(format!("--test-timeout={FILE_MS_MAX}")).arg(file).env("WIGEON", wigeon);
    shell::run_tests(&mut node)
}
