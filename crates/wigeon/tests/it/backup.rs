//! A backup under load, the kill after it, and the server that goes on from the copy.

use crate::server::{Scratch, Server, send, soon, until};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;
use wigeon_client::{Client, ReadOptions};

const SENDERS: usize = 4;
const ROOM: &str = "news";

/// Id to seq of every message that was acked.
type Acked = Arc<Mutex<HashMap<String, u64>>>;

/// Sends one message after the other until told to stop, or until nobody answers.
fn talk(client: Client, acked: &Acked, stop: &Arc<AtomicBool>) -> JoinHandle<()> {
    let (acked, stop) = (Arc::clone(acked), Arc::clone(stop));
    tokio::spawn(async move {
        while !stop.load(Ordering::Relaxed) {
            let command = send(ROOM, "under load");
            let id = command["id"].as_str().expect("an id").to_owned();
            let Ok(ok) = client.command(command).await else { return };
            acked.lock().expect("whole").insert(id, ok["seq"].as_u64().expect("a seq"));
        }
    })
}

/// All messages of the room.
async fn messages(client: &Client) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = json!({ "type": "history", "room": ROOM, "after": after, "limit": 100 });
        let page = client.command(page).await.expect("history");
        all.extend(page["messages"].as_array().expect("messages").iter().cloned());
        if page["more"] != true {
            return all;
        }
        after = all.last().expect("more than none")["seq"].as_u64().expect("a seq");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_has_what_was_acked_before_it_and_clients_of_the_copy_begin_anew() {
    let mut server = Server::start().await;
    let service = server.service();
    service.command(send(ROOM, "the first")).await.expect("a channel");
    let (acked, stop) = (Acked::default(), Arc::new(AtomicBool::new(false)));
    let count = || acked.lock().expect("whole").len();
    let senders: Vec<_> = (0..SENDERS).map(|_| talk(service.clone(), &acked, &stop)).collect();
    until("acks", || count() >= 200).await;

    let scratch = Scratch::new();
    let copy = scratch.path().join("copy");
    let before = acked.lock().expect("whole").clone();
    let output = server.errand(&["backup", copy.to_str().expect("a plain path")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let during = count();
    until("acks after it", || count() >= during + 50).await;
    let old = service.poll(&ReadOptions::default()).await.expect("an answer").cursor;
    server.kill_and_check();
    stop.store(true, Ordering::Relaxed);
    for sender in senders {
        soon("the senders to end", sender).await.expect("no panic");
    }

    let mut restored = Server::start_over(&copy).await;
    let service = restored.service();
    let log = messages(&service).await;
    let there: HashSet<&str> = log.iter().map(|message| message["id"].as_str().expect("an id")).collect();
    assert!(before.keys().all(|id| there.contains(id.as_str())), "all that was acked before");
    assert!(log.iter().enumerate().all(|(i, message)| message["seq"] == i as u64 + 1), "and no hole");
    println!("{} acked before, {} in the copy, {} acked in the end", before.len(), log.len(), count());

    let answer = service.poll(&ReadOptions::after(Some(&old))).await.expect("an answer");
    let reset = &answer.frames[0];
    assert_eq!((reset.kind(), reset.text("reason")), ("reset", "epoch"), "{answer:?}");
    let (id, seq) = before.iter().next().expect("one");
    let again = json!({ "id": id, "type": "send", "room": ROOM, "body": { "text": "under load" } });
    assert_eq!(service.command(again).await.expect("an ack")["seq"], *seq, "what was sent is not sent twice");
    let next = service.command(send(ROOM, "another future")).await.expect("an ack");
    assert_eq!(next["seq"], log.len() as u64 + 1);
    let said = restored.kill_and_check();
    assert!(said.contains("from its base at"), "{said}");
}

#[tokio::test]
async fn what_was_recalled_is_not_in_the_data_after_the_next_start() {
    let mut server = Server::start().await;
    let service = server.service();
    service.command(send(ROOM, "a word too many")).await.expect("a channel");
    service.command(json!({ "type": "recall", "room": ROOM, "seq": 1 })).await.expect("an ack");
    server.kill();
    server.restart().await;
    let log = server.data().join("log");
    let has = |text: &str| {
        let files = std::fs::read_dir(&log).expect("a log").map(|file| file.expect("a file").path());
        let texts = files.map(|file| std::fs::read(file).unwrap_or_default());
        texts.into_iter().any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
    };
    until("the text to go", || !has("a word too many")).await;
    server.kill_and_check();
    server.restart().await;
    let shown = messages(&server.service()).await;
    assert_eq!((shown.len(), &shown[0]["recalled"]), (1, &json!(true)));
}

#[tokio::test]
async fn a_running_server_is_not_checked() {
    let server = Server::start().await;
    let said = server.errand(&["check"]);
    assert_eq!(said.status.code(), Some(2));
    let error = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(error.contains("is in use by a running wigeon"), "{error}");
}
