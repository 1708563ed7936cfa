//! Faults under load: nodes and servers of NATS are killed and held still, the leader of the log among them, nodes
//! are cut off, and lose what the log brings.
//! What was acked is there once, everybody is shown the same in the same order, on every node.
//!
//! `WIGEON_CLUSTER_ROUNDS` says how many rounds of faults there are, `WIGEON_TORTURE_MESSAGES` how many messages
//! flow through the torture.

use crate::dice::Dice;
use crate::server::Server;
use crate::storm::{self, Storm};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::time::sleep;

const READERS: usize = 4;
/// Each is of every kind of fault.
const ROUNDS: usize = 1;
/// What is sent between two faults.
const MESSAGES: usize = 400;
const STREAM: &str = "wigeon";
/// A story in which NATS comes apart (see [`crate::replicas`]) says nothing of us, and is begun anew.
const ATTEMPTS: usize = 3;
/// Of every node at once.
const KILLS: usize = 5;
const TORTURE_MESSAGES: usize = 12_000;

#[derive(Debug, Clone, Copy)]
enum Fault {
    NodeKilled,
    NodeHeld,
    NodeCutOff,
    LogLost,
    LeaderKilled,
    LeaderHeld,
}

impl Fault {
    const ALL: [Self; 6] = [
        Self::NodeKilled,
        Self::NodeHeld,
        Self::NodeCutOff,
        Self::LogLost,
        Self::LeaderKilled,
        Self::LeaderHeld,
    ];

    async fn strike(self, server: &mut Server, dice: &mut Dice) {
        let node = dice.roll(server.nodes.len() as u64) as usize;
        let leader = server.nats.leader(STREAM).unwrap_or(0);
        let a_while = Duration::from_millis(200 + dice.roll(2000));
        match self {
            Self::NodeKilled => {
                server.nodes[node].kill();
                sleep(Duration::from_millis(dice.roll(500))).await;
                server.nodes[node].spawn();
                server.nodes[node].ready().await;
            }
            Self::NodeHeld => {
                server.nodes[node].signal("STOP");
                sleep(a_while).await;
                server.nodes[node].signal("CONT");
            }
            Self::NodeCutOff => {
                server.links[node].cut();
                sleep(a_while * 2).await;
                server.links[node].mend();
            }
            Self::LogLost => {
                server.links[node].lose_the_log(true);
                sleep(a_while * 2).await;
                server.links[node].lose_the_log(false);
            }
            Self::LeaderKilled => {
                server.nats.kill(leader);
                sleep(a_while).await;
                server.nats.restart(leader);
                server.nats.level(STREAM).await;
            }
            Self::LeaderHeld => {
                server.nats.signal(leader, "STOP");
                sleep(a_while * 2).await;
                server.nats.signal(leader, "CONT");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_lose_and_double_nothing_and_all_nodes_hold_the_same() {
    let mut dice = Dice::rolled();
    for _ in 0..ATTEMPTS {
        let server = Arc::new(Mutex::new(Server::start().await));
        let (mut dice, at_work) = (Dice::from(dice.roll(u64::MAX)), Arc::clone(&server));
        let story = tokio::spawn(async move { weather(&mut *at_work.lock().await, &mut dice).await });
        let told = story.await;
        match (server.lock().await.nats.come_apart(STREAM), told) {
            (None, Ok(())) => return,
            (None, Err(failure)) => resume_unwind(failure.into_panic()),
            (Some(number), _) => println!("NATS itself has come apart at its message {number}: begun anew"),
        }
    }
    panic!("NATS came apart {ATTEMPTS} times");
}

async fn weather(server: &mut Server, dice: &mut Dice) {
    let rounds =
        std::env::var("WIGEON_CLUSTER_ROUNDS").map_or(ROUNDS, |text| text.parse().expect("a number"));
    let faults = rounds * Fault::ALL.len();
    let wanted = MESSAGES * (faults + 1);
    let storm = Storm::begin(server, READERS, wanted, dice).await;
    let begun = Instant::now();
    for n in 0..faults {
        storm.until_acked(MESSAGES * n + MESSAGES / 2).await;
        let fault = Fault::ALL[n % Fault::ALL.len()];
        let before = storm.acked();
        fault.strike(server, dice).await;
        println!("{:6.1?} {fault:?} after {before} acks", begun.elapsed());
    }
    for node in &mut server.nodes {
        node.ready().await;
    }
    let calm = storm.calm(&server.witnesses()).await;
    println!("{READERS} readers, {faults} faults, {calm}");
}

/// As a single server goes through it: everything is killed at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_sees_every_message_once_and_in_order() {
    let mut dice = Dice::rolled();
    let mut server = Server::start().await;
    let storm = Storm::begin(&server, READERS, storm::messages(TORTURE_MESSAGES), &mut dice).await;
    storm.kills(&mut server, KILLS, &mut dice).await;
    let calm = storm.calm(&server.witnesses()).await;
    println!("{READERS} readers, {KILLS} kills of all nodes, {calm}");
}
