//! What a setting may be: each kind of value, how it is read from a flag or the config file, and how it is shown.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use wigeon_proto::limits::RETENTION_DAYS_MAX;
use wigeon_server::auth::site::{Origin, Site};
use wigeon_server::preview::{InvalidNetwork, Network};
use wigeon_store::Durability;

/// An address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListenAddress(pub(crate) SocketAddr);

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let hint = "write an address and a port, like 127.0.0.1:8088, 0.0.0.0:8088 or [::]:8088";
        text.parse().map(Self).map_err(|_| hint.to_owned())
    }
}

/// An http or https URL without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl(pub(crate) String);

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Site::parse_public_url(text)
            .map(|site| Self(site.to_string()))
            .map_err(|error| error.hint().to_owned())
    }
}

/// An origin as browsers write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AllowedOrigin(pub(crate) String);

impl FromStr for AllowedOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Origin::parse(text).map(|origin| Self(origin.to_string())).map_err(|error| error.hint().to_owned())
    }
}

/// The store's word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DurabilitySetting(pub(crate) Durability);

impl FromStr for DurabilitySetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Durability::parse(text).map(Self).ok_or_else(|| "expected fsync, os or memory".to_owned())
    }
}

/// Some days, or 0 for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
pub(crate) struct RetentionDays(pub(crate) u32);

impl TryFrom<u64> for RetentionDays {
    type Error = String;

    fn try_from(days: u64) -> Result<Self, String> {
        let few = u32::try_from(days).ok().filter(|_| days <= RETENTION_DAYS_MAX);
        few.map(Self).ok_or_else(|| format!("expected 0 to {RETENTION_DAYS_MAX}"))
    }
}

impl FromStr for RetentionDays {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<u64>().map_err(|_| "expected a number of days".to_owned())?.try_into()
    }
}

/// Where NATS is. What is secret in it is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NatsUrl(pub(crate) String);

impl FromStr for NatsUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("nats://").or_else(|| text.strip_prefix("tls://"));
        let host = rest.map(|rest| rest.rsplit_once('@').map_or(rest, |(_, host)| host));
        match host {
            Some(host) if !host.is_empty() && !host.contains(['/', ' ', '?']) => Ok(Self(text.to_owned())),
            _ => Err("write nats:// or tls:// and a host, like nats://10.0.0.1:4222".to_owned()),
        }
    }
}

impl fmt::Display for NatsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.split_once("://"), self.0.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => write!(f, "{scheme}://***@{host}"),
            _ => f.write_str(&self.0),
        }
    }
}

/// As JetStream takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamName(pub(crate) String);

impl FromStr for StreamName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if plain && (1..=32).contains(&text.len()) {
            return Ok(Self(text.to_owned()));
        }
        Err("write up to 32 letters, digits, _ and -".to_owned())
    }
}

/// A number of servers that can have a majority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "usize")]
pub(crate) struct Replicas(pub(crate) usize);

impl TryFrom<usize> for Replicas {
    type Error = String;

    fn try_from(count: usize) -> Result<Self, String> {
        if matches!(count, 1 | 3 | 5) { Ok(Self(count)) } else { Err("expected 1, 3 or 5".to_owned()) }
    }
}

impl FromStr for Replicas {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<usize>().map_err(|_| "expected 1, 3 or 5".to_owned())?.try_into()
    }
}

/// Enough for at least some frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
pub(crate) struct StreamBytes(pub(crate) u64);

impl TryFrom<u64> for StreamBytes {
    type Error = String;

    fn try_from(bytes: u64) -> Result<Self, String> {
        if bytes < 4096 { Err("expected 4096 or more".to_owned()) } else { Ok(Self(bytes)) }
    }
}

impl FromStr for StreamBytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<u64>().map_err(|_| "expected a number of bytes".to_owned())?.try_into()
    }
}

/// Addresses that previews may be fetched from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PreviewNetwork(pub(crate) Network);

impl FromStr for PreviewNetwork {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|error: InvalidNetwork| error.to_string())
    }
}

