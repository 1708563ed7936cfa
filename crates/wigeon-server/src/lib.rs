//! The shell: HTTP around the rules and the memory.
//!
//! [`start`] opens the log and binds the addresses; [`Server::run_until`] serves until it is told to stop,
//! then says `bye`, lets answers out and closes the log.
//!
//! Inside, from what is asked to what answers: `connections` are taken in, `http` judges where requests come
//! from, `caller` finds out who asks, `api`, `transport` and `sockjs` say the same few things in many
//! forms, `commands` and `hub` do them.

mod api;
mod app;
pub mod auth;
mod caller;
mod clock;
mod commands;
mod connections;
mod http;
mod hub;
mod line;
mod peers;
mod presence;
pub mod preview;
mod rates;
mod retention;
pub mod sockjs;
mod telemetry;
mod transport;
mod wire;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wigeon_proto::limits::{CLUSTER_PRESENCE_MS, DRAIN_MS_MAX};
use wigeon_store::cluster::{self, Heard, JoinError};
use wigeon_store::{Durability, Fault, Lease, Nats, OpenError, Sequencer, Store};

use app::App;
use auth::{Guests, OriginPolicy, Secret, Tickets, Tokens};
use hub::Hub;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub use hub::fanout;
use peers::{Peers, Said};
use presence::Presence;
use preview::{Network, Previews};
use rates::Rates;
use sockjs::SockJs;

