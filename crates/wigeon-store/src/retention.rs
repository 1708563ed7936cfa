//! Retention in the tables: what of a room goes with its old messages, and what stays for a while.
//!
//! Everything up to a position goes, and what came later but is only about messages that go. Of a message's
//! answer there remains what it takes to say it again, until a retry is not to be expected any more.

use rusqlite::{Connection, params};
use serde::Deserialize;
use wigeon_core::entry::PayloadHash;
use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::json;
use wigeon_proto::limits::{ANSWERS_DROPPED_MAX, ANSWERS_KEPT_MS};

use crate::rows::Sent;
use crate::{Fault, stored};

/// Takes away a room's events up to `to_pos`, and what there is of its messages up to `to_seq`; `at` is now.
pub(crate) fn retain(db: &Connection, n: i64, to_seq: u64, to_pos: u64, at: u64) -> Result<(), Fault> {
    keep_answers(db, n, to_seq, at)?;
    let execute = |sql: &str, to: u64| db.prepare_cached(sql)?.execute(params![n, to]);
    execute("DELETE FROM event INDEXED BY event_message WHERE room = ?1 AND seq <= ?2", to_seq)?;
    execute(
        "DELETE FROM event INDEXED BY event_other WHERE room = ?1 AND pos <= ?2 AND seq IS NULL",
        to_pos,
    )?;
    execute(
        "DELETE FROM event WHERE pos IN (SELECT pos FROM event INDEXED BY event_edit
         WHERE room = ?1 AND target <= ?2 AND kind = 'message.edited')",
        to_seq,
    )?;
    execute("DELETE FROM amend WHERE room = ?1 AND seq <= ?2", to_seq)?;
    execute("DELETE FROM reaction WHERE room = ?1 AND seq <= ?2", to_seq)?;
    execute("DELETE FROM mention WHERE room = ?1 AND seq <= ?2", to_seq)?;
    execute("DELETE FROM pin WHERE room = ?1 AND seq <= ?2", to_seq)?;
    drop_answers(db, at)
}

/// Up to which end the answers to messages that have gone hold no more.
pub(crate) fn answers_until(db: &Connection) -> Result<u64, Fault> {
    let sql = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'answers_until'";
    Ok(db.query_row(sql, [], |row| row.get(0))?)
}

/// An answer follows from its message. Where that goes before a retry may come, the answer stands by itself.
fn keep_answers(db: &Connection, n: i64, to_seq: u64, at: u64) -> Result<(), Fault> {
    #[derive(Deserialize)]
    struct Message {
        room: RoomId,
        from: UserId,
        at: u64,
        id: CommandId,
    }
    let mut statement = db.prepare_cached(
        "SELECT pos, seq, hash, tail FROM event INDEXED BY event_message
         WHERE room = ?1 AND seq <= ?2 AND key IS NOT NULL",
    )?;
    let mut keep = db.prepare_cached(
        "INSERT INTO answer (actor, id, hash, reply, until) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (actor, id) DO UPDATE SET hash = ?3, reply = ?4, until = ?5",
    )?;
    let mut rows = statement.query(params![n, to_seq])?;
    while let Some(row) = rows.next()? {
        let (position, seq, hash): (u64, u64, PayloadHash) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let tail: Vec<u8> = row.get(3)?;
        let Message { room, from, at: sent_at, id } =
            stored(serde_json::from_slice(&[b"{", tail.as_slice()].concat()))?;
        let until = sent_at.saturating_add(ANSWERS_KEPT_MS);
        if until > at {
            let reply = json::to_vec(&Sent { room, seq, at: sent_at, position });
            keep.execute(params![from.as_str(), id.as_str(), hash, reply, until])?;
        }
    }
    Ok(())
}

fn drop_answers(db: &Connection, at: u64) -> Result<(), Fault> {
    let mut drop = db.prepare_cached(
        "DELETE FROM answer WHERE (actor, id) IN (SELECT actor, id FROM answer INDEXED BY answer_until
         WHERE until <= ?1 ORDER BY until LIMIT ?2)",
    )?;
    drop.execute(params![at, ANSWERS_DROPPED_MAX])?;
    let mut note = db.prepare_cached(
        "UPDATE meta SET value = max(CAST(value AS INTEGER), ?1) WHERE key = 'answers_until'",
    )?;
    note.execute([at])?;
    Ok(())
}
