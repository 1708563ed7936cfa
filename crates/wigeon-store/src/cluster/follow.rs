//! Following the stream: one consumer of this node, whose messages reach the sequencer in the stream's order,
//! each once.
//!
//! The consumer lives in NATS and nothing is kept there: it begins where this node is. When it falls silent, or
//! a message is missing (a server was killed, a connection broke, we were too slow), it is made anew from the
//! first message that has not come. NATS sends on only as we take in, because its questions whether we do
//! (flow control) stand among the messages.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, push};
use async_nats::{Message, StatusCode, Subscriber};
use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::time::{sleep, timeout};
use wigeon_core::entry::RULES_VERSION;
use wigeon_proto::limits::{CLUSTER_HEARTBEAT_MS, CLUSTER_SILENCE_MS_MAX};

use super::ORIGIN;
use super::walk::{Missing, Walk};
use crate::Fault;
use crate::nats::Log;
use crate::outbox::Outbox;
use crate::sequencer::Sequencer;
use crate::step::Admitted;

/// Between two attempts to make a consumer.
const AGAIN: Duration = Duration::from_millis(200);
/// How long NATS keeps a consumer that nobody listens to.
const ABANDONED: Duration = Duration::from_secs(30);

/// Why a consumer is of no use any more.
enum End {
    /// Another is made.
    Again(&'static str),
    /// The log cannot be followed: this node has to go.
    Fault(Fault),
    /// The sequencer has ended.
    Over,
}

struct Follower<F, R> {
    log: Arc<Log>,
    /// Our own entries are named by it.
    origin: String,
    sequencer: Sequencer<F, R>,
    outbox: Outbox<R>,
    walk: Walk,
}

/// Follows until the sequencer has ended, or until it cannot.
pub(super) async fn run<F: Send + 'static, R: Send + 'static>(
    log: Arc<Log>,
    origin: String,
    sequencer: Sequencer<F, R>,
    outbox: Outbox<R>,
    next: u64,
) {
    let mut follower = Follower { log, origin, sequencer, outbox, walk: Walk::new(next) };
    loop {
        match follower.consume().await {
            End::Again(why) => {
                let next = follower.walk.next();
                tracing::debug!(why, next, "following the stream anew");
                if let Some(first) = follower.log.tail().await.filter(|first| *first > next) {
                    let gone = format!("entries {next} to {} are gone from the stream", first - 1);
                    return follower.sequencer.fail(Fault::Stream(gone)).await;
                }
                sleep(AGAIN).await;
            }
            End::Fault(fault) => return follower.sequencer.fail(fault).await,
            End::Over => return,
        }
    }
}

impl<F: Send + 'static, R: Send + 'static> Follower<F, R> {
    /// Makes a consumer and takes in what it brings, until it ends.
    async fn consume(&mut self) -> End {
        let inbox = self.log.client.new_inbox();
        let Ok(mut messages) = self.log.client.subscribe(inbox.clone()).await else {
            return End::Again("no subscription");
        };
        let consumer = push::Config {
            deliver_subject: inbox,
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: self.walk.next() - self.log.base,
            },
            ack_policy: AckPolicy::None,
            max_deliver: 1,
            flow_control: true,
            idle_heartbeat: Duration::from_millis(CLUSTER_HEARTBEAT_MS),
            inactive_threshold: ABANDONED,
            // Lost with its server, and made anew elsewhere: there is nothing in it to keep.
            memory_storage: true,
            num_replicas: 1,
            ..push::Config::default()
        };
        let made = tokio::select! {
            made = self.log.context.create_consumer_on_stream(consumer, self.log.stream.clone()) => made,
            () = self.sequencer.ended() => return End::Over,
        };
        if made.is_err() {
            return End::Again("no consumer");
        }
        let end = self.listen(&mut messages).await;
        // An error only says that the connection is gone, and the subscription with it.
        let _ = messages.unsubscribe().await;
        end
    }

