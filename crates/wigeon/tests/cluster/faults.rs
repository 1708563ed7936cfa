//! Faults under load: nodes and servers of NATS are killed and held still, the leader of the log among them, and
//! nodes are cut off.
//! What was acked is there once, everybody is shown the same in the same order, on every node.
//!
//! `WIGEON_CLUSTER_ROUNDS` says how many rounds of faults there are.

use crate::dice::Dice;
use crate::readers::{Watcher, log, verify};
use crate::senders::Senders;
use crate::server::{Server, until};
use serde_json::json;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use tokio::time::sleep;
use wigeon_client::ReadOptions;

const ROOM: &str = "storm";
const READERS: usize = 4;
/// Each is of every kind of fault.
const ROUNDS: usize = 1;
/// What is sent between two faults.
const MESSAGES: usize = 400;
const STREAM: &str = "wigeon";

#[derive(Debug, Clone, Copy)]
enum Fault {
    NodeKilled,
    NodeHeld,
    NodeCutOff,
    LeaderKilled,
    LeaderHeld,
}

impl Fault {
    const ALL: [Self; 5] =
        [Self::NodeKilled, Self::NodeHeld, Self::NodeCutOff, Self::LeaderKilled, Self::LeaderHeld];

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
            Self::LeaderKilled => {
                server.nats.kill(leader);
                sleep(a_while).await;
                server.nats.restart(leader);
                server.nats.healthy().await;
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
    let rounds =
        std::env::var("WIGEON_CLUSTER_ROUNDS").map_or(ROUNDS, |text| text.parse().expect("a number"));
    let mut server = Server::start().await;
    let service = server.service();
    service.command(json!({"type":"send","room":ROOM,"body":{"text":"first"}})).await.expect("a channel");
    let start = service.poll(&ReadOptions::after(None)).await.expect("now").cursor;
    let watchers: Vec<Watcher> = (0..READERS)
        .map(|n| {
            let client = server.user(&format!("reader-{n}"));
            Watcher::start(&client, &start, ROOM, Dice::from(dice.roll(u64::MAX)))
        })
        .collect();
    let faults = rounds * Fault::ALL.len();
    let wanted = MESSAGES * (faults + 1);
    let senders = Senders::start(&server.service(), ROOM, wanted, &mut dice);
    let begun = Instant::now();
    for n in 0..faults {
        let goal = (MESSAGES * n + MESSAGES / 2).min(wanted);
        until("acks", || senders.acked() >= goal || watchers.iter().any(Watcher::is_over)).await;
        let fault = Fault::ALL[n % Fault::ALL.len()];
        let before = senders.acked();
        fault.strike(&mut server, &mut dice).await;
        println!("{:6.1?} {fault:?} after {before} acks", begun.elapsed());
    }
    let acked = senders.finish().await;

    for node in &mut server.nodes {
        node.ready().await;
    }
    let logs = [0, 1, 2].map(|node| server.user_at(node, "witness"));
    let whole = log(&logs[0], ROOM, &start).await;
    assert_eq!(whole.len(), wanted, "each send made one message");
    let ids: HashSet<&str> = whole.iter().map(|(_, id)| id.as_str()).collect();
    assert!(acked.iter().all(|id| ids.contains(id.as_str())), "each acked send is there");
    for other in &logs[1..] {
        assert!(log(other, ROOM, &start).await == whole, "every node holds the same");
    }
    for watcher in watchers {
        let (seen, _) = watcher.finish(whole.len()).await;
        verify(&seen, &whole).unwrap_or_else(|error| panic!("{error}"));
    }
    println!("{wanted} messages, {READERS} readers, {faults} faults in {:.1?}", begun.elapsed());
}
