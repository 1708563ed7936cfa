//! What those who keep a room ask: its bans, its invitations. And where an invitation leads.

use rusqlite::params;
use wigeon_core::state::{Member, Room};
use wigeon_proto::command;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::LIST_MAX;
use wigeon_proto::reply;
use wigeon_proto::room::Role;

use super::{Asker, QueryError, View};
use crate::rows::{find_member, find_room};
use crate::{facts, stored};

impl View<'_> {
    /// Answers `ban.list`.
    pub fn ban_list(&self, asker: &Asker, query: &command::MemberList) -> Result<reply::BanList, QueryError> {
        let (n, ..) = self.kept_room(asker, &query.room)?;
        let limit = query.limit.unwrap_or(LIST_MAX).clamp(1, LIST_MAX);
        let mut statement = self.db.prepare_cached(
            "SELECT ban.user, coalesce(user.name, ban.user), ban.by, ban.at
             FROM ban LEFT JOIN user ON user.id = ban.user
             WHERE ban.room = ?1 AND ban.user > ?2 ORDER BY ban.user LIMIT ?3",
        )?;
        let mut rows = statement.query(params![n, query.after.as_deref().unwrap_or(""), limit + 1])?;
        let mut users = Vec::new();
        while let Some(row) = rows.next()? {
            users.push(reply::Banned {
                id: stored(UserId::parse(&row.get::<_, String>(0)?))?,
                name: row.get(1)?,
                by: stored(UserId::parse(&row.get::<_, String>(2)?))?,
                at: row.get(3)?,
            });
        }
        let more = users.len() > limit;
        users.truncate(limit);
        let next = users.last().filter(|_| more).map(|user| user.id.as_str().to_owned());
        Ok(reply::BanList { users, next })
    }

    /// Answers `invite.list`: those that are good now.
    pub fn invite_list(
        &self,
        asker: &Asker,
        query: &command::OfRoom,
        now_ms: u64,
    ) -> Result<reply::InviteList, QueryError> {
        self.kept_room(asker, &query.room)?;
        Ok(reply::InviteList { invites: facts::invites(&self.db, &query.room, now_ms)? })
    }

    /// Answers `invite.get`. Whoever has the code may know where it leads.
    pub fn invite_get(
        &self,
        asker: &Asker,
        query: &command::OfInvite,
        now_ms: u64,
    ) -> Result<reply::InviteGet, QueryError> {
        let unknown = || WireError::new(ErrorCode::NotFound, "there is no such invitation");
        let invite = facts::invite(&self.db, &query.code)?.ok_or_else(unknown)?;
        let (n, room) = find_room(&self.db, &invite.room)?.ok_or_else(unknown)?;
        let joined = find_member(&self.db, n, &asker.user)?.is_some();
        if !joined && !invite.is_good(now_ms) {
            return Err(WireError::new(ErrorCode::Gone, "the invitation is over").into());
        }
        let Room { id, kind, title, user_count, .. } = room;
        Ok(reply::InviteGet { room: reply::Listed { id, kind, title, users: user_count, joined } })
    }

    /// A room the asker keeps: an admin of it, or a service.
    fn kept_room(&self, asker: &Asker, id: &RoomId) -> Result<(i64, Room, Option<Member>), QueryError> {
        let found = self.room(asker, id)?;
        if asker.service || found.2.is_some_and(|member| member.role >= Role::Admin) {
            return Ok(found);
        }
        Err(WireError::new(ErrorCode::Forbidden, "your role in this room does not allow it").into())
    }
}
