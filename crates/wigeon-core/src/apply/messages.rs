//! Rules of new messages: where they go, who may send them, whom they mention, what they pass on.

use wigeon_proto::command::{Body, Send, Target};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::{Forwarded, What};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::room::{Policy, Role, RoomKind};

use super::{Decision, Step, Stop, stop};
use crate::outcome::{Change, rejection};
use crate::state::{Member, Room, State};

impl<S: State> Step<'_, S> {
    pub(super) fn send(&self, send: &Send) -> Decision<S> {
        let (mut room, mut changes) = self.destination(send)?;
        let seq = room.head_seq + 1;
        let earlier = |target: Option<u64>| target.is_none_or(|target| (1..seq).contains(&target));
        if !earlier(send.reply_to) || !earlier(send.thread) {
            return stop(ErrorCode::BadRequest, "`reply_to` or `thread` is no message of this room");
        }
        if send.mention_all {
            self.may_mention_all(&room, &changes)?;
            changes.push(Change::MentionAll(room.id.clone(), seq));
        }
        let (body, forwarded) = self.content(send, &room)?;
        self.mark_own(&room, seq, &mut changes)?;
        let mentions = self.mentions(&room, send, &changes)?;
        changes.extend(mentions.iter().map(|user| Change::Mention(room.id.clone(), seq, user.clone())));
        room.head_seq = seq;
        let what = What::Message {
            seq,
            id: self.entry.id.clone(),
            body,
            reply_to: send.reply_to,
            thread: send.thread,
            mentions,
            mention_all: send.mention_all,
            forwarded,
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
            return Ok((Room::new(id.clone(), RoomKind::Channel, id.as_str(), policy), Vec::new()));
        }
        stop(ErrorCode::NotFound, "there is no such room")
    }

    fn may_send(&self, room: &Room) -> Result<(), Stop<S::Error>> {
        let Some(member) = self.writer(room, Role::Member)? else { return Ok(()) };
        let again_at = member.sent_at.saturating_add(u64::from(room.policy.slow_s) * 1000);
        if room.policy.slow_s > 0 && again_at > self.entry.at && member.role < Role::Admin {
            let error = rejection(ErrorCode::RateLimited, "this room is in slow mode");
            return Err(Stop::Rejected(error.retry_after(again_at - self.entry.at)));
        }
        Ok(())
    }

    /// The room's policy says from which role on. A room that comes into being with the message asks nobody.
    fn may_mention_all(&self, room: &Room, changes: &[Change]) -> Result<(), Stop<S::Error>> {
        let new = changes.iter().any(|change| matches!(change, Change::Joined(..)));
        if new || self.is_service() || self.membership(&room.id)?.role >= room.policy.mention_all {
            return Ok(());
        }
        stop(ErrorCode::Forbidden, "your role in this room does not mention everybody")
    }

    /// What the message says, and whose words those are if they come from another one.
    fn content(&self, send: &Send, room: &Room) -> Result<(Body, Option<Forwarded>), Stop<S::Error>> {
        match (&send.body, &send.forward) {
            (Some(body), _) => Ok((body.clone(), None)),
            (None, Some(source)) => self.forwarded(source, room),
            (None, None) => stop(ErrorCode::BadRequest, "`send` has either `body` or `forward`"),
        }
    }

    /// The source's present text, noted in the entry when it was first applied. A message that was itself sent on keeps its first author.
    fn forwarded(&self, source: &Target, to: &Room) -> Result<(Body, Option<Forwarded>), Stop<S::Error>> {
        let from_room = self.room(&source.room)?;
        if !self.is_service() && !from_room.is_public() {
            self.membership(&from_room.id)?;
        }
        let message = self.visible(&from_room, source.seq)?;
        if message.recalled {
            return stop(ErrorCode::Gone, "the message was recalled");
        }
        let text = match &self.entry.passed {
            Some(text) => Some(text.clone()),
            None => self.state.text(&from_room.id, source.seq).map_err(Stop::Fault)?,
        };
        let Some(text) = text else {
            return stop(ErrorCode::NotFound, "there is no such message");
        };
        let tells_place = from_room.kind != RoomKind::Direct || from_room.id == to.id;
        let first = Forwarded {
            from: message.from,
            room: tells_place.then(|| from_room.id.clone()),
            seq: tells_place.then_some(source.seq),
        };
        Ok((Body { text }, Some(message.forwarded.unwrap_or(first))))
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
        let mut room = Room::new(id, RoomKind::Direct, "", Policy::of(RoomKind::Direct));
        let mut users = vec![one];
        if other != users[0] {
            users.push(other);
        }
        room.user_count = users.len() as u64;
        self.not_blocked(&room)?;
        let mut changes = Vec::new();
        for user in users {
            let newcomer = self.newcomer(&room, &user, Role::Member)?;
            changes.push(Change::Joined(room.id.clone(), user, newcomer));
        }
        Ok((room, changes))
    }

    /// Someone who becomes a member of `room` at this entry. Leaving and coming again neither ends a mute nor
    /// shortens the wait of slow mode.
    pub(super) fn newcomer(&self, room: &Room, user: &UserId, role: Role) -> Result<Member, Stop<S::Error>> {
        Ok(Member {
            role,
            joined_pos: self.here.position,
            joined_seq: room.head_seq,
            read_seq: 0,
            own_seq: 0,
            told_seq: 0,
            sent_at: if room.policy.slow_s > 0 { self.entry.at } else { 0 },
            muted_until: self.state.muted_until(&room.id, user).map_err(Stop::Fault)?,
        })
    }

    /// The sender's own message counts as read for them.
    fn mark_own(&self, room: &Room, seq: u64, changes: &mut Vec<Change>) -> Result<(), Stop<S::Error>> {
        for change in changes.iter_mut() {
            if let Change::Joined(_, user, member) = change
                && user == self.actor()
            {
                *member = self.after_sending(*member, seq);
                return Ok(());
            }
        }
        if let Some(member) = self.find_member(&room.id, self.actor())? {
            let member = self.after_sending(member, seq);
            changes.push(Change::Member(room.id.clone(), self.actor().clone(), member));
        }
        Ok(())
    }

    /// Who writes shows that they were there: their mark is no secret up to their own message.
    fn after_sending(&self, member: Member, seq: u64) -> Member {
        Member { own_seq: seq, told_seq: seq, sent_at: self.entry.at, ..member }
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
}
