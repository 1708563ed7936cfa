//! Torture: readers that change their transport at random, behind a proxy that cuts and stalls, before a
//! server that is killed; a hundred thousand messages, each seen by everybody once and in order.
//!
//! Prints its seed; `WIGEON_SEED=<number>` repeats its decisions. `WIGEON_TORTURE_MESSAGES` changes how many
//! messages flow.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "seeds, figures and the server's log belong to a test's output"
)]

mod chaos;
#[path = "../it/dice.rs"]
mod dice;
mod readers;
mod senders;
#[allow(dead_code, reason = "shared with the other stories, which need more of it")]
#[path = "../it/server.rs"]
mod server;

use chaos::Chaos;
use dice::Dice;
use readers::{Watcher, log, pauses, verify};
use senders::Senders;
use serde_json::json;
use server::{Server, until};
use std::time::Duration;
use tokio::time::sleep;
use wigeon_client::Client;

const ROOM: &str = "storm";
const READERS: usize = 6;
const KILLS: usize = 8;
const MESSAGES: usize = 100_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_sees_every_message_once_and_in_order() {
    let mut dice = Dice::rolled();
    let wanted =
        std::env::var("WIGEON_TORTURE_MESSAGES").map_or(MESSAGES, |text| text.parse().expect("a number"));
    let mut server = Server::start().await;
    let chaos = Chaos::start(&server.base(), Dice::from(dice.roll(u64::MAX))).await;
    let through = |client: Client| {
        let token = client.token().expect("a token").to_owned();
        Client::new(&chaos.base()).expect("a base").with_token(&token)
    };
    let service = server.service();
    service.command(json!({"type":"send","room":ROOM,"body":{"text":"first"}})).await.expect("a channel");
    let start = service.poll(&wigeon_client::ReadOptions::after(None)).await.expect("now").cursor;

    let mut watchers = Vec::new();
    for n in 0..READERS {
        let client = through(server.user(&format!("reader-{n}")));
        watchers.push(Watcher::start(&client, &start, ROOM, Dice::from(dice.roll(u64::MAX))));
    }
    let senders = Senders::start(&through(server.service()), ROOM, wanted, &mut dice);
    for kill in 1..=KILLS {
        let goal = wanted * kill / (KILLS + 1);
        until("acks", || senders.acked() >= goal || watchers.iter().any(Watcher::is_over)).await;
        // A moment that depends on nothing: in the middle of a commit, of a write, of an accept.
        sleep(Duration::from_micros(dice.roll(5000))).await;
        server.kill();
        server.restart().await;
    }
    let acked = senders.finish().await;

    let log = log(&server.user("witness"), ROOM, &start).await;
    assert_eq!(log.len(), wanted, "each send made one message");
    let ids: std::collections::HashSet<&str> = log.iter().map(|(_, id)| id.as_str()).collect();
    assert!(acked.iter().all(|id| ids.contains(id.as_str())), "each acked send is there");
    let mut all_pauses = Vec::new();
    for watcher in watchers {
        let (seen, gaps) = watcher.finish(log.len()).await;
        verify(&seen, &log).unwrap_or_else(|error| panic!("{error}"));
        all_pauses.extend(gaps);
    }
    println!("{}", server.kill_and_check());
    println!(
        "{wanted} messages, {READERS} readers, {KILLS} kills, {} connections cut or stalled",
        chaos.troubled()
    );
    println!("{}", pauses(all_pauses));
}

#[test]
fn a_frame_dropped_repeated_or_moved_on_purpose_is_noticed() {
    let log: Vec<(String, String)> = (0..9).map(|n| (format!("1{n}"), format!("id-{n}"))).collect();
    assert_eq!(verify(&log, &log), Ok(()));
    let mut dropped = log.clone();
    dropped.remove(4);
    assert!(verify(&dropped, &log).unwrap_err().contains("id-4"));
    let mut repeated = log.clone();
    repeated.insert(5, log[4].clone());
    assert!(verify(&repeated, &log).is_err());
    let mut moved = log.clone();
    moved.swap(2, 3);
    assert!(verify(&moved, &log).is_err());
    assert!(verify(&log[..8], &log).is_err());
}
