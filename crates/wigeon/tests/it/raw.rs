//! Raw readers: what a connection is sent is exactly the log after its cursor, from the first frame to the last.
//!
//! A session forgives: what it has shown already it drops. So that the server is not proven with the client's
//! help, here each connection's own frames are held against the log, while readers change their transport at
//! random, go back a little, and keep the connection before for a while.

use crate::dice::Dice;
use crate::ops::now;
use crate::server::{Server, send, soon};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wigeon_client::{Client, ReadOptions};
use wigeon_proto::transport::Transport;

const READERS: usize = 6;
const CONNECTIONS_EACH: usize = 60;
/// Frames of one connection, at most: enough to go from the log to the window to the hub's own writing.
const FRAMES: u64 = 80;
/// How far back a reader goes at most, in events.
const BACK: u64 = 40;
const SENDERS: usize = 3;

/// What one connection was asked, and what it brought.
struct Reading {
    transport: Transport,
    after: String,
    cursors: Vec<String>,
}

impl Reading {
    /// Whether it is the log after its cursor: nothing missing, nothing twice, nothing out of order.
    fn verify(&self, log: &[String]) -> Result<(), String> {
        let start = log.partition_point(|cursor| *cursor <= self.after);
        for (at, (found, expected)) in self.cursors.iter().zip(&log[start..]).enumerate() {
            if found != expected {
                let Self { transport, after, .. } = self;
                return Err(format!("{transport:?} after {after}: event {at} is {found}, not {expected}"));
            }
        }
        if self.cursors.len() <= log.len() - start { Ok(()) } else { Err("more than the log has".into()) }
    }
}

/// Rooms that bob is in, and one that he only watches: events reach a feed by both ways.
const JOINED: [&str; 2] = ["one", "two"];
const WATCHED: &str = "three";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_connection_is_sent_exactly_the_log_after_its_cursor() {
    let mut dice = Dice::rolled();
    let server = Server::start().await;
    let (service, bob) = (server.service(), server.user("bob"));
    for room in [JOINED[0], JOINED[1], WATCHED] {
        service.command(send(room, "first")).await.expect("a service makes channels");
    }
    for room in JOINED {
        bob.command(json!({ "type": "room.join", "room": room })).await.expect("an open room");
    }
    let start = now(&bob).await;
    let enough = Arc::new(AtomicBool::new(false));
    let mut roll = || Dice::from(dice.roll(u64::MAX));
    let senders = [(); SENDERS].map(|()| tokio::spawn(load(service.clone(), enough.clone(), roll())));
    let readers = [(); READERS].map(|()| tokio::spawn(read(bob.clone(), start.clone(), roll())));
    let mut readings = Vec::new();
    for reader in readers {
        readings.extend(reader.await.expect("a reader that is served"));
    }
    enough.store(true, Ordering::Relaxed);
    for sender in senders {
        soon("the last answers", sender).await.expect("a sender that is served");
    }
    let log = log(&bob, &start).await;
    let seen: usize = readings.iter().map(|reading| reading.cursors.len()).sum();
    println!("{} connections, {seen} events, of {} in the log", readings.len(), log.len());
    for reading in &readings {
        reading.verify(&log).unwrap_or_else(|error| panic!("{error}"));
    }
    for transport in Transport::ALL {
        let brought = |reading: &Reading| reading.transport == transport && !reading.cursors.is_empty();
        assert!(readings.iter().any(brought), "nothing came by {transport:?}");
    }
}

/// Sends batches of all sizes, and so makes commits of all sizes, until there is enough.
async fn load(client: Client, enough: Arc<AtomicBool>, mut dice: Dice) {
    let rooms = [JOINED[0], JOINED[1], WATCHED];
    while !enough.load(Ordering::Relaxed) {
        let size = 1 + dice.roll(8);
        let batch: Vec<_> = (0..size).map(|_| send(rooms[dice.roll(3) as usize], "quack")).collect();
        let replies = client.commands(&batch).await.expect("answers");
        assert!(replies.iter().all(|reply| reply.ok.is_some()), "{replies:?}");
    }
}

/// Opens one connection after the other, each where another ended or a little before.
async fn read(client: Client, start: String, mut dice: Dice) -> Vec<Reading> {
    let (mut readings, mut known) = (Vec::new(), vec![start]);
    // The connection before lives on beside the next, as where a client changes its transport.
    let mut before = None;
    for _ in 0..CONNECTIONS_EACH {
        let transport = Transport::ALL[dice.roll(8) as usize];
        let back = (dice.roll(2) * dice.roll(BACK)) as usize;
        let after = known[(known.len() - 1).saturating_sub(back)].clone();
        let mut options = ReadOptions::after(Some(&after));
        options.rooms = vec![WATCHED.to_owned()];
        options.poll_interval = Duration::from_millis(1);
        let mut reader = client.read(transport, options);
        let mut reading = Reading { transport, after, cursors: Vec::new() };
        let frames = dice.roll(FRAMES);
        while (reading.cursors.len() as u64) < frames {
            let frame = soon("an event", reader.frame()).await.expect("the transport works");
            // Some streams end by themselves.
            let Some(frame) = frame else { break };
            match (frame.kind(), frame.cursor()) {
                ("ready" | "heartbeat" | "ticket", _) => {}
                ("message", Some(cursor)) => reading.cursors.push(cursor.to_owned()),
                _ => panic!("{transport:?}: {frame:?}"),
            }
        }
        let last = known.last().expect("the start");
        let new: Vec<_> = reading.cursors.iter().filter(|cursor| *cursor > last).cloned().collect();
        known.extend(new);
        readings.push(reading);
        drop(before.replace(reader));
    }
    readings
}

/// The cursors of all events after one, by polling until level.
async fn log(client: &Client, after: &str) -> Vec<String> {
    let (mut log, mut options) = (Vec::new(), ReadOptions::after(Some(after)));
    options.rooms = vec![WATCHED.to_owned()];
    loop {
        let answer = client.poll(&options).await.expect("an answer");
        log.extend(answer.frames.iter().map(|frame| frame.cursor().expect("an event").to_owned()));
        options.after = Some(answer.cursor);
        if !answer.more {
            return log;
        }
    }
}
