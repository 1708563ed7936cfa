//! One story told over each transport: the same frames, byte for byte, live and replayed; the same gaps; the
//! same reset.

use crate::ops::{frame, frame_of, group, live, now, polls};
use crate::server::{Server, send};
use serde_json::{Value, json};
use wigeon_client::{Client, Frame, ReadOptions, Reader};
use wigeon_proto::transport::Transport;

/// Everything that has ended a script, a line, a string or a frame somewhere.
const NASTY: [&str; 8] = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "line\u{2028}paragraph\u{2029}end",
    "data: x\n\nevent: y\r\rid: z\r\n",
    "\u{0}\u{1}\u{7f}\u{feff}",
    "中文 🦆 é \u{200d}\u{202e}",
    "\"quotes\" \\ back \u{fffd} ]]> *//* );",
    "&lt;b&gt; &amp; %0d%0a",
];

/// Ann's room with Bob in it, and what is said there.
async fn talk(ann: &Client) -> (String, usize) {
    let room = group(ann, &["bob"]).await;
    for text in NASTY {
        ann.command(send(&room, text)).await.expect("a message");
    }
    (room, 1 + NASTY.len())
}

/// What happens there after that: every kind of event that Bob sees.
async fn act(ann: &Client, bob: &Client, room: &str) -> usize {
    let acts: [(&Client, Value); 10] = [
        (ann, json!({"type":"edit","room":room,"seq":1,"body":{"text":NASTY[1]}})),
        (bob, json!({"type":"react","room":room,"seq":2,"emoji":"🦆","on":true})),
        (bob, json!({"type":"react","room":room,"seq":2,"emoji":"🦆","on":false})),
        (bob, json!({"type":"read","room":room,"seq":8})),
        (ann, json!({"type":"member.role","room":room,"user":"bob","role":"admin"})),
        (ann, json!({"type":"room.update","room":room,"title":"<Nasty> & \u{2028}"})),
        (bob, json!({"type":"user.update","name":"Bob </script>"})),
        (bob, json!({"type":"prefs.set","room":room,"prefs":{"mute":true,"draft":{"text":"</script>"}}})),
        (ann, json!({"type":"recall","room":room,"seq":3})),
        (bob, json!({"type":"room.leave","room":room})),
    ];
    let count = acts.len();
    for (who, act) in acts {
        who.command(act).await.expect("allowed");
    }
    count
}

/// The next frames that say something, as they came.
async fn next(reader: &mut Reader, count: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    while frames.len() < count {
        let next = frame(reader).await;
        assert_ne!(next.kind(), "error", "{next:?}");
        frames.push(next);
    }
    frames
}

fn raw(frames: &[Frame]) -> Vec<&str> {
    frames.iter().map(|frame| std::str::from_utf8(&frame.raw).expect("UTF-8")).collect()
}

#[tokio::test]
async fn one_story_is_the_same_bytes_over_every_transport() {
    let server = Server::start().await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let start = now(&bob).await;
    let mut readers = Vec::new();
    for transport in Transport::ALL {
        readers.push(live(&bob, transport, &start).await);
    }
    let (room, said) = talk(&ann).await;
    // Before it goes on, each stream has seen what is recalled then. A poll asks when it is asked.
    let mut live_seen = Vec::new();
    for reader in &mut readers {
        live_seen.push(if polls(reader.transport()) { Vec::new() } else { next(reader, said).await });
    }
    let events = said + act(&ann, &bob, &room).await;
    let replay = crate::ops::walk(&bob, &start).await;
    assert_eq!(replay.len(), events);
    for transport in Transport::ALL {
        readers.push(live(&bob, transport, &start).await);
    }
    live_seen.resize(readers.len(), Vec::new());
    for (i, (reader, mut seen)) in readers.iter_mut().zip(live_seen).enumerate() {
        let rest = events - seen.len();
        seen.extend(next(reader, rest).await);
        let who = reader.transport();
        if i >= Transport::ALL.len() || polls(who) {
            assert_eq!(raw(&seen), raw(&replay), "{who:?}, replayed");
            continue;
        }
        // What was seen live had its text; the replay shows it as it stands since it was recalled.
        for (live, replayed) in seen.iter().zip(&replay) {
            if replayed.value["recalled"] == true && replayed.kind() == "message" {
                assert_eq!(live.value["body"]["text"], NASTY[2], "{who:?}");
                assert_eq!(replayed.value["body"], Value::Null, "{who:?}");
            } else {
                assert_eq!(live.raw, replayed.raw, "{who:?}, live");
            }
        }
    }
    for text in raw(&replay) {
        assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{2029}', '\n']), "safe in a script: {text}");
    }
    assert_eq!(replay.last().expect("events").kind(), "member", "the own leave is the last of it");
}

#[tokio::test]
async fn a_gap_is_the_same_over_every_transport() {
    let server = Server::start().await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let start = now(&bob).await;
    let room = group(&ann, &["bob"]).await;
    for n in 0..30 {
        ann.command(send(&room, &format!("{n}"))).await.expect("a message");
    }
    for transport in Transport::ALL {
        let options = ReadOptions { max_per_room: Some(10), ..ReadOptions::after(Some(&start)) };
        let mut reader = bob.read(transport, options);
        let gap = frame_of(&mut reader, "gap").await;
        let expected = format!(r#"{{"type":"gap","room":"{room}","from_seq":1,"to_seq":20}}"#);
        assert_eq!(gap.raw, expected.as_bytes(), "{transport:?}");
        assert_eq!(
            frame(&mut reader).await.kind(),
            "room",
            "{transport:?}: what is no message is not left out"
        );
        let rest = next(&mut reader, 10).await;
        let seqs: Vec<_> = rest.iter().filter_map(|frame| frame.number("seq")).collect();
        assert_eq!(seqs, (21..=30).collect::<Vec<_>>(), "{transport:?}");
    }
}

#[tokio::test]
async fn a_reset_is_the_same_over_every_transport() {
    let (server, other) = (Server::start().await, Server::start().await);
    let bob = server.user("bob");
    let foreign = now(&other.user("bob")).await;
    let here = now(&bob).await;
    for transport in Transport::ALL {
        let mut reader = bob.read(transport, ReadOptions::after(Some(&foreign)));
        let reset = frame_of(&mut reader, "reset").await;
        let expected = format!(r#"{{"type":"reset","reason":"epoch","cursor":"{here}"}}"#);
        assert_eq!(reset.raw, expected.as_bytes(), "{transport:?}");
    }
}
