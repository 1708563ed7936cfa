//! Rules of what members do to members: add, remove, ban, mute, appoint.

use wigeon_proto::command::{MemberAdd, MemberMute, MemberRole, OfMember};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::{MemberAction, What};
use wigeon_proto::id::UserId;
use wigeon_proto::room::{Role, RoomKind};

use super::{Decision, Step, Stop, stop};
use crate::outcome::Change;
use crate::state::{Member, Room, State};

impl<S: State> Step<'_, S> {
    pub(super) fn member_add(&self, add: &MemberAdd) -> Decision<S> {
        let mut room = self.room(&add.room)?;
        self.require(&room.id, Role::Admin)?;
        Self::not_direct(&room)?;
        let role = add.role.unwrap_or(Role::Member);
        self.may_give(&room, role)?;
        let mut users = Vec::new();
        for user in add.everyone() {
            if self.find_member(&room.id, &user)?.is_none() {
                users.push(user);
            }
        }
        if users.is_empty() {
            return Ok(self.already(&room, room.head_pos));
        }
        let mut changes = Vec::new();
        for user in &users {
            self.not_banned(&room, user)?;
            changes.push(Change::Joined(room.id.clone(), user.clone(), self.newcomer(&room, user, role)?));
        }
        room.user_count += users.len() as u64;
        Ok(self.in_room(room, What::member(MemberAction::Add, users, Some(role)), changes))
    }

    pub(super) fn member_remove(&self, remove: &OfMember) -> Decision<S> {
        let room = self.room(&remove.room)?;
        self.require(&room.id, Role::Admin)?;
        Self::not_direct(&room)?;
        let member = self.target(&room, &remove.user)?;
        self.outranks(&room, &member)?;
        let (room, change) = self.without(room, &remove.user, &member)?;
        let what = What::member(MemberAction::Remove, vec![remove.user.clone()], None);
        Ok(self.in_room(room, what, vec![change]))
    }

    /// Ends a membership, if there is one, and keeps the user from beginning another.
    pub(super) fn member_ban(&self, ban: &OfMember) -> Decision<S> {
        let mut room = self.room(&ban.room)?;
        self.require(&room.id, Role::Admin)?;
        Self::not_direct(&room)?;
        self.not_oneself(&ban.user)?;
        if self.state.banned(&room.id, &ban.user).map_err(Stop::Fault)? {
            return Ok(self.already(&room, room.head_pos));
        }
        let (by, at) = (self.actor().clone(), self.entry.at);
        let mut changes = vec![Change::Banned { room: room.id.clone(), user: ban.user.clone(), by, at }];
        if let Some(member) = self.find_member(&room.id, &ban.user)? {
            self.outranks(&room, &member)?;
            let change;
            (room, change) = self.without(room, &ban.user, &member)?;
            changes.push(change);
        }
        Ok(self.in_room(room, What::member(MemberAction::Ban, vec![ban.user.clone()], None), changes))
    }

    pub(super) fn member_unban(&self, unban: &OfMember) -> Decision<S> {
        let room = self.room(&unban.room)?;
        self.require(&room.id, Role::Admin)?;
        if !self.state.banned(&room.id, &unban.user).map_err(Stop::Fault)? {
            return Ok(self.already(&room, room.head_pos));
        }
        let changes = vec![Change::Unbanned(room.id.clone(), unban.user.clone())];
        Ok(self.in_room(room, What::member(MemberAction::Unban, vec![unban.user.clone()], None), changes))
    }

    pub(super) fn member_mute(&self, mute: &MemberMute) -> Decision<S> {
        let room = self.room(&mute.room)?;
        self.require(&room.id, Role::Admin)?;
        Self::not_direct(&room)?;
        self.not_oneself(&mute.user)?;
        let member = self.target(&room, &mute.user)?;
        self.outranks(&room, &member)?;
        let until = if mute.until > self.entry.at { mute.until } else { 0 };
        if member.muted_until == until {
            return Ok(self.already(&room, room.head_pos));
        }
        let user = mute.user.clone();
        let changes = vec![
            Change::Muted(room.id.clone(), user.clone(), until),
            Change::Member(room.id.clone(), user.clone(), Member { muted_until: until, ..member }),
        ];
        let (users, user) = (vec![user.clone()], Some(user));
        let what = What::Member { action: MemberAction::Mute, users, user, role: None, until: Some(until) };
        Ok(self.in_room(room, what, changes))
    }

    pub(super) fn member_role(&self, change: &MemberRole) -> Decision<S> {
        let room = self.room(&change.room)?;
        self.require(&room.id, Role::Admin)?;
        Self::not_direct(&room)?;
        let member = self.target(&room, &change.user)?;
        self.outranks(&room, &member)?;
        self.may_give(&room, change.role)?;
        if member.role == Role::Owner && change.role != Role::Owner && self.owners(&room)? == 1 {
            return stop(ErrorCode::Forbidden, "a room keeps at least one owner");
        }
        let user = change.user.clone();
        let member = Member { role: change.role, ..member };
        let changes = vec![Change::Member(room.id.clone(), user.clone(), member)];
        Ok(self.in_room(room, What::member(MemberAction::Role, vec![user], Some(change.role)), changes))
    }

    /// The room without one of its members; its last owner stays.
    fn without(
        &self,
        mut room: Room,
        user: &UserId,
        member: &Member,
    ) -> Result<(Room, Change), Stop<S::Error>> {
        if member.role == Role::Owner && self.owners(&room)? == 1 {
            return stop(ErrorCode::Forbidden, "a room keeps at least one owner");
        }
        room.user_count -= 1;
        let as_reader = member.role == Role::Reader;
        let change =
            Change::Left { room: room.id.clone(), user: user.clone(), seq: room.head_seq, as_reader };
        Ok((room, change))
    }

    pub(super) fn not_banned(&self, room: &Room, user: &UserId) -> Result<(), Stop<S::Error>> {
        if !self.state.banned(&room.id, user).map_err(Stop::Fault)? {
            return Ok(());
        }
        let message = if user == self.actor() {
            "you are banned from this room"
        } else {
            "one of these users is banned from this room: unban them first"
        };
        stop(ErrorCode::Forbidden, message)
    }

    fn not_oneself(&self, user: &UserId) -> Result<(), Stop<S::Error>> {
        if user == self.actor() {
            return stop(ErrorCode::Forbidden, "nobody does this to themself");
        }
        Ok(())
    }

    pub(super) fn not_direct(room: &Room) -> Result<(), Stop<S::Error>> {
        if room.kind == RoomKind::Direct {
            return stop(ErrorCode::Forbidden, "a direct room is for its two users");
        }
        Ok(())
    }

    fn target(&self, room: &Room, user: &UserId) -> Result<Member, Stop<S::Error>> {
        match self.find_member(&room.id, user)? {
            Some(member) => Ok(member),
            None => stop(ErrorCode::NotFound, "that user is not a member"),
        }
    }

    /// Admins act on those below them; owners on everybody.
    fn outranks(&self, room: &Room, member: &Member) -> Result<(), Stop<S::Error>> {
        if self.is_service() {
            return Ok(());
        }
        let own = self.membership(&room.id)?.role;
        if own == Role::Owner || own > member.role {
            return Ok(());
        }
        stop(ErrorCode::Forbidden, "that member's role is not below yours")
    }

    /// Nobody gives a role above their own.
    fn may_give(&self, room: &Room, role: Role) -> Result<(), Stop<S::Error>> {
        if self.is_service() || self.membership(&room.id)?.role >= role {
            return Ok(());
        }
        stop(ErrorCode::Forbidden, "that role is above yours")
    }
}
