//! Rooms as their members see them: `snapshot`, `room.get`, `room.list`, `member.list`.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};
use wigeon_core::state::{Member, Room};
use wigeon_proto::command;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::{BLOCKED_MAX, LIST_MAX, ROOM_USERS_SHOWN_MAX, SNAPSHOT_ROOMS_MAX};
use wigeon_proto::reply;

use super::{Asker, QueryError, View};
use crate::rows::{
    MEMBER_COLUMNS, ROOM_COLUMNS, find_member, find_room, member_columns, member_of, role_of, room_columns,
    room_of,
};
use crate::{Fault, facts, stored};

/// How much of a room a user has not read.
#[derive(Debug)]
pub struct Unread {
    /// Which room.
    pub room: RoomId,
    /// Its newest message.
    pub head: u64,
    /// Messages that count.
    pub unread: u64,
    /// Those among them that mention the user.
    pub mentions: u64,
}

/// The names of users that an answer has shown already: in one's rooms one meets the same people.
#[derive(Default)]
struct Names(HashMap<String, (UserId, String)>);

impl Names {
    /// A stored user's id and display name; the id where none was chosen.
    fn of(&mut self, db: &Connection, id: &str) -> Result<(UserId, String), Fault> {
        if let Some(known) = self.0.get(id) {
            return Ok(known.clone());
        }
        let mut statement = db.prepare_cached("SELECT name FROM user WHERE id = ?1")?;
        let name: Option<String> = statement.query_row([id], |row| row.get(0)).optional()?;
        let user = (stored(UserId::parse(id))?, name.unwrap_or_else(|| id.to_owned()));
        self.0.insert(id.to_owned(), user.clone());
        Ok(user)
    }
}

