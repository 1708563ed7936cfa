//! One conversation over every transport in turn, switched at random moments under load from several rooms:
//! nothing lost, nothing doubled, positions only rising.

use crate::dice::Dice;
use crate::ops::{group, now, walk};
use crate::server::{Server, send, soon, until};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use wigeon_client::{Client, Notice, ReadOptions, Session, SessionOptions};
use wigeon_proto::transport::Transport;

const ROOMS: usize = 5;
const SWITCHES: usize = 120;
const EVENTS: usize = 3000;

/// Sends to all rooms at random until it is told to stop.
struct Load {
    sent: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Load {
    /// A service, because the rate limit of users is not what is tried here.
    fn start(service: Client, rooms: Vec<String>, mut dice: Dice) -> Self {
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&sent);
        let task = tokio::spawn(async move {
            loop {
                let batch: Vec<_> = (0..=dice.roll(20))
                    .map(|_| send(&rooms[dice.roll(rooms.len() as u64) as usize], "in between"))
                    .collect();
                let replies = service.commands(&batch).await.expect("answers");
                assert!(replies.iter().all(|reply| reply.ok.is_some()), "{replies:?}");
                counted.fetch_add(batch.len(), Ordering::Relaxed);
            }
        });
        Self { sent, task }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Rooms of three sorts, as their events reach bob by different ways: a group, channels, and one only watched.
async fn rooms(server: &Server) -> Vec<String> {
    let service = server.service();
    let mut rooms = vec![group(&server.user("ann"), &["bob", "backend"]).await];
    for n in 1..ROOMS {
        let room = format!("channel-{n}");
        service.command(send(&room, "first")).await.expect("a service makes channels");
        rooms.push(room);
    }
    let bob = server.user("bob");
    for room in &rooms[1..ROOMS - 1] {
        bob.command(json!({ "type": "room.join", "room": room })).await.expect("an open room");
    }
    rooms
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_switches_lose_and_double_nothing() {
    let mut dice = Dice::rolled();
    let server = Server::start().await;
    let rooms = rooms(&server).await;
    let watched = rooms[ROOMS - 1].clone();
    let bob = server.user("bob");
    let start = now(&bob).await;
    let mut options = SessionOptions::new(Transport::Websocket, Some(&start));
    options.read.rooms = vec![watched.clone()];
    options.read.poll_interval = Duration::from_millis(5);
    let mut session = Session::start(&bob, options);
    let load = Load::start(server.service(), rooms, Dice::from(dice.roll(u64::MAX)));

    let (mut seen, mut used) = (Vec::new(), Vec::new());
    for _ in 0..SWITCHES {
        session.switch(Transport::ALL[dice.roll(8) as usize]);
        for _ in 0..dice.roll(40) {
            take(&mut session, &mut seen, &mut used).await;
        }
    }
    // A switch is often overtaken by the next one; here each is given the time to come to life.
    for transport in Transport::ALL {
        session.switch(transport);
        while used.last() != Some(&transport.as_str()) {
            take(&mut session, &mut seen, &mut used).await;
        }
    }
    drop(load);
    let service = server.service();
    service.command(send(&watched, "the end")).await.expect("an ack");
    while seen.last().is_none_or(|(_, text)| text != "the end") {
        take(&mut session, &mut seen, &mut used).await;
    }
    assert!(seen.is_sorted_by(|a, b| a.0 < b.0), "positions only rise");

    bob.command(json!({ "type": "room.join", "room": watched })).await.expect("an open room");
    let mut expected = Vec::new();
    for room in snapshot_rooms(&bob).await {
        for message in crate::ops::history(&bob, &room).await {
            expected.push(message["cursor"].as_str().expect("a cursor").to_owned());
        }
    }
    expected.retain(|cursor| wigeon_client::is_new(Some(&start), cursor));
    expected.sort();
    let cursors: Vec<_> = seen.into_iter().map(|(cursor, _)| cursor).collect();
    assert_eq!(cursors.len(), expected.len());
    assert_eq!(cursors, expected, "exactly what history has");
}

async fn snapshot_rooms(bob: &Client) -> Vec<String> {
    let snapshot = bob.command(json!({ "type": "snapshot" })).await.expect("a snapshot");
    let id = |room: &serde_json::Value| room["id"].as_str().expect("an id").to_owned();
    snapshot["rooms"].as_array().expect("rooms").iter().map(id).collect()
}

async fn take(session: &mut Session, seen: &mut Vec<(String, String)>, used: &mut Vec<&'static str>) {
    match soon("a notice", session.next()).await.expect("the session goes on") {
        Notice::Frame(frame) if frame.kind() == "message" => {
            let text = crate::ops::text(&frame).to_owned();
            seen.push((frame.cursor().expect("a cursor").to_owned(), text));
        }
        Notice::Live(transport) => used.push(transport.as_str()),
        Notice::Frame(_) | Notice::Lost(_) => {}
        Notice::Reset { reason, .. } => panic!("reset: {reason}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_each_connection_positions_rise_across_all_rooms() {
    let mut dice = Dice::rolled();
    let server = Server::start().await;
    let rooms = rooms(&server).await;
    let bob = server.user("bob");
    let start = now(&bob).await;
    let load = Load::start(server.service(), rooms, Dice::from(dice.roll(u64::MAX)));
    let mut readings = Vec::new();
    for transport in Transport::ALL {
        // Each begins at the start while the log grows: from catching up to live under load.
        readings.push(tokio::spawn(events(bob.clone(), transport, start.clone())));
    }
    until("enough messages", || load.sent.load(Ordering::Relaxed) > 2 * EVENTS || load.task.is_finished())
        .await;
    drop(load);
    let all = walk(&bob, &start).await;
    for reading in readings {
        let frames = soon("thousands of events", reading).await.expect("rising positions");
        for (frame, expected) in frames.iter().zip(&all) {
            assert_eq!(frame.as_bytes(), expected.raw, "the same bytes for every receiver, none missing");
        }
    }
}

/// The first few thousand events after a cursor; a stream that ends by itself is opened again at the last one.
async fn events(client: Client, transport: Transport, start: String) -> Vec<String> {
    let mut last = start;
    let mut frames = Vec::new();
    loop {
        let mut reader = client.read(transport, ReadOptions::after(Some(&last)));
        while let Some(frame) = soon("an event", reader.frame()).await.expect("the transport works") {
            if matches!(frame.kind(), "ready" | "heartbeat" | "ticket") {
                continue;
            }
            let cursor = frame.cursor().expect("only events come here");
            assert!(last.as_str() < cursor, "{transport:?}: {last} before {cursor}");
            cursor.clone_into(&mut last);
            frames.push(String::from_utf8_lossy(&frame.raw).into_owned());
            if frames.len() == EVENTS {
                return frames;
            }
        }
    }
}
