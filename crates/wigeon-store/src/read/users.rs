//! Users: `user.get` and `user.search`.

use rusqlite::{OptionalExtension, params};
use wigeon_proto::command;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::id::UserId;
use wigeon_proto::limits::{LIST_MAX, NAME_BYTES_MAX};
use wigeon_proto::reply::{Profile, Users};

use super::{QueryError, View};
use crate::stored;

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
}
