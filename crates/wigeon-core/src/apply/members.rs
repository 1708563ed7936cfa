//! Rules of membership by others: add, remove, role.

use wigeon_proto::command::{MemberAdd, MemberRole, OfMember};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::MemberAction;
use wigeon_proto::id::UserId;
use wigeon_proto::room::{Role, RoomKind};

use super::rooms::member_what;
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
        let newcomer = self.newcomer(&room, role);
        let joined = |user: &UserId| Change::Joined(room.id.clone(), user.clone(), newcomer);
        let changes = users.iter().map(joined).collect();
        room.user_count += users.len() as u64;
        Ok(self.in_room(room, member_what(MemberAction::Add, users, Some(role)), changes))
    }

    pub(super) fn member_remove(&self, remove: &OfMember) -> Decision<S> {
        let mut room = self.room(&remove.room)?;
        self.require(&room.id, Role::Admin)?;
        Self::not_direct(&room)?;
        let member = self.target(&room, &remove.user)?;
        self.outranks(&room, &member)?;
        if member.role == Role::Owner && self.owners(&room)? == 1 {
            return stop(ErrorCode::Forbidden, "a room keeps at least one owner");
        }
        room.user_count -= 1;
        let user = remove.user.clone();
        let change = Change::Left { room: room.id.clone(), user: user.clone(), seq: room.head_seq };
        Ok(self.in_room(room, member_what(MemberAction::Remove, vec![user], None), vec![change]))
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
        Ok(self.in_room(room, member_what(MemberAction::Role, vec![user], Some(change.role)), changes))
    }

    fn not_direct(room: &Room) -> Result<(), Stop<S::Error>> {
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
