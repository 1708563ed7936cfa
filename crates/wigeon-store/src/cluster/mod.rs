//! A node of a cluster: order and durability come from a JetStream stream.
//!
//! ```text
//! entry ─▶ outbox ─▶ publish ─▶ stream, the same for all nodes ─▶ follow ─▶ sequencer ─▶ step ─▶ fold
//!            └─────── who waits for it ────────────────────────────────┴──▶ answers, events
//! ```
//! Every node applies every message of the stream, in its order, by the same rules. A sender is answered when
//! the node it asked has applied its entry; that it came through the stream says that the stream's quorum
//! holds it. There is no log in the data directory: the tables say which position they hold, and a start goes on
//! from there.

mod compare;
mod follow;
pub mod migrate;
mod publish;
mod signals;
#[cfg(test)]
mod simulation;
mod store;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::watch;
use wigeon_proto::cursor::Epoch;

use crate::Fault;
use crate::digest::Digester;
use crate::level::Level;
use crate::nats::{self, Lease, Log, Nats, NatsError, NewLog};
use crate::open::{OpenError, Store};
use crate::outbox::Outbox;
use crate::sequencer::{Outlet, Sequencer};
use crate::writer::Writer;
pub use signals::{Heard, Signals};

/// The header that names the node and its number of an entry.
const ORIGIN: &str = "Wigeon-Origin";

/// A node that has the stream, and does not follow it yet.
#[derive(Debug)]
pub struct Node {
    log: Arc<Log>,
    /// This run of this node, as its entries name it.
    origin: String,
    applied: watch::Sender<u64>,
    replicas: usize,
    directory: PathBuf,
}

/// What [`Sequencer::start`] returns.
type Started<O> = (Sequencer<<O as Outlet>::Feed, <O as Outlet>::Reply>, JoinHandle<Result<(), Fault>>);

/// Why a node cannot start.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// NATS.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// The data directory.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The directory's log is another one than the stream.
    #[error("{0}")]
    Apart(String),
}

/// Connects, opens the stream (or makes it, for a node without data), and opens the store, which holds what
/// was folded before.
pub async fn join(directory: &Path, nats: &Nats, random: u64) -> Result<(Store, Node), JoinError> {
    compare::was_right(directory)?;
    let client = nats::connect(nats).await?;
    let new = store::is_new(directory).then(|| NewLog { epoch: Epoch::new(random), base: 0 });
    let log = Arc::new(Log::open(nats, client, new).await?);
    let (applied, watched) = watch::channel(0);
    let level = Level::start(log.clone(), watched);
    let store = store::open(directory, &log, level)?;
    stands_in(&log, store.writer.position())?;
    applied.send_replace(store.writer.position());
    let (origin, replicas, directory) = (format!("{random:016x}"), nats.replicas, directory.to_owned());
    Ok((store, Node { log, origin, applied, replicas, directory }))
}

/// A fault of the data directory.
fn join_error(directory: &Path, fault: Fault) -> JoinError {
    OpenError::Database { path: directory.to_owned(), source: fault.into() }.into()
}

/// What the tables hold must be a beginning of what the stream held, and the rest must still be there.
fn stands_in(log: &Log, here: u64) -> Result<(), JoinError> {
    let Log { stream, first, last, .. } = log;
    if here > *last {
        return Err(JoinError::Apart(format!(
            "this node holds entries up to {here}, and the NATS stream {stream} ends at {last}: it was made \
             anew, or has lost its end"
        )));
    }
    if here + 1 < *first {
        return Err(JoinError::Apart(format!(
            "this node holds entries up to {here}, and the NATS stream {stream} begins at {first}: start \
             from a copy of another node's data directory (docs/operating.md)"
        )));
    }
    Ok(())
}

impl Node {
    /// The way to the other nodes, and from them.
    pub async fn signals(&self) -> Result<(Signals, Heard), JoinError> {
        Ok(Signals::begin(self.log.clone(), self.origin.clone()).await?)
    }

    /// What says whether it is this node's turn to do what one does for all.
    pub fn lease(&self) -> Lease {
        Lease::seek(self.log.clone(), self.replicas)
    }

    /// Starts the sequencer and follows the stream, for as long as the sequencer lives. As
    /// [`Sequencer::start`] otherwise.
    pub fn start<O: Outlet>(self, mut writer: Writer, outlet: O, alive: impl Send + 'static) -> Started<O> {
        let Self { log, origin, applied, directory, .. } = self;
        let reachable = log.clone();
        let (outbox, outgoing) = Outbox::new(move || reachable.is_reachable());
        let next = writer.position() + 1;
        let (digester, digests) = Digester::new();
        writer.tell_applied(applied, digester);
        let (sequencer, thread) = Sequencer::follow(writer, outlet, alive, outbox.clone());
        let compared = compare::run(log.clone(), origin.clone(), sequencer.clone(), digests, directory);
        tokio::spawn(async move {
            if let Err(error) = compared.await {
                tracing::warn!(%error, "what this node comes to is not compared with others");
            }
        });
        tokio::spawn(publish::run(log.clone(), origin.clone(), sequencer.clone(), outbox.clone(), outgoing));
        tokio::spawn(follow::run(log, origin, sequencer.clone(), outbox, next));
        (sequencer, thread)
    }
}
