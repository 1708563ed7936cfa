//! The rarer facts, as rows: pins, bans, mutes, invitations, blocks, settings.
//!
//! Each has its question and its change side by side, over a plain connection: the overlay and the readers
//! ask in the same words, and the fold writes. `n` is a room's key throughout.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Params, params};
use wigeon_proto::id::{InviteCode, RoomId, UserId};
use wigeon_proto::reply::{Invite, Prefs};

use crate::{Fault, stored};

/// In `mention`, the user of a message that mentions everybody. No user id has an `@`.
pub(crate) const ALL: &str = "@all";

fn execute(db: &Connection, sql: &str, params: impl Params) -> Result<(), Fault> {
    db.prepare_cached(sql)?.execute(params)?;
    Ok(())
}

/// A room's pins, the newest first.
pub(crate) fn pins(db: &Connection, n: i64) -> Result<Vec<u64>, Fault> {
    let mut statement = db.prepare_cached("SELECT seq FROM pin WHERE room = ?1 ORDER BY pos DESC")?;
    let rows = statement.query_map([n], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Puts a pin on or takes it off.
pub(crate) fn set_pin(db: &Connection, n: i64, seq: u64, position: u64, on: bool) -> Result<(), Fault> {
    if on {
        return execute(
            db,
            "INSERT INTO pin (room, seq, pos) VALUES (?1, ?2, ?3)",
            params![n, seq, position],
        );
    }
    execute(db, "DELETE FROM pin WHERE room = ?1 AND seq = ?2", params![n, seq])
}

/// Whether a user may not come into a room.
pub(crate) fn banned(db: &Connection, n: i64, user: &UserId) -> Result<bool, Fault> {
    let mut statement = db.prepare_cached("SELECT 1 FROM ban WHERE room = ?1 AND user = ?2")?;
    Ok(statement.exists(params![n, user.as_str()])?)
}

/// Keeps a user out of a room.
pub(crate) fn ban(db: &Connection, n: i64, user: &UserId, by: &UserId, at: u64) -> Result<(), Fault> {
    let sql = "INSERT INTO ban (room, user, by, at) VALUES (?1, ?2, ?3, ?4)";
    execute(db, sql, params![n, user.as_str(), by.as_str(), at])
}

/// Lets a user come again.
pub(crate) fn unban(db: &Connection, n: i64, user: &UserId) -> Result<(), Fault> {
    execute(db, "DELETE FROM ban WHERE room = ?1 AND user = ?2", params![n, user.as_str()])
}

/// Until when a user may not write in a room; 0 if nobody said so.
pub(crate) fn muted_until(db: &Connection, n: i64, user: &UserId) -> Result<u64, Fault> {
    let mut statement = db.prepare_cached("SELECT until FROM mute WHERE room = ?1 AND user = ?2")?;
    let until = statement.query_row(params![n, user.as_str()], |row| row.get(0)).optional()?;
    Ok(until.unwrap_or(0))
}

/// Mutes a user in a room, whether they stay or not; 0 ends it.
pub(crate) fn set_mute(db: &Connection, n: i64, user: &UserId, until: u64) -> Result<(), Fault> {
    if until == 0 {
        return execute(db, "DELETE FROM mute WHERE room = ?1 AND user = ?2", params![n, user.as_str()]);
    }
    let sql = "INSERT INTO mute (room, user, until) VALUES (?1, ?2, ?3)
        ON CONFLICT (room, user) DO UPDATE SET until = ?3";
    execute(db, sql, params![n, user.as_str(), until])
}

/// An invitation there is or was.
pub(crate) fn invite(db: &Connection, code: &InviteCode) -> Result<Option<Invite>, Fault> {
    let found = invites_where(db, "code = ?1", [code.as_str()])?;
    Ok(found.into_iter().next())
}

/// A room's invitations that are good at a time, the oldest first.
pub(crate) fn invites(db: &Connection, room: &RoomId, at: u64) -> Result<Vec<Invite>, Fault> {
    let mut all = invites_where(db, "room = ?1", [room.as_str()])?;
    all.retain(|invite| invite.is_good(at));
    Ok(all)
}

fn invites_where(db: &Connection, which: &str, params: impl Params) -> Result<Vec<Invite>, Fault> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT code, room, by, at, uses_left, expires_at FROM invite WHERE {which} ORDER BY at, code"
    ))?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Invite {
            code: stored(InviteCode::parse(&row.get::<_, String>(0)?))?,
            room: stored(RoomId::parse(&row.get::<_, String>(1)?))?,
            by: stored(UserId::parse(&row.get::<_, String>(2)?))?,
            at: row.get(3)?,
            uses_left: row.get(4)?,
            expires_at: row.get(5)?,
        });
    }
    Ok(found)
}

