//! Rows as values: what writer and readers both read from the tables.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wigeon_core::entry::PayloadHash;
use wigeon_core::state::{Answered, Member, MessageState, Room};
use wigeon_proto::cursor::{Cursor, Epoch};
use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::json::Fields;
use wigeon_proto::room::{Role, RoomKind};

use crate::{Fault, stored};

/// A row and its key.
pub(crate) type Keyed<T> = (i64, T);

/// A connection that cannot write.
pub(crate) fn open_reader(file: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(file, flags)?;
    db.pragma_update(None, "cache_size", -16 * 1024)?;
    keep_plans(&db)?;
    Ok(db)
}

/// Keeps statements that are asked again as they were planned. By itself SQLite plans one anew at each question
/// whose parameters could lead to another plan (every `LIMIT ?`, for one), at several times the cost of the
/// answer; our plans are the indexes' and not the values'.
pub(crate) fn keep_plans(db: &Connection) -> Result<(), Fault> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// The last position the tables hold.
pub(crate) fn position(db: &Connection) -> Result<u64, Fault> {
    let mut statement =
        db.prepare_cached("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'position'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// The greatest key of a room.
pub(crate) fn rooms_known(db: &Connection) -> Result<i64, Fault> {
    Ok(db.query_row("SELECT coalesce(max(n), 0) FROM room", [], |row| row.get(0))?)
}

/// A room's columns, as [`room_of`] reads them.
macro_rules! room_columns {
    () => {
        "room.n, room.kind, room.title, room.policy, room.head_seq, room.head_pos, room.users, room.gone_seq,
           room.gone_pos, room.shared_seq, room.public_seq, room.public_pos"
    };
}
pub(crate) use room_columns;

/// How many they are.
pub(crate) const ROOM_COLUMNS: usize = 12;

/// A member's columns, as [`member_of`] reads them.
macro_rules! member_columns {
    () => {
        "member.role, member.joined_pos, member.joined_seq, member.read_seq, member.own_seq, member.told_seq,
           member.sent_at, member.muted_until"
    };
}
pub(crate) use member_columns;

/// How many they are.
pub(crate) const MEMBER_COLUMNS: usize = 8;

/// A room from a row that begins with its columns.
pub(crate) fn room_of(row: &Row<'_>, id: RoomId) -> Result<Keyed<Room>, Fault> {
    let kind = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
    let policy = row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?;
    let room = Room {
        id,
        kind: RoomKind::parse(kind).ok_or_else(|| Fault::Corrupt(format!("room kind {kind}")))?,
        title: row.get(2)?,
        policy: stored(serde_json::from_str(policy))?,
        head_seq: row.get(4)?,
        head_pos: row.get(5)?,
        user_count: row.get(6)?,
        gone_seq: row.get(7)?,
        gone_pos: row.get(8)?,
        shared_seq: row.get(9)?,
        public_seq: row.get(10)?,
        public_pos: row.get(11)?,
    };
    Ok((row.get(0)?, room))
}

/// A member from a row that has its columns from one on.
pub(crate) fn member_of(row: &Row<'_>, first: usize) -> Result<Member, Fault> {
    Ok(Member {
        role: role_of(row.get_ref(first)?)?,
        joined_pos: row.get(first + 1)?,
        joined_seq: row.get(first + 2)?,
        read_seq: row.get(first + 3)?,
        own_seq: row.get(first + 4)?,
        told_seq: row.get(first + 5)?,
        sent_at: row.get(first + 6)?,
        muted_until: row.get(first + 7)?,
    })
}

pub(crate) fn role_of(value: ValueRef<'_>) -> Result<Role, Fault> {
    let role = value.as_str().map_err(rusqlite::Error::from)?;
    Role::parse(role).ok_or_else(|| Fault::Corrupt(format!("role {role}")))
}

pub(crate) fn find_room(db: &Connection, id: &RoomId) -> Result<Option<Keyed<Room>>, Fault> {
    let mut statement =
        db.prepare_cached(concat!("SELECT ", room_columns!(), " FROM room WHERE room.id = ?1"))?;
    let mut rows = statement.query([id.as_str()])?;
    rows.next()?.map(|row| room_of(row, id.clone())).transpose()
}

pub(crate) fn find_member(db: &Connection, n: i64, user: &UserId) -> Result<Option<Member>, Fault> {
    let sql =
        concat!("SELECT ", member_columns!(), " FROM member WHERE member.room = ?1 AND member.user = ?2");
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![n, user.as_str()])?;
    rows.next()?.map(|row| member_of(row, 0)).transpose()
}

/// The members of a role.
pub(crate) fn users_of_role(db: &Connection, n: i64, role: Role) -> Result<HashSet<UserId>, Fault> {
    let mut statement = db.prepare_cached("SELECT user FROM member WHERE room = ?1 AND role = ?2")?;
    let rows = statement.query_map(params![n, role.as_str()], |row| row.get::<_, String>(0))?;
    rows.map(|user| stored(UserId::parse(&user?))).collect()
}

/// The members who have come since a message was said.
pub(crate) fn joined_since(db: &Connection, n: i64, seq: u64) -> Result<HashSet<UserId>, Fault> {
    let mut statement = db.prepare_cached("SELECT user FROM member WHERE room = ?1 AND joined_seq >= ?2")?;
    let rows = statement.query_map(params![n, seq], |row| row.get::<_, String>(0))?;
    rows.map(|user| stored(UserId::parse(&user?))).collect()
}

/// The rooms a user is a member of.
pub(crate) fn rooms_of(db: &Connection, user: &UserId) -> Result<HashSet<RoomId>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT room.id FROM member JOIN room ON room.n = member.room WHERE member.user = ?1",
    )?;
    let rows = statement.query_map([user.as_str()], |row| row.get::<_, String>(0))?;
    rows.map(|id| stored(RoomId::parse(&id?))).collect()
}

