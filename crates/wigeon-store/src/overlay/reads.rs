//! What the rules ask, answered from what is newer than the tables, and else from them.

use std::collections::HashSet;

use serde::Deserialize;
use wigeon_core::state::{Among, Answered, Member, MessageState, Room, State};
use wigeon_proto::command::Body;
use wigeon_proto::id::{CommandId, InviteCode, RoomId, UserId};
use wigeon_proto::reply::{Invite, Prefs};
use wigeon_proto::room::Role;

use super::{Kept, Overlay, Reply, answered_until};
use crate::rows::{self, AnswerId, Sent};
use crate::{Fault, facts, stored};

impl State for Overlay {
    type Error = Fault;

    fn room(&self, room: &RoomId) -> Result<Option<Room>, Fault> {
        self.with_room(room, |(_, room)| room.clone())
    }

    fn member(&self, room: &RoomId, user: &UserId) -> Result<Option<Member>, Fault> {
        let Some(n) = self.key(room)? else { return Ok(None) };
        let key = (n, user.clone());
        let mut members = self.members.borrow_mut();
        if let Some(member) = members.get(&key) {
            return Ok(*member);
        }
        let found = rows::find_member(&self.tables, n, user)?;
        members.insert(key, found);
        Ok(found)
    }

    fn count_role(&self, room: &RoomId, role: Role) -> Result<u64, Fault> {
        let Some(n) = self.key(room)? else { return Ok(0) };
        let mut users = rows::users_of_role(&self.tables, n, role)?;
        for ((_, user), member) in self.members.borrow().iter().filter(|((of, _), _)| *of == n) {
            if member.is_some_and(|member| member.role == role) {
                users.insert(user.clone());
            } else {
                users.remove(user);
            }
        }
        Ok(users.len() as u64)
    }

    fn message(&self, room: &RoomId, seq: u64) -> Result<Option<MessageState>, Fault> {
        match self.with_room(room, |(n, room)| (*n, room.gone_seq + 1..=room.head_seq))? {
            Some((n, kept)) if kept.contains(&seq) => self.find_message((n, seq)),
            _ => Ok(None),
        }
    }

    fn text(&self, room: &RoomId, seq: u64) -> Result<Option<String>, Fault> {
        let Some(n) = self.key(room)? else { return Ok(None) };
        if let Some(text) = self.rare.text(n, seq) {
            return Ok(Some(text));
        }
        match self.recent_message((n, seq)) {
            Some(recent) => Ok(Some(text_of(&recent.json)?)),
            None => facts::text(&self.tables, n, seq),
        }
    }

    fn was_there(&self, room: &RoomId, user: &UserId, seq: u64) -> Result<bool, Fault> {
        self.rarely(room, |rare, db, n| rare.was_there(db, n, user, seq))
    }

    fn left_as_reader(&self, room: &RoomId, user: &UserId) -> Result<bool, Fault> {
        self.rarely(room, |rare, db, n| rare.left_as_reader(db, n, user))
    }

    fn reaction(&self, room: &RoomId, seq: u64, user: &UserId, emoji: &str) -> Result<Among, Fault> {
        let Some(n) = self.key(room)? else { return Ok(Among::default()) };
        self.with_reactions((n, seq), |standing| {
            let others = standing.iter().map(|(other, _)| other.as_str()).filter(|other| *other != emoji);
            let count = others.collect::<HashSet<_>>().len();
            Among { stands: standing.contains(&(emoji.to_owned(), user.clone())), count }
        })
    }

    fn pin(&self, room: &RoomId, seq: u64) -> Result<Among, Fault> {
        self.rarely(room, |rare, db, n| rare.pin(db, n, seq))
    }

    fn banned(&self, room: &RoomId, user: &UserId) -> Result<bool, Fault> {
        self.rarely(room, |rare, db, n| rare.banned(db, n, user))
    }

    fn muted_until(&self, room: &RoomId, user: &UserId) -> Result<u64, Fault> {
        self.rarely(room, |rare, db, n| rare.muted_until(db, n, user))
    }

    fn invite(&self, code: &InviteCode) -> Result<Option<Invite>, Fault> {
        self.rare.invite(&self.tables, code)
    }

    fn invites(&self, room: &RoomId, at: u64) -> Result<usize, Fault> {
        self.rare.invites(&self.tables, room, at)
    }

    fn blocked(&self, user: &UserId, other: &UserId) -> Result<Among, Fault> {
        self.rare.blocked(&self.tables, user, other)
    }

    fn prefs(&self, user: &UserId, room: Option<&RoomId>) -> Result<Prefs, Fault> {
        self.rare.prefs(&self.tables, user, room)
    }

    fn answered(&self, actor: &UserId, id: &CommandId) -> Result<Option<Answered>, Fault> {
        debug_assert_eq!(self.at_hand, rows::answer_key(actor, id), "the entry at hand");
        if !self.known.may_have(self.at_hand) {
            return Ok(None);
        }
        let holds = |answer: &Answered| answer.until.is_none_or(|until| until > self.answers_until);
        let of = AnswerId { key: self.at_hand, actor: actor.clone(), id: id.clone() };
        if let Some(Kept { hash, reply, until }) = self.answers.get(&of) {
            let reply = match reply {
                Reply::Bytes(reply) => reply.clone(),
                Reply::To(sent) => sent.reply(self.epoch),
            };
            return Ok(Some(Answered { hash: *hash, reply, until: *until }).filter(holds));
        }
        let Some((mut answer, sent)) = rows::find_answer(&self.tables, self.epoch, actor, id)? else {
            return Ok(None);
        };
        if let Some(Sent { room, seq, at, .. }) = sent
            && self.with_room(&room, |(_, room)| seq <= room.gone_seq)? == Some(true)
        {
            answer.until = Some(answered_until(at));
        }
        Ok(Some(answer).filter(holds))
    }
}

/// The text in a message's frame.
fn text_of(json: &[u8]) -> Result<String, Fault> {
    #[derive(Deserialize)]
    struct Message {
        body: Body,
    }
    let Message { body } = stored(serde_json::from_slice(json))?;
    Ok(body.text)
}
