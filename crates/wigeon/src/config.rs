//! Where settings come from: flags over environment over file over defaults.
//!
//! The environment is read as flags: `WIGEON_LOG_FORMAT=json` is `--log-format=json`, so both mean the same
//! and say the same when they are wrong. An error names its place: the file with line and the line itself,
//! or the variable.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::{ArgAction, CommandFactory, Parser};
use wigeon_server::auth::Secret;

use crate::cli::Sources;
use crate::settings::{Settings, Switch};

/// Read from the working directory when no file is named.
const DEFAULT_FILE: &str = "wigeon.toml";
/// The secret is no setting: it has no flag, because others can see a program's arguments.
const SECRET_VARIABLE: &str = "WIGEON_AUTH_SECRET";

/// All settings, and how they came about.
pub(crate) struct Loaded {
    /// Every field is there.
    pub(crate) settings: Settings,
    /// Each key, its value as the config file would write it, and who said so.
    pub(crate) entries: Vec<(&'static str, String, String)>,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// From the environment; else the data directory has one.
    pub(crate) secret: Option<Secret>,
    /// Whether test suites find what they ask for.
    pub(crate) sockjs_test_services: bool,
}

/// What is wrong with what we were told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read the config file {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{0}")]
    Line(Line),
    #[error("{name}: {message}")]
    Variable { name: String, message: String },
    #[error("{0}")]
    Secret(wigeon_server::auth::secret::SecretError),
    #[error("say where NATS is, with --nats")]
    NoNats,
}

/// A line of the config file with something wrong in it.
#[derive(Debug)]
pub(crate) struct Line {
    path: PathBuf,
    number: usize,
    text: String,
    /// What is wrong, in columns.
    at: Range<usize>,
    message: String,
    hint: Option<String>,
}

/// Reads all sources. `variable` looks into the environment.
pub(crate) fn load(
    flags: Sources,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Loaded, ConfigError> {
    let environment = from_environment(&variable)?;
    let named = flags.config.or(environment.config);
    let file = match &named {
        Some(path) => Some(from_file(path)?),
        None => match from_file(Path::new(DEFAULT_FILE)) {
            Err(ConfigError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
            found => Some(found?),
        },
    };
    let path = file.as_ref().map(|_| named.unwrap_or_else(|| DEFAULT_FILE.into()));
    let secret = match variable(SECRET_VARIABLE).filter(|text| !text.is_empty()) {
        Some(text) => Some(secret_from(text)?),
        None => None,
    };

    let test_services = flags.sockjs_test_services.or(environment.sockjs_test_services);
    let file_name = path.as_ref().map_or_else(String::new, |path| path.display().to_string());
    let layers = [
        (flags.settings, Said::Flag),
        (environment.settings, Said::Variable),
        (file.unwrap_or_default(), Said::File(file_name)),
        (Settings::defaults(), Said::Default),
    ];
    let entries = entries(&layers);
    let settings = layers.into_iter().fold(Settings::default(), |above, (below, _)| above.over(below));
    let sockjs_test_services = test_services == Some(Switch::On);
    Ok(Loaded { settings, entries, file: path, secret, sockjs_test_services })
}

enum Said {
    Flag,
    Variable,
    File(String),
    Default,
}

impl Said {
    fn of(&self, key: &str) -> String {
        match self {
            Self::Flag => format!("--{}", key.replace('_', "-")),
            Self::Variable => variable_name(key),
            Self::File(name) => name.clone(),
            Self::Default => "default".to_owned(),
        }
    }
}

/// For each key the value of the uppermost layer that has one.
fn entries(layers: &[(Settings, Said)]) -> Vec<(&'static str, String, String)> {
    let mut entries: Vec<(&'static str, String, String)> = Vec::new();
    for (settings, said) in layers {
        for (key, value) in settings.entries() {
            if let Some(value) = value.filter(|_| entries.iter().all(|(known, ..)| *known != key)) {
                entries.push((key, value, said.of(key)));
            }
        }
    }
    let order: Vec<_> = Settings::default().entries().into_iter().map(|(key, _)| key).collect();
    entries.sort_by_key(|(key, ..)| order.iter().position(|other| other == key));
    entries
}

/// `log_format` and `log-format` are `WIGEON_LOG_FORMAT`.
pub(crate) fn variable_name(key: &str) -> String {
    format!("WIGEON_{}", key.replace('-', "_").to_ascii_uppercase())
}

#[derive(Debug, Default, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Flags {
    #[command(flatten)]
    sources: Sources,
}

/// Reads every variable as its flag. An empty one counts as not set, as people expect of containers; a
/// list is separated by commas.
fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Result<Sources, ConfigError> {
    let mut sources = Sources::default();
    for arg in Flags::command().get_arguments() {
        let flag = arg.get_long().expect("every setting has a long flag");
        let name = variable_name(flag);
        let Some(value) = variable(&name).filter(|value| !value.is_empty()) else { continue };
        let failed = |message: String| ConfigError::Variable { name: name.clone(), message };
        let value = value.into_string().map_err(|_| failed("is not UTF-8".to_owned()))?;
        let values: Vec<&str> = match arg.get_action() {
            ArgAction::Append => value.split(',').map(str::trim).collect(),
            _ => vec![&value],
        };
        let flags = values.iter().map(|value| format!("--{flag}={value}"));
        let read = Flags::try_parse_from(flags).map_err(|error| failed(complaint(&error)))?.sources;
        sources.config = sources.config.or(read.config);
        sources.sockjs_test_services = sources.sockjs_test_services.or(read.sockjs_test_services);
        sources.settings = sources.settings.over(read.settings);
    }
    Ok(sources)
}

/// The sentence of an error of the command line, without the flag that nobody wrote.
fn complaint(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    match (first.find(" for '--"), first.find(">': ")) {
        (Some(begin), Some(end)) => format!("{}: {}", &first[..begin], &first[end + 4..]),
        _ => first.to_owned(),
    }
}

fn secret_from(text: OsString) -> Result<Secret, ConfigError> {
    let not_utf8 = |_| ConfigError::Variable { name: SECRET_VARIABLE.into(), message: "is not UTF-8".into() };
    let text = text.into_string().map_err(not_utf8)?;
    Secret::from_text(&text, SECRET_VARIABLE).map_err(ConfigError::Secret)
}

fn from_file(path: &Path) -> Result<Settings, ConfigError> {
    let text = fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    let mut settings = parse(path, &text)?;
    let named = [&mut settings.data, &mut settings.nats_creds, &mut settings.nats_ca];
    for name in named.into_iter().flatten().filter(|name| !name.as_os_str().is_empty()) {
        *name = path.parent().map_or_else(|| name.clone(), |directory| directory.join(&*name));
    }
    Ok(settings)
}

fn parse(path: &Path, text: &str) -> Result<Settings, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        let begin = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[begin..].lines().next().unwrap_or_default();
        let columns = |end: usize| text[begin..end.clamp(begin, begin + line.len())].chars().count();
        // Of a long message only the beginning: the rest lists every key there is.
        let message = error.message().split(", expected one of").next().unwrap_or_default();
        ConfigError::Line(Line {
            path: path.to_owned(),
            number: text[..span.start].matches('\n').count() + 1,
            text: line.to_owned(),
            at: columns(span.start)..columns(span.end),
            message: message.to_owned(),
            hint: hint(message, line),
        })
    })
}

