//! Rules of users: their profile, their settings, whom they block.

use serde_json::Value;
use wigeon_proto::command::{BlockSet, PrefsSet, UserUpdate};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::What;
use wigeon_proto::id::RoomId;
use wigeon_proto::limits::{BLOCKED_MAX, PREFS_BYTES_MAX};

use super::{Decision, Step, Stop, stop};
use crate::outcome::{Applied, Change, UserRef};
use crate::state::{Member, State};

impl<S: State> Step<'_, S> {
    pub(super) fn user_update(&self, update: &UserUpdate) -> Applied {
        let (user, name) = (self.actor().clone(), update.name.clone());
        let mut applied = self.to_self(
            None,
            What::User { user: user.clone(), name: name.clone() },
            vec![Change::User(user.clone(), name.clone())],
        );
        applied.reply.user = Some(UserRef { id: user, name });
        applied
    }

    /// What is named replaces what there was, so that two devices do not undo each other's settings.
    pub(super) fn prefs_set(&self, set: &PrefsSet) -> Decision<S> {
        let mut changes = Vec::new();
        let mut named = set.prefs.clone();
        if let Some(id) = &set.room {
            let member = self.find_member(id, self.actor())?;
            if member.is_none() && !self.is_own_direct(id) {
                return stop(ErrorCode::NotMember, "you are not a member of this room");
            }
            if let (Some(hide), Some(member)) = (named.get("hide").and_then(Value::as_u64), member) {
                let seq = hide.min(self.room(id)?.head_seq);
                named.insert("hide".into(), seq.into());
                let marked = Member { read_seq: member.read_seq.max(seq), ..member };
                changes.push(Change::Member(id.clone(), self.actor().clone(), marked));
            }
        }
        let mut prefs = self.state.prefs(self.actor(), set.room.as_ref()).map_err(Stop::Fault)?;
        for (key, value) in named {
            if value.is_null() {
                prefs.remove(&key);
            } else {
                prefs.insert(key, value);
            }
        }
        let json = serde_json::to_string(&prefs).expect("a map of JSON is JSON");
        if json.len() > PREFS_BYTES_MAX {
            return stop(ErrorCode::TooLarge, "the settings together are too many bytes");
        }
        changes.push(Change::Prefs(self.actor().clone(), set.room.clone(), json));
        Ok(self.to_self(None, What::Prefs { about: set.room.clone(), prefs }, changes))
    }

    /// A direct room of the actor's, also one that has no message yet: its draft is kept all the same.
    fn is_own_direct(&self, room: &RoomId) -> bool {
        room.direct_users().is_some_and(|(one, other)| one == *self.actor() || other == *self.actor())
    }

    pub(super) fn block_set(&self, block: &BlockSet) -> Decision<S> {
        if block.user == *self.actor() {
            return stop(ErrorCode::BadRequest, "nobody blocks themself");
        }
        let there = self.state.blocked(self.actor(), &block.user).map_err(Stop::Fault)?;
        if there.stands == block.on {
            return Ok(Applied { event: None, changes: Vec::new(), reply: self.ok(None) });
        }
        if block.on && there.count >= BLOCKED_MAX {
            return stop(ErrorCode::TooLarge, "you have blocked too many users");
        }
        let (user, other, on) = (self.actor().clone(), block.user.clone(), block.on);
        let what = What::Block { user: other.clone(), on };
        Ok(self.to_self(None, what, vec![Change::Blocked { user, other, on }]))
    }
}