/// How often rates of quiet users are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// What a server is started with.
#[derive(Debug)]
pub struct Options {
    /// Addresses to bind; port 0 takes any free one.
    pub listen: Vec<SocketAddr>,
    /// The data directory; made if need be.
    pub data: PathBuf,
    /// The URLs people reach the server by, where a proxy stands before it.
    pub public_urls: Vec<String>,
    /// Origins of other sites whose pages may use it.
    pub allow_origins: Vec<String>,
    /// Whether people may come in by a name alone.
    pub guests: Guests,
    /// What an acknowledged message survives, on a single machine.
    pub durability: Durability,
    /// Of a node of a cluster: where the log is.
    pub nats: Option<Nats>,
    /// Signs tokens and tickets.
    pub secret: Secret,
    /// Bytes after which a stream ends and its client comes back with its cursor.
    pub stream_bytes_max: u64,
    /// Whether JSONP, iframe and htmlfile are served at all.
    pub script_transports: bool,
    /// The face for `sockjs-client`.
    pub sockjs: SockJs,
    /// Days for which messages are kept at most; 0 is no bound.
    pub retention_days: u32,
    /// Whether the server fetches what links lead to.
    pub previews: bool,
    /// Networks it fetches from though they are not public.
    pub preview_allow: Vec<Network>,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The data directory cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A node cannot join its cluster.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// A configured origin is none.
    #[error(transparent)]
    Origin(#[from] auth::site::InvalidOrigin),
}

/// Why a server ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The log could not be written; nothing of what was lost had been acknowledged.
    #[error("the log cannot be written: {0}")]
    Log(#[from] Fault),
}

/// A server that is bound and not yet serving.
pub struct Server {
    /// The addresses as bound.
    pub addresses: Vec<SocketAddr>,
    listeners: Vec<TcpListener>,
    app: Arc<App>,
    sockjs: SockJs,
    retention_days: u32,
    lease: Option<Lease>,
    sequencer: JoinHandle<Result<(), Fault>>,
    ended: CancellationToken,
    /// What other nodes say.
    heard: Option<Heard>,
    _lock: wigeon_store::open::Lock,
}

/// Binds the addresses, opens the log, starts the sequencer.
pub async fn start(options: Options) -> Result<Server, StartError> {
    // First: what is counted before would not be.
    let metrics = telemetry::install();
    let mut listeners = Vec::new();
    for address in &options.listen {
        let bound = TcpListener::bind(address).await;
        listeners.push(bound.map_err(|source| StartError::Bind { address: *address, source })?);
    }
    let addresses: Vec<_> = listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
    let origins = OriginPolicy::new(&addresses, &options.public_urls, &options.allow_origins)?;
    let mut random = [0; 8];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    let random = u64::from_le_bytes(random);
    let ended = CancellationToken::new();
    let alive = ended.clone().drop_guard();
    let (epoch, pool, lock, hub, peers, heard, lease, (sequencer, thread));
    if let Some(nats) = &options.nats {
        let (store, node) = cluster::join(&options.data, nats, random).await?;
        let (signals, listening) = node.signals().await?;
        peers = Peers::from(signals);
        hub = Hub::from(Presence::with_peers(peers.clone()));
        (epoch, pool, lock, heard) = (store.epoch, store.readers, store.lock, Some(listening));
        lease = Some(node.lease());
        (sequencer, thread) = node.start(store.writer, hub.clone(), alive);
    } else {
        let store = Store::open(&options.data, options.durability, random)?;
        (hub, peers) = (Hub::default(), Peers::default());
        (epoch, pool, lock, heard, lease) = (store.epoch, store.readers, store.lock, None, None);
        (sequencer, thread) = Sequencer::start(store.writer, hub.clone(), alive);
    }
    let app = App {
        sequencer,
        pool,
        hub,
        epoch,
        tokens: Tokens::new(&options.secret),
        tickets: Tickets::new(&options.secret),
        origins,
        guests: options.guests.with_public_urls(&options.public_urls),
        listen: addresses.clone(),
        stream_bytes_max: options.stream_bytes_max,
        script_transports: options.script_transports,
        metrics,
        draining: CancellationToken::new(),
        rates: Rates::default(),
        previews: options.previews.then(|| Previews::new(options.preview_allow)),
        peers,
    };
    Ok(Server {
        addresses,
        listeners,
        app: Arc::new(app),
        sockjs: options.sockjs,
        retention_days: options.retention_days,
        lease,
        sequencer: thread,
        ended,
        heard,
        _lock: lock,
    })
}

impl Server {
    /// Serves until `shutdown` is ready, or until the log cannot be written any more.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        let Self { listeners, app, sockjs, retention_days, lease, sequencer, ended, heard, _lock, .. } = self;
        let open = TaskTracker::new();
        let stop = app.draining.clone();
        let router = api::router(&app, &sockjs);
        for listener in listeners {
            tokio::spawn(connections::accept(
                listener,
                app.clone(),
                router.clone(),
                open.clone(),
                stop.clone(),
            ));
        }
        let forgetful = tokio::spawn(forget(app.clone()));
        let watchful = tokio::spawn(app.hub.clone().look_around());
        let naming = tokio::spawn(app.hub.clone().tell_names(app.pool.clone()));
        let tidy = tokio::spawn(retention::keep_in_bounds(app.clone(), retention_days, lease));
        let listening = heard.map(|heard| tokio::spawn(listen(app.clone(), heard)));
        tokio::select! {
            () = shutdown => tracing::info!("going down: saying bye to everybody"),
            () = ended.cancelled() => tracing::error!("the sequencer ended"),
        }
        stop.cancel();
        forgetful.abort();
        watchful.abort();
        naming.abort();
        tidy.abort();
        listening.inspect(tokio::task::JoinHandle::abort);
        open.close();
        if tokio::time::timeout(Duration::from_millis(DRAIN_MS_MAX), open.wait()).await.is_err() {
            tracing::warn!(open = open.len(), "some connections did not finish in time");
        }
        app.sequencer.close().await;
        let joined = tokio::task::spawn_blocking(move || sequencer.join()).await;
        match joined {
            Ok(Ok(result)) => Ok(result?),
            _ => Err(Fault::Corrupt("the sequencer panicked".into()).into()),
        }
    }
}

async fn forget(app: Arc<App>) {
    let mut ticks = tokio::time::interval(FORGET_EVERY);
    loop {
        ticks.tick().await;
        app.rates.forget_quiet();
        app.previews.as_ref().inspect(|previews| previews.forget_quiet());
    }
}

/// Hears the other nodes, and tells them from time to time who is here.
async fn listen(app: Arc<App>, mut heard: Heard) {
    app.peers.say(|| Said::Hello);
    let mut ticks = tokio::time::interval(Duration::from_millis(CLUSTER_PRESENCE_MS));
    loop {
        tokio::select! {
            told = heard.next() => {
                let Some((node, bytes)) = told else { return };
                match serde_json::from_slice(&bytes) {
                    Ok(said) => app.hear(&node, said),
                    Err(error) => tracing::debug!(%error, "another node said something else"),
                }
            }
            _ = ticks.tick() => app.hub.presence.say_who_is_here(),
        }
    }
}