impl View<'_> {
    /// Answers `snapshot`: the asker's rooms, the most recently active first, and where to go on from.
    pub fn snapshot(&self, asker: &Asker, page: &command::Page) -> Result<reply::Snapshot, QueryError> {
        let limit = page.limit.unwrap_or(SNAPSHOT_ROOMS_MAX).clamp(1, SNAPSHOT_ROOMS_MAX);
        let (head, below) = match &page.after {
            None => (i64::MAX, i64::MAX),
            Some(next) => next
                .split_once('-')
                .and_then(|(head, n)| Some((head.parse().ok()?, n.parse().ok()?)))
                .ok_or_else(|| WireError::new(ErrorCode::BadRequest, "`after` is no `next` of a snapshot"))?,
        };
        let mut found = self.rooms_of(&asker.user, head, below, limit + 1)?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(n, room, _)| format!("{}-{n}", room.head_pos));
        let mut rooms = Vec::with_capacity(found.len());
        let (mut prefs, mut names) = (facts::prefs_of(&self.db, &asker.user)?, Names::default());
        for (n, room, member) in found {
            let prefs = prefs.remove(room.id.as_str()).unwrap_or_default();
            rooms.push(reply::Room { prefs, ..self.room_for(asker, n, room, Some(member), &mut names)? });
        }
        let (user, name) = (asker.user.clone(), self.name_of(&asker.user)?);
        let prefs = prefs.remove("").unwrap_or_default();
        let blocked = self.blocked_by(&asker.user, "", BLOCKED_MAX)?;
        Ok(reply::Snapshot { user, name, cursor: self.cursor().to_string(), prefs, blocked, rooms, next })
    }

    /// Answers `room.get`.
    pub fn room_get(&self, asker: &Asker, query: &command::OfRoom) -> Result<reply::RoomGet, QueryError> {
        let (n, room, member) = self.room(asker, &query.room)?;
        let room = self.room_for(asker, n, room, member, &mut Names::default())?;
        let prefs = facts::prefs(&self.db, &asker.user, Some(&query.room))?;
        Ok(reply::RoomGet { room: reply::Room { pins: facts::pins(&self.db, n)?, prefs, ..room } })
    }

    /// A user's rooms, the most recently active first, from those on that were active before another.
    fn rooms_of(
        &self,
        user: &UserId,
        head: i64,
        below: i64,
        limit: usize,
    ) -> Result<Vec<(i64, Room, Member)>, Fault> {
        const USER: usize = ROOM_COLUMNS + MEMBER_COLUMNS;
        // Which they are is found without reading more of each than that takes.
        let mut statement = self.db.prepare_cached(concat!(
            "SELECT ",
            room_columns!(),
            ", ",
            member_columns!(),
            ", room.id FROM (
               SELECT room.n FROM member JOIN room ON room.n = member.room
               WHERE member.user = ?1 AND (room.head_pos, room.n) < (?2, ?3)
               ORDER BY room.head_pos DESC, room.n DESC LIMIT ?4
             ) AS page CROSS JOIN room ON room.n = page.n
             CROSS JOIN member ON member.room = page.n AND member.user = ?1
             ORDER BY room.head_pos DESC, room.n DESC"
        ))?;
        let mut rows = statement.query(params![user.as_str(), head, below, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let id = row.get_ref(USER)?.as_str().map_err(rusqlite::Error::from)?;
            let (n, room) = room_of(row, stored(RoomId::parse(id))?)?;
            found.push((n, room, member_of(row, ROOM_COLUMNS)?));
        }
        Ok(found)
    }

    /// A room but for its pins and the asker's settings, which a snapshot has no need of, or reads at once.
    fn room_for(
        &self,
        asker: &Asker,
        n: i64,
        room: Room,
        member: Option<Member>,
        names: &mut Names,
    ) -> Result<reply::Room, QueryError> {
        let newest = self.newest(asker, n, &room, member.as_ref())?;
        let last = newest.map(|seq| self.message(n, seq)).transpose()?;
        let (unread, mentions) =
            member.map_or(Ok((0, 0)), |member| self.unread(&asker.user, n, &room, &member))?;
        let users = self.users_of(n, "", ROOM_USERS_SHOWN_MAX, names)?;
        let read = member.map_or(room.head_seq, |member| member.read_floor(&room));
        Ok(reply::Room {
            id: room.id,
            kind: room.kind,
            title: room.title,
            policy: room.policy,
            role: member.map(|member| member.role),
            seq: room.head_seq,
            read,
            unread,
            mentions,
            last,
            pins: Vec::new(),
            muted_until: member.map_or(0, |member| member.muted_until),
            prefs: reply::Prefs::new(),
            users,
            user_count: room.user_count,
        })
    }

    /// The newest message that the asker may see.
    fn newest(
        &self,
        asker: &Asker,
        n: i64,
        room: &Room,
        member: Option<&Member>,
    ) -> Result<Option<u64>, QueryError> {
        // Mostly something was said since they came, and then earlier stays need not be looked at.
        if member.is_some_and(|member| room.head_seq > member.joined_seq.max(room.gone_seq)) {
            return Ok(Some(room.head_seq));
        }
        let visible = self.visible(asker, n, room, member)?;
        Ok(visible.iter().filter(|(after, to)| after < to).map(|(_, to)| *to).max())
    }

    /// Messages after the read mark that are not the user's own and not recalled; those that mention the user.
    fn unread(&self, user: &UserId, n: i64, room: &Room, member: &Member) -> Result<(u64, u64), Fault> {
        let floor = member.read_floor(room);
        if floor >= room.head_seq {
            return Ok((0, 0));
        }
        // Mostly nobody is named, and then there is nothing to count each once.
        let mut statement = self.db.prepare_cached(
            "SELECT (SELECT count(*) FROM amend WHERE room = ?1 AND seq > ?2 AND text IS NULL),
               CASE WHEN EXISTS (SELECT 1 FROM mention WHERE user = ?3 AND room = ?1 AND seq > ?2)
                 OR EXISTS (SELECT 1 FROM mention WHERE user = ?4 AND room = ?1 AND seq > ?2)
               THEN (SELECT count(DISTINCT seq) FROM mention WHERE user IN (?3, ?4) AND room = ?1 AND seq > ?2)
               ELSE 0 END",
        )?;
        let counts = statement.query_row(params![n, floor, user.as_str(), facts::ALL], |row| {
            Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?))
        });
        let (recalled, mentions) = counts?;
        Ok(((room.head_seq - floor).saturating_sub(recalled), mentions))
    }

    fn users_of(
        &self,
        n: i64,
        after: &str,
        limit: usize,
        names: &mut Names,
    ) -> Result<Vec<reply::UserInRoom>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT user, role, muted_until FROM member WHERE room = ?1 AND user > ?2 ORDER BY user LIMIT ?3",
        )?;
        let mut rows = statement.query(params![n, after, limit])?;
        let mut users = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, name) = names.of(&self.db, row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
            users.push(reply::UserInRoom {
                id,
                name,
                role: role_of(row.get_ref(1)?)?,
                muted_until: row.get(2)?,
            });
        }
        Ok(users)
    }

    /// Answers `member.list`.
    pub fn member_list(
        &self,
        asker: &Asker,
        query: &command::MemberList,
    ) -> Result<reply::MemberList, QueryError> {
        let (n, ..) = self.room(asker, &query.room)?;
        let limit = query.limit.unwrap_or(LIST_MAX).clamp(1, LIST_MAX);
        let mut users =
            self.users_of(n, query.after.as_deref().unwrap_or(""), limit + 1, &mut Names::default())?;
        let more = users.len() > limit;
        users.truncate(limit);
        let next = users.last().filter(|_| more).map(|user| user.id.as_str().to_owned());
        Ok(reply::MemberList { users, next })
    }

    /// Answers `room.list`: the public channels.
    pub fn room_list(&self, asker: &Asker, page: &command::Page) -> Result<reply::RoomList, QueryError> {
        let limit = page.limit.unwrap_or(LIST_MAX).clamp(1, LIST_MAX);
        let mut statement = self
            .db
            .prepare_cached("SELECT id FROM room WHERE public = 1 AND id > ?1 ORDER BY id LIMIT ?2")?;
        let after = page.after.as_deref().unwrap_or("");
        let rows = statement.query_map(params![after, limit + 1], |row| row.get::<_, String>(0))?;
        let mut ids = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        let more = ids.len() > limit;
        ids.truncate(limit);
        let next = ids.last().filter(|_| more).cloned();
        let mut rooms = Vec::with_capacity(ids.len());
        for id in ids {
            let id = stored(RoomId::parse(&id))?;
            let Some((n, room)) = find_room(&self.db, &id)? else { continue };
            let joined = find_member(&self.db, n, &asker.user)?.is_some();
            rooms.push(reply::Listed {
                id,
                kind: room.kind,
                title: room.title,
                users: room.user_count,
                joined,
            });
        }
        Ok(reply::RoomList { rooms, next })
    }

    /// How much of each room the user has not read; rooms they are no member of are left out.
    pub fn unread_of(&self, user: &UserId, rooms: &[RoomId]) -> Result<Vec<Unread>, QueryError> {
        let mut counts = Vec::new();
        for id in rooms {
            let Some((n, room)) = find_room(&self.db, id)? else { continue };
            let Some(member) = find_member(&self.db, n, user)? else { continue };
            let (unread, mentions) = self.unread(user, n, &room, &member)?;
            counts.push(Unread { room: id.clone(), head: room.head_seq, unread, mentions });
        }
        Ok(counts)
    }

    /// Whether the user is a member of the room now.
    pub fn is_member(&self, user: &UserId, room: &RoomId) -> Result<bool, QueryError> {
        let Some((n, _)) = find_room(&self.db, room)? else { return Ok(false) };
        Ok(find_member(&self.db, n, user)?.is_some())
    }

    /// How many members a room has, if there is one.
    pub fn user_count(&self, room: &RoomId) -> Result<Option<u64>, QueryError> {
        Ok(find_room(&self.db, room)?.map(|(_, room)| room.user_count))
    }

    /// Whether there is such a room.
    pub fn has_room(&self, room: &RoomId) -> Result<bool, QueryError> {
        Ok(find_room(&self.db, room)?.is_some())
    }

    /// Those of the rooms that cannot be watched: unknown, private, or no channels.
    pub fn unwatchable(&self, rooms: &[RoomId]) -> Result<Vec<RoomId>, QueryError> {
        let mut hidden = Vec::new();
        for id in rooms {
            if !find_room(&self.db, id)?.is_some_and(|(_, room)| room.is_public()) {
                hidden.push(id.clone());
            }
        }
        Ok(hidden)
    }
}
