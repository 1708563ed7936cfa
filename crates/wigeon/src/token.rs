//! `wigeon token`: signs a token with the secret of a server of this machine.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use wigeon_server::auth::secret::SecretError;
use wigeon_server::auth::{Role, Secret, Tokens};

use crate::cli::{TokenArguments, TokenRole};
use crate::config::Loaded;

/// The token's text.
pub(crate) fn issue(arguments: &TokenArguments, loaded: Loaded) -> Result<String> {
    let role = match arguments.role {
        TokenRole::User => Role::User,
        TokenRole::Service => Role::Service,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    let tokens = Tokens::new(&secret(loaded)?);
    let ttl_s = arguments.ttl.as_secs();
    Ok(tokens.issue(&arguments.user, arguments.name.as_deref(), role, ttl_s, now.as_millis() as u64))
}

/// The secret that the server uses. None is made here: in a mistyped directory it would sign tokens that
/// no server takes.
fn secret(loaded: Loaded) -> Result<Secret> {
    if let Some(secret) = loaded.secret {
        return Ok(secret);
    }
    let data = loaded.settings.data.expect("the defaults name a directory");
    match Secret::read(&data) {
        Err(SecretError::File { source, path, .. }) if source.kind() == io::ErrorKind::NotFound => bail!(
            "there is no secret at {} yet\n  hint: start wigeon once, or say where its data is with --data, or set WIGEON_AUTH_SECRET",
            path.display()
        ),
        found => Ok(found?),
    }
}
