//! The fold's one step: state and entry to an [`Outcome`].
//!
//! ```text
//! entry ── known id? ──▶ same payload ▶ Repeated      other payload ▶ Rejected(conflict)
//!              │ no
//!              ▼
//!        by its command: messages · forms · marks · rooms · retention · members · invites · users
//!              ├─▶ against the rules ▶ Rejected
//!              └─▶ Applied { event?, changes, reply }
//! ```
//! Deciding comes first and reads only; the changes are a list that the store carries out as one.

mod forms;
mod invites;
mod marks;
mod members;
mod messages;
mod retention;
mod rooms;
mod users;

use wigeon_proto::command::Durable;
use wigeon_proto::cursor::Cursor;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::event::{Event, What};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::room::{Role, RoomKind};

use crate::entry::{Entry, Rights};
use crate::outcome::{Applied, Change, Ok, Outcome, RoomRef, rejection};
use crate::state::{Member, Room, State};

/// Applies `entry` at `here`, the position it stands at if it takes effect.
pub fn apply<S: State>(state: &S, here: Cursor, entry: &Entry) -> Result<Outcome, S::Error> {
    if remembers(&entry.command)
        && let Some(answered) = state.answered(&entry.actor, &entry.id)?
        && answered.until.is_none_or(|until| entry.at < until)
    {
        return Result::Ok(if answered.hash == entry.payload_hash() {
            Outcome::Repeated(answered.reply)
        } else {
            Outcome::Rejected(rejection(ErrorCode::Conflict, "this id was used for another command"))
        });
    }
    let step = Step { state, here, entry };
    let decided = match &entry.command {
        Durable::Send(send) => step.send(send),
        Durable::Edit(edit) => step.edit(edit),
        Durable::Recall(target) => step.recall(target),
        Durable::React(react) => step.react(react),
        Durable::Read(target) => step.read(target),
        Durable::Unread(target) => step.unread(target),
        Durable::Pin(pin) => step.pin(pin),
        Durable::RoomCreate(create) => step.room_create(create),
        Durable::RoomUpdate(update) => step.room_update(update),
        Durable::RoomRetain(retain) => step.room_retain(retain),
        Durable::RoomJoin(join) => step.room_join(join),
        Durable::RoomLeave(leave) => step.room_leave(leave),
        Durable::MemberAdd(add) => step.member_add(add),
        Durable::MemberRemove(remove) => step.member_remove(remove),
        Durable::MemberRole(role) => step.member_role(role),
        Durable::MemberBan(ban) => step.member_ban(ban),
        Durable::MemberUnban(unban) => step.member_unban(unban),
        Durable::MemberMute(mute) => step.member_mute(mute),
        Durable::InviteCreate(create) => step.invite_create(create),
        Durable::InviteAccept(accept) => step.invite_accept(accept),
        Durable::InviteRevoke(revoke) => step.invite_revoke(revoke),
        Durable::UserUpdate(update) => Result::Ok(step.user_update(update)),
        Durable::PrefsSet(set) => step.prefs_set(set),
        Durable::BlockSet(block) => step.block_set(block),
    };
    match decided {
        Result::Ok(applied) => Result::Ok(Outcome::Applied(applied)),
        Err(Stop::Rejected(error)) => Result::Ok(Outcome::Rejected(error)),
        Err(Stop::Fault(error)) => Err(error),
    }
}

/// Whether the reply is kept under the command's id. A read mark only ever rises: repeating it is
/// harmless, and keeping a reply for each would outweigh the messages. What has gone does not go again.
pub fn remembers(command: &Durable) -> bool {
    !matches!(command, Durable::Read(_) | Durable::RoomRetain(_))
}

/// Why a decision ended early.
enum Stop<E> {
    Rejected(WireError),
    Fault(E),
}

type Decision<S> = Result<Applied, Stop<<S as State>::Error>>;

fn stop<T, E>(code: ErrorCode, message: &str) -> Result<T, Stop<E>> {
    Err(Stop::Rejected(rejection(code, message)))
}

/// One entry being decided: what every rule needs.
struct Step<'a, S: State> {
    state: &'a S,
    here: Cursor,
    entry: &'a Entry,
}

