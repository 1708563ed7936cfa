//! Who is asking, and from where: the server's secret, tokens, tickets, and the origins we listen to.
//!
//! Everything here is a pure function of its arguments (only [`secret`] touches a file): the clock is
//! passed in as milliseconds, so that expiry is tested by arithmetic. No cookie is read anywhere;
//! authority is always in something the page had to be given, so another site's page cannot ride on it.

pub mod origin;
pub mod secret;
pub mod site;
pub mod ticket;
pub mod token;

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use http::HeaderMap;
use serde::Deserialize;

pub use origin::{Host, OriginPolicy, Verdict};
pub use secret::Secret;
pub use site::Origin;
pub use ticket::{Minted, Ticket, Tickets};
pub use token::{Claims, Role, Tokens};

/// Why a credential does not open the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There is none, or it is not one of ours.
    #[error("a valid token or ticket is needed")]
    Unauthenticated,
    /// It was good, and its time is over: get a new one.
    #[error("the token or ticket has expired")]
    TokenExpired,
    /// It is good, but not for this: a ticket from another origin, or a ticket for a service.
    #[error("this credential may not be used here")]
    Forbidden,
}

/// Whether people may come in by a name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Guests {
    /// Everybody who reaches the server.
    On,
    /// Nobody: a token is needed.
    Off,
    /// Only who sits at this machine; see [`origin::is_direct_loopback`].
    #[default]
    Auto,
}

impl Guests {
    /// What is meant where the server has public URLs: it is then reached from elsewhere, by a proxy on this
    /// machine as likely as not, and `auto` lets nobody in.
    #[must_use]
    pub fn with_public_urls(self, public_urls: &[String]) -> Self {
        if self == Self::Auto && !public_urls.is_empty() { Self::Off } else { self }
    }

    /// True when a request that arrived at `local` for `host` with `headers` may make a guest.
    pub fn admit(self, local: SocketAddr, host: &Host, headers: &HeaderMap) -> bool {
        match self {
            Self::On => true,
            Self::Off => false,
            Self::Auto => origin::is_direct_loopback(local, host, headers),
        }
    }

    /// True when some request to a server listening on these addresses could make a guest: what the
    /// server says about itself before anybody has asked.
    pub fn possible(self, listen: &[SocketAddr]) -> bool {
        match self {
            Self::On => true,
            Self::Off => false,
            Self::Auto => listen.iter().any(|address| {
                let ip = address.ip().to_canonical();
                ip.is_loopback() || ip.is_unspecified()
            }),
        }
    }
}

impl fmt::Display for Guests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Auto => "auto",
        })
    }
}

impl FromStr for Guests {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            "auto" => Ok(Self::Auto),
            _ => Err("expected on, off or auto".to_owned()),
        }
    }
}

/// 128 random bits as text: enough that nobody guesses one, or meets one by chance.
fn random_text() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    base64_url(&bytes)
}

fn base64_url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Accepts exactly one spelling of each byte string, so that a credential has one text.
fn from_base64_url(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}
