//! The command line: what can be said, and the help that explains it.
//!
//! `wigeon` alone is `wigeon serve`, so its flags stand at the top as well. The flags that are settings
//! come from [`Settings`], which also reads the config file; their defaults are written into the help from
//! [`Settings::defaults`], so that there is one place where a default is said.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use wigeon_proto::id::UserId;

use crate::bench;
use crate::settings::{Settings, Switch};

const EXAMPLES: &str = "\
Examples:
  wigeon
      Start here and now: open http://127.0.0.1:8088 in two windows. Data goes to ./wigeon-data.

  wigeon --listen 0.0.0.0:8088 --guests on
      Let everybody on this network in, by a name alone.

  wigeon --public-url https://chat.example --data /var/lib/wigeon
      Behind a proxy that does TLS.

  wigeon token --user ann --name Ann
      Print a token for Ann, good for a day.

Every setting can also stand in wigeon.toml (guests = \"off\") and in the environment
(WIGEON_GUESTS=off). A flag is stronger than the environment, and that than the file.";

const TOKEN_EXAMPLES: &str = "\
Examples:
  wigeon token --user ann --name Ann --ttl 30d
  curl -H \"Authorization: Bearer $(wigeon token --user ann)\" http://127.0.0.1:8088/v1/events";

const BACKUP_EXAMPLES: &str = "\
Examples:
  wigeon backup --data /var/lib/wigeon /backups/$(date +%F)
  mv /var/lib/wigeon /var/lib/wigeon.old
  cp -a /backups/2026-11-23 /var/lib/wigeon
      Restore it: with the server stopped, and then started.";

const CHECK_EXAMPLES: &str = "\
Examples:
  wigeon check --data /var/lib/wigeon
  TMPDIR=/big wigeon check --json
      Put the tables it makes, as large as wigeon.db, somewhere else than /tmp.";

const MIGRATE_EXAMPLES: &str = "\
Examples:
  wigeon migrate --to-nats --nats nats://10.0.0.1:4222 --data /var/lib/wigeon
      Make the stream, and this directory that of the first node.

  wigeon migrate --from-nats --nats nats://10.0.0.1:4222 --data /var/lib/wigeon
      With all nodes stopped: make this node's directory that of a single machine again.";

/// Instant messaging for web pages, in one program
#[derive(Debug, Parser)]
#[command(name = "wigeon", version, max_term_width = 100, after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Sources,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the server (also without this word)
    #[command(after_help = EXAMPLES)]
    Serve(Sources),
    /// Print a token that lets a user or a backend in
    #[command(after_help = TOKEN_EXAMPLES)]
    Token(TokenArguments),
    /// Say what the settings mean and where each comes from, or what is wrong with them
    CheckConfig(Sources),
    /// Copy a data directory, also while a server uses it
    ///
    /// The copy has everything that was acknowledged before the command began, and the secret. It is a data
    /// directory: to restore it, start a server on it, or on a copy of it. What people said after the backup is
    /// then gone for all of them: their pages are told to look again.
    #[command(after_help = BACKUP_EXAMPLES)]
    Backup(BackupArguments),
    /// Check that the tables of a data directory are what its log says
    ///
    /// For a directory that no server is using. Folds the log once more, compares every row, and every word of the
    /// search index with the messages; nothing is changed. Exit code 0: it is right; 1: it is not, and what is
    /// different is printed; 2: it could not be checked.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArguments),
    /// Move a data directory into a cluster, or out of one
    ///
    /// For a directory that no server is using. Positions stay, and with them every client's cursor: nobody
    /// notices but by the pause. The log goes on in NATS after what the directory holds, or in the directory
    /// after what NATS held.
    #[command(after_help = MIGRATE_EXAMPLES)]
    Migrate(MigrateArguments),
    /// Measure a server under load, and check that nothing is lost
    ///
    /// Starts a server of its own in a temporary directory (or takes the one at --url), opens connections,
    /// sends, and says what a delivery took and cost. In every scenario each reader keeps count of each
    /// message: if one is lost, doubled or out of order, or a connection fails, the run fails, with exit
    /// code 1.
    Bench(Box<bench::Arguments>),
    /// Print the reference of all settings as Markdown
    #[command(hide = true)]
    ConfigReference,
}