pub(crate) fn find_message(db: &Connection, n: i64, seq: u64) -> Result<Option<MessageState>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT event.tail ->> '$.from', event.tail ->> '$.at', event.tail -> '$.forwarded',
           amend.version, amend.room IS NOT NULL AND amend.text IS NULL
         FROM (SELECT '{' || CAST(tail AS TEXT) AS tail FROM event WHERE room = ?1 AND seq = ?2) AS event
         LEFT JOIN amend ON amend.room = ?1 AND amend.seq = ?2",
    )?;
    let mut rows = statement.query(params![n, seq])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let forwarded: Option<String> = row.get(2)?;
    Ok(Some(MessageState {
        from: stored(UserId::parse(&row.get::<_, String>(0)?))?,
        at: row.get(1)?,
        forwarded: forwarded.map(|json| stored(serde_json::from_str(&json))).transpose()?,
        version: row.get::<_, Option<u64>>(3)?.unwrap_or(0),
        recalled: row.get(4)?,
    }))
}

/// A message's reactions.
pub(crate) fn reactions_of(db: &Connection, n: i64, seq: u64) -> Result<HashSet<(String, UserId)>, Fault> {
    let mut statement = db.prepare_cached("SELECT emoji, user FROM reaction WHERE room = ?1 AND seq = ?2")?;
    let rows = statement.query_map(params![n, seq], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (emoji, user) = row?;
        Ok((emoji, stored(UserId::parse(&user))?))
    })
    .collect()
}

/// Under which a message's answer is found: 64 bits of a hash of sender and id. A strong one, because ids
/// are the sender's choice, and many that fall together would make each look slow.
pub(crate) fn answer_key(actor: &UserId, id: &CommandId) -> i64 {
    let mut hash = Sha256::new();
    hash.update(actor.as_str());
    // In no user's id.
    hash.update([0]);
    hash.update(id.as_str());
    i64::from_le_bytes(*hash.finalize().first_chunk().expect("32 bytes"))
}

/// Whose answer to which command. What finds it is the key, made once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnswerId {
    /// See [`answer_key`].
    pub(crate) key: i64,
    pub(crate) actor: UserId,
    pub(crate) id: CommandId,
}

impl Hash for AnswerId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

