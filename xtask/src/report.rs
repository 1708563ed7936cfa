//! The report of a run: a heading and a time for each step, the failures once more at the end, and
//! the closing line `N passed, N failed`.
//!
//! A failed step does not stop the run. Who waits half an hour for CI wants to know all that is wrong.

use std::time::Instant;

use anyhow::{Result, bail};

/// How many tests a step ran. A check that is no test runner counts as one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// What the test runners said of the tests that failed, line by line.
    pub(crate) failures: Vec<String>,
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
    }
}

/// What happened so far.
pub(crate) struct Report {
    began: Instant,
    total: Tally,
    failures: Vec<String>,
}

impl Report {
    pub(crate) fn begin() -> Self {
        Self { began: Instant::now(), total: Tally::default(), failures: Vec::new() }
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
            println!("{error:#}");
            Tally { passed: 0, failed: 1, failures: vec![format!("{error:#}")] }
        });
        let holds = tally.failed == 0;
        let word = if holds { "ok" } else { "FAILED" };
        println!("--- {name}: {word} ({} passed, {} failed) in {seconds:.1} s", tally.passed, tally.failed);
        self.total.passed += tally.passed;
        self.total.failed += tally.failed;
        if !holds {
            self.fail(name, tally.failures);
        }
        holds
    }

    /// A step that cannot run because one before it failed.
    pub(crate) fn blocked(&mut self, name: &str, because: &str) {
        println!("\n=== {name}\n--- {name}: FAILED, not run because {because} failed");
        self.total.failed += 1;
        self.fail(name, vec![format!("not run because {because} failed")]);
    }

    fn fail(&mut self, name: &str, details: Vec<String>) {
        self.failures.push(format!("FAILED {name}"));
        self.failures.extend(details.into_iter().map(|line| format!("  {line}")));
    }

    /// The closing lines. True when nothing failed.
    pub(crate) fn end(self) -> bool {
        println!("\nall in {:.0} s", self.began.elapsed().as_secs_f64());
        for failure in &self.failures {
            println!("{failure}");
        }
        println!("{} passed, {} failed", self.total.passed, self.total.failed);
        self.total.failed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_counts_tests_checks_and_failures() {
        let mut report = Report::begin();
        assert!(report.tests("three", || Ok(Tally::passed(3))));
        let one_of_two = Tally { passed: 1, failed: 1, failures: vec!["it broke".to_owned()] };
        assert!(!report.tests("one of two", || Ok(one_of_two)));
        assert!(report.check("holds", || Ok(())));
        assert!(!report.check("breaks", || bail!("why")));
        report.blocked("after", "breaks");
        assert_eq!((report.total.passed, report.total.failed), (5, 3));
        let told =
            ["one of two", "  it broke", "breaks", "  why", "after", "  not run because breaks failed"];
        let told =
            told.map(|line| if line.starts_with(' ') { line.to_owned() } else { format!("FAILED {line}") });
        assert_eq!(report.failures, told);
    }

    #[test]
    fn a_test_runner_that_runs_nothing_has_failed() {
        let mut report = Report::begin();
        assert!(!report.tests("empty", || Ok(Tally::default())));
    }
}
