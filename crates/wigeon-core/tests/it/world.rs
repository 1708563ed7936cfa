//! A log of made-up entries over state in memory, with a clock that a test moves.

use serde_json::{Value, json};
use wigeon_core::entry::{Entry, Rights};
use wigeon_core::memory::Memory;
use wigeon_core::outcome::{Applied, Outcome};
use wigeon_proto::command::{Command, Request};
use wigeon_proto::cursor::{Cursor, Epoch};
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::id::{InviteCode, RoomId, UserId};

/// When a test's clock begins: milliseconds since 1970.
pub(crate) const START: u64 = 1_764_000_000_000;

/// A log that is only its fold.
#[derive(Default)]
pub(crate) struct World {
    memory: Memory,
    position: u64,
    ids: u64,
    /// Milliseconds since [`START`]: a test moves them.
    pub(crate) now: u64,
}

impl World {
    pub(crate) fn enter(&mut self, actor: &str, rights: Rights, id: &str, mut command: Value) -> Outcome {
        command["id"] = json!(id);
        let request = Request::decode(&command.to_string()).unwrap();
        let (Command::Durable(command), Some(id)) = (request.command, request.id) else {
            panic!("not durable")
        };
        let actor = UserId::parse(actor).unwrap();
        let new_room = Some(RoomId::parse("made").unwrap());
        let new_code = Some(InviteCode::parse(&format!("code{}", self.position)).unwrap());
        let at = START + self.now;
        self.apply(&Entry { new_room, new_code, ..Entry::new(actor, rights, at, id, command) })
    }

    pub(crate) fn apply(&mut self, entry: &Entry) -> Outcome {
        let here = Cursor { epoch: Epoch::new(1), position: self.position + 1 };
        let outcome = self.memory.step(here, entry);
        self.position += u64::from(matches!(outcome, Outcome::Applied(_)));
        outcome
    }

    pub(crate) fn says(&mut self, actor: &str, command: Value) -> Outcome {
        self.ids += 1;
        let id = format!("k{}", self.ids);
        self.enter(actor, Rights::User, &id, command)
    }

    pub(crate) fn does(&mut self, actor: &str, command: Value) -> Applied {
        match self.says(actor, command) {
            Outcome::Applied(applied) => applied,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn refuses(&mut self, actor: &str, command: Value) -> ErrorCode {
        self.refusal(actor, command).code
    }

    pub(crate) fn refusal(&mut self, actor: &str, command: Value) -> WireError {
        match self.says(actor, command) {
            Outcome::Rejected(error) => error,
            other => panic!("{other:?}"),
        }
    }

    /// A group of Ann (owner), Bob and Cat.
    pub(crate) fn with_group() -> Self {
        let mut world = Self::default();
        world.does(
            "ann",
            json!({"type":"room.create","kind":"group","title":"Group","members":["bob","cat","bob"]}),
        );
        world
    }
}

pub(crate) fn send(text: &str) -> Value {
    json!({"type":"send","room":"made","body":{"text":text}})
}
