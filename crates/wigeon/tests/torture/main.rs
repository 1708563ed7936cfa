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
mod storm;

use dice::Dice;
use readers::verify;
use server::Server;
use storm::Storm;

const READERS: usize = 6;
const KILLS: usize = 8;
const MESSAGES: usize = 100_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_sees_every_message_once_and_in_order() {
    let mut dice = Dice::rolled();
    let mut server = Server::start().await;
    let storm = Storm::begin(&server, READERS, storm::messages(MESSAGES), &mut dice).await;
    storm.kills(&mut server, KILLS, &mut dice).await;
    let calm = storm.calm(&[server.user("witness")]).await;
    println!("{}", server.kill_and_check());
    println!("{READERS} readers, {KILLS} kills, {calm}");
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
