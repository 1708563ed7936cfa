//! What a test runner says of its failures, so short that all of it fits into the end of a run.
//!
//! Whoever looks at CI often has nothing but its last lines. So of each test that failed its name is kept, and what
//! it said from the panic or the error on: no backtraces, and nothing of what it printed before.

/// Lines that are kept of what one failure says.
const SAID_MAX: usize = 24;
/// Calls that are named of one failure: the assertion's, and whoever called that.
const PLACES_MAX: usize = 2;
/// Lines that are kept of what was said last, for a program that says nothing of its failure.
const LAST_MAX: usize = 24;

/// One thing that did not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) name: String,
    pub(crate) said: Vec<String>,
}

impl Failure {
    /// The first line is its name.
    pub(crate) fn new(text: &str) -> Self {
        let mut lines = text.lines().map(str::to_owned);
        Self { name: lines.next().unwrap_or_default(), said: lines.collect() }
    }
}

/// Which part of its output a runner is at.
#[derive(Default, Clone, Copy, PartialEq)]
enum Part {
    #[default]
    Run,
    /// cargo: what a test said before it panicked.
    Before,
    /// What a test said of its failure.
    Said,
    /// A backtrace in it.
    Backtrace,
}

/// Hears the output of cargo's or Node's test runner line by line.
#[derive(Default)]
pub(crate) struct Digest {
    part: Part,
    failures: Vec<Failure>,
    /// Node: where the failure stands that is told of next.
    place: String,
    /// What was said last that is no line of a runner: what a file said that fell over as a whole.
    last: Last,
    /// The same, of the file that failed last.
    fell: Option<(String, Vec<String>)>,
}

impl Digest {
    pub(crate) fn hear(&mut self, line: &str) {
        if line == "failures:" || line == "✖ failing tests:" || line.starts_with("test result: ") {
            self.part = Part::Run;
        } else if let Some(name) =
            line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----"))
        {
            self.begin(name.to_owned(), Part::Before);
        } else if let Some(place) = line.strip_prefix("test at ") {
            (self.place, self.part) = (place.to_owned(), Part::Run);
        } else if let Some(name) = line.strip_prefix("✖ ") {
            self.fails(name);
        } else {
            self.hear_more(line);
        }
    }

    /// Node says so twice: when it happens, and in the list at the end with its place before it.
    fn fails(&mut self, name: &str) {
        let name = name.rsplit_once(" (").map_or(name, |(name, _)| name);
        if self.place.is_empty() {
            self.fell = Some((name.to_owned(), self.last.take()));
        } else {
            let place = std::mem::take(&mut self.place);
            self.begin(format!("{name} ({place})"), Part::Said);
            if let Some((_, said)) = self.fell.take_if(|(fell, _)| fell == name) {
                for line in said {
                    self.keep(&line);
                }
            }
        }
    }

    fn begin(&mut self, name: String, part: Part) {
        self.part = part;
        self.failures.push(Failure { name, said: Vec::new() });
    }

    fn hear_more(&mut self, line: &str) {
        let is_of_trace = line.starts_with("  ");
        match self.part {
            Part::Run => self.last.hear(line),
            Part::Before if line.contains("panicked at ") => {
                self.part = Part::Said;
                self.keep(line);
            }
            Part::Before if line.starts_with("WIGEON_SEED=") => self.keep(line),
            Part::Said if line == "stack backtrace:" => self.part = Part::Backtrace,
            Part::Backtrace if !is_of_trace => {
                self.part = Part::Said;
                self.keep(line);
            }
            Part::Said => self.keep(line),
            Part::Before | Part::Backtrace => {}
        }
    }

    fn keep(&mut self, line: &str) {
        let line = line.trim_end();
        let trimmed = line.trim_start();
        let said = self.failures.last().map_or(&[][..], |failure| &failure.said);
        let is_place = |line: &str| line.trim_start().starts_with("at ");
        // Of Node's trace, where in our own files it was.
        let is_far =
            !line.contains("file:") || said.iter().filter(|line| is_place(line)).count() == PLACES_MAX;
        let is_noise = trimmed.is_empty()
            || is_place(line) && is_far
            || trimmed.starts_with("note: run with `RUST_BACKTRACE")
            || trimmed.starts_with("note: Some details are omitted");
        if let Some(failure) = self.failures.last_mut().filter(|failure| failure.said.len() < SAID_MAX)
            && !is_noise
        {
            failure.said.push(line.to_owned());
        }
    }

