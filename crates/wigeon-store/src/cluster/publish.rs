//! From the outbox into the stream: pipelined, in the order of the outbox, with a bound on how many are under
//! way.
//!
//! Only what goes wrong is told from here. That an entry is in the stream is seen by its coming back.

use std::sync::Arc;

use async_nats::HeaderMap;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use wigeon_proto::error::{ErrorCode, Outcome, WireError};

use super::ORIGIN;
use crate::nats::Log;
use crate::outbox::{Outbox, Outgoing};
use crate::sequencer::Sequencer;

/// Publishes what is in the outbox until the sequencer has ended.
pub(super) async fn run<F: Send + 'static, R: Send + 'static>(
    log: Arc<Log>,
    origin: String,
    sequencer: Sequencer<F, R>,
    outbox: Outbox<R>,
    mut outgoing: mpsc::Receiver<Outgoing>,
) {
    let mut acks = FuturesUnordered::new();
    loop {
        let (number, error) = tokio::select! {
            Some(Outgoing { number, bytes }) = outgoing.recv() => {
                let mut headers = HeaderMap::new();
                headers.insert(ORIGIN, format!("{origin}.{number}"));
                let message = PublishMessage::build().payload(bytes.into()).headers(headers);
                match log.context.send_publish(log.subject.clone(), message).await {
                    Ok(ack) => {
                        acks.push(async move { (number, ack.await) });
                        continue;
                    }
                    Err(error) => (number, error),
                }
            }
            Some((number, ack)) = acks.next() => match ack {
                Ok(_) => continue,
                Err(error) => (number, error),
            },
            () = sequencer.ended() => return,
        };
        tracing::debug!(%error, "an entry was not confirmed by the stream");
        if let Some(reply) = outbox.take(number) {
            sequencer.refuse(reply, refusal(&error)).await;
        }
    }
}

/// What a sender is told whose entry the stream has not confirmed.
fn refusal(error: &PublishError) -> WireError {
    let (message, outcome) = match error.kind() {
        PublishErrorKind::StreamNotFound => ("nobody takes entries of the log at this moment", Outcome::None),
        PublishErrorKind::MaxPayloadExceeded => ("larger than NATS takes (its max_payload)", Outcome::None),
        _ => ("the log has not confirmed it; repeat under the same id", Outcome::Unknown),
    };
    WireError::new(ErrorCode::Unavailable, message).retry_after(1000).outcome(outcome)
}
