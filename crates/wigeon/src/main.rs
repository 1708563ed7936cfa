//! The program `wigeon`: reads what it was told, then starts the server or does one small errand.
//!
//! Exit codes: 0 it went well, 1 it failed, 2 it was told wrongly (a flag, a variable, the config file), or
//! `check` could not look.
//! What a person should read goes to stdout (what was asked for) or stderr (what went wrong); logs go to
//! stderr only, so that `wigeon token` can stand in a shell's `$(…)`.

mod backup;
mod bar;
mod bench;
mod check;
mod cli;
mod config;
mod log;
mod migrate;
mod reference;
mod serve;
mod settings;
mod speak;
mod token;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap::FromArgMatches;
use rustix::fs::Mode;

use crate::cli::{Cli, Command};
use crate::config::{ConfigError, Loaded};
use crate::speak::{say, sentence};

fn main() -> ExitCode {
    let matches = cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        // It has said what it found.
        Err(error) if error.is::<check::NotRight>() => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {}", sentence(&error));
            let told_wrongly = error.is::<ConfigError>() || error.is::<check::Unable>();
            ExitCode::from(if told_wrongly { 2 } else { 1 })
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let load = |sources| config::load(sources, |name| env::var_os(name));
    let command = cli.command.unwrap_or(Command::Serve(cli.serve));
    if !matches!(command, Command::Bench(_)) {
        // What is written into a data directory is what people say to each other: its owner's alone, also where the
        // directory itself was made by somebody else and lets others in.
        rustix::process::umask(Mode::RWXG | Mode::RWXO);
    }
    match command {
        Command::Serve(sources) => serve::run(load(sources)?),
        Command::Token(arguments) => {
            let loaded = load(arguments.sources())?;
            say(&format!("{}\n", token::issue(&arguments, loaded)?));
            Ok(())
        }
        Command::CheckConfig(sources) => {
            say(&description(&load(sources)?));
            Ok(())
        }
        Command::Backup(arguments) => {
            let loaded = load(arguments.of.sources())?;
            say(&backup::run(&arguments, &loaded)?);
            Ok(())
        }
        Command::Check(arguments) => {
            let loaded = load(arguments.of.sources())?;
            check::run(&arguments, &loaded)
        }
        Command::Migrate(arguments) => {
            let loaded = load(arguments.sources.clone())?;
            say(&migrate::run(&arguments, &loaded)?);
            Ok(())
        }
        Command::Bench(arguments) => bench::run(&arguments),
        Command::ConfigReference => {
            say(&reference::markdown());
            Ok(())
        }
    }
}

/// What `check-config` prints: every setting, as the config file would say it, and who said so.
fn description(loaded: &Loaded) -> String {
    let head = match &loaded.file {
        Some(file) => {
            format!("# {} is good. Together with flags, environment and defaults:\n", file.display())
        }
        None => "# There is no config file. Flags, environment and defaults:\n".to_owned(),
    };
    let entry = |(key, value, from): &(_, _, _)| format!("{:<58} # {from}\n", format!("{key} = {value}"));
    let note = |note: String| format!("# Note: {note}\n");
    let entries = loaded.entries.iter().map(entry);
    std::iter::once(head).chain(entries).chain(loaded.settings.notes().into_iter().map(note)).collect()
}
