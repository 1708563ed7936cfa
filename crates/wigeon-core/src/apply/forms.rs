//! Rules of what becomes of a message: edit, recall, react, pin.

use wigeon_proto::command::{Edit, Pin, React, Target};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::What;
use wigeon_proto::limits::{PINS_MAX, REACTIONS_PER_MESSAGE_MAX};
use wigeon_proto::room::{Role, RoomKind};

use super::{Decision, Step, Stop, stop};
use crate::outcome::{Applied, Change};
use crate::state::{MessageState, Room, State};

impl<S: State> Step<'_, S> {
    pub(super) fn edit(&self, edit: &Edit) -> Decision<S> {
        let (room, message) = self.message(&Target { room: edit.room.clone(), seq: edit.seq })?;
        if message.from != *self.actor() {
            return stop(ErrorCode::Forbidden, "only its sender edits a message");
        }
        if message.recalled {
            return stop(ErrorCode::Gone, "the message was recalled");
        }
        if message.forwarded.is_some() {
            return stop(ErrorCode::Forbidden, "somebody else's words are not edited");
        }
        self.writer(&room, Role::Member)?;
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
        let (room, message) = self.message(target)?;
        if message.from != *self.actor() {
            self.require(&room.id, Role::Admin)?;
        } else if self.too_late(&room, &message) && self.require(&room.id, Role::Admin).is_err() {
            return stop(ErrorCode::Forbidden, "it is too late to take this message back");
        }
        if message.recalled {
            return stop(ErrorCode::Gone, "the message was recalled before");
        }
        let change = Change::Recalled { room: room.id.clone(), seq: target.seq };
        Ok(self.about_message(room, target.seq, What::Recalled { seq: target.seq }, change))
    }

    pub(super) fn react(&self, react: &React) -> Decision<S> {
        let (room, message) = self.message(&Target { room: react.room.clone(), seq: react.seq })?;
        self.writer(&room, Role::Reader)?;
        if message.recalled {
            return stop(ErrorCode::Gone, "the message was recalled");
        }
        let emoji = react.emoji.as_str();
        let there = self.state.reaction(&room.id, react.seq, self.actor(), emoji).map_err(Stop::Fault)?;
        if there.stands == react.on {
            return Ok(self.without_event(&room, react.seq));
        }
        if react.on && there.count >= REACTIONS_PER_MESSAGE_MAX {
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

    pub(super) fn pin(&self, pin: &Pin) -> Decision<S> {
        let (room, message) = self.message(&Target { room: pin.room.clone(), seq: pin.seq })?;
        if room.kind == RoomKind::Direct {
            self.writer(&room, Role::Member)?;
        } else {
            self.require(&room.id, Role::Admin)?;
        }
        if message.recalled {
            return stop(ErrorCode::Gone, "the message was recalled");
        }
        let there = self.state.pin(&room.id, pin.seq).map_err(Stop::Fault)?;
        if there.stands == pin.on {
            return Ok(self.without_event(&room, pin.seq));
        }
        if pin.on && there.count >= PINS_MAX {
            return stop(ErrorCode::TooLarge, "the room has too many pins");
        }
        let change = Change::Pin { room: room.id.clone(), seq: pin.seq, on: pin.on };
        Ok(self.about_message(room, pin.seq, What::Pin { seq: pin.seq, on: pin.on }, change))
    }

    fn too_late(&self, room: &Room, message: &MessageState) -> bool {
        let end = message.at.saturating_add(u64::from(room.policy.recall_s) * 1000);
        room.policy.recall_s > 0 && self.entry.at > end
    }

    /// A message that the actor is a member for and may see.
    pub(super) fn message(&self, target: &Target) -> Result<(Room, MessageState), Stop<S::Error>> {
        let room = self.room(&target.room)?;
        if !self.is_service() {
            self.membership(&room.id)?;
        }
        let message = self.visible(&room, target.seq)?;
        Ok((room, message))
    }

    /// A message there is, and that who may read the room sees.
    pub(super) fn visible(&self, room: &Room, seq: u64) -> Result<MessageState, Stop<S::Error>> {
        match self.state.message(&room.id, seq).map_err(Stop::Fault)? {
            Some(message) if seq > room.gone_seq && self.sees(room, seq)? => Ok(message),
            _ => stop(ErrorCode::NotFound, "there is no such message"),
        }
    }

    /// Whether who may read the room sees a message: one that is open to all of them, or of their stays.
    fn sees(&self, room: &Room, seq: u64) -> Result<bool, Stop<S::Error>> {
        let is_member = self.find_member(&room.id, self.actor())?.is_some();
        if self.is_service() || room.open_after(is_member).is_some_and(|after| seq > after) {
            return Ok(true);
        }
        self.state.was_there(&room.id, self.actor(), seq).map_err(Stop::Fault)
    }

    pub(super) fn about_message(&self, room: Room, seq: u64, what: What, change: Change) -> Applied {
        let mut applied = self.in_room(room, what, vec![change]);
        applied.reply.seq = Some(seq);
        applied
    }

    /// Nothing changes; the reply says how things stand, and have stood since the room's last event at least.
    pub(super) fn without_event(&self, room: &Room, seq: u64) -> Applied {
        let mut applied = self.already(room, room.head_pos);
        applied.reply.seq = Some(seq);
        applied
    }
}
