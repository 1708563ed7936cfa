//! Rules of rooms: create, update, join, leave.

use wigeon_proto::command::{OfRoom, RoomCreate, RoomUpdate};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::{MemberAction, RoomAction, What};
use wigeon_proto::id::UserId;
use wigeon_proto::room::{History, Join, Policy, Role, RoomKind};

use super::{Decision, Step, Stop, stop};
use crate::outcome::{Change, RoomRef};
use crate::state::{Room, State};

impl<S: State> Step<'_, S> {
    pub(super) fn room_create(&self, create: &RoomCreate) -> Decision<S> {
        let chosen = create.room.as_ref();
        if chosen.is_some_and(|id| !self.is_service() || !id.is_plain()) {
            return stop(ErrorCode::Forbidden, "only services choose a room's id");
        }
        let Some(id) = chosen.or(self.entry.new_room.as_ref()).cloned() else {
            return stop(ErrorCode::Internal, "the entry has no id for the room");
        };
        if self.find_room(&id)?.is_some() {
            return stop(ErrorCode::Conflict, "there is a room of this id");
        }
        let policy = Policy::of(create.kind).with(create.policy);
        let mut room = Room::new(id, create.kind, &create.title, policy);
        let creator = (!self.is_service()).then(|| self.actor());
        let mut users: Vec<UserId> = Vec::new();
        for user in creator.into_iter().chain(&create.members) {
            if !users.contains(user) {
                users.push(user.clone());
            }
        }
        let mut changes = Vec::new();
        for user in &users {
            let role = if user == self.actor() { Role::Owner } else { Role::Member };
            changes.push(Change::Joined(room.id.clone(), user.clone(), self.newcomer(&room, user, role)?));
        }
        room.user_count = users.len() as u64;
        let reply_room = RoomRef::from(&room);
        let mut applied = self.in_room(room.clone(), room_what(&room, RoomAction::Create, users), changes);
        applied.reply.room = Some(reply_room);
        Ok(applied)
    }

    pub(super) fn room_update(&self, update: &RoomUpdate) -> Decision<S> {
        let mut room = self.room(&update.room)?;
        self.require(&room.id, Role::Admin)?;
        if room.kind == RoomKind::Direct {
            return stop(ErrorCode::Forbidden, "a direct room has no title and no policy");
        }
        if let Some(title) = &update.title {
            room.title.clone_from(title);
        }
        let keeps = room.policy.retention_days;
        if update.policy.retention_days.is_some_and(|days| days != keeps) {
            // It takes away what others wrote, and not back.
            self.require(&room.id, Role::Owner)?;
        }
        let before = room.clone();
        room.policy = room.policy.with(update.policy);
        self.open_from_here(&before, &mut room);
        let reply_room = RoomRef::from(&room);
        let what = room_what(&room, RoomAction::Update, Vec::new());
        let mut applied = self.in_room(room, what, Vec::new());
        applied.reply.room = Some(reply_room);
        Ok(applied)
    }

    /// A policy that opens a room's history opens what is said from now on: who spoke before did so in
    /// confidence.
    fn open_from_here(&self, before: &Room, room: &mut Room) {
        if before.policy.history != History::Shared {
            room.shared_seq = room.head_seq;
        }
        if !before.is_public() {
            (room.public_seq, room.public_pos) = (room.head_seq, self.here.position - 1);
        }
    }

    pub(super) fn room_join(&self, join: &OfRoom) -> Decision<S> {
        let room = self.room(&join.room)?;
        if let Some(member) = self.find_member(&room.id, self.actor())? {
            return Ok(self.already(&room, member.joined_pos));
        }
        if room.policy.join != Join::Open {
            return stop(ErrorCode::Forbidden, "this room is by invitation");
        }
        let user = self.actor().clone();
        self.not_banned(&room, &user)?;
        self.joins(room, user, Vec::new())
    }

    /// The user comes by themself, and with it come other changes. Who could only read when they left can do no
    /// more for having left; others may give them another role.
    pub(super) fn joins(&self, mut room: Room, user: UserId, mut changes: Vec<Change>) -> Decision<S> {
        let was_reader = self.state.left_as_reader(&room.id, &user).map_err(Stop::Fault)?;
        let role = if was_reader { Role::Reader } else { Role::Member };
        changes.push(Change::Joined(room.id.clone(), user.clone(), self.newcomer(&room, &user, role)?));
        room.user_count += 1;
        Ok(self.in_room(room, What::member(MemberAction::Join, vec![user], Some(role)), changes))
    }

    pub(super) fn room_leave(&self, leave: &OfRoom) -> Decision<S> {
        let mut room = self.room(&leave.room)?;
        let member = self.membership(&room.id)?;
        if room.kind == RoomKind::Direct {
            return stop(ErrorCode::Forbidden, "nobody leaves a direct room");
        }
        if member.role == Role::Owner && room.user_count > 1 && self.owners(&room)? == 1 {
            return stop(ErrorCode::Forbidden, "the last owner appoints another one before leaving");
        }
        room.user_count -= 1;
        let user = self.actor().clone();
        let as_reader = member.role == Role::Reader;
        let change =
            Change::Left { room: room.id.clone(), user: user.clone(), seq: room.head_seq, as_reader };
        Ok(self.in_room(room, What::member(MemberAction::Leave, vec![user], None), vec![change]))
    }

    pub(super) fn owners(&self, room: &Room) -> Result<u64, Stop<S::Error>> {
        self.state.count_role(&room.id, Role::Owner).map_err(Stop::Fault)
    }

    /// A repeat under another id of what holds already: no event, the cursor of when it came to be.
    pub(super) fn already(&self, room: &Room, since: u64) -> crate::outcome::Applied {
        let mut reply = self.ok(Some(RoomRef::Id(room.id.clone())));
        reply.cursor = wigeon_proto::cursor::Cursor { position: since, ..self.here };
        crate::outcome::Applied { event: None, changes: Vec::new(), reply }
    }
}

fn room_what(room: &Room, action: RoomAction, users: Vec<UserId>) -> What {
    What::Room { action, kind: room.kind, title: room.title.clone(), policy: room.policy, users }
}