/// Where a script is, if anywhere: a path, or a URL of http or https.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientUrl(pub(crate) Option<String>);

impl FromStr for ClientUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let begins = (text.starts_with('/') && !text.starts_with("//"))
            || text.starts_with("https://")
            || text.starts_with("http://");
        // It stands in a page and in that page's policy, so nothing in it may end a word of either.
        let plain = text.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>&;,`\\".contains(&b));
        match text {
            "" => Ok(Self(None)),
            _ if begins && plain => Ok(Self(Some(text.to_owned()))),
            _ => {
                Err("write a path, like /sockjs.min.js, or a URL without quotes, commas and the like"
                    .to_owned())
            }
        }
    }
}

impl fmt::Display for ClientUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or_default())
    }
}

/// Something that is served or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Switch {
    On,
    Off,
}

impl FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err("expected on or off".to_owned()),
        }
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::On { "on" } else { "off" })
    }
}

/// A filter as `tracing` reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogLevel(pub(crate) String);

impl FromStr for LogLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let hint = "expected error, warn, info, debug or trace, or finer: info,wigeon_server=debug";
        let known = |level: &str| {
            matches!(
                level.to_ascii_lowercase().as_str(),
                "off" | "error" | "warn" | "info" | "debug" | "trace"
            )
        };
        // A bare word is a level here; for the filter it would be the name of a module.
        let words = text.split(',').map(str::trim).all(|part| known(part) || part.contains(['=', '[']));
        let filter = tracing_subscriber::EnvFilter::builder().parse(text);
        if words && filter.is_ok() { Ok(Self(text.to_owned())) } else { Err(hint.to_owned()) }
    }
}

/// For people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("expected text or json".to_owned()),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Text { "text" } else { "json" })
    }
}

impl fmt::Display for DurabilitySetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// The text of a setting is that of what it holds.
macro_rules! display_inner {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}
display_inner!(
    ListenAddress,
    PublicUrl,
    AllowedOrigin,
    PreviewNetwork,
    RetentionDays,
    StreamName,
    Replicas,
    StreamBytes,
    LogLevel
);

/// Reads a text of the config file as its flag would.
pub(super) fn text<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(
    source: D,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(source)?;
    parsed(&text).map(Some)
}

/// Reads a list of texts, or one text for a list of one.
pub(super) fn texts<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(
    source: D,
) -> Result<Option<Vec<T>>, D::Error> {
    struct Texts<T>(std::marker::PhantomData<T>);

    impl<'de, T: FromStr<Err = String>> Visitor<'de> for Texts<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a list of texts")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
            Ok(vec![parsed(text)?])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut values = Vec::new();
            while let Some(text) = list.next_element::<String>()? {
                values.push(parsed(&text)?);
            }
            Ok(values)
        }
    }

    source.deserialize_any(Texts(std::marker::PhantomData)).map(Some)
}

fn parsed<T: FromStr<Err = String>, E: de::Error>(text: &str) -> Result<T, E> {
    text.parse().map_err(|hint| E::custom(format_args!("invalid value '{text}': {hint}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_levels_are_words_or_filters() {
        for good in ["info", "WARN", "off", "info,wigeon_server=debug", "wigeon_store=trace"] {
            assert!(good.parse::<LogLevel>().is_ok(), "{good}");
        }
        for bad in ["", "loud", "info,", "wigeon_server", "wigeon_server=loud"] {
            assert!(bad.parse::<LogLevel>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_secret_in_a_nats_url_is_not_shown() {
        let url: NatsUrl = "nats://ann:pass@word@10.0.0.1:4222".parse().unwrap();
        assert_eq!(url.to_string(), "nats://***@10.0.0.1:4222");
        assert_eq!("tls://nats.example".parse::<NatsUrl>().unwrap().to_string(), "tls://nats.example");
        for bad in ["", "10.0.0.1:4222", "http://a", "nats://", "nats://ann@", "nats://a/b"] {
            assert!(bad.parse::<NatsUrl>().is_err(), "{bad}");
        }
    }
}
