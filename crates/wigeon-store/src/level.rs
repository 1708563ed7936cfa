//! Being level: a node answers a question when it has applied everything that the log held when the question
//! came.
//!
//! So a client whose requests land on different nodes reads what it wrote, and a cursor of another node is
//! never of the future here. It costs one question to the stream, which all who ask meanwhile share. A node
//! that cannot reach the stream says so and answers from what it has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::limits::{CLUSTER_HEAD_MS_MAX, CLUSTER_LEVEL_MS_MAX, SEQUENCER_QUEUE_MAX};

use crate::nats::Log;

/// After the stream has not answered, for so long nobody waits for it again.
const SILENCE: Duration = Duration::from_secs(1);

/// A handle for readers.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    questions: mpsc::Sender<Question>,
    applied: watch::Receiver<u64>,
}

/// Is told the stream's last position; dropped where nobody knows.
type Question = oneshot::Sender<u64>;

impl Level {
    /// Starts the task that asks. It ends with the last handle.
    pub(crate) fn start(log: Arc<Log>, applied: watch::Receiver<u64>) -> Self {
        let (questions, asked) = mpsc::channel(SEQUENCER_QUEUE_MAX);
        tokio::spawn(answer(log, asked));
        Self { questions, applied }
    }

    /// Waits until this node is level; false where it cannot know.
    pub(crate) async fn reached(&self) -> Result<bool, WireError> {
        let (question, head) = oneshot::channel();
        if self.questions.send(question).await.is_err() {
            return Ok(false);
        }
        let Ok(head) = head.await else { return Ok(false) };
        let mut applied = self.applied.clone();
        let there = applied.wait_for(|position| *position >= head);
        match timeout(Duration::from_millis(CLUSTER_LEVEL_MS_MAX), there).await {
            Ok(Ok(_)) => Ok(true),
            _ => Err(WireError::new(ErrorCode::Unavailable, "this node is behind the log").retry_after(1000)),
        }
    }
}

async fn answer(log: Arc<Log>, mut asked: mpsc::Receiver<Question>) {
    let mut silent_until = Instant::now();
    let mut together = Vec::new();
    // Those who come while the stream is asked are for the next time: what it answers may be older than they.
    while asked.recv_many(&mut together, SEQUENCER_QUEUE_MAX).await > 0 {
        if !log.is_reachable() || Instant::now() < silent_until {
            together.clear();
            continue;
        }
        let patience = Duration::from_millis(CLUSTER_HEAD_MS_MAX);
        if let Ok(Ok(head)) = timeout(patience, log.head()).await {
            for question in together.drain(..) {
                // Whoever has gone away does not need to know.
                let _ = question.send(head);
            }
        } else {
            silent_until = Instant::now() + SILENCE;
            together.clear();
        }
    }
}
