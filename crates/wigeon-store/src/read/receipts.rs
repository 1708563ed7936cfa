//! `receipts.get`: who has read a message, from the marks of its room's members.
//!
//! Computed when somebody asks, never kept: a row for each message and member outgrows the messages
//! themselves. It looks at each member, so it is off in the largest rooms.

use rusqlite::params;
use wigeon_proto::command;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::id::UserId;
use wigeon_proto::limits::{READ_EVENT_USERS_MAX, RECEIPTS_SHOWN_MAX, RECEIPTS_USERS_MAX};
use wigeon_proto::reply::{Profile, Readers, Receipts, ReceiptsState};

use super::{Asker, QueryError, View};
use crate::stored;

/// Where a message stands, and the members it is for.
#[derive(Debug)]
pub struct Reach {
    /// Its position.
    pub position: u64,
    /// All of them but its sender, and whether they have read it.
    pub users: Vec<(Profile, bool)>,
}

impl View<'_> {
    /// Answers `receipts.get`. Its sender is no reader of a message, nor are those who read in private.
    pub fn receipts(
        &self,
        asker: &Asker,
        query: &command::Target,
    ) -> Result<(Receipts, Option<Reach>), QueryError> {
        let (n, room, member) = self.room(asker, &query.room)?;
        if member.is_none() && !asker.service {
            return Err(WireError::new(ErrorCode::NotMember, "you are not a member of this room").into());
        }
        let visible = self.visible(asker, n, &room, member.as_ref())?;
        if !visible.iter().any(|(after, to)| *after < query.seq && query.seq <= *to) {
            return Err(WireError::new(ErrorCode::NotFound, "there is no such message").into());
        }
        let (seq, read) = (query.seq, Readers::default());
        let mut receipts =
            Receipts { room: room.id.clone(), seq, state: ReceiptsState::On, read, delivered: None };
        if room.user_count > RECEIPTS_USERS_MAX {
            receipts.state = ReceiptsState::Off;
            return Ok((receipts, None));
        }
        let mut statement = self.db.prepare_cached(
            "SELECT member.user, coalesce(user.name, member.user), count(*) OVER ()
             FROM member LEFT JOIN user ON user.id = member.user
             WHERE member.room = ?1 AND member.told_seq >= ?2 AND member.joined_seq < ?2 AND member.user <>
               (SELECT '{' || CAST(tail AS TEXT) ->> '$.from' FROM event WHERE room = ?1 AND seq = ?2)
             ORDER BY member.user LIMIT ?3",
        )?;
        let mut rows = statement.query(params![n, seq, RECEIPTS_SHOWN_MAX])?;
        while let Some(row) = rows.next()? {
            let id = stored(UserId::parse(&row.get::<_, String>(0)?))?;
            receipts.read.users.push(Profile { id, name: row.get(1)? });
            receipts.read.count = row.get(2)?;
        }
        let small = room.user_count <= READ_EVENT_USERS_MAX;
        let reach = small.then(|| self.reach(n, seq)).transpose()?;
        Ok((receipts, reach))
    }

    /// Whom a message of a small room is for.
    fn reach(&self, n: i64, seq: u64) -> Result<Reach, QueryError> {
        let mut statement = self.db.prepare_cached(
            "SELECT event.pos, member.user, coalesce(user.name, member.user), member.told_seq >= ?2 FROM event
             JOIN member ON member.room = event.room LEFT JOIN user ON user.id = member.user
             WHERE event.room = ?1 AND event.seq = ?2 AND member.joined_seq < ?2
               AND member.user <> '{' || CAST(event.tail AS TEXT) ->> '$.from'
             ORDER BY member.user",
        )?;
        let mut rows = statement.query(params![n, seq])?;
        let mut reach = Reach { position: 0, users: Vec::new() };
        while let Some(row) = rows.next()? {
            reach.position = row.get(0)?;
            let id = stored(UserId::parse(&row.get::<_, String>(1)?))?;
            reach.users.push((Profile { id, name: row.get(2)? }, row.get(3)?));
        }
        Ok(reach)
    }
}
