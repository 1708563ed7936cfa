//! The report of a run: a heading and a time for each step, the failures once more at the end, and
//! the closing line `N passed, N failed`.
//!
//! A failed step does not stop the run. Who waits half an hour for CI wants to know all that is wrong, and may be shown
//! no more than the last lines of it: so the failures come last, each in a few lines, whatever was said before.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::digest::Failure;

/// Lines of all failures at the end: of a page of 150, with some to spare.
const LINES_MAX: usize = 120;
/// Failures before those that passed by: for somebody to look at, in few lines.
const PASSING_MAX: usize = 5;
/// Of one failure, at least: what it asserts, and where. With more failures than fit, the last are only counted.
const LINES_EACH_MIN: usize = 4;
/// Of one line, in characters: a compared text may be a whole page.
const LINE_MAX: usize = 400;

/// How many tests a step ran. A check that is no test runner counts as one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// What the test runners said of the tests that failed.
    pub(crate) failures: Vec<Failure>,
    /// The same of tests that failed once, and held when they were run again.
    pub(crate) passing: Vec<Failure>,
}

impl Tally {
    /// Of so many that hold.
    pub(crate) fn passed(passed: u64) -> Self {
        Self { passed, ..Self::default() }
    }

    pub(crate) fn add(&mut self, more: Self) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.failures.extend(more.failures);
        self.passing.extend(more.passing);
    }
}

/// What happened so far.
pub(crate) struct Report {
    began: Instant,
    total: Tally,
    /// Under a heading for each step.
    failures: Vec<(String, Vec<Failure>)>,
    passing: Vec<Failure>,
}

impl Report {
    pub(crate) fn begin() -> Self {
        Self { began: Instant::now(), total: Tally::default(), failures: Vec::new(), passing: Vec::new() }
    }

    /// Runs one check that holds or does not.
    pub(crate) fn check(&mut self, name: &str, check: impl FnOnce() -> Result<()>) -> bool {
        self.tests(name, || check().map(|()| Tally::passed(1)))
    }

    /// Runs one step that counts its own tests. True when it holds.
    pub(crate) fn tests(&mut self, name: &str, step: impl FnOnce() -> Result<Tally>) -> bool {
        println!("\n=== {name}");
        let began = Instant::now();
        let outcome = step().and_then(|tally| match tally {
            Tally { failed: 0, passed: 0, .. } => bail!("no test ran"),
            tally => Ok(tally),
        });
        let seconds = began.elapsed().as_secs_f64();
        let tally = outcome.unwrap_or_else(|error| {
            let failure = Failure::new(&format!("{error:#}"));
            println!("{}", failure.name);
            Tally { failed: 1, failures: vec![failure], ..Tally::default() }
        });
        let holds = tally.failed == 0;
        let word = if holds { "ok" } else { "FAILED" };
        println!("--- {name}: {word} ({} passed, {} failed) in {seconds:.1} s", tally.passed, tally.failed);
        self.total.passed += tally.passed;
        self.total.failed += tally.failed;
        self.passing.extend(tally.passing);
        if !holds {
            self.failures.push((format!("FAILED {name}"), tally.failures));
        }
        holds
    }

    /// A step that cannot run because one before it failed.
    pub(crate) fn blocked(&mut self, name: &str, because: &str) {
        println!("\n=== {name}\n--- {name}: FAILED, not run because {because} failed");
        self.total.failed += 1;
        let why = Failure::new(&format!("not run because {because} failed"));
        self.failures.push((format!("FAILED {name}"), vec![why]));
    }

    /// The closing lines. True when nothing failed.
    pub(crate) fn end(self) -> bool {
        println!("\nall in {:.0} s", self.began.elapsed().as_secs_f64());
        if !self.passing.is_empty() {
            println!("held only when it was run again");
        }
        for failure in self.passing.iter().take(PASSING_MAX) {
            let said = failure.said.iter().take(LINES_EACH_MIN - 1).map(|line| format!("    {line}"));
            for line in [format!("  {}", failure.name)].into_iter().chain(said) {
                println!("{}", cut(line));
            }
        }
        for line in shortened(&self.failures) {
            println!("{line}");
        }
        println!("{} passed, {} failed", self.total.passed, self.total.failed);
        self.total.failed == 0
    }
}

/// All failures in as many lines as are read. Each gets its share, and no step takes the last lines of the others.
fn shortened(failures: &[(String, Vec<Failure>)]) -> Vec<String> {
    let mut lines = Vec::new();
    for (number, (heading, of_step)) in failures.iter().enumerate() {
        let for_others = (failures.len() - number - 1) * (LINES_EACH_MIN + 2);
        let end = LINES_MAX.saturating_sub(for_others);
        let room = end.saturating_sub(lines.len() + 2);
        let each = (room / of_step.len().max(1)).max(LINES_EACH_MIN);
        lines.push(heading.clone());
        for (told, failure) in of_step.iter().enumerate() {
            if lines.len() + each >= end && told > 0 {
                lines.push(format!("  and {} more", of_step.len() - told));
                break;
            }
            lines.push(cut(format!("  {}", failure.name)));
            let said = failure.said.iter().take(each - 1);
            lines.extend(said.map(|line| cut(format!("    {line}"))));
        }
    }
    lines
}

fn cut(line: String) -> String {
    match line.char_indices().nth(LINE_MAX) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_counts_tests_checks_and_failures() {
        let mut report = Report::begin();
        assert!(report.tests("three", || Ok(Tally::passed(3))));
        let one_of_two =
            Tally { passed: 1, failed: 1, failures: vec![Failure::new("it\nbroke")], ..Tally::default() };
        assert!(!report.tests("one of two", || Ok(one_of_two)));
        assert!(report.check("holds", || Ok(())));
        assert!(!report.check("breaks", || bail!("why")));
        report.blocked("after", "breaks");
        assert_eq!((report.total.passed, report.total.failed), (5, 3));
        let told = [
            "FAILED one of two",
            "  it",
            "    broke",
            "FAILED breaks",
            "  why",
            "FAILED after",
            "  not run because breaks failed",
        ];
        assert_eq!(shortened(&report.failures), told);
    }

    #[test]
    fn however_much_fails_the_end_of_the_run_is_short_and_names_every_step() {
        let long = Failure { name: "name".to_owned(), said: vec!["x".repeat(9999); 50] };
        for count in [1, 10, 100, 1000] {
            let failures = [("one", count), ("two", 1)]
                .map(|(step, count)| (step.to_owned(), vec![long.clone(); count]));
            let lines = shortened(&failures);
            assert!(lines.len() <= LINES_MAX + failures.len(), "{count}: {}", lines.len());
            assert!(lines.iter().all(|line| line.chars().count() <= LINE_MAX + 2));
            let two = lines.iter().position(|line| line == "two").expect("the last step is named");
            assert!(lines[two + 2].contains('x'), "{count}: and says why");
            let told = lines.iter().filter(|line| *line == "  name").count();
            assert!(told == count + 1 || lines[two - 1].ends_with(" more"), "{count}: {told}");
        }
    }

    #[test]
    fn a_test_runner_that_runs_nothing_has_failed() {
        let mut report = Report::begin();
        assert!(!report.tests("empty", || Ok(Tally::default())));
    }
}