impl<S: State> Step<'_, S> {
    fn actor(&self) -> &UserId {
        &self.entry.actor
    }

    fn is_service(&self) -> bool {
        self.entry.rights == Rights::Service
    }

    fn find_room(&self, id: &RoomId) -> Result<Option<Room>, Stop<S::Error>> {
        self.state.room(id).map_err(Stop::Fault)
    }

    fn find_member(&self, room: &RoomId, user: &UserId) -> Result<Option<Member>, Stop<S::Error>> {
        self.state.member(room, user).map_err(Stop::Fault)
    }

    /// The room, or `not_found`. A self audience is no room.
    fn room(&self, id: &RoomId) -> Result<Room, Stop<S::Error>> {
        match self.find_room(id)? {
            Some(room) if room.kind != RoomKind::Own => Result::Ok(room),
            _ => stop(ErrorCode::NotFound, "there is no such room"),
        }
    }

    /// The actor's membership, or `not_member`.
    fn membership(&self, room: &RoomId) -> Result<Member, Stop<S::Error>> {
        match self.find_member(room, self.actor())? {
            Some(member) => Result::Ok(member),
            None => stop(ErrorCode::NotMember, "you are not a member of this room"),
        }
    }

    /// Refuses an actor below `role`; services pass.
    fn require(&self, room: &RoomId, role: Role) -> Result<(), Stop<S::Error>> {
        if self.is_service() || self.membership(room)?.role >= role {
            return Result::Ok(());
        }
        stop(ErrorCode::Forbidden, "your role in this room does not allow it")
    }

    /// The membership by which the actor may write now; none for a service, who needs none.
    fn writer(&self, room: &Room, role: Role) -> Result<Option<Member>, Stop<S::Error>> {
        if self.is_service() {
            return Result::Ok(None);
        }
        let member = self.membership(&room.id)?;
        if member.role < role {
            return stop(ErrorCode::Forbidden, "readers do not write in this room");
        }
        if member.muted_until > self.entry.at {
            let error = rejection(ErrorCode::Forbidden, "you are muted in this room for a while");
            return Err(Stop::Rejected(error.retry_after(member.muted_until - self.entry.at)));
        }
        if room.kind == RoomKind::Direct {
            self.not_blocked(room)?;
        }
        Result::Ok(Some(member))
    }

    /// Refuses what a direct room's users do not want to hear of each other.
    fn not_blocked(&self, room: &Room) -> Result<(), Stop<S::Error>> {
        let Some((one, other)) = room.id.direct_users() else { return Result::Ok(()) };
        let other = if one == *self.actor() { other } else { one };
        let blocked = |by, whom| self.state.blocked(by, whom).map_err(Stop::Fault);
        if blocked(self.actor(), &other)?.stands {
            return stop(ErrorCode::Forbidden, "you have blocked this user");
        }
        if blocked(&other, self.actor())?.stands {
            return stop(ErrorCode::Forbidden, "this user takes no messages from you");
        }
        Result::Ok(())
    }

    fn event(&self, room: RoomId, what: What) -> Event {
        Event { room, from: self.actor().clone(), at: self.entry.at, private: false, what }
    }

    /// The room with its head at this entry.
    fn touched(&self, mut room: Room) -> Room {
        room.head_pos = self.here.position;
        room
    }

    fn ok(&self, room: Option<RoomRef>) -> Ok {
        Ok { room, ..Ok::at(self.here) }
    }

    /// The common case: an event in a room, the room's head moved, a reply that names the room.
    fn in_room(&self, room: Room, what: What, mut changes: Vec<Change>) -> Applied {
        let room = self.touched(room);
        let id = room.id.clone();
        changes.push(Change::Room(room));
        Applied { event: Some(self.event(id.clone(), what)), changes, reply: self.ok(Some(RoomRef::Id(id))) }
    }

    /// An event for the actor's own devices, about themself or about a room.
    fn to_self(&self, about: Option<RoomId>, what: What, changes: Vec<Change>) -> Applied {
        let room = about.unwrap_or_else(|| RoomId::own(self.actor()));
        let event = Event { private: true, ..self.event(room, what) };
        Applied { event: Some(event), changes, reply: self.ok(None) }
    }
}
