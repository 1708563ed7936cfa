//! `wigeon backup`: a copy of a data directory, while a server uses it or not.

use anyhow::{Result, anyhow};
use wigeon_store::backup::{BackupError, Progress, backup};

use crate::bar::Bar;
use crate::cli::BackupArguments;
use crate::config::Loaded;
use crate::speak::{sentence, size};

/// Makes the backup, and says what was made.
pub(crate) fn run(arguments: &BackupArguments, loaded: &Loaded) -> Result<String> {
    let data = loaded.settings.data.as_ref().expect("the defaults name a directory");
    let to = &arguments.to;
    let bar = Bar::new();
    let made = backup(data, to, &["secret"], &mut |progress| match progress {
        Progress::Copying(done, of) => bar.show("copying", done, of),
        Progress::Folding => bar.show("folding", 1, 1),
        Progress::Verifying => bar.show("verifying", 1, 1),
    });
    bar.end();
    let made = made.map_err(|error| match hint(&error) {
        Some(hint) => anyhow!("{}\n  hint: {hint}", sentence(&error.into())),
        None => error.into(),
    })?;
    let secret = if to.join("secret").is_file() { ", with the secret" } else { "" };
    Ok(format!(
        "{} holds everything up to position {}: {}{secret}\n",
        to.display(),
        made.position,
        size(made.bytes)
    ))
}

fn hint(error: &BackupError) -> Option<&'static str> {
    match error {
        BackupError::NoData(_) => Some("say where the server's data is with --data"),
        BackupError::Exists(_) => Some("name a new directory for each backup"),
        _ => None,
    }
}
