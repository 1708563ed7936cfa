//! State in memory: for tests and simulations of the rules, without a database.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use wigeon_proto::cursor::Cursor;
use wigeon_proto::event::{Event, What};
use wigeon_proto::id::{CommandId, InviteCode, RoomId, UserId};
use wigeon_proto::json;
use wigeon_proto::limits::ANSWERS_KEPT_MS;
use wigeon_proto::reply::{Invite, Prefs};
use wigeon_proto::room::Role;

use crate::apply::{apply, remembers};
use crate::entry::Entry;
use crate::outcome::{Applied, Change, Outcome};
use crate::state::{Among, Answered, Member, MessageState, Room, State};

/// Everything the rules remember, in ordered maps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    rooms: BTreeMap<RoomId, Room>,
    members: BTreeMap<(RoomId, UserId), Member>,
    stays: BTreeMap<(RoomId, UserId), Vec<Stay>>,
    messages: BTreeMap<(RoomId, u64), (MessageState, String, CommandId)>,
    reactions: BTreeSet<(RoomId, u64, String, UserId)>,
    pins: BTreeSet<(RoomId, u64)>,
    bans: BTreeSet<(RoomId, UserId)>,
    mutes: BTreeMap<(RoomId, UserId), u64>,
    invites: BTreeMap<InviteCode, Invite>,
    blocks: BTreeSet<(UserId, UserId)>,
    prefs: BTreeMap<(UserId, Option<RoomId>), Prefs>,
    answers: BTreeMap<(UserId, CommandId), Answered>,
}

/// The messages of one stay in a room: `after < seq`, and `seq <= to` once it has ended.
#[derive(Debug, Clone, PartialEq)]
struct Stay {
    after: u64,
    to: Option<u64>,
    as_reader: bool,
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
        if let Some(Event { room, from, at, what: What::Message { seq, id, body, forwarded, .. }, .. }) =
            &applied.event
        {
            let (from, forwarded) = (from.clone(), forwarded.clone());
            let state = MessageState { from, version: 0, recalled: false, at: *at, forwarded };
            self.messages.insert((room.clone(), *seq), (state, body.text.clone(), id.clone()));
        }
        if remembers(&entry.command) {
            let answer =
                Answered { hash: entry.payload_hash(), reply: json::to_vec(&applied.reply), until: None };
            self.answers.insert((entry.actor.clone(), entry.id.clone()), answer);
        }
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Room(room) => drop(self.rooms.insert(room.id.clone(), room.clone())),
            Change::Joined(room, user, member) => {
                self.members.insert((room.clone(), user.clone()), *member);
                let stays = self.stays.entry((room.clone(), user.clone())).or_default();
                stays.push(Stay { after: member.joined_seq, to: None, as_reader: false });
            }
            Change::Member(room, user, member) => {
                self.members.insert((room.clone(), user.clone()), *member);
            }
            Change::Left { room, user, seq, as_reader } => {
                let key = (room.clone(), user.clone());
                self.members.remove(&key);
                if let Some(stay) = self.stays.get_mut(&key).and_then(|stays| stays.last_mut()) {
                    (stay.to, stay.as_reader) = (Some(*seq), *as_reader);
                }
            }
            Change::Edited { room, seq, version, text, .. } => {
                if let Some((message, words, _)) = self.messages.get_mut(&(room.clone(), *seq)) {
                    message.version = *version;
                    words.clone_from(text);
                }
            }
            Change::Recalled { room, seq } => {
                if let Some((message, words, _)) = self.messages.get_mut(&(room.clone(), *seq)) {
                    message.recalled = true;
                    words.clear();
                }
                self.pins.remove(&(room.clone(), *seq));
            }
            Change::Retained { room, to_seq, .. } => self.retain(room, *to_seq),
            Change::Reaction { room, seq, user, emoji, on } => {
                toggle(&mut self.reactions, (room.clone(), *seq, emoji.clone(), user.clone()), *on);
            }
            Change::Pin { room, seq, on } => toggle(&mut self.pins, (room.clone(), *seq), *on),
            Change::Banned { room, user, .. } => toggle(&mut self.bans, (room.clone(), user.clone()), true),
            Change::Unbanned(room, user) => toggle(&mut self.bans, (room.clone(), user.clone()), false),
            Change::Muted(room, user, until) => {
                self.mutes.insert((room.clone(), user.clone()), *until);
            }
            Change::Invite(invite) => {
                self.invites.insert(invite.code.clone(), invite.clone());
            }
            Change::Blocked { user, other, on } => {
                toggle(&mut self.blocks, (user.clone(), other.clone()), *on);
            }
            Change::Prefs(user, room, json) => {
                let prefs = serde_json::from_str(json).expect("the rules write an object");
                self.prefs.insert((user.clone(), room.clone()), prefs);
            }
            Change::Mention(..) | Change::MentionAll(..) | Change::User(..) => {}
        }
    }

    fn retain(&mut self, room: &RoomId, to_seq: u64) {
        let goes = |of: &RoomId, seq: u64| of == room && seq <= to_seq;
        for ((of, seq), (message, _, id)) in &self.messages {
            let answer = self.answers.get_mut(&(message.from.clone(), id.clone()));
            if let Some(answer) = answer.filter(|_| goes(of, *seq)) {
                answer.until = Some(message.at + ANSWERS_KEPT_MS);
            }
        }
        self.messages.retain(|(of, seq), _| !goes(of, *seq));
        self.reactions.retain(|(of, seq, ..)| !goes(of, *seq));
        self.pins.retain(|(of, seq)| !goes(of, *seq));
    }
}