/// Where settings come from: a file, and flags over it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Sources {
    /// Config file; ./wigeon.toml is read when there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Serve what test suites for SockJS servers ask for: /echo, /close and the like
    ///
    /// No setting: what it opens is for a test and its machine alone.
    #[arg(long, value_name = "SWITCH", hide = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub(crate) sockjs_test_services: Option<Switch>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    /// Whom the token is for: letters, digits, dot, underscore, hyphen
    #[arg(long, value_name = "ID", value_parser = user)]
    pub(crate) user: UserId,
    /// The name others see
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// `service` is for backends: it may act for anyone
    #[arg(long, value_enum, default_value_t = TokenRole::User)]
    pub(crate) role: TokenRole,
    /// How long it is good: a number and s, m, h or d
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "24h")]
    pub(crate) ttl: Duration,
    /// The server's data directory, whose secret signs the token
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// The server's config file, which names that directory
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// The directory to make: it must not exist, or be empty
    #[arg(value_name = "DEST")]
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) of: OfDirectory,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) of: OfDirectory,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("way").required(true).args(["to_nats", "from_nats"])))]
pub(crate) struct MigrateArguments {
    /// From one machine to a cluster
    #[arg(long)]
    pub(crate) to_nats: bool,
    /// From a cluster back to one machine
    #[arg(long)]
    pub(crate) from_nats: bool,
    #[command(flatten)]
    pub(crate) sources: Sources,
}

/// Which data directory is meant.
#[derive(Debug, Args)]
pub(crate) struct OfDirectory {
    /// The server's data directory
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// The server's config file, which names that directory
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl OfDirectory {
    pub(crate) fn sources(&self) -> Sources {
        sources(self.data.as_ref(), self.config.as_ref())
    }
}

impl TokenArguments {
    pub(crate) fn sources(&self) -> Sources {
        sources(self.data.as_ref(), self.config.as_ref())
    }
}

fn sources(data: Option<&PathBuf>, config: Option<&PathBuf>) -> Sources {
    let settings = Settings { data: data.cloned(), ..Settings::default() };
    Sources { config: config.cloned(), settings, ..Sources::default() }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenRole {
    User,
    Service,
}

/// The whole command line, with the defaults of the settings written into the help.
pub(crate) fn command() -> clap::Command {
    let defaults = Settings::defaults().entries();
    let say_default = |arg: clap::Arg| {
        let entry = defaults.iter().find(|(key, _)| *key == arg.get_id().as_str());
        let Some((_, Some(value))) =
            entry.filter(|(_, value)| !matches!(value.as_deref(), Some("[]" | "\"\"")))
        else {
            return arg;
        };
        let value = value.trim_matches(['[', ']', '"']);
        let short = arg.get_help().map(|help| format!("{help} [default: {value}]"));
        let long = arg.get_long_help().map(|help| format!("{help}\n\n[default: {value}]"));
        arg.help(short.unwrap_or_default()).long_help(long.unwrap_or_default())
    };
    // Only these take settings; elsewhere an argument may have the same name and another default.
    let mut command = Cli::command().mut_args(say_default);
    for name in ["serve", "check-config", "migrate"] {
        command = command.mut_subcommand(name, |command| command.mut_args(say_default));
    }
    command
}

/// Reads whom a token is for. Guests have theirs from the server alone.
fn user(text: &str) -> Result<UserId, String> {
    match UserId::parse(text) {
        Ok(user) if user.is_guest() => Err("only the server speaks for guests".to_owned()),
        Ok(user) => Ok(user),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads `90s`, `15m`, `24h`, `30d`.
fn time(text: &str) -> Result<Duration, String> {
    let hint = "write a number and s, m, h or d, like 24h";
    let (digits, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(hint.to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| hint.to_owned())?;
    match number.checked_mul(seconds) {
        Some(1..=315_360_000) => Ok(Duration::from_secs(number * seconds)),
        _ => Err("a token lives from 1s to 3650d".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        command().debug_assert();
    }

    #[test]
    fn a_time_needs_its_unit() {
        assert_eq!(time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(time("30d"), Ok(Duration::from_secs(2_592_000)));
        for bad in ["", "24", "h", "-1h", "1.5h", "24 h", "1w", "5ü", "0s", "3651d", "99999999999999999999d"]
        {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
