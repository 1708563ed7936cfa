//! Fan-out by itself: a hub with level feeds, and nothing around it, for `benches/fanout.rs`.
//!
//! The feeds are attached and have lent their wires as those of real connections are; only what stands behind
//! them is missing: no task waits for a feed's turn, and each wire ends in a count. It is behind the feature
//! `bench`, since it is nobody else's to use.

use std::sync::Arc;

use tokio::sync::oneshot;
use wigeon_proto::cursor::{Cursor, Epoch};
use wigeon_proto::event::{Event, What};
use wigeon_proto::framing::Framing;
use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::limits::PAGE_FRAMES_MAX;
use wigeon_proto::{command::Body, frame};
use wigeon_store::{Committed, Outlet as _};

use super::slot::Taken;
use super::{Attach, Hub, Loan};
use crate::wire::{Form, Sink, Wire};

/// By what the readers read.
#[derive(Debug, Clone, Copy)]
pub enum By {
    /// WebSocket, not deflated.
    WebSocket,
    /// WebSocket, deflated where that pays.
    Deflated,
    /// SSE over HTTP/1.1, where each write is a chunk.
    Sse,
}

impl By {
    fn form(self) -> Form {
        match self {
            Self::WebSocket => Form::Stream { framing: Framing::WebSocket, chunked: false },
            Self::Deflated => Form::Stream { framing: Framing::WebSocketDeflated, chunked: false },
            Self::Sse => Form::Stream { framing: Framing::Sse, chunked: true },
        }
    }
}

/// A hub, rooms, and readers in each of them.
pub struct Fanout {
    hub: Hub,
    rooms: Vec<RoomId>,
    /// What every message says.
    text: String,
    /// Where the log ends.
    position: u64,
    sink: Arc<Sink>,
}

impl Fanout {
    /// So many rooms with so many readers each; every reader is in one room and level. Messages have `text`.
    pub fn new(rooms: usize, readers_each: usize, by: By, text: String) -> Self {
        let rooms: Vec<_> = (0..rooms).map(|n| room(&format!("room-{n}"))).collect();
        let (mut hub, sink) = (Hub::default(), Arc::<Sink>::default());
        for room in &rooms {
            for n in 0..readers_each {
                let slot = hub.new_slot(user(&format!("{}-{n}", room.as_str())), false);
                let (attached, _done) = oneshot::channel();
                hub.attach(Attach { slot: slot.clone(), watch: Vec::new(), attached }, vec![room.clone()], 0);
                let loan = Arc::new(Loan { wire: Arc::new(Wire::sink(sink.clone())), form: by.form() });
                assert!(matches!(slot.lend(&loan, PAGE_FRAMES_MAX), Taken::Lent), "a new feed is level");
            }
        }
        Self { hub, rooms, text, position: 0, sink }
    }

    /// The next messages of the log, as many as said, each in the room after the last one's. They have to be
    /// committed in the order in which they were made.
    pub fn messages(&mut self, count: usize) -> Vec<Committed> {
        (0..count).map(|n| self.message(self.rooms[n % self.rooms.len()].clone())).collect()
    }

    fn message(&mut self, room: RoomId) -> Committed {
        self.position += 1;
        let cursor = Cursor { epoch: Epoch::new(1), position: self.position };
        let what = What::Message {
            seq: self.position,
            id: CommandId::parse(&format!("m{}", self.position)).expect("an id"),
            body: Body { text: self.text.clone() },
            reply_to: None,
            thread: None,
            mentions: Vec::new(),
            mention_all: false,
            forwarded: None,
        };
        let (kind, from) = ("message", user("ann"));
        let event = Event {
            room: room.clone(),
            from: from.clone(),
            at: 1_764_000_000_000,
            private: false,
            what: what.clone(),
        };
        let json = frame::event(kind, &cursor.to_string(), &event.tail()).into();
        let (joined, left) = (Vec::new(), Vec::new());
        Committed {
            cursor,
            about: room.clone(),
            room,
            from,
            what,
            public: false,
            tells_receipts: true,
            json,
            joined,
            left,
            kept_from: Vec::new(),
        }
    }

    /// Hands over one commit, as the sequencer does.
    pub fn commit(&mut self, events: Vec<Committed>) {
        let position = events.last().map_or(0, |event| event.cursor.position);
        self.hub.commit(events, position);
    }

    /// How many writes have reached the readers, and how many bytes.
    pub fn written(&self) -> (u64, u64) {
        (self.sink.writes(), self.sink.bytes())
    }
}

fn room(name: &str) -> RoomId {
    RoomId::parse(name).expect("a room")
}

fn user(name: &str) -> UserId {
    UserId::parse(name).expect("a user")
}
