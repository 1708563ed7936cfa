//! What somebody is shown live is what a replay shows them: to the last event, whoever came and went meanwhile.
//! That a replay shows one's intervals and nothing else is proven in `wigeon-store`; this is the other way there is.

use crate::dice::Dice;
use crate::ops::{frame, live, now, walk};
use crate::server::{Server, send};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use wigeon_client::{Client, Frame, Reader, fresh_id};
use wigeon_proto::transport::Transport;

const USERS: [&str; 4] = ["ann", "bob", "cat", "dan"];
const ROOMS: [&str; 3] = ["group", "open", "news"];
/// Held streams: one that the hub writes to by itself, one through the HTTP library's framing, one of answers.
const WAYS: [Transport; 3] = [Transport::Websocket, Transport::Sse, Transport::Longpoll];

/// What one of them, or the service at the end of the list, tries next. Much of it is refused.
fn turn(dice: &mut Dice) -> (usize, Value) {
    let host = USERS.len();
    // Half of it by the service, so that what a membership ends is followed by what its owner must not see.
    let anybody = (dice.roll(2 * host as u64) as usize).min(host);
    let other = USERS[dice.roll(host as u64) as usize];
    let (room, seq) = (ROOMS[dice.roll(3) as usize], 1 + dice.roll(9));
    match dice.roll(16) {
        0..4 => (anybody, send(room, "quack")),
        4 => (anybody, json!({"type":"send","to":other,"body":{"text":"psst"}})),
        5 | 6 => (host, json!({"type":"member.add","room":room,"user":other})),
        7 => (host, json!({"type":"member.remove","room":room,"user":other})),
        8 | 9 => (anybody, json!({"type":"room.leave","room":room})),
        10 => (anybody, json!({"type":"room.join","room":room})),
        11 => (anybody, json!({"type":"read","room":room,"seq":seq})),
        12 => (anybody, json!({"type":"edit","room":room,"seq":seq,"body":{"text":"honk"}})),
        13 => (anybody, json!({"type":"react","room":room,"seq":seq,"emoji":"🦆","on":true})),
        14 => (anybody, json!({"type":"prefs.set","room":room,"prefs":{"mute":true}})),
        _ => (host, json!({"type":"member.ban","room":room,"user":other})),
    }
}

/// The events up to the one that ends the story, each in a few words.
async fn shown(reader: &mut Reader, end: &str) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let frame = frame(reader).await;
        assert_ne!(frame.kind(), "error", "{frame:?}");
        let (is_event, is_end) = (!frame.text("from").is_empty(), frame.text("id") == end);
        if is_event {
            all.push(words(&frame));
        }
        if is_end {
            return all;
        }
    }
}

fn words(frame: &Frame) -> String {
    format!("{} {} {} {}", frame.text("cursor"), frame.kind(), frame.text("room"), frame.text("action"))
}

#[tokio::test]
async fn whatever_happens_live_shows_what_a_replay_shows() {
    let server = Server::start().await;
    let mut dice = Dice::rolled();
    let mut clients: Vec<Client> = USERS.iter().map(|name| server.user(name)).collect();
    clients.push(server.service());
    let host = clients.len() - 1;
    let created = [("group", "group", "joined"), ("open", "group", "shared"), ("news", "channel", "shared")];
    for (room, kind, history) in created {
        let policy = json!({"history":history,"join":if room == "group" { "invite" } else { "open" }});
        let create = json!({"type":"room.create","room":room,"kind":kind,"title":room,"members":["ann"],"policy":policy});
        clients[host].command(create).await.expect("a room");
    }
    let start = now(&clients[0]).await;
    let mut readers = Vec::new();
    for (user, client) in clients[..host].iter().enumerate() {
        for way in WAYS {
            readers.push((user, live(client, way, &start).await));
        }
    }
    for _ in 0..100 {
        // Several at once, so that one commit has what happened before and after a membership changed.
        let mut turns = vec![Vec::new(); clients.len()];
        for _ in 0..=dice.roll(40) {
            let (who, mut command) = turn(&mut dice);
            command["id"] = fresh_id().into();
            turns[who].push(command);
        }
        let mut asked = JoinSet::new();
        for (client, turns) in clients.iter().cloned().zip(turns).filter(|(_, turns)| !turns.is_empty()) {
            asked.spawn(async move { client.commands(&turns).await.expect("an answer") });
        }
        asked.join_all().await;
    }
    for (user, name) in USERS.iter().enumerate() {
        let end = format!("the-end-of-{name}");
        let last = json!({"id":end,"type":"send","to":name,"body":{"text":"good night"}});
        clients[user].command(last).await.expect("the end");
        let replayed: Vec<String> = walk(&clients[user], &start).await.iter().map(words).collect();
        assert!(replayed.is_sorted(), "cursors ascend: {replayed:#?}");
        for (_, reader) in readers.iter_mut().filter(|(reader, _)| *reader == user) {
            let seen = shown(reader, &end).await;
            assert_eq!(seen, replayed, "{name} over {:?}", reader.transport());
        }
    }
}
