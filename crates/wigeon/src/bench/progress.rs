//! What a person at a terminal sees while it runs; nobody else sees anything.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Steps of the bar; the line says the numbers.
const STEPS: u64 = 1000;

#[derive(Debug)]
pub(super) struct Progress {
    /// What it is about, where there are several.
    about: String,
    bar: ProgressBar,
    phase: RefCell<&'static str>,
    goal: Cell<Goal>,
}

/// When a phase is through.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    /// After this time.
    Time(Instant, Duration),
    /// When so many are counted.
    Count(u64),
}

impl Progress {
    pub(super) fn new() -> Self {
        Self::about(String::new())
    }

    /// The progress of one of several.
    pub(super) fn about(about: String) -> Self {
        // Hides itself where stderr is no terminal.
        let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{prefix:>14}  {bar:32.cyan/dim}  {msg}");
        bar.set_style(style.expect("the template is one").progress_chars("━╸─"));
        Self { about, bar, phase: RefCell::default(), goal: Cell::new(Goal::Count(1)) }
    }

    pub(super) fn begin(&self, phase: &'static str, goal: Goal) {
        *self.phase.borrow_mut() = phase;
        self.goal.set(goal);
        self.bar.set_prefix(phase);
        self.bar.set_message(self.about.clone());
        self.bar.set_position(0);
    }

    /// Shows how far it is: `counted` towards a count, and the deliveries of the last second.
    pub(super) fn show(&self, counted: u64, deliveries_per_s: f64) {
        let (share, words) = match self.goal.get() {
            Goal::Time(since, length) => {
                let (gone, all) =
                    (since.elapsed().as_secs_f64().min(length.as_secs_f64()), length.as_secs_f64());
                (gone / all.max(0.001), format!("{gone:.1} of {all:.0} s"))
            }
            Goal::Count(all) => (counted as f64 / all.max(1) as f64, format!("{counted} of {all}")),
        };
        self.bar.set_position((share.min(1.0) * STEPS as f64) as u64);
        let about = if self.about.is_empty() { String::new() } else { format!("{}: ", self.about) };
        self.bar.set_message(format!("{about}{words}, {deliveries_per_s:.0} deliveries/s"));
    }

    /// Goes from the screen.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
