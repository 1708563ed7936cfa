//! Running other programs: their output goes through to the reader, and the closing lines of test
//! runners are counted on the way.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::report::Tally;

/// Runs a command that has to succeed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = describe(command);
    let status = command.status().with_context(|| format!("cannot start `{name}`"))?;
    ensure!(status.success(), "`{name}` ended with {status}");
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

/// Lines that are kept of what a test runner says of its failures: the first of them say what broke.
const FAILURE_LINES_MAX: usize = 80;

/// Runs a test runner, counts what it says it ran, and keeps what it says of those that failed. A runner that
/// fails counts at least one failure.
pub(crate) fn run_tests(command: &mut Command) -> Result<Tally> {
    let name = describe(command);
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{name}`"))?;
    let lines = BufReader::new(child.stdout.take().context("stdout is piped")?);
    let (mut tally, mut failures) = (Tally::default(), Failures::default());
    let mut out = std::io::stdout().lock();
    for line in lines.split(b'\n') {
        let line = line?;
        out.write_all(&line)?;
        out.write_all(b"\n")?;
        let line = String::from_utf8_lossy(&line);
        count(&line, &mut tally);
        failures.hear(&line);
    }
    tally.failures = failures.lines;
    let status = child.wait()?;
    if !status.success() {
        writeln!(out, "`{name}` ended with {status}")?;
        tally.failed = tally.failed.max(1);
        tally.failures.insert(0, format!("`{name}` ended with {status}"));
    }
    Ok(tally)
}

/// What both runners say of their failures, in a part of its own at the end.
#[derive(Default)]
struct Failures {
    lines: Vec<String>,
    speaks_of_them: bool,
}

impl Failures {
    fn hear(&mut self, line: &str) {
        match line {
            "failures:" | "✖ failing tests:" => self.speaks_of_them = true,
            _ if line.starts_with("test result: ") => self.speaks_of_them = false,
            _ if self.speaks_of_them && !line.trim().is_empty() && self.lines.len() < FAILURE_LINES_MAX => {
                self.lines.push(line.to_owned());
            }
            _ => {}
        }
    }
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
    fn what_is_said_of_failures_is_kept() {
        let kept = |text: &str| {
            let mut failures = Failures::default();
            text.lines().for_each(|line| failures.hear(line));
            failures.lines
        };
        let node = "▶ s\n  ✖ a\n✖ failing tests:\n\ntest at x.mjs:2:16\n✖ a (1 ms)\n  Error: hm";
        assert_eq!(kept(node), ["test at x.mjs:2:16", "✖ a (1 ms)", "  Error: hm"]);
        let cargo = "test a ... FAILED\nfailures:\n---- a stdout ----\nhm\nfailures:\n    a\ntest result: FAILED. 0 passed\nx";
        assert_eq!(kept(cargo), ["---- a stdout ----", "hm", "    a"]);
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