    async fn listen(&mut self, messages: &mut Subscriber) -> End {
        self.walk.begin();
        loop {
            let silence = Duration::from_millis(CLUSTER_SILENCE_MS_MAX);
            let message = tokio::select! {
                message = timeout(silence, messages.next()) => message,
                () = self.sequencer.ended() => return End::Over,
            };
            let Ok(Some(message)) = message else { return End::Again("silence") };
            if message.status == Some(StatusCode::IDLE_HEARTBEAT) {
                if let Err(end) = self.heartbeat(&message).await {
                    return end;
                }
                continue;
            }
            let Some((consumer, stream)) = sequences(&message) else { continue };
            let position = stream + self.log.base;
            if let Err(Missing(what)) = self.walk.message(consumer, position) {
                return End::Again(what);
            }
            if let Err(end) = self.take(position, &message).await {
                return end;
            }
        }
    }

    /// Answers whether we keep up, and sees whether the last messages are missing.
    async fn heartbeat(&self, message: &Message) -> Result<(), End> {
        let header = |name: &str| message.headers.as_ref().and_then(|headers| headers.get(name));
        let asked = message.reply.clone().map(|reply| reply.to_string());
        if let Some(reply) = asked.or_else(|| header("Nats-Consumer-Stalled").map(ToString::to_string))
            && self.log.client.publish(reply, "".into()).await.is_err()
        {
            return Err(End::Again("no connection"));
        }
        match header("Nats-Last-Consumer").and_then(|last| last.as_str().parse::<u64>().ok()) {
            Some(sent) => self.walk.heartbeat(sent).map_err(|Missing(what)| End::Again(what)),
            None => Ok(()),
        }
    }

    /// Puts one message in the sequencer's line.
    async fn take(&self, position: u64, message: &Message) -> Result<(), End> {
        if message.subject.as_str() != self.log.subject {
            let subject = &message.subject;
            let text = format!("entry {position} is of another log than ours: {subject}");
            return Err(End::Fault(Fault::Stream(text)));
        }
        let entry = read(position, &message.payload).map_err(End::Fault)?;
        let origin = message.headers.as_ref().and_then(|headers| headers.get(ORIGIN));
        let number = origin.and_then(|origin| {
            let (run, number) = origin.as_str().rsplit_once('.')?;
            (run == self.origin).then(|| number.parse().ok())?
        });
        let reply = number.and_then(|number| self.outbox.take(number));
        let taken = self.sequencer.ordered(position, entry, reply).await;
        if taken { Ok(()) } else { Err(End::Over) }
    }
}

/// An entry of ours. What is none, put there by other hands, is passed over by every node alike; one that
/// another version has written must not be, because that one applies it.
fn read(position: u64, bytes: &[u8]) -> Result<Option<Admitted>, Fault> {
    #[derive(Deserialize)]
    struct Versioned {
        v: u32,
    }
    let Ok(Versioned { v }) = serde_json::from_slice(bytes) else {
        tracing::error!(position, "the stream holds something that is no entry: passed over");
        return Ok(None);
    };
    if v > RULES_VERSION {
        let text = format!("entry {position} is of rules {v}, this node knows {RULES_VERSION}: upgrade it");
        return Err(Fault::Stream(text));
    }
    let entry = Admitted::stored(bytes);
    entry.map(Some).map_err(|error| Fault::Stream(format!("entry {position} cannot be read: {error}")))
}

/// A message's number for its consumer, and in the stream: `$JS.ACK.stream.consumer.delivered.stream.consumer…`,
/// or with domain and account after the first two.
fn sequences(message: &Message) -> Option<(u64, u64)> {
    let reply = message.reply.as_ref()?.strip_prefix("$JS.ACK.")?;
    let parts: Vec<&str> = reply.split('.').collect();
    let first = if parts.len() > 7 { 5 } else { 3 };
    Some((parts.get(first + 1)?.parse().ok()?, parts.get(first)?.parse().ok()?))
}
