//! The writer: the one connection that changes the database.
//!
//! It answers the rules' questions as of just before an entry, and carries out what they decide. Rooms
//! and memberships that a batch touches are kept in memory and written once, at its commit. A fault
//! half-way leaves memory and disk apart: the program ends then, and the next start reads the disk.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, params};
use wigeon_core::apply::{apply, remembers};
use wigeon_core::entry::Entry;
use wigeon_core::outcome::{Applied, Change, Outcome};
use wigeon_core::state::{Answered, Member, MessageState, Room, State};
use wigeon_proto::cursor::{Cursor, Epoch};
use wigeon_proto::event::Event;
use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::json;
use wigeon_proto::room::{Policy, Role, RoomKind, Visibility};

use crate::{Fault, stored};

/// Rooms or memberships kept in memory; past it they are forgotten after a commit and read again.
const CACHED_MAX: usize = 100_000;

/// A row and its key.
type Keyed<T> = (i64, T);

/// The one who changes the database.
#[derive(Debug)]
pub struct Writer {
    db: Connection,
    epoch: Epoch,
    position: u64,
    rooms_known: i64,
    in_batch: bool,
    rooms: RefCell<HashMap<RoomId, Keyed<Room>>>,
    members: RefCell<HashMap<(i64, UserId), Member>>,
    dirty_rooms: HashSet<RoomId>,
    dirty_members: HashSet<(i64, UserId)>,
}

impl Writer {
    pub(crate) fn new(db: Connection, epoch: Epoch) -> Result<Self, Fault> {
        let position = db.query_row("SELECT coalesce(max(pos), 0) FROM entry", [], |row| row.get(0))?;
        let rooms_known = db.query_row("SELECT coalesce(max(n), 0) FROM room", [], |row| row.get(0))?;
        Ok(Self {
            db,
            epoch,
            position,
            rooms_known,
            in_batch: false,
            rooms: RefCell::default(),
            members: RefCell::default(),
            dirty_rooms: HashSet::new(),
            dirty_members: HashSet::new(),
        })
    }

    /// The last position given out.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The log's incarnation.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Applies one entry within the present batch, which begins with the first that takes effect.
    /// An entry that is rejected or repeated leaves no trace and takes no position.
    pub fn step(&mut self, entry: &Entry) -> Result<(Cursor, Outcome), Fault> {
        let here = Cursor { epoch: self.epoch, position: self.position + 1 };
        let outcome = apply(self, here, entry)?;
        if let Outcome::Applied(applied) = &outcome {
            self.keep(here.position, entry, applied)?;
        }
        Ok((here, outcome))
    }

    /// Makes the batch durable. After an error nothing of it may be acknowledged, and the program must end.
    pub fn commit(&mut self) -> Result<(), Fault> {
        if !self.in_batch {
            return Ok(());
        }
        self.write_dirty()?;
        self.db.execute_batch("COMMIT")?;
        self.in_batch = false;
        if self.rooms.borrow().len() > CACHED_MAX {
            self.rooms.borrow_mut().clear();
        }
        if self.members.borrow().len() > CACHED_MAX {
            self.members.borrow_mut().clear();
        }
        Ok(())
    }

