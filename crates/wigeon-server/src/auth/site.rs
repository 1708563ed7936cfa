//! Sites: what stands in an `Origin`, a `Host` and a URL, read strictly and compared whole.
//!
//! Whatever is no plain scheme, host and port is refused here, so that whoever compares two of them need not
//! think of how else the same place could be written.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// A host as written in a URL: an address, or a name in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HostName {
    Ip(IpAddr),
    Name(String),
}

/// The origin of a page (RFC 6454): `null`, or scheme, host and port. `Display` is the form browsers send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A sandboxed frame, a file, a redirect across origins: nobody in particular.
    Null,
    /// A site.
    Site(Site),
}

/// What makes two origins the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    pub(super) scheme: String,
    host: HostName,
    /// None where it is the scheme's default.
    port: Option<u16>,
}

/// A configured URL or origin that cannot be one. The sentence is for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not {what}: {hint}")]
pub struct InvalidOrigin {
    text: String,
    what: &'static str,
    hint: &'static str,
}

impl InvalidOrigin {
    /// What to write instead.
    pub fn hint(&self) -> &'static str {
        self.hint
    }
}

impl HostName {
    /// `localhost.` and `x.localhost` are left out: whether they leave the machine depends on a resolver.
    pub(super) fn is_loopback(&self) -> bool {
        match self {
            Self::Ip(ip) => ip.is_loopback(),
            Self::Name(name) => name == "localhost",
        }
    }
}

impl Origin {
    /// Reads the text of an `Origin` header or an `--allow-origin`.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        if text == "null" {
            return Ok(Self::Null);
        }
        Site::parse(text).map(Self::Site).ok_or_else(|| InvalidOrigin {
            text: text.to_owned(),
            what: "an origin",
            hint: "write scheme, host and port alone, like https://app.example or http://localhost:3000",
        })
    }
}

impl Site {
    /// Reads a `--public-url`: http or https, and no path, because we serve the root.
    pub fn parse_public_url(text: &str) -> Result<Self, InvalidOrigin> {
        Self::parse(text.strip_suffix('/').unwrap_or(text))
            .filter(|site| matches!(site.scheme.as_str(), "http" | "https"))
            .ok_or_else(|| InvalidOrigin {
                text: text.to_owned(),
                what: "a public URL",
                hint: "write what people open, without a path, like https://chat.example",
            })
    }

    fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let begins = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        if !begins || !scheme.bytes().all(letters) {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let (host, port) = parse_authority(authority)?;
        let port = port.filter(|port| Some(*port) != default_port(&scheme));
        Some(Self { scheme, host, port })
    }

    /// True for this host with this port; a missing port stands for whichever the site has.
    pub(super) fn is_at(&self, name: &HostName, port: Option<u16>) -> bool {
        let own = self.port.or_else(|| default_port(&self.scheme));
        self.host == *name && (port.is_none() || port == own)
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

/// Reads `host[:port]`, with an IPv6 address in brackets. Anything that is no plain host is refused: user
/// names, percent signs, white space, an empty port.
pub(super) fn parse_authority(text: &str) -> Option<(HostName, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']')?;
            let ip = IpAddr::V6(address.parse::<Ipv6Addr>().ok()?).to_canonical();
            (HostName::Ip(ip), if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (parse_host(host)?, Some(port)),
            None => (parse_host(text)?, None),
        },
    };
    match port {
        None => Some((host, None)),
        // `u16::from_str` would take a plus sign.
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some((host, Some(digits.parse().ok()?)))
        }
        Some(_) => None,
    }
}

fn parse_host(text: &str) -> Option<HostName> {
    if let Ok(ip) = text.parse::<std::net::Ipv4Addr>() {
        return Some(HostName::Ip(IpAddr::V4(ip)));
    }
    let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let named = !text.is_empty() && text.len() <= 253 && text.bytes().all(letters);
    named.then(|| HostName::Name(text.to_ascii_lowercase()))
}

/// The origin of a whole URL, as `Referer` has it.
pub(super) fn origin_of_url(url: &str) -> Option<Origin> {
    let authority = url.find("://")? + 3;
    let end = url[authority..].find(['/', '?', '#']).map_or(url.len(), |at| authority + at);
    Site::parse(&url[..end]).map(Origin::Site)
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Site(site) => site.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_operator_wrote_wrongly_is_said_with_an_example() {
        let public = |text: &str| Site::parse_public_url(text).unwrap_err().to_string();
        assert_eq!(
            public("chat.example"),
            "\"chat.example\" is not a public URL: write what people open, without a path, like https://chat.example"
        );
        for bad in ["ftp://chat.example", "https://chat.example/chat", "null", "https://", "https:///"] {
            assert!(public(bad).contains("is not a public URL"), "{bad}");
        }
        assert_eq!(
            Origin::parse("https://app.example/").unwrap_err().to_string(),
            "\"https://app.example/\" is not an origin: write scheme, host and port alone, like https://app.example or http://localhost:3000"
        );
        assert!(Origin::parse("*").is_err());
    }
}
