//! The tables: what a change means in SQL.
//!
//! One call folds a stretch of entries in one transaction. A room or membership that many of them change
//! is written once, at the end; the rest in order. To add a kind of change, give it its statement in
//! [`Slice::change`]; if the rules read what it changes, also its place in [`crate::overlay`].

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, params};
use wigeon_core::entry::PayloadHash;
use wigeon_core::outcome::Change;
use wigeon_core::state::{Member, Room};
use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::json;
use wigeon_proto::limits::RETENTION_STEP_ROWS;

use crate::{Fault, facts, retention, stored};

/// An entry that is applied and durable, and not in the tables yet.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) position: u64,
    /// Each with the key of the room it is in; 0 where it is in none.
    pub(crate) changes: Vec<(i64, Change)>,
    pub(crate) event: Option<EventRow>,
    pub(crate) answer: Option<AnswerRow>,
}

#[derive(Debug)]
pub(crate) struct EventRow {
    /// Its audience's key.
    pub(crate) room: i64,
    pub(crate) seq: Option<u64>,
    pub(crate) target: Option<u64>,
    pub(crate) kind: &'static str,
    /// The frame as it is shown.
    pub(crate) json: Arc<[u8]>,
    /// How much of the frame is not kept: what depends on the epoch.
    pub(crate) head: usize,
    /// Of a message: the key its answer is found under, and the hash of what was sent.
    pub(crate) sent: Option<(i64, PayloadHash)>,
}

/// An answer that does not follow from the event.
#[derive(Debug)]
pub(crate) struct AnswerRow {
    pub(crate) actor: UserId,
    pub(crate) id: CommandId,
    pub(crate) hash: PayloadHash,
    pub(crate) reply: Vec<u8>,
}

impl Pending {
    /// An entry that changes nothing, and has its position all the same.
    pub(crate) fn nothing(position: u64) -> Self {
        Self { position, changes: Vec::new(), event: None, answer: None }
    }

    /// How much memory and work it stands for: one for each row it will touch, and one for each KiB.
    pub(crate) fn weight(&self) -> usize {
        let changes = self.changes.iter().map(|(_, change)| match change {
            Change::Retained { .. } => RETENTION_STEP_ROWS,
            _ => 1,
        });
        1 + changes.sum::<usize>() + self.event.as_ref().map_or(0, |event| event.json.len() / 1024)
    }
}

/// Folds entries into the tables, in one transaction.
pub(crate) fn fold(db: &mut Connection, entries: &[Pending]) -> Result<(), Fault> {
    let Some(last) = entries.last() else { return Ok(()) };
    let tx = db.transaction()?;
    let mut slice = Slice {
        db: &tx,
        add_event: tx.prepare_cached(ADD_EVENT)?,
        rooms: HashMap::new(),
        members: HashMap::new(),
    };
    for entry in entries {
        slice.entry(entry)?;
    }
    slice.write_rooms()?;
    slice.write_members()?;
    slice.execute("UPDATE meta SET value = ?1 WHERE key = 'position'", [last.position])?;
    drop(slice);
    tx.commit()?;
    Ok(())
}

