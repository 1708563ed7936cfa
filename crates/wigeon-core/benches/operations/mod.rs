//! The hot paths of the rules: deciding one entry against state in memory.

use std::fmt;
use std::hint::black_box;

use serde_json::{Value, json};
use wigeon_core::apply::apply;
use wigeon_core::entry::{Entry, Rights};
use wigeon_core::memory::Memory;
use wigeon_proto::command::{Command, Request};
use wigeon_proto::cursor::{Cursor, Epoch};
use wigeon_proto::id::{RoomId, UserId};

/// One path: its name, and how it is made ready. What that gives runs it once.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) prepare: fn() -> Run,
}

pub(crate) type Run = Box<dyn FnMut()>;

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

pub(crate) const ALL: &[Operation] = &[
    Operation { name: "apply send", prepare: || applied("fresh", send()) },
    Operation { name: "apply send, repeated", prepare: || applied("k50", send()) },
    Operation {
        name: "apply read",
        prepare: || applied("fresh", json!({"type":"read","room":ROOM,"seq":70})),
    },
    Operation { name: "apply edit", prepare: || applied("fresh", edit()) },
    Operation { name: "entry to bytes", prepare: written },
    Operation { name: "entry from bytes", prepare: read },
];

/// A room in the middle of the others.
const ROOM: &str = "room-10";
const ROOMS: u64 = 20;
const MESSAGES_PER_ROOM: u64 = 100;

/// What most messages look like.
const TEXT: &str = "could we meet tomorrow at the office about the release notes? thanks, see you there";

fn send() -> Value {
    json!({"type":"send","room":ROOM,"body":{"text":TEXT}})
}

fn edit() -> Value {
    json!({"type":"edit","room":ROOM,"seq":70,"body":{"text":TEXT}})
}

fn entry(id: &str, mut command: Value) -> Entry {
    command["id"] = json!(id);
    let request = Request::decode(&command.to_string()).expect("a command");
    let (Command::Durable(command), Some(id)) = (request.command, request.id) else { panic!("not durable") };
    let actor = UserId::parse("ann").expect("a user");
    let (rights, at) = (Rights::Service, 1000);
    Entry::new(actor, rights, at, id, command)
}

fn here(position: u64) -> Cursor {
    Cursor { epoch: Epoch::new(1), position }
}

/// Groups of three with a hundred messages each; the ids of those in [`ROOM`] are `k0` to `k99`.
fn world() -> Memory {
    let mut memory = Memory::default();
    for number in 0..ROOMS {
        let room = format!("room-{number}");
        let create =
            json!({"type":"room.create","kind":"group","title":"Group","room":room,"members":["bob","cat"]});
        let mut entry_ = entry(&format!("c{number}"), create);
        entry_.new_room = Some(RoomId::parse(&room).expect("a room"));
        memory.step(here(1), &entry_);
        for message in 0..MESSAGES_PER_ROOM {
            let id = if room == ROOM { format!("k{message}") } else { format!("{room}-{message}") };
            memory.step(here(1), &entry(&id, json!({"type":"send","room":room,"body":{"text":TEXT}})));
        }
    }
    memory
}

fn applied(id: &str, command: Value) -> Run {
    let (memory, entry) = (world(), entry(id, command));
    Box::new(move || drop(black_box(apply(&memory, here(20_000), black_box(&entry)))))
}

fn written() -> Run {
    let entry = entry("fresh", send());
    Box::new(move || drop(black_box(black_box(&entry).to_bytes())))
}

fn read() -> Run {
    let bytes = entry("fresh", send()).to_bytes();
    Box::new(move || drop(black_box(Entry::from_bytes(black_box(&bytes)))))
}
