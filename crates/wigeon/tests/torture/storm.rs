//! The storm: readers that change their transport at random and senders in batches, all behind a proxy that cuts
//! and stalls. What happens to the server meanwhile is the story's affair; in the end each message is there
//! once, and everybody was shown it once and in order.
//!
//! Told of a single server, and of a cluster behind a proxy that sends each request to another node: `Server` is
//! whichever the story has.

use crate::chaos::Chaos;
use crate::dice::Dice;
use crate::readers::{Pause, Watcher, log, pauses, verify};
use crate::senders::Senders;
use crate::server::{Server, until};
use serde_json::json;
use std::collections::HashSet;
use std::fmt;
use std::time::{Duration, Instant};
use tokio::time::sleep;
use wigeon_client::{Client, ReadOptions};

const ROOM: &str = "storm";

/// A storm that blows.
pub(crate) struct Storm {
    start: String,
    chaos: Chaos,
    watchers: Vec<Watcher>,
    senders: Senders,
    messages: usize,
    begun: Instant,
}

/// What it came to, for whoever reads the test's output.
pub(crate) struct Calm {
    messages: usize,
    took: Duration,
    /// Connections that were cut or stalled.
    troubled: usize,
    pauses: Vec<Pause>,
}

/// `WIGEON_TORTURE_MESSAGES`, or as many messages as the story has by itself.
pub(crate) fn messages(otherwise: usize) -> usize {
    std::env::var("WIGEON_TORTURE_MESSAGES").map_or(otherwise, |text| text.parse().expect("a number"))
}

impl Storm {
    pub(crate) async fn begin(server: &Server, readers: usize, messages: usize, dice: &mut Dice) -> Self {
        let chaos = Chaos::start(&server.base(), Dice::from(dice.roll(u64::MAX))).await;
        let through = |client: Client| {
            let token = client.token().expect("a token").to_owned();
            Client::new(&chaos.base()).expect("a base").with_token(&token)
        };
        let service = server.service();
        service.command(json!({"type":"send","room":ROOM,"body":{"text":"first"}})).await.expect("a channel");
        let start = service.poll(&ReadOptions::after(None)).await.expect("now").cursor;
        let mut watchers = Vec::new();
        for n in 0..readers {
            let client = through(server.user(&format!("reader-{n}")));
            watchers.push(Watcher::start(&client, &start, ROOM, Dice::from(dice.roll(u64::MAX))));
        }
        let senders = Senders::start(&through(service), ROOM, messages, dice);
        Self { start, chaos, watchers, senders, messages, begun: Instant::now() }
    }

    pub(crate) fn acked(&self) -> usize {
        self.senders.acked()
    }

    /// Waits until so many messages are acked, or until a reader ends, since the story has failed then. As long as
    /// more are acked, it may take its time.
    pub(crate) async fn until_acked(&self, goal: usize) {
        while self.acked() < goal && !self.watchers.iter().any(Watcher::is_over) {
            let before = self.acked();
            until("more acks", || self.acked() > before || self.watchers.iter().any(Watcher::is_over)).await;
        }
    }

    /// Kills the server so many times, evenly spread over the messages.
    pub(crate) async fn kills(&self, server: &mut Server, kills: usize, dice: &mut Dice) {
        for kill in 1..=kills {
            self.until_acked(self.messages * kill / (kills + 1)).await;
            // A moment that depends on nothing: in the middle of a commit, of a write, of an accept.
            sleep(Duration::from_micros(dice.roll(5000))).await;
            server.kill();
            server.restart().await;
        }
    }

    /// Waits until everything was sent, acked and seen, and compares it with what each of the witnesses, who read
    /// without any trouble in between, finds in the log.
    pub(crate) async fn calm(self, witnesses: &[Client]) -> Calm {
        let acked = self.senders.finish().await;
        let mut whole = Vec::new();
        for witness in witnesses {
            let found = log(witness, ROOM, &self.start).await;
            assert_eq!(found.len(), self.messages, "each send made one message");
            assert!(whole.is_empty() || found == whole, "the log is the same for every witness");
            whole = found;
        }
        let ids: HashSet<&str> = whole.iter().map(|(_, id)| id.as_str()).collect();
        assert!(acked.iter().all(|id| ids.contains(id.as_str())), "each acked send is there");
        let mut pauses = Vec::new();
        for watcher in self.watchers {
            let (seen, gaps) = watcher.finish(whole.len()).await;
            verify(&seen, &whole).unwrap_or_else(|error| panic!("{error}"));
            pauses.extend(gaps);
        }
        let (messages, took, troubled) = (self.messages, self.begun.elapsed(), self.chaos.troubled());
        Calm { messages, took, troubled, pauses }
    }
}

impl fmt::Display for Calm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { messages, took, troubled, pauses: all } = self;
        writeln!(f, "{messages} messages in {took:.1?}, {troubled} connections cut or stalled")?;
        f.write_str(&pauses(all.clone()))
    }
}