    /// Notes that nothing is lost whatever happens to the machine from here on.
    pub fn close(self) -> Result<(), Fault> {
        self.db.pragma_update(None, "synchronous", "full")?;
        self.db.execute("UPDATE meta SET value = '1' WHERE key = 'clean'", [])?;
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// The rooms a user is a member of, as of the last entry applied.
    pub fn rooms_of(&self, user: &UserId) -> Result<Vec<RoomId>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT room.id FROM member JOIN room ON room.n = member.room WHERE member.user = ?1",
        )?;
        let rows = statement.query_map([user.as_str()], |row| row.get::<_, String>(0))?;
        rows.map(|id| stored(RoomId::parse(&id?))).collect()
    }

    /// Whether anybody may watch the room.
    pub fn is_public(&self, room: &RoomId) -> Result<bool, Fault> {
        Ok(self.find(room)?.is_some_and(|(_, room)| is_public(&room)))
    }

    fn keep(&mut self, position: u64, entry: &Entry, applied: &Applied) -> Result<(), Fault> {
        if !self.in_batch {
            self.db.execute_batch("BEGIN IMMEDIATE")?;
            self.in_batch = true;
        }
        self.position = position;
        self.db
            .prepare_cached("INSERT INTO entry (pos, bytes) VALUES (?1, ?2)")?
            .execute(params![position, entry.to_bytes()])?;
        for change in &applied.changes {
            self.change(position, change)?;
        }
        if let Some(event) = &applied.event {
            self.insert_event(position, event)?;
        }
        if remembers(&entry.command) {
            self.db
                .prepare_cached("INSERT INTO answer (actor, id, hash, reply) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![
                    entry.actor.as_str(),
                    entry.id.as_str(),
                    entry.payload_hash(),
                    json::to_vec(&applied.reply)
                ])?;
        }
        Ok(())
    }

    fn insert_event(&mut self, position: u64, event: &Event) -> Result<(), Fault> {
        let n = self.key_or_own(&event.audience(), position)?;
        self.db
            .prepare_cached(
                "INSERT INTO event (pos, room, seq, target, kind, tail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                position,
                n,
                event.what.seq(),
                event.what.target(),
                event.what.kind(),
                event.tail()
            ])?;
        Ok(())
    }

    /// A room's key. A self audience gets its row with its first event, and its head moves with each.
    fn key_or_own(&mut self, id: &RoomId, position: u64) -> Result<i64, Fault> {
        let found = self.find(id)?;
        let mut room = match found {
            Some((n, room)) if room.kind != RoomKind::Own => return Ok(n),
            Some((_, room)) => room,
            None => Room {
                id: id.clone(),
                kind: RoomKind::Own,
                title: String::new(),
                policy: Policy::of(RoomKind::Own),
                head_seq: 0,
                head_pos: 0,
                user_count: 1,
            },
        };
        room.head_pos = position;
        self.put_room(&room)
    }

    fn change(&mut self, position: u64, change: &Change) -> Result<(), Fault> {
        match change {
            Change::Room(room) => drop(self.put_room(room)?),
            Change::Joined(room, user, member) => self.join(room, user, *member)?,
            Change::Member(room, user, member) => {
                let key = (self.key(room)?, user.clone());
                self.members.get_mut().insert(key.clone(), *member);
                self.dirty_members.insert(key);
            }
            Change::Left { room, user, seq } => self.leave(room, user, position, *seq)?,
            Change::Mention(room, seq, user) => {
                let sql = "INSERT INTO mention (user, room, seq) VALUES (?1, ?2, ?3)";
                self.execute(sql, params![user.as_str(), self.key(room)?, seq])?;
            }
            Change::Edited { room, seq, text, version, at } => {
                let sql = "INSERT INTO amend (room, seq, version, text, at) VALUES (?1, ?2, ?3, ?4, ?5)
                    ON CONFLICT (room, seq) DO UPDATE SET version = ?3, text = ?4, at = ?5";
                self.execute(sql, params![self.key(room)?, seq, version, text, at])?;
            }
            Change::Recalled { room, seq } => self.recall(room, *seq)?,
            Change::Reaction { room, seq, user, emoji, on } => {
                let n = self.key(room)?;
                if *on {
                    let sql =
                        "INSERT INTO reaction (room, seq, emoji, user, pos) VALUES (?1, ?2, ?3, ?4, ?5)";
                    self.execute(sql, params![n, seq, emoji, user.as_str(), position])?;
                } else {
                    let sql =
                        "DELETE FROM reaction WHERE room = ?1 AND seq = ?2 AND emoji = ?3 AND user = ?4";
                    self.execute(sql, params![n, seq, emoji, user.as_str()])?;
                }
            }
            Change::User(user, name) => {
                let sql = "INSERT INTO user (id, name, folded) VALUES (?1, ?2, ?3)
                    ON CONFLICT (id) DO UPDATE SET name = ?2, folded = ?3";
                self.execute(sql, params![user.as_str(), name, name.to_lowercase()])?;
            }
            Change::Prefs(user, room, json) => {
                let sql = "INSERT INTO prefs (user, room, json) VALUES (?1, ?2, ?3)
                    ON CONFLICT (user, room) DO UPDATE SET json = ?3";
                self.execute(sql, params![user.as_str(), room.as_ref().map_or("", RoomId::as_str), json])?;
            }
        }
        Ok(())
    }

    fn join(&mut self, room: &RoomId, user: &UserId, member: Member) -> Result<(), Fault> {
        // The room's own row comes with a later change of the same entry; its key is taken now.
        let n = match self.find(room)? {
            Some((n, _)) => n,
            None => self.reserve(room),
        };
        let key = (n, user.clone());
        self.members.get_mut().insert(key.clone(), member);
        self.dirty_members.insert(key);
        let sql = "INSERT INTO interval (user, room, joined_pos, joined_seq) VALUES (?1, ?2, ?3, ?4)";
        self.execute(sql, params![user.as_str(), n, member.joined_pos, member.joined_seq])
    }

    fn leave(&mut self, room: &RoomId, user: &UserId, position: u64, seq: u64) -> Result<(), Fault> {
        let n = self.key(room)?;
        let key = (n, user.clone());
        self.members.get_mut().remove(&key);
        self.dirty_members.remove(&key);
        self.execute("DELETE FROM member WHERE room = ?1 AND user = ?2", params![n, user.as_str()])?;
        let sql = "UPDATE interval SET left_pos = ?3, left_seq = ?4 WHERE user = ?2 AND room = ?1 AND left_pos IS NULL";
        self.execute(sql, params![n, user.as_str(), position, seq])
    }

    /// The text leaves every place it is served from, the replay of the log included; what stands is
    /// that there was a message.
    fn recall(&mut self, room: &RoomId, seq: u64) -> Result<(), Fault> {
        let n = self.key(room)?;
        let sql = "INSERT INTO amend (room, seq, version, text, at) VALUES (?1, ?2, 0, NULL, 0)
            ON CONFLICT (room, seq) DO UPDATE SET text = NULL";
        self.execute(sql, params![n, seq])?;
        self.execute("DELETE FROM reaction WHERE room = ?1 AND seq = ?2", params![n, seq])?;
        self.execute("DELETE FROM mention WHERE room = ?1 AND seq = ?2", params![n, seq])?;
        for (position, tail) in self.texts_of(n, seq)? {
            let blank = without_text(&tail)?;
            self.execute("UPDATE event SET tail = ?2 WHERE pos = ?1", params![position, blank])?;
        }
        Ok(())
    }

    /// The message itself and the edits of it.
    fn texts_of(&self, n: i64, seq: u64) -> Result<Vec<(u64, Vec<u8>)>, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT pos, tail FROM event WHERE room = ?1 AND seq = ?2
             UNION ALL
             SELECT pos, tail FROM event WHERE room = ?1 AND seq IS NULL AND target = ?2 AND kind = 'message.edited'",
        )?;
        let rows = statement.query_map(params![n, seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<(), Fault> {
        self.db.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }

    fn reserve(&mut self, id: &RoomId) -> i64 {
        self.rooms_known += 1;
        let placeholder = Room {
            id: id.clone(),
            kind: RoomKind::Group,
            title: String::new(),
            policy: Policy::of(RoomKind::Group),
            head_seq: 0,
            head_pos: 0,
            user_count: 0,
        };
        self.rooms.get_mut().insert(id.clone(), (self.rooms_known, placeholder));
        self.rooms_known
    }

    fn put_room(&mut self, room: &Room) -> Result<i64, Fault> {
        let n = match self.find(&room.id)? {
            Some((n, _)) => n,
            None => self.reserve(&room.id),
        };
        self.rooms.get_mut().insert(room.id.clone(), (n, room.clone()));
        self.dirty_rooms.insert(room.id.clone());
        Ok(n)
    }

    fn key(&self, room: &RoomId) -> Result<i64, Fault> {
        match self.find(room)? {
            Some((n, _)) => Ok(n),
            None => Err(Fault::Corrupt(format!("no row for room {room}"))),
        }
    }

    fn find(&self, id: &RoomId) -> Result<Option<Keyed<Room>>, Fault> {
        if let Some(found) = self.rooms.borrow().get(id) {
            return Ok(Some(found.clone()));
        }
        let found = find_room(&self.db, id)?;
        if let Some(found) = &found {
            self.rooms.borrow_mut().insert(id.clone(), found.clone());
        }
        Ok(found)
    }

    fn write_dirty(&mut self) -> Result<(), Fault> {
        let mut room_row = self.db.prepare_cached(
            "INSERT INTO room (n, id, kind, title, policy, head_seq, head_pos, users, public)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (n) DO UPDATE SET title = ?4, policy = ?5, head_seq = ?6, head_pos = ?7, users = ?8, public = ?9",
        )?;
        let rooms = self.rooms.get_mut();
        for id in self.dirty_rooms.drain() {
            let (n, room) = &rooms[&id];
            let policy = serde_json::to_string(&room.policy).expect("a policy is JSON");
            room_row.execute(params![
                n,
                id.as_str(),
                room.kind.as_str(),
                room.title,
                policy,
                room.head_seq,
                room.head_pos,
                room.user_count,
                is_public(room)
            ])?;
        }
        let mut member_row = self.db.prepare_cached(
            "INSERT INTO member (room, user, role, joined_pos, joined_seq, read_seq, own_seq)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (room, user) DO UPDATE SET role = ?3, read_seq = ?6, own_seq = ?7",
        )?;
        let members = self.members.get_mut();
        for key in self.dirty_members.drain() {
            let member = &members[&key];
            member_row.execute(params![
                key.0,
                key.1.as_str(),
                member.role.as_str(),
                member.joined_pos,
                member.joined_seq,
                member.read_seq,
                member.own_seq
            ])?;
        }
        Ok(())
    }
}

/// Whether anybody may watch a room.
fn is_public(room: &Room) -> bool {
    room.kind == RoomKind::Channel && room.policy.visibility == Visibility::Public
}

/// A tail whose body is gone, marked as recalled.
fn without_text(tail: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut json = Vec::with_capacity(tail.len() + 1);
    json.push(b'{');
    json.extend_from_slice(tail);
    let mut fields: serde_json::Map<String, serde_json::Value> = stored(serde_json::from_slice(&json))?;
    fields.remove("body");
    fields.remove("mentions");
    fields.insert("recalled".into(), true.into());
    let mut tail = json::to_vec(&fields);
    tail.remove(0);
    Ok(tail)
}

/// A room's row.
pub(crate) fn find_room(db: &Connection, id: &RoomId) -> Result<Option<Keyed<Room>>, Fault> {
    let mut statement = db
        .prepare_cached("SELECT n, kind, title, policy, head_seq, head_pos, users FROM room WHERE id = ?1")?;
    let row = statement
        .query_row([id.as_str()], |row| {
            let (kind, policy): (String, String) = (row.get(1)?, row.get(3)?);
            Ok((row.get(0)?, kind, row.get(2)?, policy, row.get(4)?, row.get(5)?, row.get(6)?))
        })
        .optional()?;
    let Some((n, kind, title, policy, head_seq, head_pos, user_count)) = row else { return Ok(None) };
    let kind = RoomKind::parse(&kind).ok_or_else(|| Fault::Corrupt(format!("room kind {kind}")))?;
    let policy = stored(serde_json::from_str(&policy))?;
    Ok(Some((n, Room { id: id.clone(), kind, title, policy, head_seq, head_pos, user_count })))
}

/// A membership's row.
pub(crate) fn find_member(db: &Connection, n: i64, user: &UserId) -> Result<Option<Member>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT role, joined_pos, joined_seq, read_seq, own_seq FROM member WHERE room = ?1 AND user = ?2",
    )?;
    let row = statement
        .query_row(params![n, user.as_str()], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .optional()?;
    let Some((role, joined_pos, joined_seq, read_seq, own_seq)) = row else { return Ok(None) };
    let role = Role::parse(&role).ok_or_else(|| Fault::Corrupt(format!("role {role}")))?;
    Ok(Some(Member { role, joined_pos, joined_seq, read_seq, own_seq }))
}

