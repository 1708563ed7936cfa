//! The stream that is the log: one message is one entry, and has one position.
//!
//! Its one subject is `<stream>.log.<epoch>.<base>`, and the position of a message is base plus its sequence
//! number. Standing in the subject, epoch and base are there as long as the stream is, whatever its first
//! messages are by now, and a node that remembers another log finds nobody who would take its entries.

use std::fmt;
use std::time::Duration;

use async_nats::jetstream::context::{
    AccountErrorKind, ContextBuilder, CreateStreamError, CreateStreamErrorKind, GetStreamErrorKind,
};
use async_nats::jetstream::{
    Context, ErrorCode,
    stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType, Stream},
};
use async_nats::{Client, Subscriber};
use tokio::time::{Instant, sleep};
use wigeon_proto::cursor::Epoch;
use wigeon_proto::limits::{CLUSTER_ACK_MS_MAX, CLUSTER_CONNECT_MS_MAX, CLUSTER_IN_FLIGHT_MAX};

use super::begin::Beginning;
use super::{Nats, NatsError};

/// Between two questions to a JetStream that has no leader yet.
const AGAIN: Duration = Duration::from_millis(200);

/// How long a server of NATS may need to start its JetStream.
const STARTS: Duration = Duration::from_secs(5);

/// The log of a cluster.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) client: Client,
    pub(crate) context: Context,
    pub(crate) stream: String,
    /// Where entries are published to.
    pub(crate) subject: String,
    pub(crate) epoch: Epoch,
    /// The position before the stream's first message.
    pub(crate) base: u64,
    /// The first position that the stream holds; one after [`Self::last`] where it is empty.
    pub(crate) first: u64,
    /// The last position that the stream held when it was opened.
    pub(crate) last: u64,
}

/// A log that is to be made where there is none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewLog {
    pub(crate) epoch: Epoch,
    pub(crate) base: u64,
}

/// What an answer of JetStream means for who asks.
pub(super) enum Obstacle {
    /// There is no such stream.
    Missing,
    /// It may be otherwise in a moment: a leader is being elected.
    Passing(String),
    Lasting(NatsError),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the stream is gone"),
            Self::Passing(reason) => f.write_str(reason),
            Self::Lasting(error) => error.fmt(f),
        }
    }
}

impl Log {
    /// Opens the stream, or makes it where there is none and `new` says how.
    pub(crate) async fn open(nats: &Nats, client: Client, new: Option<NewLog>) -> Result<Self, NatsError> {
        let context = ContextBuilder::new()
            .timeout(Duration::from_millis(CLUSTER_ACK_MS_MAX))
            .max_ack_inflight(CLUSTER_IN_FLIGHT_MAX)
            .build(client.clone());
        let begun = Instant::now();
        jetstream_is_there(&context).await?;
        let patience = begun + Duration::from_millis(CLUSTER_CONNECT_MS_MAX);
        loop {
            let found = match (find(&context, &nats.stream).await, new) {
                (Err(Obstacle::Missing), Some(new)) => make(&context, nats, new).await,
                (found, _) => found,
            };
            match found {
                Ok(info) => return Self::of(nats, client, context, &info),
                Err(Obstacle::Missing) => {
                    let what = "is not there, and this directory holds entries of it: see docs/operating.md";
                    return Err(wrong(&nats.stream, what.into()));
                }
                Err(Obstacle::Lasting(error)) => return Err(error),
                Err(Obstacle::Passing(reason)) if Instant::now() >= patience => {
                    return Err(NatsError::JetStream { what: "opening the stream", reason });
                }
                Err(Obstacle::Passing(_)) => sleep(AGAIN).await,
            }
        }
    }

    fn of(nats: &Nats, client: Client, context: Context, info: &Info) -> Result<Self, NatsError> {
        let (config, stream) = (&info.config, nats.stream.clone());
        let subject = match config.subjects.as_slice() {
            [subject] => subject.clone(),
            _ => return Err(wrong(&stream, "is not a log of Wigeon: it has several subjects".into())),
        };
        let Some((epoch, base)) = read_subject(&stream, &subject) else {
            return Err(wrong(&stream, format!("is not a log of Wigeon: its subject is {subject}")));
        };
        if config.num_replicas != nats.replicas {
            let (has, wanted) = (config.num_replicas, nats.replicas);
            return Err(wrong(&stream, format!("has {has} replicas, and the settings say {wanted}")));
        }
        if config.storage != StorageType::File || config.retention != RetentionPolicy::Limits {
            return Err(wrong(&stream, "does not keep its messages on the disk, by limits alone".into()));
        }
        let (first, last) = (base + info.state.first_sequence.max(1), base + info.state.last_sequence);
        Ok(Self { client, context, stream, subject, epoch, base, first, last })
    }

    /// The last position that the stream holds now.
    pub(crate) async fn head(&self) -> Result<u64, String> {
        let found = find(&self.context, &self.stream).await;
        found.map(|info| self.base + info.state.last_sequence).map_err(|obstacle| obstacle.to_string())
    }

