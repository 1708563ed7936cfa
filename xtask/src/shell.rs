//! Running other programs: their output goes through to the reader, and is listened to on the way: the closing
//! lines of test runners are counted, and what they say of failures is kept for the end.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

use crate::digest::{Digest, Last};
use crate::report::Tally;

/// Runs a command that has to succeed; else its last words are in the error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = describe(command);
    let mut last = Last::default();
    let status = listen(command, |line| last.hear(line))?;
    if !status.success() {
        let words = last.take();
        bail!("`{name}` ended with {status}\n{}", words.join("\n"));
    }
    Ok(())
}

/// True when the program is there and can be asked.
pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    let quiet = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    quiet.is_ok_and(|status| status.success())
}

/// Runs a test runner, counts what it says it ran, and keeps what it says of those that failed. A runner that
/// fails counts at least one failure.
pub(crate) fn run_tests(command: &mut Command) -> Result<Tally> {
    let name = describe(command);
    let (mut tally, mut digest) = (Tally::default(), Digest::default());
    let status = listen(command, |line| {
        count(line, &mut tally);
        digest.hear(line);
    })?;
    if !status.success() {
        println!("`{name}` ended with {status}");
        tally.failed = tally.failed.max(1);
    }
    if tally.failed > 0 {
        tally.failures = digest.failures(&format!("`{name}` ended with {status}"));
    }
    Ok(tally)
}

/// Runs a command, and passes on what it says, on either way, line by line and in its order.
fn listen(command: &mut Command, mut hear: impl FnMut(&str)) -> Result<ExitStatus> {
    let (ear, mouth) = std::io::pipe()?;
    let child = command.stdout(mouth.try_clone()?).stderr(mouth).spawn();
    // While the command holds the pipe's other end, it has no end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = child.with_context(|| format!("cannot start `{}`", describe(command)))?;
    let mut out = std::io::stdout().lock();
    for line in BufReader::new(ear).split(b'\n') {
        let line = line?;
        out.write_all(&line)?;
        out.write_all(b"\n")?;
        hear(&String::from_utf8_lossy(&line));
    }
    Ok(child.wait()?)
}

/// Adds the closing lines of cargo's and Node's test runners.
fn count(line: &str, tally: &mut Tally) {
    if let Some(result) = line.strip_prefix("test result: ") {
        let words: Vec<&str> = result.split([' ', ';']).collect();
        for pair in words.windows(2) {
            match (pair[0].parse::<u64>(), pair[1]) {
                (Ok(number), "passed") => tally.passed += number,
                (Ok(number), "failed") => tally.failed += number,
                _ => {}
            }
        }
    }
    for mark in ["# ", "ℹ "] {
        let Some(rest) = line.strip_prefix(mark) else { continue };
        match rest.split_once(' ') {
            Some(("pass", number)) => tally.passed += number.parse().unwrap_or(0),
            Some(("fail" | "cancelled" | "skipped" | "todo", number)) => {
                tally.failed += number.parse().unwrap_or(0);
            }
            _ => {}
        }
    }
}

fn describe(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> Tally {
        let mut tally = Tally::default();
        text.lines().for_each(|line| count(line, &mut tally));
        tally
    }

    fn tally(passed: u64, failed: u64) -> Tally {
        Tally { passed, failed, ..Tally::default() }
    }

    #[test]
    fn the_closing_lines_of_both_runners_are_added_up() {
        let cargo = "test result: FAILED. 12 passed; 1 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.01s";
        assert_eq!(counted(cargo), tally(12, 1));
        assert_eq!(counted("ℹ tests 5\nℹ pass 5\nℹ fail 0\nℹ cancelled 0"), tally(5, 0));
        assert_eq!(counted("# pass 2\n# fail 1\n# passing notes"), tally(2, 1));
    }

    #[test]
    fn a_skipped_test_is_not_a_passed_one() {
        assert_eq!(counted("ℹ pass 4\nℹ skipped 1"), tally(4, 1));
    }
}
