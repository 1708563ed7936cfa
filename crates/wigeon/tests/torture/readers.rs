//! Readers: sessions that change their transport at random and note what they are shown, and when.

use crate::dice::Dice;
use crate::server::{PATIENCE, soon};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use wigeon_client::{Backoff, Client, Notice, ReadOptions, Session, SessionOptions};
use wigeon_proto::transport::Transport;

/// The longest time between two changes of transport.
const CHANGE_MS: u64 = 400;

/// Messages of a room in their order, as `(cursor, id)`.
pub(crate) type Seen = Vec<(String, String)>;

/// What the log holds of a room after a cursor, as `(cursor, id)`, read without any trouble in between.
pub(crate) async fn log(client: &Client, room: &str, after: &str) -> Seen {
    let mut all = Vec::new();
    let mut options = ReadOptions::after(Some(after));
    options.rooms = vec![room.to_owned()];
    loop {
        let page = client.poll(&options).await.expect("a page");
        let messages = page.frames.iter().filter(|frame| frame.kind() == "message");
        all.extend(
            messages.map(|frame| (frame.cursor().expect("a cursor").to_owned(), frame.text("id").to_owned())),
        );
        options.after = Some(page.cursor);
        if !page.more {
            return all;
        }
    }
}

/// A change from WebSocket to a held poll or back, and the longest silence around it.
pub(crate) type Pause = Duration;

/// A reader at work.
pub(crate) struct Watcher {
    task: JoinHandle<(Seen, Vec<Pause>)>,
    seen: Arc<AtomicUsize>,
    enough: Arc<AtomicUsize>,
    broken: Arc<Mutex<Option<String>>>,
    over: Arc<AtomicBool>,
}

impl Watcher {
    pub(crate) fn start(client: &Client, start: &str, room: &str, mut dice: Dice) -> Self {
        let mut options = SessionOptions::new(Transport::Websocket, Some(start));
        options.read.rooms = vec![room.to_owned()];
        options.read.poll_interval = Duration::from_millis(20);
        options.backoff = Backoff::new(Duration::from_millis(2), Duration::from_millis(50));
        let mut session = Session::start(client, options);
        let seen = Arc::new(AtomicUsize::new(0));
        let enough = Arc::new(AtomicUsize::new(usize::MAX));
        let broken = Arc::new(Mutex::new(None));
        let over = Arc::new(AtomicBool::new(false));
        let (count, goal, trouble, ended) = (seen.clone(), enough.clone(), broken.clone(), over.clone());
        let task = tokio::spawn(async move {
            let mut notes = Notes::default();
            let mut change = Instant::now();
            while notes.seen.len() < goal.load(Ordering::Relaxed) {
                if Instant::now() >= change {
                    session.switch(Transport::ALL[dice.roll(8) as usize]);
                    change = Instant::now() + Duration::from_millis(dice.roll(CHANGE_MS));
                }
                match tokio::time::timeout_at(change.into(), session.next()).await {
                    Ok(Ok(notice)) => notes.take(notice),
                    Ok(Err(error)) => {
                        *trouble.lock().expect("whole") = Some(error.to_string());
                        break;
                    }
                    Err(_time_to_change) => {}
                }
                count.store(notes.seen.len(), Ordering::Relaxed);
            }
            ended.store(true, Ordering::Relaxed);
            (notes.seen, notes.pauses)
        });
        Self { task, seen, enough, broken, over }
    }

    /// Whether it ended before it was told to.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Waits until it has seen `count` messages, and gives what it saw. As long as more comes, it may take its time.
    pub(crate) async fn finish(mut self, count: usize) -> (Seen, Vec<Pause>) {
        self.enough.store(count, Ordering::Relaxed);
        let (mut last, mut since) = (0, Instant::now());
        while !self.task.is_finished() {
            let seen = self.seen.load(Ordering::Relaxed);
            if seen > last {
                (last, since) = (seen, Instant::now());
            }
            assert!(since.elapsed() < PATIENCE, "a reader stands still at {seen} of {count}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let trouble = self.broken.lock().expect("whole").take();
        assert_eq!(trouble, None, "a session ended");
        soon("a reader's notes", &mut self.task).await.expect("no panic")
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Default)]
struct Notes {
    seen: Seen,
    pauses: Vec<Pause>,
    live: Option<Transport>,
    last: Option<Instant>,
    changed: bool,
}

impl Notes {
    fn take(&mut self, notice: Notice) {
        match notice {
            Notice::Frame(frame) if frame.kind() == "message" => {
                let now = Instant::now();
                if let Some(last) = self.last.replace(now).filter(|_| std::mem::take(&mut self.changed)) {
                    self.pauses.push(now - last);
                }
                self.seen.push((frame.cursor().expect("a cursor").to_owned(), frame.text("id").to_owned()));
            }
            Notice::Live(transport) => {
                let pair = [Transport::Websocket, Transport::Longpoll];
                let between = |one: Option<Transport>| one.is_some_and(|one| pair.contains(&one));
                // Only a change while everything went well says what a change costs.
                self.changed = between(self.live) && between(Some(transport)) && self.live != Some(transport);
                self.live = Some(transport);
            }
            Notice::Lost(_) => (self.live, self.changed) = (None, false),
            Notice::Frame(_) => {}
            Notice::Reset { reason, .. } => panic!("reset: {reason}"),
        }
    }
}

/// Whether what was seen is exactly the log: nothing missing, nothing twice, nothing out of order.
pub(crate) fn verify(seen: &[(String, String)], log: &[(String, String)]) -> Result<(), String> {
    for (i, (found, expected)) in seen.iter().zip(log).enumerate() {
        if found != expected {
            return Err(format!("message {i} is {found:?}, not {expected:?}"));
        }
    }
    if seen.len() == log.len() { Ok(()) } else { Err(format!("{} of {} messages", seen.len(), log.len())) }
}

/// The time without delivery around a change between WebSocket and long poll.
pub(crate) fn pauses(mut all: Vec<Pause>) -> String {
    all.sort_unstable();
    if all.is_empty() {
        return "no change between WebSocket and long poll while messages flowed".to_owned();
    }
    let at = |part: usize| all[(all.len() - 1) * part / 100];
    format!(
        "WebSocket <-> long poll: {} changes, time without delivery p50 {:?}, p99 {:?}",
        all.len(),
        at(50),
        at(99)
    )
}