    /// What failed; for a runner that says nothing of it, its last words under `name`.
    pub(crate) fn failures(mut self, name: &str) -> Vec<Failure> {
        if self.failures.is_empty() {
            self.failures.push(Failure { name: name.to_owned(), said: self.last.take() });
        }
        self.failures
    }
}

/// The last lines of a program.
#[derive(Default)]
pub(crate) struct Last(std::collections::VecDeque<String>);

impl Last {
    pub(crate) fn hear(&mut self, line: &str) {
        // Lines of a runner's tests that hold.
        if line.trim().is_empty()
            || line.starts_with("test ")
            || line.trim_start().starts_with(['✔', '▶', 'ℹ'])
        {
            return;
        }
        self.0.push_back(line.trim_end().to_owned());
        if self.0.len() > LAST_MAX {
            self.0.pop_front();
        }
    }

    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Vec<Failure> {
        let mut digest = Digest::default();
        text.lines().for_each(|line| digest.hear(line));
        digest.failures("the runner ended with 101")
    }

    fn failure(name: &str, said: &[&str]) -> Failure {
        Failure { name: name.to_owned(), said: said.iter().map(|line| (*line).to_owned()).collect() }
    }

    #[test]
    fn of_a_rust_test_its_panic_is_kept_without_what_came_before_and_without_the_trace() {
        let text = "\
running 3 tests
test a ... ok
test b::c ... FAILED
test d ... FAILED

failures:

---- b::c stdout ----
WIGEON_SEED=7
Torn after 9 of 10

thread 'b::c' (123) panicked at src/b.rs:1:2:
assertion `left == right` failed: hm
  left: 1
 right: 2
stack backtrace:
   0: rust_begin_unwind
             at /rustc/library/std/src/panicking.rs:689:5
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.
--- the server's last words
ready

---- d stdout ----

thread 'd' (124) panicked at src/d.rs:1:2:
no
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace


failures:
    b::c
    d

test result: FAILED. 1 passed; 2 failed; 0 ignored
error: test failed, to rerun pass `-p b --lib`
";
        let b = [
            "WIGEON_SEED=7",
            "thread 'b::c' (123) panicked at src/b.rs:1:2:",
            "assertion `left == right` failed: hm",
            "  left: 1",
            " right: 2",
            "--- the server's last words",
            "ready",
        ];
        let d = ["thread 'd' (124) panicked at src/d.rs:1:2:", "no"];
        assert_eq!(digest(text), [failure("b::c", &b), failure("d", &d)]);
    }

    #[test]
    fn of_a_node_test_its_error_and_place_are_kept_and_of_a_file_that_fell_over_what_it_said() {
        let text = "\
✔ holds (1.5 ms)
file:///x/b.test.mjs:1
Error: at load
    at file:///x/b.test.mjs:1:7
✖ /x/b.test.mjs (168.5ms)
  'test failed'

▶ suite
  ✖ inner fails (2.2ms)
    Error: no
ℹ fail 2

✖ failing tests:

test at a.test.mjs:4:27
✖ inner fails (2.2ms)
  AssertionError [ERR_ASSERTION]: Expected values to be equal:
  + actual - expected

  + 3
      at TestContext.<anonymous> (file:///x/a.test.mjs:4:60)
      at Test.run (node:internal/test_runner/test:796:25)
      at new Promise (<anonymous>)

test at b.test.mjs:1:1
✖ /x/b.test.mjs (168.5ms)
  'test failed'
";
        let inner = [
            "  AssertionError [ERR_ASSERTION]: Expected values to be equal:",
            "  + actual - expected",
            "  + 3",
            "      at TestContext.<anonymous> (file:///x/a.test.mjs:4:60)",
        ];
        let fell = [
            "file:///x/b.test.mjs:1",
            "Error: at load",
            "    at file:///x/b.test.mjs:1:7",
            "  'test failed'",
        ];
        assert_eq!(
            digest(text),
            [
                failure("inner fails (a.test.mjs:4:27)", &inner),
                failure("/x/b.test.mjs (b.test.mjs:1:1)", &fell)
            ]
        );
    }

    #[test]
    fn of_a_runner_that_dies_its_last_words_are_kept() {
        let text = "running 2 tests\ntest a ... ok\n\nerror: test failed\n  (signal: 6, SIGABRT)\n";
        let words = ["running 2 tests", "error: test failed", "  (signal: 6, SIGABRT)"];
        assert_eq!(digest(text), [failure("the runner ended with 101", &words)]);
    }
}
