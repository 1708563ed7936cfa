//! kill -9 at random moments under load: what was acked is there once, and every connected client comes back
//! to exactly where it was.

use crate::dice::Dice;
use crate::ops::{group, history, now};
use crate::server::{PATIENCE, Server, send, until};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use wigeon_client::{Backoff, Notice, Session, SessionOptions};
use wigeon_proto::transport::Transport;

const KILLS: usize = 50;

/// Commands one user has under way at once.
const IN_FLIGHT: usize = 8;

/// What the clients know, to be compared with what the server says in the end.
#[derive(Default)]
struct Ledger {
    /// Id to seq, of every send that was acked.
    acked: Mutex<HashMap<String, u64>>,
    submitted: AtomicUsize,
    stop: AtomicBool,
}

impl Ledger {
    fn acks(&self) -> usize {
        self.acked.lock().expect("whole").len()
    }
}

/// A member that sends and reads at once, and what it has seen.
struct Talker {
    task: JoinHandle<Result<(), String>>,
    seen: Arc<Mutex<Vec<(u64, String)>>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_lose_and_double_nothing() {
    let mut dice = Dice::rolled();
    let mut server = Server::start().await;
    let names = Transport::ALL.map(|transport| format!("over-{}", transport.as_str()));
    let owner = server.user("ann");
    let start = now(&owner).await;
    let room = group(&owner, &names.each_ref().map(String::as_str)).await;
    let ledger = Arc::new(Ledger::default());
    let mut talkers: Vec<Talker> = Transport::ALL
        .into_iter()
        .zip(&names)
        .map(|(transport, name)| talk(&server, transport, name, &start, &room, &ledger))
        .collect();

    for round in 0..KILLS {
        let goal = ledger.acks() + 1 + dice.roll(60) as usize;
        until("acks under load", || ledger.acks() >= goal || broken(&talkers)).await;
        check_talkers(&mut talkers, round).await;
        // A moment that depends on nothing: in the middle of a commit, of a write, of an accept.
        sleep(Duration::from_micros(dice.roll(5000))).await;
        server.kill();
        server.restart().await;
    }
    ledger.stop.store(true, Ordering::Relaxed);
    until("every send to be acked", || ledger.acks() == ledger.submitted.load(Ordering::Relaxed)).await;

    let log = history(&owner, &room).await;
    let acked = ledger.acked.lock().expect("whole").clone();
    assert_eq!(log.len(), acked.len(), "each acked message is there, and no other");
    for (i, message) in log.iter().enumerate() {
        assert_eq!(message["seq"], i as u64 + 1, "seq is dense");
        assert_eq!(acked.get(message["id"].as_str().expect("an id")), Some(&(i as u64 + 1)));
    }
    for (talker, name) in talkers.iter().zip(&names) {
        let seen = || talker.seen.lock().expect("whole");
        let all = timeout(PATIENCE, async {
            while seen().len() < log.len() && !talker.task.is_finished() {
                sleep(Duration::from_millis(5)).await;
            }
        });
        assert!(all.await.is_ok(), "{name} has seen {} of {}", seen().len(), log.len());
        for (i, (seq, id)) in seen().iter().enumerate() {
            assert_eq!(*seq, i as u64 + 1, "{name}: in order, each once");
            assert_eq!(*id, log[i]["id"], "{name}");
        }
    }
    check_talkers(&mut talkers, KILLS).await;
    server.kill_and_check();
    println!("{} messages over {KILLS} kills", log.len());
}

fn broken(talkers: &[Talker]) -> bool {
    talkers.iter().any(|talker| talker.task.is_finished())
}

async fn check_talkers(talkers: &mut [Talker], round: usize) {
    if let Some(talker) = talkers.iter_mut().find(|talker| talker.task.is_finished()) {
        panic!("a session ended in round {round}: {:?}", (&mut talker.task).await);
    }
}

fn talk(
    server: &Server,
    over: Transport,
    name: &str,
    start: &str,
    room: &str,
    ledger: &Arc<Ledger>,
) -> Talker {
    let mut options = SessionOptions::new(over, Some(start));
    options.backoff = Backoff::new(Duration::from_millis(2), Duration::from_millis(50));
    options.read.poll_interval = Duration::from_millis(10);
    let mut session = Session::start(&server.user(name), options);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (seen_too, room, ledger) = (Arc::clone(&seen), room.to_owned(), Arc::clone(ledger));
    let task = tokio::spawn(async move {
        let under_way = Arc::new(AtomicUsize::new(0));
        loop {
            while under_way.load(Ordering::Relaxed) < IN_FLIGHT && !ledger.stop.load(Ordering::Relaxed) {
                submit(&session, &room, &ledger, &under_way)?;
            }
            // The messages of the others wake this loop; the deadline does where there are none.
            match timeout(Duration::from_millis(20), session.next()).await {
                Ok(Ok(Notice::Frame(frame))) if frame.kind() == "message" => {
                    let seq = frame.number("seq").ok_or("a message without seq")?;
                    seen_too.lock().expect("whole").push((seq, frame.text("id").to_owned()));
                }
                Ok(Ok(Notice::Reset { reason, .. })) => return Err(format!("{over:?}: reset, {reason}")),
                Ok(Ok(Notice::Frame(frame))) if frame.kind() == "gap" => {
                    return Err(format!("{over:?}: a gap"));
                }
                Ok(Ok(_)) | Err(_) => {}
                Ok(Err(error)) => return Err(format!("{over:?}: {error}")),
            }
        }
    });
    Talker { task, seen }
}

fn submit(
    session: &Session,
    room: &str,
    ledger: &Arc<Ledger>,
    under_way: &Arc<AtomicUsize>,
) -> Result<(), String> {
    let command = send(room, "under load");
    let id = command["id"].as_str().expect("an id").to_owned();
    let receipt = session.submit(command).map_err(|error| error.to_string())?;
    ledger.submitted.fetch_add(1, Ordering::Relaxed);
    under_way.fetch_add(1, Ordering::Relaxed);
    let (ledger, under_way) = (Arc::clone(ledger), Arc::clone(under_way));
    tokio::spawn(async move {
        let ok = receipt.reply().await.expect("an answer").into_result().expect("an ack");
        let seq = ok["seq"].as_u64().expect("a seq");
        let before = ledger.acked.lock().expect("whole").insert(id, seq);
        assert_eq!(before, None, "one answer per command");
        under_way.fetch_sub(1, Ordering::Relaxed);
    });
    Ok(())
}