/// Strikes off positions whose text has left the log. What the tables had of such a text was overwritten when they
/// let go of it; older forms of those pages leave the disk here.
pub(crate) fn strike_off(db: &mut Connection, positions: &[u64]) -> Result<(), Fault> {
    let tx = db.transaction()?;
    let mut strike = tx.prepare_cached("DELETE FROM scrub WHERE pos = ?1")?;
    for position in positions {
        strike.execute([position])?;
    }
    drop(strike);
    tx.commit()?;
    Ok(db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

/// Held while a slice is folded: it is what most entries need.
const ADD_EVENT: &str = "INSERT INTO event (pos, room, seq, target, kind, tail, key, hash)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// Rows that a stretch of entries changes, before they are written.
struct Slice<'a> {
    db: &'a Connection,
    add_event: CachedStatement<'a>,
    rooms: HashMap<i64, &'a Room>,
    members: HashMap<(i64, &'a UserId), &'a Member>,
}

impl<'a> Slice<'a> {
    fn entry(&mut self, entry: &'a Pending) -> Result<(), Fault> {
        let position = entry.position;
        for (n, change) in &entry.changes {
            self.change(position, *n, change)?;
        }
        if let Some(EventRow { room, seq, target, kind, json, head, sent }) = &entry.event {
            let (key, hash) = sent.unzip();
            let tail = &json[*head..];
            self.add_event.execute(params![position, room, seq, target, kind, tail, key, hash])?;
        }
        if let Some(AnswerRow { actor, id, hash, reply }) = &entry.answer {
            // One of the same id may be there still whose time is over.
            let sql = "INSERT INTO answer (actor, id, hash, reply) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (actor, id) DO UPDATE SET hash = ?3, reply = ?4, until = NULL";
            self.execute(sql, params![actor.as_str(), id.as_str(), hash, reply])?;
        }
        Ok(())
    }

    fn change(&mut self, position: u64, n: i64, change: &'a Change) -> Result<(), Fault> {
        match change {
            Change::Room(room) => drop(self.rooms.insert(n, room)),
            Change::Joined(_, user, member) => {
                self.members.insert((n, user), member);
                let sql = "INSERT INTO interval (user, room, joined_pos, joined_seq) VALUES (?1, ?2, ?3, ?4)";
                self.execute(sql, params![user.as_str(), n, member.joined_pos, member.joined_seq])?;
            }
            Change::Member(_, user, member) => drop(self.members.insert((n, user), member)),
            Change::Left { user, seq, as_reader, .. } => self.leave(n, user, position, (*seq, *as_reader))?,
            Change::Mention(_, seq, user) => {
                let sql = "INSERT INTO mention (user, room, seq) VALUES (?1, ?2, ?3)";
                self.execute(sql, params![user.as_str(), n, seq])?;
            }
            Change::MentionAll(_, seq) => {
                let sql = "INSERT INTO mention (user, room, seq) VALUES (?1, ?2, ?3)";
                self.execute(sql, params![facts::ALL, n, seq])?;
            }
            Change::Edited { seq, text, version, at, .. } => {
                let sql = "INSERT INTO amend (room, seq, version, text, at) VALUES (?1, ?2, ?3, ?4, ?5)
                    ON CONFLICT (room, seq) DO UPDATE SET version = ?3, text = ?4, at = ?5";
                self.execute(sql, params![n, seq, version, text, at])?;
            }
            Change::Recalled { seq, .. } => self.recall(n, *seq)?,
            Change::Retained { to_seq, to_pos, at, .. } => {
                retention::retain(self.db, n, *to_seq, *to_pos, *at)?;
            }
            Change::Reaction { seq, user, emoji, on: true, .. } => {
                let sql = "INSERT INTO reaction (room, seq, emoji, user, pos) VALUES (?1, ?2, ?3, ?4, ?5)";
                self.execute(sql, params![n, seq, emoji, user.as_str(), position])?;
            }
            Change::Reaction { seq, user, emoji, on: false, .. } => {
                let sql = "DELETE FROM reaction WHERE room = ?1 AND seq = ?2 AND emoji = ?3 AND user = ?4";
                self.execute(sql, params![n, seq, emoji, user.as_str()])?;
            }
            Change::Pin { seq, on, .. } => facts::set_pin(self.db, n, *seq, position, *on)?,
            Change::Banned { user, by, at, .. } => facts::ban(self.db, n, user, by, *at)?,
            Change::Unbanned(_, user) => facts::unban(self.db, n, user)?,
            Change::Muted(_, user, until) => facts::set_mute(self.db, n, user, *until)?,
            Change::Invite(invite) => facts::put_invite(self.db, invite)?,
            Change::Blocked { user, other, on } => facts::set_block(self.db, user, other, *on)?,
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

    fn leave(
        &mut self,
        n: i64,
        user: &'a UserId,
        position: u64,
        (seq, as_reader): (u64, bool),
    ) -> Result<(), Fault> {
        self.members.remove(&(n, user));
        self.execute("DELETE FROM member WHERE room = ?1 AND user = ?2", params![n, user.as_str()])?;
        let sql = "UPDATE interval SET left_pos = ?3, left_seq = ?4, as_reader = ?5
            WHERE user = ?2 AND room = ?1 AND left_pos IS NULL";
        self.execute(sql, params![n, user.as_str(), position, seq, as_reader])
    }

    /// The text leaves every place it is served from, the replay of the log included; what stands is
    /// that there was a message.
    fn recall(&self, n: i64, seq: u64) -> Result<(), Fault> {
        let sql = "INSERT INTO amend (room, seq, version, text, at) VALUES (?1, ?2, 0, NULL, 0)
            ON CONFLICT (room, seq) DO UPDATE SET text = NULL";
        self.execute(sql, params![n, seq])?;
        self.execute("DELETE FROM reaction WHERE room = ?1 AND seq = ?2", params![n, seq])?;
        self.execute("DELETE FROM mention WHERE room = ?1 AND seq = ?2", params![n, seq])?;
        facts::set_pin(self.db, n, seq, 0, false)?;
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
             SELECT pos, tail FROM event INDEXED BY event_edit
             WHERE room = ?1 AND target = ?2 AND kind = 'message.edited'",
        )?;
        let rows = statement.query_map(params![n, seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn write_rooms(&mut self) -> Result<(), Fault> {
        let mut statement = self.db.prepare_cached(
            "INSERT INTO room (n, id, kind, title, policy, head_seq, head_pos, users, public, gone_seq, gone_pos,
               shared_seq, public_seq, public_pos)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT (n) DO UPDATE SET title = ?4, policy = ?5, head_seq = ?6, head_pos = ?7, users = ?8,
               public = ?9, gone_seq = ?10, gone_pos = ?11, shared_seq = ?12, public_seq = ?13, public_pos = ?14",
        )?;
        // In order, so that a page is visited once.
        let mut rooms: Vec<_> = self.rooms.drain().collect();
        rooms.sort_unstable_by_key(|(n, _)| *n);
        for (n, room) in rooms {
            let policy = serde_json::to_string(&room.policy).expect("a policy is JSON");
            statement.execute(params![
                n,
                room.id.as_str(),
                room.kind.as_str(),
                room.title,
                policy,
                room.head_seq,
                room.head_pos,
                room.user_count,
                room.is_public(),
                room.gone_seq,
                room.gone_pos,
                room.shared_seq,
                room.public_seq,
                room.public_pos
            ])?;
        }
        Ok(())
    }

    fn write_members(&mut self) -> Result<(), Fault> {
        let mut statement = self.db.prepare_cached(
            "INSERT INTO member (room, user, role, joined_pos, joined_seq, read_seq, own_seq, told_seq, sent_at, muted_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (room, user) DO UPDATE
             SET role = ?3, read_seq = ?6, own_seq = ?7, told_seq = ?8, sent_at = ?9, muted_until = ?10",
        )?;
        let mut members: Vec<_> = self.members.drain().collect();
        members.sort_unstable_by_key(|(key, _)| *key);
        for ((n, user), member) in members {
            statement.execute(params![
                n,
                user.as_str(),
                member.role.as_str(),
                member.joined_pos,
                member.joined_seq,
                member.read_seq,
                member.own_seq,
                member.told_seq,
                member.sent_at,
                member.muted_until
            ])?;
        }
        Ok(())
    }

    fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<(), Fault> {
        self.db.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }
}

/// A tail whose body is gone, marked as recalled.
fn without_text(tail: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut json = Vec::with_capacity(tail.len() + 1);
    json.push(b'{');
    json.extend_from_slice(tail);
    let mut fields: serde_json::Map<String, serde_json::Value> = stored(serde_json::from_slice(&json))?;
    fields.remove("body");
    for field in ["mentions", "mention_all", "forwarded"] {
        fields.remove(field);
    }
    fields.insert("recalled".into(), true.into());
    let mut tail = json::to_vec(&fields);
    tail.remove(0);
    Ok(tail)
}