/// An invitation as it is from now on.
pub(crate) fn put_invite(db: &Connection, invite: &Invite) -> Result<(), Fault> {
    let sql = "INSERT INTO invite (code, room, by, at, uses_left, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (code) DO UPDATE SET uses_left = ?5";
    let Invite { code, room, by, at, uses_left, expires_at } = invite;
    execute(db, sql, params![code.as_str(), room.as_str(), by.as_str(), at, uses_left, expires_at])
}

/// Whom a user has blocked.
pub(crate) fn blocks(db: &Connection, user: &UserId) -> Result<HashSet<UserId>, Fault> {
    let mut statement = db.prepare_cached("SELECT other FROM block WHERE user = ?1")?;
    let rows = statement.query_map([user.as_str()], |row| row.get::<_, String>(0))?;
    rows.map(|other| stored(UserId::parse(&other?))).collect()
}

/// Blocks a user, or lets them write again.
pub(crate) fn set_block(db: &Connection, user: &UserId, other: &UserId, on: bool) -> Result<(), Fault> {
    let sql = if on {
        "INSERT INTO block (user, other) VALUES (?1, ?2)"
    } else {
        "DELETE FROM block WHERE user = ?1 AND other = ?2"
    };
    execute(db, sql, params![user.as_str(), other.as_str()])
}

/// A user's settings for a room, or for all; empty if there are none.
pub(crate) fn prefs(db: &Connection, user: &UserId, room: Option<&RoomId>) -> Result<Prefs, Fault> {
    let mut statement = db.prepare_cached("SELECT json FROM prefs WHERE user = ?1 AND room = ?2")?;
    let key = params![user.as_str(), room.map_or("", RoomId::as_str)];
    let json: Option<String> = statement.query_row(key, |row| row.get(0)).optional()?;
    json.map_or_else(|| Ok(Prefs::new()), |json| stored(serde_json::from_str(&json)))
}

/// All of a user's settings, by the room's id; those for all rooms under none.
pub(crate) fn prefs_of(db: &Connection, user: &UserId) -> Result<HashMap<String, Prefs>, Fault> {
    let mut statement = db.prepare_cached("SELECT room, json FROM prefs WHERE user = ?1")?;
    let mut rows = statement.query([user.as_str()])?;
    let mut all = HashMap::new();
    while let Some(row) = rows.next()? {
        all.insert(row.get(0)?, stored(serde_json::from_str(&row.get::<_, String>(1)?))?);
    }
    Ok(all)
}

/// The messages of one stay in a room: `after < seq`, and `seq <= to` once it has ended.
#[derive(Debug)]
pub(crate) struct Stay {
    pub(crate) after: u64,
    pub(crate) to: Option<u64>,
    pub(crate) as_reader: bool,
}

impl Stay {
    pub(crate) fn covers(&self, seq: u64) -> bool {
        seq > self.after && self.to.is_none_or(|to| seq <= to)
    }
}

/// A user's stays in a room, in their order.
pub(crate) fn stays(db: &Connection, n: i64, user: &UserId) -> Result<Vec<Stay>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT joined_seq, left_seq, as_reader FROM interval WHERE user = ?1 AND room = ?2 ORDER BY joined_pos",
    )?;
    let rows = statement.query_map(params![user.as_str(), n], |row| {
        Ok(Stay { after: row.get(0)?, to: row.get(1)?, as_reader: row.get(2)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A message's present text; empty when it was recalled.
pub(crate) fn text(db: &Connection, n: i64, seq: u64) -> Result<Option<String>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT coalesce(amend.text, '{' || CAST(event.tail AS TEXT) ->> '$.body.text', '') FROM event
         LEFT JOIN amend ON amend.room = ?1 AND amend.seq = ?2 WHERE event.room = ?1 AND event.seq = ?2",
    )?;
    Ok(statement.query_row(params![n, seq], |row| row.get(0)).optional()?)
}
