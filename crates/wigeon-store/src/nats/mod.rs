//! NATS: how it is reached, and (in [`log`]) the stream that is the log of a cluster.
//!
//! The only place that knows of its client library besides [`crate::cluster`], which publishes to the stream
//! and follows it.

mod begin;
mod lease;
mod log;

use std::path::PathBuf;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use wigeon_proto::limits::{CLUSTER_BROUGHT_MAX, CLUSTER_CONNECT_MS_MAX, CLUSTER_PING_MS};

pub use lease::Lease;
pub(crate) use log::{Log, NewLog};

/// Between two attempts to reach NATS, at most.
const RETRY_MAX: Duration = Duration::from_secs(1);

/// Where NATS is, and which stream of it is the log.
#[derive(Debug, Clone)]
pub struct Nats {
    /// URLs of servers, any of which will do; they name the others. A URL may hold user and password, or a token.
    pub servers: Vec<String>,
    /// A `.creds` file, which says who we are.
    pub credentials: Option<PathBuf>,
    /// A file with the certificates that servers are verified with, besides the system's.
    pub ca: Option<PathBuf>,
    /// The stream's name.
    pub stream: String,
    /// Over how many servers it is replicated.
    pub replicas: usize,
}

/// Why a node cannot take part. Each sentence is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// The address is none.
    #[error("an address of a NATS server is none: {source}")]
    Address {
        /// Why not.
        source: std::io::Error,
    },
    /// The `.creds` file cannot be read.
    #[error("cannot read the NATS credentials {}: {source}", path.display())]
    Credentials {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No server lets us in.
    #[error("cannot connect to NATS: {reason}")]
    Connect {
        /// What the last attempt came to.
        reason: String,
    },
    /// There is NATS and no JetStream.
    #[error("NATS has no JetStream for this account: {reason}")]
    NoJetStream {
        /// In its words.
        reason: String,
    },
    /// JetStream does not answer, or refuses.
    #[error("JetStream: {what}: {reason}")]
    JetStream {
        /// What was asked of it.
        what: &'static str,
        /// In its words.
        reason: String,
    },
    /// There is a stream of this name, of another make.
    #[error("the NATS stream {stream} {what}")]
    Stream {
        /// Its name.
        stream: String,
        /// What is wrong with it.
        what: String,
    },
}

/// Connects, and keeps connected from then on by itself.
pub(crate) async fn connect(nats: &Nats) -> Result<Client, NatsError> {
    let mut servers = Vec::new();
    for url in &nats.servers {
        let address = url.parse::<ServerAddr>();
        servers.push(address.map_err(|source| NatsError::Address { source })?);
    }
    let options = match servers.iter().find(|server| server.has_user_pass()) {
        Some(server) => identified(server),
        None => ConnectOptions::new(),
    };
    let mut options = options
        .name("wigeon")
        .ping_interval(Duration::from_millis(CLUSTER_PING_MS))
        .connection_timeout(Duration::from_millis(CLUSTER_CONNECT_MS_MAX))
        .reconnect_delay_callback(|attempts| {
            (Duration::from_millis(20) * u32::try_from(attempts).unwrap_or(u32::MAX).min(50)).min(RETRY_MAX)
        })
        .subscription_capacity(CLUSTER_BROUGHT_MAX)
        .event_callback(note);
    if let Some(path) = &nats.credentials {
        let text = std::fs::read_to_string(path).and_then(|text| options.credentials(&text));
        options = text.map_err(|source| NatsError::Credentials { path: path.clone(), source })?;
    }
    if let Some(ca) = &nats.ca {
        options = options.add_root_certificates(ca.clone());
    }
    let connected = options.connect(servers).await;
    let client = connected.map_err(|error| NatsError::Connect { reason: error.to_string() })?;
    let version = client.server_info().version;
    if comes_apart(&version) {
        tracing::warn!(
            version,
            "this NATS may lose what it has confirmed when one of its servers is killed: 2.10.23 and later do not"
        );
    }
    Ok(client)
}

/// Whether replicas of a stream may differ after a leader was killed, or was slow: three of some 350 such faults did
/// that to 2.9.10 on a busy machine, and Jepsen saw the like in 2.10.22 (<https://jepsen.io/analyses/nats-2.12.1>).
fn comes_apart(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    let version = (numbers.next(), numbers.next(), numbers.next());
    version.0.is_some() && version < (Some(2), Some(10), Some(23))
}

/// As who the URL says: a user with a password, or a token. The client library leaves that to us.
fn identified(server: &ServerAddr) -> ConnectOptions {
    let name = decoded(server.username().unwrap_or_default());
    match server.password() {
        Some(password) => ConnectOptions::with_user_and_password(name, decoded(password)),
        None => ConnectOptions::with_token(name),
    }
}

/// A part of a URL without its `%40` and the like.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.split_at_checked(2).filter(|_| *first == b'%').and_then(|(digits, after)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, after))
        });
        let (byte, after) = escaped.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn note(event: Event) {
    match event {
        Event::Connected => tracing::info!("connected to NATS"),
        Event::Disconnected => tracing::warn!("NATS is out of reach: writes are refused until it is back"),
        // Once for each message that is dropped; what is to be known is that they are asked for again.
        Event::SlowConsumer(_) => tracing::debug!("NATS brought more than was taken in"),
        other => tracing::debug!(event = %other, "NATS"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_are_known() {
        for old in ["2.9.10", "2.10.22", "2.10.9-RC.1", "1.4.1"] {
            assert!(comes_apart(old), "{old}");
        }
        for new in ["2.10.23", "2.10.27", "2.12.1", "2.11.0-dev", "3.0.0", "of one's own"] {
            assert!(!comes_apart(new), "{new}");
        }
    }

    #[test]
    fn what_a_url_escapes_is_meant_as_it_was() {
        assert_eq!(decoded("p%40ss%3Aw%2Ford"), "p@ss:w/ord");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }
}
