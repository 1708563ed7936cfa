//! A lease: one node at a time does what needs to be done once for all, and another takes over when it has died.
//!
//! It is a stream of one message. Whoever holds the lease writes it again and again, each time on condition that
//! theirs is still the last: of two who write on the same condition the stream takes one. Others see that the message
//! changes; when it has not for longer than a term, they write. No clocks are compared: each measures with its own
//! how long it has seen nothing new, and a holder stops believing before others begin to doubt.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, StorageType, Stream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use wigeon_proto::limits::{LEASE_HELD_MS, LEASE_RENEW_MS, LEASE_TERM_MS};

use super::log::{Log, Obstacle, made};

/// A handle; it is let go of by the node's end.
#[derive(Debug, Clone)]
pub struct Lease {
    until: watch::Receiver<Option<Instant>>,
}

impl Lease {
    /// Starts to seek the lease, and to keep it.
    pub(crate) fn seek(log: Arc<Log>, replicas: usize) -> Self {
        let (told, until) = watch::channel(None);
        tokio::spawn(seek(log, replicas, told));
        Self { until }
    }

    /// Whether it is this node's turn.
    pub fn is_held(&self) -> bool {
        self.until.borrow().is_some_and(|until| Instant::now() < until)
    }
}

/// What is known of the lease, and what to do about it.
#[derive(Debug, Default)]
struct Watch {
    /// The last message seen, and since when it has been the last.
    seen: Option<(u64, Instant)>,
    /// The last message that was ours.
    own: Option<u64>,
}

impl Watch {
    /// Whether to write, the last message being `last`: to keep the lease, or because nobody keeps it.
    fn writes(&mut self, last: u64, now: Instant) -> bool {
        let since = match self.seen {
            Some((seen, since)) if seen == last => since,
            _ => self.seen.insert((last, now)).1,
        };
        last == 0
            || self.own == Some(last)
            || now.duration_since(since) >= Duration::from_millis(LEASE_TERM_MS)
    }

    /// Ours was taken; returns until when it holds, if it was written at `begun`.
    fn written(&mut self, sequence: u64, begun: Instant) -> Instant {
        self.own = Some(sequence);
        begun + Duration::from_millis(LEASE_HELD_MS)
    }
}

async fn seek(log: Arc<Log>, replicas: usize, told: watch::Sender<Option<Instant>>) {
    let (mut stream, mut watch) = (None, Watch::default());
    while !told.is_closed() {
        match round(&log, replicas, &mut stream, &mut watch).await {
            Ok(Some(until)) => {
                if told.send_replace(Some(until)).is_none() {
                    tracing::info!("this node does what one node does for all");
                }
            }
            Ok(None) => drop(told.send_replace(None)),
            // What is held is held until its time is over.
            Err(reason) => tracing::debug!(%reason, "nothing is known of the lease"),
        }
        sleep(Duration::from_millis(LEASE_RENEW_MS)).await;
    }
}

/// Looks, and writes if it is time to. Returns until when the lease is ours, if it is.
async fn round(
    log: &Log,
    replicas: usize,
    stream: &mut Option<Stream>,
    watch: &mut Watch,
) -> Result<Option<Instant>, Obstacle> {
    let (subject, begun) = (format!("{}.lease", log.stream), Instant::now());
    let lease = match stream {
        Some(stream) => stream,
        None => stream.insert(open(log, replicas, &subject).await?),
    };
    let passing = |reason: String| Obstacle::Passing(reason);
    let last = lease.info().await.map_err(|error| passing(error.to_string()))?.state.last_sequence;
    if !watch.writes(last, begun) {
        return Ok(None);
    }
    let message =
        PublishMessage::build().expected_last_sequence(last).expected_stream(format!("{}-lease", log.stream));
    let sent =
        log.context.send_publish(subject, message).await.map_err(|error| passing(error.to_string()))?;
    let taken = sent.await.map_err(|error| passing(error.to_string()))?;
    Ok(Some(watch.written(taken.sequence, begun)))
}

async fn open(log: &Log, replicas: usize, subject: &str) -> Result<Stream, Obstacle> {
    let name = format!("{}-lease", log.stream);
    let config = Config {
        name: name.clone(),
        subjects: vec![subject.to_owned()],
        description: Some("Which node of a Wigeon cluster does what one does for all".into()),
        num_replicas: replicas,
        storage: StorageType::File,
        max_messages: 1,
        ..Config::default()
    };
    made(log.context.create_stream(config).await, &name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERM: Duration = Duration::from_millis(LEASE_TERM_MS);
    const RENEW: Duration = Duration::from_millis(LEASE_RENEW_MS);

    #[test]
    fn who_has_died_is_followed_after_a_term_and_not_before() {
        let (mut holder, mut other, now) = (Watch::default(), Watch::default(), Instant::now());
        assert!(holder.writes(0, now), "nobody has it");
        let until = holder.written(1, now);
        assert!(!other.writes(1, now) && holder.writes(1, now + RENEW));
        holder.written(2, now + RENEW);
        assert!(!other.writes(2, now + TERM), "it was written again in between");
        assert!(!other.writes(2, now + TERM + TERM - RENEW) && other.writes(2, now + TERM + TERM));
        other.written(3, now + TERM + TERM);
        assert!(!holder.writes(3, now + TERM + TERM), "it has been taken");
        assert!(until < now + TERM, "its holder lets go before that");
    }
}
