//! State in memory: for tests and simulations of the rules, without a database.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use wigeon_proto::cursor::Cursor;
use wigeon_proto::event::{Event, What};
use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::json;
use wigeon_proto::room::Role;

use crate::apply::{apply, remembers};
use crate::entry::Entry;
use crate::outcome::{Applied, Change, Outcome};
use crate::state::{Answered, Member, MessageState, Room, State};

/// Everything the rules remember, in ordered maps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    rooms: BTreeMap<RoomId, Room>,
    members: BTreeMap<(RoomId, UserId), Member>,
    messages: BTreeMap<(RoomId, u64), MessageState>,
    reactions: BTreeSet<(RoomId, u64, String, UserId)>,
    answers: BTreeMap<(UserId, CommandId), Answered>,
}

impl Memory {
    /// Applies an entry and carries out its changes.
    pub fn step(&mut self, here: Cursor, entry: &Entry) -> Outcome {
        let Ok(outcome) = apply(self, here, entry);
        if let Outcome::Applied(applied) = &outcome {
            self.keep(entry, applied);
        }
        outcome
    }

    fn keep(&mut self, entry: &Entry, applied: &Applied) {
        for change in &applied.changes {
            self.change(change);
        }
        if let Some(Event { room, from, what: What::Message { seq, .. }, .. }) = &applied.event {
            let state = MessageState { from: from.clone(), version: 0, recalled: false };
            self.messages.insert((room.clone(), *seq), state);
        }
        if remembers(&entry.command) {
            let answer = Answered { hash: entry.payload_hash(), reply: json::to_vec(&applied.reply) };
            self.answers.insert((entry.actor.clone(), entry.id.clone()), answer);
        }
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Room(room) => drop(self.rooms.insert(room.id.clone(), room.clone())),
            Change::Joined(room, user, member) | Change::Member(room, user, member) => {
                self.members.insert((room.clone(), user.clone()), *member);
            }
            Change::Left { room, user, .. } => drop(self.members.remove(&(room.clone(), user.clone()))),
            Change::Edited { room, seq, version, .. } => {
                if let Some(message) = self.messages.get_mut(&(room.clone(), *seq)) {
                    message.version = *version;
                }
            }
            Change::Recalled { room, seq } => {
                if let Some(message) = self.messages.get_mut(&(room.clone(), *seq)) {
                    message.recalled = true;
                }
            }
            Change::Reaction { room, seq, user, emoji, on } => {
                let key = (room.clone(), *seq, emoji.clone(), user.clone());
                if *on {
                    self.reactions.insert(key);
                } else {
                    self.reactions.remove(&key);
                }
            }
            Change::Mention(..) | Change::User(..) | Change::Prefs(..) => {}
        }
    }
}

impl State for Memory {
    type Error = Infallible;

    fn room(&self, room: &RoomId) -> Result<Option<Room>, Infallible> {
        Ok(self.rooms.get(room).cloned())
    }

    fn member(&self, room: &RoomId, user: &UserId) -> Result<Option<Member>, Infallible> {
        Ok(self.members.get(&(room.clone(), user.clone())).copied())
    }

    fn count_role(&self, room: &RoomId, role: Role) -> Result<u64, Infallible> {
        Ok(
            self.members
                .iter()
                .filter(|((in_room, _), member)| in_room == room && member.role == role)
                .count() as u64,
        )
    }

    fn message(&self, room: &RoomId, seq: u64) -> Result<Option<MessageState>, Infallible> {
        Ok(self.messages.get(&(room.clone(), seq)).cloned())
    }

    fn reaction(
        &self,
        room: &RoomId,
        seq: u64,
        user: &UserId,
        emoji: &str,
    ) -> Result<(bool, usize), Infallible> {
        let on_it = |key: &&(RoomId, u64, String, UserId)| key.0 == *room && key.1 == seq;
        let stands = self.reactions.iter().filter(on_it).any(|key| key.2 == emoji && key.3 == *user);
        let kinds: BTreeSet<&str> = self.reactions.iter().filter(on_it).map(|key| key.2.as_str()).collect();
        Ok((stands, kinds.len()))
    }

    fn answered(&self, actor: &UserId, id: &CommandId) -> Result<Option<Answered>, Infallible> {
        Ok(self.answers.get(&(actor.clone(), id.clone())).cloned())
    }
}