    /// Has the stream take nothing more, ever, and returns its last position.
    pub(crate) async fn seal(&self) -> Result<u64, NatsError> {
        let failed = |reason: String| NatsError::JetStream { what: "sealing the stream", reason };
        let info =
            find(&self.context, &self.stream).await.map_err(|obstacle| failed(obstacle.to_string()))?;
        let sealed = Config { sealed: true, ..info.config };
        let info = self.context.update_stream(sealed).await.map_err(|error| failed(error.to_string()))?;
        Ok(self.base + info.state.last_sequence)
    }

    /// The first position that the stream holds now.
    pub(crate) async fn tail(&self) -> Option<u64> {
        let info = find(&self.context, &self.stream).await.ok()?;
        Some(self.base + info.state.first_sequence.max(1))
    }

    /// Hears what is said beside the log under a subject.
    pub(crate) async fn listen(&self, subject: &str) -> Result<Subscriber, NatsError> {
        let heard = self.client.subscribe(subject.to_owned()).await;
        heard.map_err(|error| NatsError::JetStream {
            what: "listening to other nodes",
            reason: error.to_string(),
        })
    }

    /// Whether there is a connection at this moment.
    pub(crate) fn is_reachable(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }
}

/// Where nobody at all answers for JetStream, waiting longer will not help.
async fn jetstream_is_there(context: &Context) -> Result<(), NatsError> {
    let patience = Instant::now() + STARTS;
    loop {
        match context.query_account().await {
            Err(error) if error.kind() == AccountErrorKind::JetStreamUnavailable => {
                if Instant::now() >= patience {
                    return Err(NatsError::NoJetStream { reason: error.to_string() });
                }
                sleep(AGAIN).await;
            }
            // Anything else is said better by the stream.
            _ => return Ok(()),
        }
    }
}

async fn find(context: &Context, stream: &str) -> Result<Info, Obstacle> {
    let found = context.get_stream(stream).await;
    found.map(|stream| stream.cached_info().clone()).map_err(|error| match error.kind() {
        GetStreamErrorKind::JetStream(refusal) => judge(refusal.error_code(), refusal.to_string()),
        GetStreamErrorKind::Request => Obstacle::Passing(error.to_string()),
        _ => Obstacle::Lasting(wrong(stream, error.to_string())),
    })
}

async fn make(context: &Context, nats: &Nats, new: NewLog) -> Result<Info, Obstacle> {
    let mut beginning = Beginning::open(context, nats).await?;
    let new = beginning.agree(new).await?;
    let config = Config {
        name: nats.stream.clone(),
        subjects: vec![format!("{}.log.{:010x}.{}", nats.stream, new.epoch.bits(), new.base)],
        description: Some("The log of a Wigeon cluster".into()),
        num_replicas: nats.replicas,
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        // A stream that is full refuses new entries: it must not forget old ones that a node lacks.
        discard: DiscardPolicy::New,
        deny_delete: true,
        deny_purge: true,
        // Nobody publishes by a message id: the rules know a command that comes again.
        duplicate_window: Duration::from_millis(100),
        ..Config::default()
    };
    let stream = made(context.create_stream(config).await, &nats.stream)?;
    beginning.made().await?;
    Ok(stream.cached_info().clone())
}

/// A stream that we have made, or that is there just so.
pub(super) fn made(made: Result<Stream, CreateStreamError>, name: &str) -> Result<Stream, Obstacle> {
    made.map_err(|error| match error.kind() {
        // Another node was faster: its stream is found the next time.
        CreateStreamErrorKind::JetStream(refusal) if refusal.error_code() == ErrorCode::STREAM_NAME_EXIST => {
            Obstacle::Passing(refusal.to_string())
        }
        CreateStreamErrorKind::JetStream(refusal) => judge(refusal.error_code(), refusal.to_string()),
        CreateStreamErrorKind::InvalidStreamName | CreateStreamErrorKind::EmptyStreamName => {
            Obstacle::Lasting(wrong(name, error.to_string()))
        }
        _ => Obstacle::Passing(error.to_string()),
    })
}

fn judge(code: ErrorCode, reason: String) -> Obstacle {
    match code {
        ErrorCode::STREAM_NOT_FOUND => Obstacle::Missing,
        ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => {
            Obstacle::Lasting(NatsError::NoJetStream { reason })
        }
        // A cluster that has not found together yet says so in several ways.
        ErrorCode::CLUSTER_NOT_AVAILABLE
        | ErrorCode::CLUSTER_NO_PEERS
        | ErrorCode::INSUFFICIENT_RESOURCES => Obstacle::Passing(reason),
        _ => Obstacle::Lasting(NatsError::JetStream { what: "opening the stream", reason }),
    }
}

pub(super) fn wrong(stream: &str, what: String) -> NatsError {
    NatsError::Stream { stream: stream.to_owned(), what }
}

/// Epoch and base in a subject of ours.
fn read_subject(stream: &str, subject: &str) -> Option<(Epoch, u64)> {
    let rest = subject.strip_prefix(stream)?.strip_prefix(".log.")?;
    let (epoch, base) = rest.split_once('.')?;
    Some((Epoch::new(u64::from_str_radix(epoch, 16).ok()?), base.parse().ok()?))
}
