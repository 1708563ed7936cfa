//! Examples in the documents are true: every `json` block parses, and every block under a line
//! `<!-- test -->` runs against a live server and has to succeed.
//!
//! A `sh` block runs in bash with `wigeon` on its path, in a directory that holds `wigeon-data`; the
//! blocks of one document run as one script, so that a later one may use a variable of an earlier one.
//! A `js` block runs in Node as a module. `http://localhost:8088` means the server of the test.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::digest::Failure;
use crate::report::Tally;
use crate::server::Server;
use crate::workspace::Workspace;

const MARK: &str = "<!-- test -->";

/// An example is for reading; one that takes longer than this hangs.
const EXAMPLE_MAX: Duration = Duration::from_secs(60);

/// A fenced block of a document.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    line: usize,
    language: String,
    marked: bool,
    text: String,
}

/// Checks all documents that are in git.
pub(crate) fn check(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    let documents: Vec<PathBuf> = workspace
        .files()?
        .into_iter()
        .filter(|file| file.extension().is_some_and(|end| end == "md"))
        .collect();
    for document in documents {
        let text = fs::read_to_string(workspace.root.join(&document))?;
        let blocks = blocks(&text);
        for block in blocks.iter().filter(|block| block.language == "json") {
            settle(&mut tally, &document, block.line, parses(&block.text));
        }
        let marked = |language: &'static str| {
            blocks.iter().filter(move |block| block.marked && block.language == language)
        };
        if let Some(block) =
            blocks.iter().find(|block| block.marked && !["sh", "js"].contains(&&*block.language))
        {
            settle(&mut tally, &document, block.line, Err(anyhow::anyhow!("only sh and js blocks can run")));
        }
        let script: Vec<&str> = marked("sh").map(|block| block.text.as_str()).collect();
        if let Some(first) = marked("sh").next() {
            settle(&mut tally, &document, first.line, shell(workspace, &script.concat()));
        }
        for block in marked("js") {
            settle(&mut tally, &document, block.line, module(workspace, &block.text));
        }
    }
    println!("{} of {} examples hold", tally.passed, tally.failed + tally.passed);
    Ok(tally)
}

fn settle(tally: &mut Tally, document: &Path, line: usize, outcome: Result<()>) {
    match outcome {
        Ok(()) => tally.passed += 1,
        Err(error) => {
            let failure = format!("{}:{line}: {error:#}", document.display());
            println!("{failure}");
            tally.failures.push(Failure::new(&failure));
            tally.failed += 1;
        }
    }
}

/// One JSON value or several after one another, as frames are.
fn parses(text: &str) -> Result<()> {
    for value in serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>() {
        value.context("not JSON")?;
    }
    Ok(())
}

fn shell(workspace: &Workspace, script: &str) -> Result<()> {
    let server = Server::start(&workspace.wigeon()?)?;
    let bin = server.folder.join("bin");
    fs::create_dir_all(&bin)?;
    symlink(workspace.wigeon()?, bin.join("wigeon"))?;
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-s"]).env("PATH", path).current_dir(&server.folder);
    feed(bash, &addressed(script, &server))
}

fn module(workspace: &Workspace, source: &str) -> Result<()> {
    let server = Server::start(&workspace.wigeon()?)?;
    let mut node = workspace.command("node");
    node.args(["--input-type=module", "-"]);
    feed(node, &addressed(source, &server))
}

fn addressed(text: &str, server: &Server) -> String {
    let here = format!("127.0.0.1:{}", server.port);
    text.replace("localhost:8088", &here).replace("127.0.0.1:8088", &here)
}

/// Gives a program its script and waits for it, bounded.
fn feed(mut command: Command, script: &str) -> Result<()> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    child.stdin.take().context("stdin is piped")?.write_all(script.as_bytes())?;
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "the example ended with {status}");
            return Ok(());
        }
        if began.elapsed() > EXAMPLE_MAX {
            child.kill()?;
            child.wait()?;
            bail!("the example runs longer than {} s", EXAMPLE_MAX.as_secs());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The fenced blocks of a Markdown text.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut open, mut marked) = (false, false);
    for (number, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, open) {
            (Some(language), false) => {
                let language = language.trim().to_owned();
                blocks.push(Block { line: number + 1, language, marked, text: String::new() });
                open = true;
            }
            (Some(_), true) => {
                open = false;
                marked = false;
            }
            (None, true) => {
                if let Some(block) = blocks.last_mut() {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
            }
            (None, false) if line.trim() == MARK => marked = true,
            (None, false) => marked &= line.trim().is_empty(),
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_block_right_under_the_mark_runs() {
        let text =
            "<!-- test -->\n\n```sh\none\n```\n```json\n{}\n```\n<!-- test -->\nwords\n```sh\ntwo\n```\n";
        let found: Vec<(usize, String, bool, String)> = blocks(text)
            .into_iter()
            .map(|block| (block.line, block.language, block.marked, block.text))
            .collect();
        let row =
            |line, language: &str, marked, text: &str| (line, language.to_owned(), marked, text.to_owned());
        assert_eq!(
            found,
            [row(3, "sh", true, "one\n"), row(6, "json", false, "{}\n"), row(11, "sh", false, "two\n")]
        );
    }

    #[test]
    fn several_frames_are_json_and_a_sketch_is_not() {
        assert!(parses("{\"type\":\"ready\"}\n{\"type\":\"bye\"}").is_ok());
        assert!(parses("{\"type\":…}").is_err());
    }
}
