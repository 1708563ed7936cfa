//! Rules of invitations: a code that makes whoever knows it a member.
//!
//! The code is drawn when the command is admitted and stands in the entry. Whoever keeps a room sees and
//! revokes its codes; a code outlives its maker's membership, or links would die with a change of admin.

use wigeon_proto::command::{InviteCreate, OfInvite};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::limits::INVITES_MAX;
use wigeon_proto::reply::Invite;
use wigeon_proto::room::Role;

use super::{Decision, Step, Stop, stop};
use crate::outcome::{Applied, Change, RoomRef};
use crate::state::State;

impl<S: State> Step<'_, S> {
    pub(super) fn invite_create(&self, create: &InviteCreate) -> Decision<S> {
        let room = self.room(&create.room)?;
        self.require(&room.id, Role::Admin)?;
        Self::not_direct(&room)?;
        let Some(code) = self.entry.new_code.clone() else {
            return stop(ErrorCode::Internal, "the entry has no code for the invitation");
        };
        let at = self.entry.at;
        if self.state.invites(&room.id, at).map_err(Stop::Fault)? >= INVITES_MAX {
            return stop(ErrorCode::TooLarge, "the room has too many invitations: revoke some");
        }
        let invite = Invite {
            code,
            room: room.id.clone(),
            by: self.actor().clone(),
            at,
            uses_left: create.uses,
            expires_at: create.expires_in.map(|seconds| at.saturating_add(seconds * 1000)),
        };
        let mut applied = self.silently(Change::Invite(invite.clone()));
        applied.reply.room = Some(RoomRef::Id(room.id));
        applied.reply.invite = Some(invite);
        Ok(applied)
    }

    pub(super) fn invite_accept(&self, accept: &OfInvite) -> Decision<S> {
        let invite = self.invite(accept)?;
        let room = self.room(&invite.room)?;
        if let Some(member) = self.find_member(&room.id, self.actor())? {
            return Ok(self.already(&room, member.joined_pos));
        }
        if !invite.is_good(self.entry.at) {
            return stop(ErrorCode::Gone, "the invitation is over");
        }
        let user = self.actor().clone();
        self.not_banned(&room, &user)?;
        let mut changes = Vec::new();
        if let Some(uses) = invite.uses_left {
            changes.push(Change::Invite(Invite { uses_left: Some(uses - 1), ..invite }));
        }
        self.joins(room, user, changes)
    }

    pub(super) fn invite_revoke(&self, revoke: &OfInvite) -> Decision<S> {
        let invite = self.invite(revoke)?;
        let room = self.room(&invite.room)?;
        if invite.by != *self.actor() {
            self.require(&room.id, Role::Admin)?;
        }
        let mut applied = self.silently(Change::Invite(Invite { uses_left: Some(0), ..invite }));
        applied.reply.room = Some(RoomRef::Id(room.id));
        Ok(applied)
    }

    fn invite(&self, named: &OfInvite) -> Result<Invite, Stop<S::Error>> {
        match self.state.invite(&named.code).map_err(Stop::Fault)? {
            Some(invite) => Ok(invite),
            None => stop(ErrorCode::NotFound, "there is no such invitation"),
        }
    }

    /// A change nobody is told of: codes are secrets, and those who keep the room ask for them.
    fn silently(&self, change: Change) -> Applied {
        Applied { event: None, changes: vec![change], reply: self.ok(None) }
    }
}
