//! Senders: batches of commands, repeated under the same ids until they are answered, and now and then once
//! more after that.

use crate::dice::Dice;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use wigeon_client::{Client, Reply};

const SENDERS: usize = 4;
const BATCH: usize = 50;

/// Senders at work.
pub(crate) struct Senders {
    acked: Arc<AtomicUsize>,
    tasks: Vec<JoinHandle<Vec<String>>>,
}

impl Senders {
    pub(crate) fn start(client: &Client, room: &str, messages: usize, dice: &mut Dice) -> Self {
        let acked = Arc::new(AtomicUsize::new(0));
        let tasks = (0..SENDERS).map(|n| {
            let share = messages / SENDERS + usize::from(n < messages % SENDERS);
            let (client, room, acked) = (client.clone(), room.to_owned(), Arc::clone(&acked));
            let dice = Dice::from(dice.roll(u64::MAX));
            tokio::spawn(work(client, room, n, share, acked, dice))
        });
        Self { tasks: tasks.collect(), acked }
    }

    pub(crate) fn acked(&self) -> usize {
        self.acked.load(Ordering::Relaxed)
    }

    /// The ids of everything that was acked.
    pub(crate) async fn finish(mut self) -> Vec<String> {
        let mut ids = Vec::new();
        for task in &mut self.tasks {
            ids.extend(task.await.expect("no panic"));
        }
        ids
    }
}

impl Drop for Senders {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn work(
    client: Client,
    room: String,
    sender: usize,
    share: usize,
    acked: Arc<AtomicUsize>,
    mut dice: Dice,
) -> Vec<String> {
    let mut ids: Vec<String> = (0..share).map(|n| format!("s{sender}-{n}")).collect();
    for batch in ids.chunks(BATCH) {
        let text = "</script> 中文 \u{2028} 🦆";
        let command = |id: &String| json!({"id":id,"type":"send","room":room,"body":{"text":text}});
        let commands: Vec<Value> = batch.iter().map(command).collect();
        let first = until_answered(&client, &commands).await;
        acked.fetch_add(batch.len(), Ordering::Relaxed);
        if dice.roll(20) == 0 {
            let again = until_answered(&client, &commands).await;
            assert_eq!(first, again, "a repeat gets the first answer");
        }
    }
    ids.truncate(share);
    ids
}

/// Sends until there is an answer, and every command in it was acked.
async fn until_answered(client: &Client, commands: &[Value]) -> Vec<Value> {
    loop {
        match client.commands(commands).await {
            Ok(replies) => match replies.into_iter().map(Reply::into_result).collect::<Result<Vec<_>, _>>() {
                Ok(oks) => return oks,
                Err(error) => assert!(error.is_retryable(), "{error}"),
            },
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
        sleep(Duration::from_millis(5)).await;
    }
}