fn toggle<T: Ord>(set: &mut BTreeSet<T>, key: T, on: bool) {
    if on {
        set.insert(key);
    } else {
        set.remove(&key);
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
        Ok(self.messages.get(&(room.clone(), seq)).map(|(message, ..)| message.clone()))
    }

    fn text(&self, room: &RoomId, seq: u64) -> Result<Option<String>, Infallible> {
        Ok(self.messages.get(&(room.clone(), seq)).map(|(_, text, _)| text.clone()))
    }

    fn was_there(&self, room: &RoomId, user: &UserId, seq: u64) -> Result<bool, Infallible> {
        let stays = self.stays.get(&(room.clone(), user.clone()));
        Ok(stays.into_iter().flatten().any(|stay| seq > stay.after && stay.to.is_none_or(|to| seq <= to)))
    }

    fn left_as_reader(&self, room: &RoomId, user: &UserId) -> Result<bool, Infallible> {
        let stays = self.stays.get(&(room.clone(), user.clone()));
        Ok(stays.and_then(|stays| stays.last()).is_some_and(|stay| stay.as_reader))
    }

    fn reaction(&self, room: &RoomId, seq: u64, user: &UserId, emoji: &str) -> Result<Among, Infallible> {
        let on_it = |key: &&(RoomId, u64, String, UserId)| key.0 == *room && key.1 == seq;
        let stands = self.reactions.iter().filter(on_it).any(|key| key.2 == emoji && key.3 == *user);
        let others =
            self.reactions.iter().filter(on_it).map(|key| key.2.as_str()).filter(|other| *other != emoji);
        Ok(Among { stands, count: others.collect::<BTreeSet<_>>().len() })
    }

    fn pin(&self, room: &RoomId, seq: u64) -> Result<Among, Infallible> {
        let count = self.pins.iter().filter(|pin| pin.0 == *room).count();
        Ok(Among { stands: self.pins.contains(&(room.clone(), seq)), count })
    }

    fn banned(&self, room: &RoomId, user: &UserId) -> Result<bool, Infallible> {
        Ok(self.bans.contains(&(room.clone(), user.clone())))
    }

    fn muted_until(&self, room: &RoomId, user: &UserId) -> Result<u64, Infallible> {
        Ok(self.mutes.get(&(room.clone(), user.clone())).copied().unwrap_or(0))
    }

    fn invite(&self, code: &InviteCode) -> Result<Option<Invite>, Infallible> {
        Ok(self.invites.get(code).cloned())
    }

    fn invites(&self, room: &RoomId, at: u64) -> Result<usize, Infallible> {
        Ok(self.invites.values().filter(|invite| invite.room == *room && invite.is_good(at)).count())
    }

    fn blocked(&self, user: &UserId, other: &UserId) -> Result<Among, Infallible> {
        let count = self.blocks.iter().filter(|block| block.0 == *user).count();
        Ok(Among { stands: self.blocks.contains(&(user.clone(), other.clone())), count })
    }

    fn prefs(&self, user: &UserId, room: Option<&RoomId>) -> Result<Prefs, Infallible> {
        Ok(self.prefs.get(&(user.clone(), room.cloned())).cloned().unwrap_or_default())
    }

    fn answered(&self, actor: &UserId, id: &CommandId) -> Result<Option<Answered>, Infallible> {
        Ok(self.answers.get(&(actor.clone(), id.clone())).cloned())
    }
}
