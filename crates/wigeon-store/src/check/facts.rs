//! What holds between tables whatever the log says, and that the file is sound.
//!
//! A fault of the rules is in the fold, too, and so no comparison with a fold can see it. These can.

use rusqlite::Connection;

use super::{Difference, Report, values};
use crate::Fault;

/// Something that follows from other rows.
struct Fact {
    table: &'static str,
    column: Option<&'static str>,
    /// Key, expected and found of each row for which it does not hold.
    sql: &'static str,
}

const FACTS: &[Fact] = &[
    Fact {
        table: "room",
        column: Some("users"),
        sql: "SELECT 'n=' || n, (SELECT count(*) FROM member WHERE room = n) AS counted, users FROM room
              WHERE kind != 'self' AND users != counted",
    },
    Fact {
        table: "room",
        column: Some("head_seq"),
        sql: "SELECT 'n=' || n, newest, head_seq FROM room
              JOIN (SELECT room, max(seq) AS newest FROM event WHERE seq IS NOT NULL GROUP BY room) ON room = n
              WHERE head_seq != newest",
    },
    Fact {
        table: "room",
        column: Some("public"),
        sql: "SELECT 'n=' || n, kind = 'channel' AND policy ->> '$.visibility' = 'public' AS is_public, public
              FROM room WHERE public != is_public",
    },
    // From the oldest message kept to the newest there is none missing.
    Fact {
        table: "event",
        column: Some("seq"),
        sql: "SELECT 'room=' || room, (max(seq) - min(seq) + 1) || ' messages', count(*) || ' messages' FROM event
              WHERE seq IS NOT NULL GROUP BY room HAVING count(*) != max(seq) - min(seq) + 1",
    },
    Fact {
        table: "event",
        column: Some("seq"),
        sql: "SELECT 'pos=' || pos, 'more than ' || gone_seq || ', which have expired', seq FROM event
              JOIN room ON n = room WHERE seq <= gone_seq",
    },
    Fact {
        table: "event",
        column: Some("room"),
        sql: "SELECT 'pos=' || pos, 'a room', 'n=' || room FROM event WHERE room NOT IN (SELECT n FROM room)",
    },
    Fact {
        table: "event",
        column: Some("pos"),
        sql: "SELECT 'pos=' || pos, 'at most ' || value, pos FROM meta JOIN event ON pos > CAST(value AS INTEGER)
              WHERE meta.key = 'position'",
    },
    Fact {
        table: "member",
        column: None,
        sql: "SELECT 'room=' || room || ' user=' || user, 'one stay that has not ended', counted || ' of them' FROM
              (SELECT room, user, (SELECT count(*) FROM interval
                 WHERE interval.user = member.user AND interval.room = member.room AND left_pos IS NULL) AS counted
               FROM member)
              WHERE counted != 1",
    },
    Fact {
        table: "interval",
        column: Some("left_pos"),
        sql: "SELECT 'user=' || user || ' room=' || room || ' joined_pos=' || joined_pos, 'where it ended', 'NULL'
              FROM interval WHERE left_pos IS NULL
              AND NOT EXISTS (SELECT 1 FROM member WHERE member.room = interval.room AND member.user = interval.user)",
    },
    Fact {
        table: "member",
        column: Some("read_seq"),
        sql: "SELECT 'room=' || room || ' user=' || user, 'at most ' || head_seq, max(read_seq, own_seq, told_seq)
              FROM member JOIN room ON n = room WHERE max(read_seq, own_seq, told_seq) > head_seq",
    },
    Fact {
        table: "reaction",
        column: None,
        sql: "SELECT 'room=' || room || ' seq=' || seq, 'no reaction: the message was recalled', emoji FROM reaction
              JOIN amend USING (room, seq) WHERE text IS NULL",
    },
    Fact {
        table: "pin",
        column: None,
        sql: "SELECT 'room=' || room || ' seq=' || seq, 'no pin: the message was recalled', 'a pin' FROM pin
              JOIN amend USING (room, seq) WHERE text IS NULL",
    },
];

pub(super) fn check(db: &Connection, report: &mut Report) -> Result<(), Fault> {
    for Fact { table, column, sql } in FACTS {
        let mut statement = db.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let text = |i| row.get_ref(i).map(values::plain);
            report.tell(Difference {
                table: (*table).to_owned(),
                key: text(0)?,
                column: column.map(str::to_owned),
                expected: text(1)?,
                found: text(2)?,
            });
        }
    }
    file(db, report)
}

/// What SQLite itself finds wrong: pages that are damaged, an index that lacks a row.
fn file(db: &Connection, report: &mut Report) -> Result<(), Fault> {
    let mut statement = db.prepare("PRAGMA integrity_check(20)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let found: String = row.get(0)?;
        if found != "ok" {
            report.tell(Difference {
                table: "the file".to_owned(),
                key: "integrity_check".to_owned(),
                column: None,
                expected: "ok".to_owned(),
                found,
            });
        }
    }
    Ok(())
}