impl State for Writer {
    type Error = Fault;

    fn room(&self, room: &RoomId) -> Result<Option<Room>, Fault> {
        Ok(self.find(room)?.map(|(_, room)| room))
    }

    fn member(&self, room: &RoomId, user: &UserId) -> Result<Option<Member>, Fault> {
        let Some((n, _)) = self.find(room)? else { return Ok(None) };
        let key = (n, user.clone());
        if let Some(member) = self.members.borrow().get(&key) {
            return Ok(Some(*member));
        }
        let found = find_member(&self.db, n, user)?;
        if let Some(member) = found {
            self.members.borrow_mut().insert(key, member);
        }
        Ok(found)
    }

    fn count_role(&self, room: &RoomId, role: Role) -> Result<u64, Fault> {
        let n = self.key(room)?;
        // The rows as they were before this batch, corrected by what the batch has changed.
        let mut statement =
            self.db.prepare_cached("SELECT user FROM member WHERE room = ?1 AND role = ?2")?;
        let rows = statement.query_map(params![n, role.as_str()], |row| row.get::<_, String>(0))?;
        let mut users = rows.collect::<rusqlite::Result<HashSet<String>>>()?;
        for ((in_room, user), member) in
            self.members.borrow().iter().filter(|((in_room, _), _)| *in_room == n)
        {
            debug_assert_eq!(*in_room, n);
            if member.role == role {
                users.insert(user.as_str().to_owned());
            } else {
                users.remove(user.as_str());
            }
        }
        Ok(users.len() as u64)
    }

