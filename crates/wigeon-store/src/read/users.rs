//! Users: `user.get`, `user.search`, and whom somebody has blocked.

use rusqlite::{OptionalExtension, params};
use wigeon_proto::command;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::{LIST_MAX, NAME_BYTES_MAX};
use wigeon_proto::reply::{Profile, UserPage, Users};

use super::{Asker, QueryError, View};
use crate::{Fault, stored};

impl View<'_> {
    /// Answers `user.get`. Naming a user nobody has seen yet is allowed: the name is then the id.
    pub fn user_get(&self, query: &command::UserGet) -> Result<Users, QueryError> {
        let asked: Vec<&UserId> = query.user.iter().chain(&query.users).collect();
        if asked.is_empty() || asked.len() > LIST_MAX {
            return Err(WireError::new(ErrorCode::BadRequest, format!("name 1 to {LIST_MAX} users")).into());
        }
        let profile = |id: &UserId| Ok(Profile { id: id.clone(), name: self.name_of(id)? });
        Ok(Users { users: asked.into_iter().map(profile).collect::<Result<_, QueryError>>()? })
    }

    /// The rooms of a user and how many members each has, the smallest first.
    pub fn rooms_by_size(&self, user: &UserId, limit: usize) -> Result<Vec<(RoomId, u64)>, QueryError> {
        let mut statement = self.db.prepare_cached(
            "SELECT room.id, room.users FROM member JOIN room ON room.n = member.room
             WHERE member.user = ?1 ORDER BY room.users LIMIT ?2",
        )?;
        let rows = statement.query_map(params![user.as_str(), limit], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?))
        })?;
        let mut rooms = Vec::new();
        for row in rows {
            let (id, users) = row?;
            rooms.push((stored(RoomId::parse(&id))?, users));
        }
        Ok(rooms)
    }

    /// The display name a user has chosen.
    pub fn name(&self, user: &UserId) -> Result<Option<String>, QueryError> {
        let mut statement = self.db.prepare_cached("SELECT name FROM user WHERE id = ?1")?;
        Ok(statement.query_row([user.as_str()], |row| row.get(0)).optional()?)
    }

    /// Answers `user.search`: users whose name or id begins with the text, whatever its case.
    pub fn user_search(&self, query: &command::UserSearch) -> Result<Users, QueryError> {
        let text = query.q.trim().to_lowercase();
        if text.is_empty() || text.len() > NAME_BYTES_MAX {
            return Err(WireError::new(ErrorCode::BadRequest, "`q` is empty or too long").into());
        }
        let limit = query.limit.unwrap_or(20).clamp(1, LIST_MAX);
        let end = format!("{text}\u{10ffff}");
        let mut statement = self.db.prepare_cached(
            "SELECT id, name FROM user WHERE folded >= ?1 AND folded < ?2
             UNION SELECT id, name FROM user WHERE id >= ?1 AND id < ?2 ORDER BY name LIMIT ?3",
        )?;
        let rows = statement.query_map(params![text, end, limit], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let mut users = Vec::new();
        for row in rows {
            let (id, name) = row?;
            users.push(Profile { id: stored(UserId::parse(&id))?, name });
        }
        Ok(Users { users })
    }

    /// Answers `block.list`.
    pub fn block_list(&self, asker: &Asker, page: &command::Page) -> Result<UserPage, QueryError> {
        let limit = page.limit.unwrap_or(LIST_MAX).clamp(1, LIST_MAX);
        let mut ids = self.blocked_by(&asker.user, page.after.as_deref().unwrap_or(""), limit + 1)?;
        let more = ids.len() > limit;
        ids.truncate(limit);
        let next = ids.last().filter(|_| more).map(|id| id.as_str().to_owned());
        let profile = |id: UserId| Ok(Profile { name: self.name_of(&id)?, id });
        Ok(UserPage { users: ids.into_iter().map(profile).collect::<Result<_, QueryError>>()?, next })
    }

    /// Whom a user has blocked, by id.
    pub(super) fn blocked_by(&self, user: &UserId, after: &str, limit: usize) -> Result<Vec<UserId>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT other FROM block WHERE user = ?1 AND other > ?2 ORDER BY other LIMIT ?3",
        )?;
        let rows =
            statement.query_map(params![user.as_str(), after, limit], |row| row.get::<_, String>(0))?;
        rows.map(|id| stored(UserId::parse(&id?))).collect()
    }

    /// Those of the users whom the asker shares a room with, unless one of the two has blocked the other.
    pub fn acquainted(&self, asker: &UserId, users: Vec<UserId>) -> Result<Vec<UserId>, QueryError> {
        let mut statement = self.db.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM member AS theirs JOIN member AS own ON own.room = theirs.room AND own.user = ?1
                            WHERE theirs.user = ?2)
               AND NOT EXISTS (SELECT 1 FROM block WHERE user = ?1 AND other = ?2 OR user = ?2 AND other = ?1)",
        )?;
        let mut known = Vec::new();
        for user in users {
            if statement.query_row([asker.as_str(), user.as_str()], |row| row.get(0))? {
                known.push(user);
            }
        }
        Ok(known)
    }
}
