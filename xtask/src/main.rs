//! `cargo xtask`: everything a developer or CI does to this repository besides running the server.
//!
//! One program instead of a drawer of scripts, so that CI can run nothing that a developer cannot.
//! Each check is a module that reads the tree and returns; `check.rs` is the list of them all.

// This is a command-line tool: what it has to say, it says on stdout.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod assets;
mod browser;
mod check;
mod counts;
mod digest;
mod docs;
mod javascript;
mod layers;
mod leftovers;
mod modules;
mod policy;
mod report;
mod rust_tokens;
mod server;
mod shell;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};
use workspace::Workspace;

const USAGE: &str = "\
cargo xtask <task>

  test             everything CI checks; ends with `N passed, N failed`
  e2e [words]      the browser tests whose file name holds one of the words (all of them without)
  docs             the examples of the documents, parsed and run
  layers           imports point down only, between crates and between the modules of each crate
  layers --draw    prints the drawing of imports
  layers --write   puts it into ARCHITECTURE.md
  policy           licences, sources and duplicates of the dependencies (deny.toml)
  leftovers        unfinished marks, skipped tests, paths of one machine, very long files
  bench-counts     instructions per operation of the hot paths, under valgrind
  bench-counts --check   fails where they are not those of docs/performance-counts.md
  bench-counts --write   records them there
  assets           builds client/dist and web/dist from their sources
  tools            checks for (as root on Debian: installs) the programs that the tests need
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match perform(&words) {
        Ok(true) => ExitCode::SUCCESS,
        // The report has said what failed, and nothing may follow its closing line.
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// False when a test failed, an error when a task could not be done.
fn perform(words: &[&str]) -> Result<bool> {
    let workspace = Workspace::find()?;
    match words {
        ["test"] => return Ok(check::everything(&workspace)),
        ["e2e", filter @ ..] => return Ok(browser::run(&workspace, filter)?.failed == 0),
        ["docs"] => drop(docs::check(&workspace)?),
        ["layers"] => layers::check(&workspace)?,
        ["layers", "--draw"] => print!("{}", layers::draw(&workspace)?),
        ["layers", "--write"] => layers::write(&workspace)?,
        ["policy"] => policy::check(&workspace)?,
        ["leftovers"] => leftovers::check(&workspace)?,
        ["bench-counts"] => counts::print(&workspace)?,
        ["bench-counts", "--check"] => counts::check(&workspace)?,
        ["bench-counts", "--write"] => counts::write(&workspace)?,
        ["assets"] => assets::build(&workspace)?,
        ["tools"] => tools::ensure()?,
        [] | ["help" | "--help" | "-h"] => print!("{USAGE}"),
        other => bail!("no task `{}`\n\n{USAGE}", other.join(" ")),
    }
    Ok(true)
}