    fn message(&self, room: &RoomId, seq: u64) -> Result<Option<MessageState>, Fault> {
        let Some((n, _)) = self.find(room)?.filter(|(_, room)| seq <= room.head_seq) else { return Ok(None) };
        let mut statement = self.db.prepare_cached(
            "SELECT event.tail ->> '$.from', amend.version, amend.room IS NOT NULL AND amend.text IS NULL
             FROM (SELECT '{' || CAST(tail AS TEXT) AS tail FROM event WHERE room = ?1 AND seq = ?2) AS event
             LEFT JOIN amend ON amend.room = ?1 AND amend.seq = ?2",
        )?;
        let row = statement
            .query_row(params![n, seq], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, Option<u64>>(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((from, version, recalled)) = row else { return Ok(None) };
        Ok(Some(MessageState {
            from: stored(UserId::parse(&from))?,
            version: version.unwrap_or(0),
            recalled,
        }))
    }

    fn reaction(&self, room: &RoomId, seq: u64, user: &UserId, emoji: &str) -> Result<(bool, usize), Fault> {
        let Some((n, _)) = self.find(room)? else { return Ok((false, 0)) };
        let mut statement = self.db.prepare_cached(
            "SELECT coalesce(max(emoji = ?3 AND user = ?4), 0), count(DISTINCT emoji) FROM reaction WHERE room = ?1 AND seq = ?2",
        )?;
        Ok(statement
            .query_row(params![n, seq, emoji, user.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    fn answered(&self, actor: &UserId, id: &CommandId) -> Result<Option<Answered>, Fault> {
        let mut statement =
            self.db.prepare_cached("SELECT hash, reply FROM answer WHERE actor = ?1 AND id = ?2")?;
        let answer = statement.query_row([actor.as_str(), id.as_str()], |row| {
            Ok(Answered { hash: row.get(0)?, reply: row.get(1)? })
        });
        Ok(answer.optional()?)
    }
}
