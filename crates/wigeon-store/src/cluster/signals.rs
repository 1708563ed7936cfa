//! What nodes tell each other beside the log, over core NATS: not remembered, dropped under pressure, and nobody
//! waits for it.

use std::sync::Arc;

use async_nats::{HeaderMap, Subscriber};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use wigeon_proto::limits::CLUSTER_SIGNALS_MAX;

use super::ORIGIN;
use crate::nats::{Log, NatsError};

/// To the other nodes; clones share it.
#[derive(Debug, Clone)]
pub struct Signals {
    outgoing: mpsc::Sender<Vec<u8>>,
}

/// From the other nodes.
#[derive(Debug)]
pub struct Heard {
    messages: Subscriber,
    origin: String,
}

impl Signals {
    pub(super) async fn begin(log: Arc<Log>, origin: String) -> Result<(Self, Heard), NatsError> {
        let subject = format!("{}.signals.{:010x}", log.stream, log.epoch.bits());
        let messages = log.listen(&subject).await?;
        let (outgoing, mut told) = mpsc::channel::<Vec<u8>>(CLUSTER_SIGNALS_MAX);
        let heard = Heard { messages, origin: origin.clone() };
        tokio::spawn(async move {
            while let Some(bytes) = told.recv().await {
                if !log.is_reachable() {
                    continue;
                }
                let mut headers = HeaderMap::new();
                headers.insert(ORIGIN, origin.as_str());
                let sent = log.client.publish_with_headers(subject.clone(), headers, bytes.into()).await;
                if let Err(error) = sent {
                    tracing::debug!(%error, "other nodes were not told");
                }
            }
        });
        Ok((Self { outgoing }, heard))
    }

    /// Tells the other nodes, unless too much waits.
    pub fn tell(&self, bytes: Vec<u8>) {
        // Full or over: a signal is what nobody misses.
        let _ = self.outgoing.try_send(bytes);
    }
}

impl Heard {
    /// What another node tells next, and which one it is; none when the connection is over.
    pub async fn next(&mut self) -> Option<(String, Vec<u8>)> {
        loop {
            let message = self.messages.next().await?;
            let Some(origin) = message.headers.as_ref().and_then(|headers| headers.get(ORIGIN)) else {
                continue;
            };
            if origin.as_str() != self.origin {
                return Some((origin.to_string(), message.payload.into()));
            }
        }
    }
}
