//! Nothing is acked or shown before it is durable: with an fsync that takes its time, both take as long.

use crate::ops::{frame_of, group, history, live, now, text};
use crate::server::{Scratch, Server, send, soon};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use wigeon_client::{Client, ReadOptions, Reader};
use wigeon_proto::transport::Transport;

/// Long enough to be told from a slow machine, short enough for a test.
const FSYNC: Duration = Duration::from_millis(300);

/// A library for `LD_PRELOAD` that makes the process it is loaded into wait before each fsync, and fail it
/// while the file `broken` is there.
fn slow_fsync(scratch: &Scratch) -> String {
    let (source, library) = (scratch.path().join("slow.c"), scratch.path().join("slow.so"));
    let broken = broken(scratch);
    let function = |name: &str| {
        format!(
            "int {name}(int fd) {{
               usleep({});
               if (access(\"{}\", F_OK) == 0) {{ errno = EIO; return -1; }}
               return syscall(SYS_{name}, fd);
             }}\n",
            FSYNC.as_micros(),
            broken.display()
        )
    };
    let head = "#define _GNU_SOURCE\n#include <errno.h>\n#include <sys/syscall.h>\n#include <unistd.h>\n";
    std::fs::write(&source, [head, &function("fsync"), &function("fdatasync")].concat()).expect("a file");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    assert!(compiled.expect("a C compiler, as the store needs one too").success());
    library.to_str().expect("a plain path").to_owned()
}

/// The file that makes every fsync fail.
fn broken(scratch: &Scratch) -> PathBuf {
    scratch.path().join("broken")
}

#[tokio::test]
async fn nothing_is_acked_or_shown_before_fsync_returns() {
    let scratch = Scratch::new();
    let server = Server::start_with(&[("LD_PRELOAD", &slow_fsync(&scratch))]).await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let room = group(&ann, &["bob"]).await;
    let start = now(&bob).await;
    let mut watching = Vec::new();
    for transport in Transport::ALL {
        let reader = if transport == Transport::Poll {
            let poll_interval = Duration::from_millis(5);
            bob.read(transport, ReadOptions { poll_interval, ..ReadOptions::after(Some(&start)) })
        } else {
            live(&bob, transport, &start).await
        };
        watching.push(tokio::spawn(first_sight(reader)));
    }
    let looking = tokio::spawn(first_look(bob.clone(), room.clone()));
    let began = Instant::now();
    ann.command(send(&room, "slow")).await.expect("an ack");
    assert!(began.elapsed() >= FSYNC, "acked after {:?}", began.elapsed());
    for task in watching {
        let (transport, seen) = soon("the message to be shown", task).await.expect("no panic");
        assert!(seen >= began + FSYNC, "{transport:?} showed it after {:?}", seen - began);
    }
    let seen = soon("the message in history", looking).await.expect("no panic");
    assert!(seen >= began + FSYNC, "history showed it after {:?}", seen - began);
}

async fn first_sight(mut reader: Reader) -> (Transport, Instant) {
    let message = frame_of(&mut reader, "message").await;
    assert_eq!(text(&message), "slow");
    (reader.transport(), Instant::now())
}

async fn first_look(bob: Client, room: String) -> Instant {
    let question = serde_json::json!({ "type": "history", "room": room, "after": 0 });
    loop {
        let ok = bob.command(question.clone()).await.expect("an answer");
        if ok["messages"].as_array().is_some_and(|messages| !messages.is_empty()) {
            return Instant::now();
        }
        // The rate limit is not what is tried here.
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

#[tokio::test]
async fn a_repeat_is_not_acked_before_the_first_is_durable() {
    let scratch = Scratch::new();
    let server = Server::start_with(&[("LD_PRELOAD", &slow_fsync(&scratch))]).await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    let command = send(&room, "at once");
    let began = Instant::now();
    let repeats: Vec<_> = (0..5)
        .map(|_| {
            let (ann, command) = (ann.clone(), command.clone());
            tokio::spawn(async move { (ann.command(command).await.expect("an ack"), Instant::now()) })
        })
        .collect();
    let mut answers = Vec::new();
    for repeat in repeats {
        let (answer, at) = soon("an ack", repeat).await.expect("no panic");
        assert!(at >= began + FSYNC, "acked after {:?}", at - began);
        answers.push(answer);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "one answer for all of them");
    assert_eq!(history(&ann, &room).await.len(), 1);
}

#[tokio::test]
async fn a_commit_that_fails_is_neither_acked_nor_shown_and_ends_the_process() {
    let scratch = Scratch::new();
    let mut server = Server::start_with(&[("LD_PRELOAD", &slow_fsync(&scratch))]).await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    ann.command(send(&room, "durable")).await.expect("an ack");
    let start = now(&ann).await;
    let mut readers = Vec::new();
    for transport in [Transport::Websocket, Transport::Sse, Transport::Longpoll] {
        readers.push(live(&ann, transport, &start).await);
    }
    std::fs::write(broken(&scratch), "").expect("a file");
    let lost = ann.command(send(&room, "not durable")).await;
    assert!(lost.is_err(), "acked: {lost:?}");
    for reader in &mut readers {
        while let Ok(Some(frame)) = soon("the end", reader.frame()).await {
            assert!(matches!(frame.kind(), "heartbeat" | "bye" | "error"), "shown: {frame:?}");
        }
    }
    assert_ne!(server.exited().await.code(), Some(0), "the operator is told");

    std::fs::remove_file(broken(&scratch)).expect("it is there");
    server.restart().await;
    assert_eq!(history(&ann, &room).await[0]["body"]["text"], "durable");
    let ok = ann.command(send(&room, "goes on")).await.expect("an ack");
    let log = history(&ann, &room).await;
    assert_eq!(ok["seq"].as_u64(), Some(log.len() as u64), "seq is dense, whatever became of the lost one");
}
