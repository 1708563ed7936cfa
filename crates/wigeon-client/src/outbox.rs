//! Commands on their way: sent in order, one request at a time, and again under the same ids until the server
//! has answered. The ids make that safe: a repeat gets the answer of the first.

use crate::backoff::Backoff;
use crate::limits::{BATCH_BYTES_MAX, BATCH_COMMANDS_MAX, OUTBOX_COMMANDS_MAX};
use crate::task::Task;
use crate::{Client, Error, Reply, Uplink, fresh_id};
use serde_json::Value;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

/// The answer to come.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Reply>);

impl Receipt {
    /// Waits for the answer; there is none once the session is over.
    pub async fn reply(self) -> Result<Reply, Error> {
        self.0.await.map_err(|_| Error::Over)
    }
}

#[derive(Debug)]
struct Pending {
    command: Value,
    bytes: usize,
    reply: oneshot::Sender<Reply>,
}

/// Where commands are put in. What is unsent when it is dropped stays unsent.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Pending>,
    _task: Task,
}

impl Outbox {
    /// Starts sending.
    pub(crate) fn start(client: Client, uplink: Uplink, backoff: Backoff) -> Self {
        let (queue, waiting) = mpsc::channel(OUTBOX_COMMANDS_MAX);
        Self { queue, _task: Task::start(run(client, uplink, backoff, waiting)) }
    }

    /// Queues a command, with a fresh id if it has none.
    pub(crate) fn submit(&self, mut command: Value) -> Result<Receipt, Error> {
        if command["id"].is_null() {
            command["id"] = fresh_id().into();
        }
        let (reply, receipt) = oneshot::channel();
        let bytes = command.to_string().len();
        self.queue.try_send(Pending { command, bytes, reply }).map_err(|full| match full {
            mpsc::error::TrySendError::Full(_) => Error::OutboxFull,
            mpsc::error::TrySendError::Closed(_) => Error::Over,
        })?;
        Ok(Receipt(receipt))
    }
}

async fn run(client: Client, uplink: Uplink, mut backoff: Backoff, mut waiting: mpsc::Receiver<Pending>) {
    let mut batch = VecDeque::new();
    loop {
        if batch.is_empty() {
            match waiting.recv().await {
                Some(first) => batch.push_back(first),
                None => return,
            }
        }
        fill(&mut batch, &mut waiting);
        let commands: Vec<Value> = batch.iter().map(|pending| pending.command.clone()).collect();
        let pause = match client.commands_over(uplink, &commands).await {
            Ok(replies) => {
                let (again, pause) = settle(batch, replies);
                batch = again;
                if pause.is_zero() {
                    backoff.reset();
                }
                pause
            }
            Err(error) if error.is_retryable() => backoff.next(),
            // Nothing here can be sent any more; dropping the queue tells whoever waits.
            Err(_) => return,
        };
        sleep(pause).await;
    }
}

/// Takes what has come meanwhile, up to one request's worth.
fn fill(batch: &mut VecDeque<Pending>, waiting: &mut mpsc::Receiver<Pending>) {
    let mut bytes: usize = batch.iter().map(|pending| pending.bytes).sum();
    while batch.len() < BATCH_COMMANDS_MAX && bytes < BATCH_BYTES_MAX {
        let Ok(next) = waiting.try_recv() else { return };
        bytes += next.bytes;
        batch.push_back(next);
    }
}

/// Hands out the answers; returns what must be sent again, and when.
fn settle(batch: VecDeque<Pending>, replies: Vec<Reply>) -> (VecDeque<Pending>, Duration) {
    let (mut again, mut pause) = (VecDeque::new(), Duration::ZERO);
    for (pending, reply) in batch.into_iter().zip(replies) {
        if let Some(error) = reply.wants_retry() {
            pause = pause.max(Duration::from_millis(error.retry_after_ms.unwrap_or(100)));
            again.push_back(pending);
        } else {
            // Nobody may be waiting any more, and that is their affair.
            let _ = pending.reply.send(reply);
        }
    }
    (again, pause)
}
