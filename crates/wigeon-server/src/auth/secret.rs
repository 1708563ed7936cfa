//! The server's secret: one printable text, from which every key is made.
//!
//! It comes from `WIGEON_AUTH_SECRET`, or from the file `secret` in the data directory, made at the
//! first start. Both hold the same thing, the text itself: a backend signs tokens with the bytes of that
//! text as the HS256 key. Keys for what only this server signs (guests' tokens, tickets) are derived from
//! it, so that a program that signs with the secret cannot make those by accident or by forged claims.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// RFC 7518 §3.2: an HS256 key has at least as many bits as the hash.
pub const SECRET_BYTES_MIN: usize = 32;
/// More is a file that is no secret at all.
pub const SECRET_BYTES_MAX: usize = 4096;

/// The secret's text. Printing it for debugging shows nothing.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

/// Why there is no usable secret. The sentence is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Fewer than [`SECRET_BYTES_MIN`] bytes.
    #[error("the secret in {from} has {bytes} bytes, it needs at least {SECRET_BYTES_MIN}")]
    TooShort {
        /// The variable or the file.
        from: String,
        /// How many it has.
        bytes: usize,
    },
    /// More than [`SECRET_BYTES_MAX`] bytes, or not a text.
    #[error(
        "{from} does not hold a secret: one line of text of {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes"
    )]
    NotASecret {
        /// The variable or the file.
        from: String,
    },
    /// Others than the owner may read or write the file.
    #[error("{path} can be read by others (mode {mode:04o}); run: chmod 600 {path}", path = .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file cannot be read or made.
    #[error("cannot {verb} the secret {path}: {source}", path = .path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl Secret {
    /// Takes the text as it is, without the white space around it. `from` names its source in errors.
    pub fn from_text(text: &str, from: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if text.len() > SECRET_BYTES_MAX || text.chars().any(char::is_control) {
            return Err(SecretError::NotASecret { from: from.to_owned() });
        }
        if text.len() < SECRET_BYTES_MIN {
            return Err(SecretError::TooShort { from: from.to_owned(), bytes: text.len() });
        }
        Ok(Self(text.as_bytes().into()))
    }

    /// The file's place in a data directory.
    pub fn path(data: &Path) -> PathBuf {
        data.join("secret")
    }

    /// Reads the secret of a data directory; an error of kind `NotFound` when there is none yet.
    pub fn read(data: &Path) -> Result<Self, SecretError> {
        let path = Self::path(data);
        let failed = |source| SecretError::File { verb: "read", path: path.clone(), source };
        let file = File::open(&path).map_err(failed)?;
        // Asked of the open file, so that nothing can be swapped in between.
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SecretError::Open { path, mode });
        }
        let mut bytes = Vec::new();
        file.take(SECRET_BYTES_MAX as u64 + 2).read_to_end(&mut bytes).map_err(failed)?;
        let from = path.display().to_string();
        let text = String::from_utf8(bytes).map_err(|_| SecretError::NotASecret { from: from.clone() })?;
        Self::from_text(&text, &from)
    }

    /// Reads the secret of a data directory (which exists), or makes one. True when it was made now.
    pub fn read_or_make(data: &Path) -> Result<(Self, bool), SecretError> {
        match Self::read(data) {
            Err(SecretError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            found => return found.map(|secret| (secret, false)),
        }
        let path = Self::path(data);
        let made = make(data, &path).map_err(|source| SecretError::File { verb: "make", path, source })?;
        Ok((Self::read(data)?, made))
    }

    /// The key that tokens from outside are signed with: the text itself.
    pub(super) fn token_key(&self) -> &[u8] {
        &self.0
    }

    /// A key for one purpose, from which neither the secret nor another purpose's key follows.
    pub(super) fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(b"wigeon/");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// Writes a new secret under another name and links it into place: the file is whole from the moment it
/// is there, and of two first starts at once one wins and the other takes what it finds (false).
fn make(data: &Path, path: &Path) -> io::Result<bool> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let draft = data.join(format!(".secret-{}", super::random_text()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let linked = writeln!(file, "{}", super::base64_url(&bytes))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
        Ok(()) => File::open(data)?.sync_all().map(|()| true),
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own, gone at the end of the test.
    struct Directory(PathBuf);

    impl Directory {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("wigeon-secret-{}", super::super::random_text()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_first_start_makes_a_secret_only_its_owner_can_read_and_the_second_finds_it() {
        let data = Directory::new();
        let (first, made) = Secret::read_or_make(&data.0).unwrap();
        assert!(made);
        let (second, made) = Secret::read_or_make(&data.0).unwrap();
        assert!(!made);
        assert_eq!(first.0, second.0);
        assert_eq!(fs::metadata(Secret::path(&data.0)).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&data.0).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn first_starts_at_the_same_time_agree_on_one_secret() {
        let data = Directory::new();
        let made: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> =
                (0..8).map(|_| scope.spawn(|| Secret::read_or_make(&data.0).unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert_eq!(made.iter().filter(|(_, made)| *made).count(), 1);
        assert!(made.iter().all(|(secret, _)| secret.0 == made[0].0.0));
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused_with_the_remedy() {
        let data = Directory::new();
        Secret::read_or_make(&data.0).unwrap();
        let path = Secret::path(&data.0);
        for mode in [0o640, 0o604, 0o660, 0o622] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Secret::read(&data.0).unwrap_err().to_string();
            let path = path.display();
            assert_eq!(
                error,
                format!("{path} can be read by others (mode {mode:04o}); run: chmod 600 {path}")
            );
        }
    }

    #[test]
    fn the_file_and_the_variable_mean_the_same_text() {
        let data = Directory::new();
        let (file, _) = Secret::read_or_make(&data.0).unwrap();
        let text = fs::read_to_string(Secret::path(&data.0)).unwrap();
        assert_eq!(Secret::from_text(&text, "WIGEON_AUTH_SECRET").unwrap().0, file.0);
    }

    #[test]
    fn short_long_and_binary_secrets_are_refused() {
        let refused = |text: &str| Secret::from_text(text, "WIGEON_AUTH_SECRET").unwrap_err().to_string();
        let short = "the secret in WIGEON_AUTH_SECRET has 31 bytes, it needs at least 32";
        assert_eq!(refused(&format!(" {} \n", "x".repeat(31))), short);
        assert!(refused(&"x".repeat(SECRET_BYTES_MAX + 1)).contains("does not hold a secret"));
        assert!(
            refused(&format!("{}\0{}", "x".repeat(20), "x".repeat(20))).contains("does not hold a secret")
        );
        assert!(Secret::from_text(&"x".repeat(32), "").is_ok());
    }

    #[test]
    fn an_empty_secret_file_is_an_error_and_is_not_replaced() {
        let data = Directory::new();
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(Secret::path(&data.0)).unwrap();
        assert!(matches!(Secret::read_or_make(&data.0), Err(SecretError::TooShort { bytes: 0, .. })));
    }

    #[test]
    fn keys_for_different_purposes_differ_and_debug_shows_nothing() {
        let secret = Secret::from_text(&"s3cret".repeat(6), "").unwrap();
        assert_ne!(secret.derive("ticket"), secret.derive("guest token"));
        assert_ne!(&secret.derive("ticket")[..], secret.token_key());
        assert!(!format!("{secret:?}").contains("s3cret"));
    }
}