/// What the operator probably meant.
fn hint(message: &str, line: &str) -> Option<String> {
    if let Some(unknown) = message.strip_prefix("unknown field `").and_then(|rest| rest.strip_suffix('`')) {
        let unknown = unknown.replace('-', "_");
        let keys = Settings::default().entries().into_iter().map(|(key, _)| key);
        let near = keys.clone().map(|key| (distance(key, &unknown), key)).min().filter(|(far, _)| *far <= 2);
        return Some(match near {
            Some((_, key)) => format!("did you mean {key}?"),
            None => format!("the keys are {}", keys.collect::<Vec<_>>().join(", ")),
        });
    }
    let value = line.split_once('=').map_or("", |(_, value)| value.trim());
    let bare = value.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '/'));
    let quoted_list = "a text stands in double quotes, a list in brackets: listen = [\"127.0.0.1:8088\"]";
    (bare && !message.starts_with("invalid value")).then(|| quoted_list.to_owned())
}

/// How many letters must be put in, taken out or changed to make one text of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, text, at, message, .. } = self;
        writeln!(f, "{}:{number}:{}: {message}", self.path.display(), at.start + 1)?;
        writeln!(f, "  {number} | {text}")?;
        let margin = " ".repeat(number.to_string().len());
        write!(f, "  {margin} | {}{}", " ".repeat(at.start), "^".repeat(at.len().max(1)))?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n  hint: {hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Result<Sources, String> {
        let find =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        from_environment(find).map_err(|error| error.to_string())
    }

    fn wrong(text: &str) -> String {
        parse(Path::new("wigeon.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn a_variable_means_what_its_flag_means() {
        let read = environment(&[
            ("WIGEON_LISTEN", "127.0.0.1:1, [::1]:2"),
            ("WIGEON_LOG_FORMAT", "json"),
            ("WIGEON_GUESTS", ""),
            ("WIGEON_CONFIG", "/etc/wigeon.toml"),
        ])
        .unwrap();
        let flags = ["--listen=127.0.0.1:1", "--listen=[::1]:2", "--log-format", "json"];
        assert_eq!(read.settings, Flags::try_parse_from(flags).unwrap().sources.settings);
        assert_eq!(read.config, Some("/etc/wigeon.toml".into()));
    }

    #[test]
    fn a_wrong_variable_is_named() {
        let wrong = |name, value| environment(&[(name, value)]).unwrap_err();
        assert_eq!(
            wrong("WIGEON_GUESTS", "maybe"),
            "WIGEON_GUESTS: invalid value 'maybe': expected on, off or auto"
        );
        assert_eq!(
            wrong("WIGEON_LISTEN", "127.0.0.1:1,8088"),
            "WIGEON_LISTEN: invalid value '8088': write an address and a port, like 127.0.0.1:8088, 0.0.0.0:8088 or [::]:8088"
        );
    }

    #[test]
    fn flags_win_over_variables_and_those_over_the_file_and_that_over_defaults() {
        let directory = std::env::temp_dir().join(format!("wigeon-config-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("a.toml");
        fs::write(&path, "data = 'd'\nguests = 'on'\nlog = 'warn'\ndurability = 'os'\n").unwrap();
        let flags = ["--config", path.to_str().unwrap(), "--guests=off"];
        let flags = Flags::try_parse_from(flags).unwrap().sources;
        let variable = |name: &str| match name {
            "WIGEON_GUESTS" => Some("auto".into()),
            "WIGEON_LOG" => Some("debug".into()),
            _ => None,
        };
        let loaded = load(flags, variable).unwrap_or_else(|error| panic!("{error}"));
        fs::remove_dir_all(&directory).unwrap();

        let said = |key: &str| {
            let (_, value, from) = loaded.entries.iter().find(|(known, ..)| *known == key).unwrap();
            (value.as_str(), from.as_str())
        };
        let file = path.to_str().unwrap();
        assert_eq!(said("guests"), ("\"off\"", "--guests"));
        assert_eq!(said("log"), ("\"debug\"", "WIGEON_LOG"));
        assert_eq!(said("durability"), ("\"os\"", file));
        assert_eq!(said("log_format"), ("\"text\"", "default"));
        assert_eq!(loaded.settings.data, Some(directory.join("d")), "a path begins at its file");
        let shown: Vec<_> =
            loaded.entries.iter().map(|(key, value, _)| (*key, Some(value.clone()))).collect();
        assert_eq!(shown, loaded.settings.entries(), "what is shown is what holds");
    }

    #[test]
    fn a_misspelt_key_is_shown_with_the_right_one() {
        assert_eq!(
            wrong("# mine\nlisten = '127.0.0.1:1'\ngest = \"on\"\n"),
            "wigeon.toml:3:1: unknown field `gest`\n  3 | gest = \"on\"\n    | ^^^^\n  hint: did you mean guests?"
        );
        assert!(wrong("log-format = 'json'").ends_with("hint: did you mean log_format?"));
        assert!(wrong("colour = 'red'").contains("hint: the keys are listen, data, public_url, "));
    }

    #[test]
    fn a_wrong_value_is_shown_with_what_was_expected() {
        assert_eq!(
            wrong("\nguests = \"maybe\""),
            "wigeon.toml:2:10: invalid value 'maybe': expected on, off or auto\n  2 | guests = \"maybe\"\n    |          ^^^^^^^"
        );
        assert!(wrong("stream_bytes_max = 1").contains("wigeon.toml:1:20: expected 4096 or more"));
        assert!(
            wrong("listen = 8088").contains(
                "wigeon.toml:1:10: invalid type: integer `8088`, expected a text or a list of texts"
            )
        );
        assert!(
            wrong("public_url = ['https://a.example', 'b']")
                .contains("invalid value 'b': write what people open, without a path")
        );
    }

    #[test]
    fn a_text_without_quotes_is_explained() {
        let said = wrong("data = \"x\"\nguests = on # all\n");
        assert!(said.starts_with("wigeon.toml:2:10: "), "{said}");
        assert!(said.contains("\n  2 | guests = on # all\n"), "{said}");
        assert!(
            said.ends_with(
                "hint: a text stands in double quotes, a list in brackets: listen = [\"127.0.0.1:8088\"]"
            ),
            "{said}"
        );
    }

    #[test]
    fn a_place_is_counted_in_characters_also_at_the_end_of_the_file() {
        assert!(wrong("data = \"ü\" ü").starts_with("wigeon.toml:1:12: "), "{}", wrong("data = \"ü\" ü"));
        assert!(
            wrong("data = \"x\"\nguests =").starts_with("wigeon.toml:2:9: "),
            "{}",
            wrong("data = \"x\"\nguests =")
        );
    }

    #[test]
    fn a_secret_of_the_environment_must_be_long() {
        let short = |name: &str| (name == SECRET_VARIABLE).then(|| "short".into());
        let error = load(Sources::default(), short).err().unwrap().to_string();
        assert_eq!(error, "the secret in WIGEON_AUTH_SECRET has 5 bytes, it needs at least 32");
    }
}
