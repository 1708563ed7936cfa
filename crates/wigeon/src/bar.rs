//! How far an errand is, for a person at a terminal; nobody else sees anything.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar with what is being done beside it.
#[derive(Debug)]
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        // Hides itself where stderr is no terminal.
        let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{prefix:>20}  {bar:32.cyan/dim}  {percent:>3} %");
        bar.set_style(style.expect("the template is one").progress_chars("━╸─"));
        Self(bar)
    }

    /// Says what is being done, and how much of how much is done.
    pub(crate) fn show(&self, what: &str, done: u64, of: u64) {
        self.0.set_prefix(what.to_owned());
        self.0.set_length(of);
        self.0.set_position(done);
    }

    /// Goes from the screen.
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}
