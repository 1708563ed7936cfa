//! The way to another site: its name looked up, each of its addresses judged, and a connection to the very one
//! that was judged. A second look-up could bring another answer (DNS rebinding), so there is none.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use url::{Host, Url};
use wigeon_proto::limits::{
    PREVIEW_ADDRESSES_MAX, PREVIEW_CONNECT_MS_MAX, PREVIEW_LOOKUPS_MAX, PREVIEWS_PER_ADDRESS_BURST,
    PREVIEWS_PER_ADDRESS_PER_SECOND,
};

use super::address::{Network, is_public};
use super::failure::Failure;

/// Bytes in both directions, with TLS around them or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}

/// Where this server goes, and how.
pub(super) struct Reach {
    /// Addresses that may be fetched from though they are not public, by any port.
    allowed: Vec<Network>,
    lookups: Arc<Semaphore>,
    tls: OnceCell<TlsConnector>,
    /// How often each address was called of late: many guests with many links must not become a load for
    /// somebody else, under whatever names and redirects.
    called: DefaultKeyedRateLimiter<IpAddr>,
}

impl Reach {
    pub(super) fn new(allowed: Vec<Network>) -> Self {
        let limit = |number| NonZeroU32::new(number).expect("no limit is zero");
        let calls = Quota::per_second(limit(PREVIEWS_PER_ADDRESS_PER_SECOND))
            .allow_burst(limit(PREVIEWS_PER_ADDRESS_BURST));
        Self {
            allowed,
            lookups: Arc::new(Semaphore::new(PREVIEW_LOOKUPS_MAX)),
            tls: OnceCell::new(),
            called: RateLimiter::keyed(calls),
        }
    }

    /// Forgets addresses that were not called for a while.
    pub(super) fn forget_quiet(&self) {
        self.called.retain_recent();
    }

    /// What can be said of a URL without asking anybody.
    pub(super) fn judge(&self, url: &Url) -> Result<(), Failure> {
        let plain = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !plain {
            return Err(Failure::Scheme);
        }
        // Where any port may be right, that depends on the address.
        let port = url.port_or_known_default().unwrap_or(0);
        if self.allowed.is_empty() && !is_usual(port) {
            return Err(Failure::Port);
        }
        Ok(())
    }

    /// A connection to the site of a URL that was judged.
    pub(super) async fn connect(&self, url: &Url) -> Result<Pin<Box<dyn Stream>>, Failure> {
        let port = url.port_or_known_default().ok_or(Failure::Scheme)?;
        let host = url.host().ok_or(Failure::Unreadable)?;
        let addresses = match &host {
            Host::Ipv4(address) => vec![IpAddr::V4(*address)],
            Host::Ipv6(address) => vec![IpAddr::V6(*address)],
            Host::Domain(name) => self.look_up(name).await?,
        };
        // Each of them: a name that leads outside and inside is somebody's attempt.
        for address in &addresses {
            self.judge_address(*address, port)?;
        }
        for address in addresses.into_iter().take(PREVIEW_ADDRESSES_MAX) {
            if !self.is_allowed(address) && self.called.check_key(&address).is_err() {
                return Err(Failure::Busy);
            }
            let connecting = TcpStream::connect(SocketAddr::new(address, port));
            let connected = timeout(Duration::from_millis(PREVIEW_CONNECT_MS_MAX), connecting).await;
            let Ok(Ok(stream)) = connected else { continue };
            if url.scheme() == "http" {
                return Ok(Box::pin(stream));
            }
            let name = match host {
                Host::Domain(name) => {
                    ServerName::try_from(name.to_owned()).map_err(|_| Failure::Unreadable)?
                }
                _ => ServerName::IpAddress(address.into()),
            };
            let secure = self.tls().await?.connect(name, stream).await;
            return Ok(Box::pin(secure.map_err(|_| Failure::Unreachable)?));
        }
        Err(Failure::Unreachable)
    }

    fn judge_address(&self, address: IpAddr, port: u16) -> Result<(), Failure> {
        if self.is_allowed(address) {
            return Ok(());
        }
        if !is_public(address) {
            return Err(Failure::Address);
        }
        if is_usual(port) { Ok(()) } else { Err(Failure::Port) }
    }

    fn is_allowed(&self, address: IpAddr) -> bool {
        self.allowed.iter().any(|network| network.contains(address))
    }

    /// Asks the system. A resolver that hangs keeps its thread, whatever our deadline: so the turn goes with the
    /// thread, and there are never more of them than turns.
    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let turn = self.lookups.clone().acquire_owned().await.map_err(|_| Failure::Busy)?;
        let name = name.to_owned();
        let asking = tokio::task::spawn_blocking(move || -> io::Result<Vec<IpAddr>> {
            let _turn = turn;
            Ok((name.as_str(), 0).to_socket_addrs()?.map(|address| address.ip()).collect())
        });
        let addresses = asking.await.ok().and_then(Result::ok).unwrap_or_default();
        if addresses.is_empty() { Err(Failure::Unreachable) } else { Ok(addresses) }
    }

    /// TLS with the certificates that the system trusts; read at the first use, for it takes some milliseconds.
    async fn tls(&self) -> Result<&TlsConnector, Failure> {
        let made = self.tls.get_or_try_init(|| async {
            let read = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
            let mut roots = RootCertStore::empty();
            let (good, _) = roots.add_parsable_certificates(read.map_err(|_| Failure::Unreachable)?.certs);
            if good == 0 {
                tracing::warn!("the system has no certificates to trust: links to https have no previews");
                return Err(Failure::Unreachable);
            }
            let provider = Arc::new(crypto::ring::default_provider());
            let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
            let config =
                config.expect("ring has the versions").with_root_certificates(roots).with_no_client_auth();
            Ok(TlsConnector::from(Arc::new(config)))
        });
        made.await
    }
}

fn is_usual(port: u16) -> bool {
    matches!(port, 80 | 443)
}
