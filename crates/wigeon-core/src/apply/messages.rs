//! Rules of messages: send, edit, recall, react, read.

use wigeon_proto::command::{Edit, React, Send, Target};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::What;
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::REACTIONS_PER_MESSAGE_MAX;
use wigeon_proto::room::{Policy, Role, RoomKind};

use super::{Decision, Step, Stop, stop};
use crate::outcome::{Applied, Change, RoomRef};
use crate::state::{Member, MessageState, Room, State};

/// The largest group whose members are told of each other's read marks; in larger ones a read mark is
/// for the reader's own devices alone, so that receipts cannot storm.
const READ_RECEIPT_USERS_MAX: u64 = 100;

impl<S: State> Step<'_, S> {
    pub(super) fn send(&self, send: &Send) -> Decision<S> {
        let (mut room, mut changes) = self.destination(send)?;
        let seq = room.head_seq + 1;
        if send.reply_to.is_some_and(|target| target == 0 || target >= seq) {
            return stop(ErrorCode::BadRequest, "`reply_to` is no message of this room");
        }
        self.mark_own(&room, seq, &mut changes)?;
        let mentions = self.mentions(&room, send, &changes)?;
        changes.extend(mentions.iter().map(|user| Change::Mention(room.id.clone(), seq, user.clone())));
        room.head_seq = seq;
        let what = What::Message {
            seq,
            id: self.entry.id.clone(),
            body: send.body.clone(),
            reply_to: send.reply_to,
            mentions,
        };
        let mut applied = self.in_room(room, what, changes);
        applied.reply.seq = Some(seq);
        applied.reply.at = Some(self.entry.at);
        Ok(applied)
    }

    /// The room a message goes to, with the changes that bring it into being.
    fn destination(&self, send: &Send) -> Result<(Room, Vec<Change>), Stop<S::Error>> {
        let id = match (&send.room, &send.to) {
            (Some(room), _) => room.clone(),
            (None, Some(to)) => RoomId::direct(self.actor(), to),
            (None, None) => return stop(ErrorCode::BadRequest, "`send` names either `room` or `to`"),
        };
        if let Some(room) = self.find_room(&id)?.filter(|room| room.kind != RoomKind::Own) {
            self.may_send(&room)?;
            return Ok((room, Vec::new()));
        }
        if let Some((one, other)) = id.direct_users() {
            return self.new_direct(id, one, other);
        }
        if self.is_service() && id.is_plain() {
            let policy = Policy::of(RoomKind::Channel);
            return Ok((new_room(id.clone(), RoomKind::Channel, id.as_str(), policy), Vec::new()));
        }
        stop(ErrorCode::NotFound, "there is no such room")
    }

    fn may_send(&self, room: &Room) -> Result<(), Stop<S::Error>> {
        if self.is_service() || self.membership(&room.id)?.role >= Role::Member {
            return Ok(());
        }
        stop(ErrorCode::Forbidden, "readers do not send in this room")
    }

    fn new_direct(
        &self,
        id: RoomId,
        one: UserId,
        other: UserId,
    ) -> Result<(Room, Vec<Change>), Stop<S::Error>> {
        if *self.actor() != one && *self.actor() != other {
            return stop(ErrorCode::NotFound, "there is no such room");
        }
        let mut room = new_room(id, RoomKind::Direct, "", Policy::of(RoomKind::Direct));
        let mut users = vec![one];
        if other != users[0] {
            users.push(other);
        }
        room.user_count = users.len() as u64;
        let joined = |user| Change::Joined(room.id.clone(), user, self.newcomer(&room, Role::Member));
        Ok((room.clone(), users.into_iter().map(joined).collect()))
    }

    /// Someone who becomes a member of `room` at this entry.
    pub(super) fn newcomer(&self, room: &Room, role: Role) -> Member {
        Member { role, joined_pos: self.here.position, joined_seq: room.head_seq, read_seq: 0, own_seq: 0 }
    }

    /// The sender's own message counts as read for them.
    fn mark_own(&self, room: &Room, seq: u64, changes: &mut Vec<Change>) -> Result<(), Stop<S::Error>> {
        for change in changes.iter_mut() {
            if let Change::Joined(_, user, member) = change
                && user == self.actor()
            {
                member.own_seq = seq;
                return Ok(());
            }
        }
        if let Some(member) = self.find_member(&room.id, self.actor())? {
            let member = Member { own_seq: seq, ..member };
            changes.push(Change::Member(room.id.clone(), self.actor().clone(), member));
        }
        Ok(())
    }

    /// The mentioned who are members, or become so with this message, each once.
    fn mentions(&self, room: &Room, send: &Send, changes: &[Change]) -> Result<Vec<UserId>, Stop<S::Error>> {
        let joins = |user: &UserId| {
            changes.iter().any(|change| matches!(change, Change::Joined(_, who, _) if who == user))
        };
        let mut kept: Vec<UserId> = Vec::new();
        for user in &send.mentions {
            if !kept.contains(user) && (joins(user) || self.find_member(&room.id, user)?.is_some()) {
                kept.push(user.clone());
            }
        }
        Ok(kept)
    }

    pub(super) fn edit(&self, edit: &Edit) -> Decision<S> {
        let (room, message) = self.message(&edit.room, edit.seq)?;
        if message.from != *self.actor() {
            return stop(ErrorCode::Forbidden, "only its sender edits a message");
        }
        if message.recalled {
            return stop(ErrorCode::Gone, "the message was recalled");
        }
        if edit.version.is_some_and(|seen| seen != message.version) {
            return stop(ErrorCode::Conflict, "the message has been edited since");
        }
        let version = message.version + 1;
        let change = Change::Edited {
            room: room.id.clone(),
            seq: edit.seq,
            text: edit.body.text.clone(),
            version,
            at: self.entry.at,
        };
        let what = What::Edited { seq: edit.seq, body: edit.body.clone(), version };
        let mut applied = self.about_message(room, edit.seq, what, change);
        applied.reply.version = Some(version);
        Ok(applied)
    }

    pub(super) fn recall(&self, target: &Target) -> Decision<S> {
        let (room, message) = self.message(&target.room, target.seq)?;
        if message.from != *self.actor() {
            self.require(&room.id, Role::Admin)?;
        }
        if message.recalled {
            return stop(ErrorCode::Gone, "the message was recalled before");
        }
        let change = Change::Recalled { room: room.id.clone(), seq: target.seq };
        Ok(self.about_message(room, target.seq, What::Recalled { seq: target.seq }, change))
    }

    pub(super) fn react(&self, react: &React) -> Decision<S> {
        let (room, message) = self.message(&react.room, react.seq)?;
        if message.recalled {
            return stop(ErrorCode::Gone, "the message was recalled");
        }
        let emoji = react.emoji.as_str();
        let (stands, kinds) =
            self.state.reaction(&room.id, react.seq, self.actor(), emoji).map_err(Stop::Fault)?;
        if stands == react.on {
            return Ok(self.without_event(&room.id, react.seq));
        }
        if react.on && kinds >= REACTIONS_PER_MESSAGE_MAX {
            return stop(ErrorCode::TooLarge, "the message has too many different reactions");
        }
        let change = Change::Reaction {
            room: room.id.clone(),
            seq: react.seq,
            user: self.actor().clone(),
            emoji: react.emoji.clone(),
            on: react.on,
        };
        let what = What::Reaction { seq: react.seq, emoji: react.emoji.clone(), on: react.on };
        Ok(self.about_message(room, react.seq, what, change))
    }

    pub(super) fn read(&self, target: &Target) -> Decision<S> {
        let room = self.room(&target.room)?;
        let member = self.membership(&room.id)?;
        let seq = target.seq.min(room.head_seq);
        if seq <= member.read_seq {
            return Ok(self.without_event(&room.id, member.read_seq));
        }
        let marked = Member { read_seq: seq, ..member };
        let change = Change::Member(room.id.clone(), self.actor().clone(), marked);
        let user = self.actor().clone();
        let shared = room.kind == RoomKind::Direct
            || room.kind == RoomKind::Group && room.user_count <= READ_RECEIPT_USERS_MAX;
        let what = What::Read { user, seq };
        let mut applied = if shared {
            self.about_message(room, seq, what, change)
        } else {
            let mut applied = self.to_self(Some(room.id.clone()), what, change);
            applied.reply.room = Some(RoomRef::Id(room.id));
            applied
        };
        applied.reply.seq = Some(seq);
        Ok(applied)
    }

    /// A message the actor may act on.
    fn message(&self, room: &RoomId, seq: u64) -> Result<(Room, MessageState), Stop<S::Error>> {
        let room = self.room(room)?;
        if !self.is_service() {
            self.membership(&room.id)?;
        }
        match self.state.message(&room.id, seq).map_err(Stop::Fault)? {
            Some(message) => Ok((room, message)),
            None => stop(ErrorCode::NotFound, "there is no such message"),
        }
    }

    fn about_message(&self, room: Room, seq: u64, what: What, change: Change) -> Applied {
        let mut applied = self.in_room(room, what, vec![change]);
        applied.reply.seq = Some(seq);
        applied
    }

    /// Nothing changes; the reply says how things stand.
    fn without_event(&self, room: &RoomId, seq: u64) -> Applied {
        let mut reply = self.ok(Some(RoomRef::Id(room.clone())));
        reply.seq = Some(seq);
        Applied { event: None, changes: Vec::new(), reply }
    }
}

/// A room before its first event.
pub(super) fn new_room(id: RoomId, kind: RoomKind, title: &str, policy: Policy) -> Room {
    Room { id, kind, title: title.to_owned(), policy, head_seq: 0, head_pos: 0, user_count: 0 }
}
