//! What is older than its room keeps: the next step of retention, as the server's clock finds it.

use rusqlite::params;
use wigeon_proto::id::RoomId;
use wigeon_proto::limits::{RETENTION_ROOMS_PER_READ, RETENTION_STEP_ROWS};
use wigeon_proto::room::Policy;

use super::{QueryError, View};
use crate::{Fault, stored};

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 3600 * 1000;

/// A step of retention: everything of a room up to here may go.
#[derive(Debug, PartialEq, Eq)]
pub struct Expired {
    /// Where.
    pub room: RoomId,
    /// The newest message that goes, or the newest that has gone.
    pub to_seq: u64,
    /// The position up to which events go.
    pub to_pos: u64,
}

/// What one look found.
#[derive(Debug)]
pub struct Sweep {
    /// In rooms that follow each other; one step of each.
    pub expired: Vec<Expired>,
    /// The key of the last room looked at; none when there is no further one.
    pub next: Option<i64>,
}

impl View<'_> {
    /// Looks at the rooms after a key. `days_max` is what the server keeps at most; 0 is no bound.
    pub fn expired(&self, after: i64, days_max: u32, now_ms: u64) -> Result<Sweep, QueryError> {
        let mut statement = self.db.prepare_cached(
            "SELECT n, id, policy, gone_seq, gone_pos FROM room WHERE n > ?1 AND gone_seq < head_seq
             ORDER BY n LIMIT ?2",
        )?;
        let mut rows = statement.query(params![after, RETENTION_ROOMS_PER_READ])?;
        let (mut sweep, mut count) = (Sweep { expired: Vec::new(), next: None }, 0);
        while let Some(row) = rows.next()? {
            (count, sweep.next) = (count + 1, Some(row.get(0)?));
            let policy: Policy = stored(serde_json::from_str(&row.get::<_, String>(2)?))?;
            let Some(days) = kept_days(policy.retention_days, days_max) else { continue };
            let before = now_ms.saturating_sub(u64::from(days) * DAY_MS);
            if let Some((to_seq, to_pos)) = self.step(row.get(0)?, row.get(3)?, row.get(4)?, before)? {
                let room = stored(RoomId::parse(&row.get::<_, String>(1)?))?;
                sweep.expired.push(Expired { room, to_seq, to_pos });
            }
        }
        if count < RETENTION_ROOMS_PER_READ {
            sweep.next = None;
        }
        Ok(sweep)
    }

    /// The next step of a room in which messages up to `gone_seq` have gone, if the next one is from before a time.
    fn step(&self, n: i64, gone_seq: u64, gone_pos: u64, before: u64) -> Result<Option<(u64, u64)>, Fault> {
        let mut oldest = self.db.prepare_cached(
            "SELECT '{' || CAST(tail AS TEXT) ->> '$.at' FROM event WHERE room = ?1 AND seq = ?2",
        )?;
        if oldest.query_row(params![n, gone_seq + 1], |row| row.get::<_, u64>(0))? >= before {
            return Ok(None);
        }
        let mut statement = self.db.prepare_cached(
            "SELECT pos, seq, '{' || CAST(tail AS TEXT) ->> '$.at' FROM (
               SELECT * FROM (SELECT pos, seq, tail FROM event INDEXED BY event_message
                 WHERE room = ?1 AND seq > ?4 ORDER BY seq LIMIT ?3)
               UNION ALL
               SELECT * FROM (SELECT pos, seq, tail FROM event INDEXED BY event_other
                 WHERE room = ?1 AND pos > ?2 AND seq IS NULL ORDER BY pos LIMIT ?3)
             ) ORDER BY pos LIMIT ?3",
        )?;
        let mut rows = statement.query(params![n, gone_pos, RETENTION_STEP_ROWS, gone_seq])?;
        let mut step = None;
        while let Some(row) = rows.next()? {
            let (position, seq, at): (u64, Option<u64>, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if at >= before {
                break;
            }
            let to_seq = seq.or(step.map(|(seq, _)| seq)).unwrap_or(gone_seq);
            step = Some((to_seq, position));
        }
        Ok(step)
    }
}

/// The room's own number, within the server's; none where everything is kept.
fn kept_days(of_room: u32, of_server: u32) -> Option<u32> {
    [of_room, of_server].into_iter().filter(|days| *days > 0).min()
}
