//! Logs: lines or JSON objects on stderr.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, LogLevel};

/// Sends everything that is traced to stderr from now on.
pub(crate) fn start(level: &LogLevel, format: LogFormat) {
    let filter = EnvFilter::builder().parse_lossy(&level.0);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        // Colours for a person at a terminal; journald and files get plain lines.
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}