/// An answer, and the message it follows from, if that is there.
pub(crate) fn find_answer(
    db: &Connection,
    epoch: Epoch,
    actor: &UserId,
    id: &CommandId,
) -> Result<Option<(Answered, Option<Sent>)>, Fault> {
    if let Some((hash, sent)) = find_sent(db, actor, id)? {
        let answer = Answered { hash, reply: sent.reply(epoch), until: None };
        return Ok(Some((answer, Some(sent))));
    }
    let mut statement =
        db.prepare_cached("SELECT hash, reply, until FROM answer WHERE actor = ?1 AND id = ?2")?;
    let answer = statement.query_row([actor.as_str(), id.as_str()], |row| {
        Ok(Answered { hash: row.get(0)?, reply: row.get(1)?, until: row.get(2)? })
    });
    let Some(mut answer) = answer.optional()? else { return Ok(None) };
    if answer.until.is_some() {
        answer.reply = stored(serde_json::from_slice::<Sent>(&answer.reply))?.reply(epoch);
    }
    Ok(Some((answer, None)))
}

/// What the answer to a message is made from: it follows from the message, so it is not stored beside it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sent {
    pub(crate) room: RoomId,
    pub(crate) seq: u64,
    pub(crate) at: u64,
    pub(crate) position: u64,
}

impl Sent {
    pub(crate) fn reply(&self, epoch: Epoch) -> Vec<u8> {
        let mut json = Vec::with_capacity(192);
        json.push(b'{');
        let mut fields = Fields::new(&mut json);
        fields.text("room", self.room.as_str());
        fields.value("seq", &self.seq);
        fields.text("cursor", &Cursor { epoch, position: self.position }.text());
        fields.value("at", &self.at);
        fields.end();
        json
    }
}

/// Among the messages of the same key, which are hardly ever two, the one of this sender and id.
fn find_sent(db: &Connection, actor: &UserId, id: &CommandId) -> Result<Option<(PayloadHash, Sent)>, Fault> {
    #[derive(Deserialize)]
    struct Message {
        room: RoomId,
        from: UserId,
        at: u64,
        seq: u64,
        id: CommandId,
    }
    let newest: u64 =
        db.prepare_cached("SELECT coalesce(max(pos), 0) FROM event")?.query_row([], |row| row.get(0))?;
    let mut statement = db.prepare_cached(
        "SELECT pos, hash, tail FROM event INDEXED BY event_key WHERE pos >> 15 = ?1 AND key = ?2",
    )?;
    // What is repeated was mostly said a moment ago.
    for stretch in (0..=newest >> 15).rev() {
        let mut rows = statement.query(params![stretch, answer_key(actor, id)])?;
        while let Some(row) = rows.next()? {
            let tail: Vec<u8> = row.get(2)?;
            let message: Message = stored(serde_json::from_slice(&[b"{", tail.as_slice()].concat()))?;
            if message.from == *actor && message.id == *id {
                let Message { room, seq, at, .. } = message;
                return Ok(Some((row.get(1)?, Sent { room, seq, at, position: row.get(0)? })));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;
    use wigeon_core::outcome::{Ok as Told, RoomRef};
    use wigeon_proto::json;

    use super::*;

    #[test]
    fn what_is_asked_again_is_not_planned_again() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "CREATE TABLE member (room INTEGER, user TEXT, PRIMARY KEY (room, user)) WITHOUT ROWID",
        )
        .unwrap();
        keep_plans(&db).unwrap();
        for limit in 1..10 {
            let sql = "SELECT user FROM member WHERE room = ?1 AND user > ?2 ORDER BY user LIMIT ?3";
            let mut statement = db.prepare_cached(sql).unwrap();
            assert!(!statement.exists(params![1, "ann", limit]).unwrap());
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        }
    }

    #[test]
    fn an_answer_made_from_its_message_is_the_one_that_was_given() {
        let (room, epoch) = (RoomId::parse("d:ann~bob").unwrap(), Epoch::new(7));
        let here = Cursor { epoch, position: 9 };
        let told =
            Told { room: Some(RoomRef::Id(room.clone())), seq: Some(3), at: Some(5), ..Told::at(here) };
        let sent = Sent { room, seq: 3, at: 5, position: 9 };
        assert_eq!(String::from_utf8(sent.reply(epoch)), String::from_utf8(json::to_vec(&told)));
    }
}
