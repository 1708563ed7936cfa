//! The tables, and how older ones become them.
//!
//! All of them are folded from the log's entries. `event` holds what receivers are shown, by position; a
//! message's later forms stand in `amend` and `reaction`, so that a message costs one row. Rowid tables in
//! order of position write three times faster than ones ordered by room.

use rusqlite::Connection;

use crate::Fault;

/// One step each; a step that has been released is never changed.
const MIGRATIONS: &[&str] = &["
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE entry (pos INTEGER PRIMARY KEY, bytes BLOB NOT NULL);

-- room: key of `room`. seq: of messages alone. target: the message an event is only about.
CREATE TABLE event (
  pos INTEGER PRIMARY KEY, room INTEGER NOT NULL, seq INTEGER, target INTEGER, kind TEXT NOT NULL, tail BLOB NOT NULL
);
CREATE UNIQUE INDEX event_message ON event (room, seq) WHERE seq IS NOT NULL;
CREATE INDEX event_room ON event (room, pos);
CREATE INDEX event_other ON event (room, pos) WHERE seq IS NULL;

CREATE TABLE room (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, title TEXT NOT NULL, policy TEXT NOT NULL,
  head_seq INTEGER NOT NULL, head_pos INTEGER NOT NULL, users INTEGER NOT NULL, public INTEGER NOT NULL
);
CREATE INDEX room_public ON room (id) WHERE public = 1;

CREATE TABLE member (
  room INTEGER NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL, joined_pos INTEGER NOT NULL, joined_seq INTEGER NOT NULL,
  read_seq INTEGER NOT NULL, own_seq INTEGER NOT NULL, PRIMARY KEY (room, user)
) WITHOUT ROWID;
CREATE INDEX member_user ON member (user, room);

-- Every membership there ever was; the present one has no end yet.
CREATE TABLE interval (
  user TEXT NOT NULL, room INTEGER NOT NULL, joined_pos INTEGER NOT NULL, joined_seq INTEGER NOT NULL,
  left_pos INTEGER, left_seq INTEGER, PRIMARY KEY (user, room, joined_pos)
) WITHOUT ROWID;

-- The current form of a message that is not as it was sent; text is NULL when it was recalled.
CREATE TABLE amend (
  room INTEGER NOT NULL, seq INTEGER NOT NULL, version INTEGER NOT NULL, text TEXT, at INTEGER NOT NULL,
  PRIMARY KEY (room, seq)
) WITHOUT ROWID;

CREATE TABLE reaction (
  room INTEGER NOT NULL, seq INTEGER NOT NULL, emoji TEXT NOT NULL, user TEXT NOT NULL, pos INTEGER NOT NULL,
  PRIMARY KEY (room, seq, emoji, user)
) WITHOUT ROWID;

CREATE TABLE mention (user TEXT NOT NULL, room INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (user, room, seq)) WITHOUT ROWID;

CREATE TABLE answer (
  actor TEXT NOT NULL, id TEXT NOT NULL, hash BLOB NOT NULL, reply BLOB NOT NULL, PRIMARY KEY (actor, id)
) WITHOUT ROWID;

-- folded: the name in lower case, for search.
CREATE TABLE user (id TEXT PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX user_folded ON user (folded);

CREATE TABLE prefs (user TEXT NOT NULL, room TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (user, room)) WITHOUT ROWID;
", "
-- Entries are in the journal until they are folded; afterwards nothing asks for them.
INSERT INTO meta (key, value) SELECT 'position', coalesce(max(pos), 0) FROM entry;
DROP TABLE entry;
", "
-- told_seq: the read mark as others may know it. sent_at, muted_until: milliseconds since 1970.
ALTER TABLE member ADD COLUMN told_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN sent_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN muted_until INTEGER NOT NULL DEFAULT 0;
UPDATE member SET told_seq = max(read_seq, own_seq);

CREATE TABLE pin (room INTEGER NOT NULL, seq INTEGER NOT NULL, pos INTEGER NOT NULL, PRIMARY KEY (room, seq)) WITHOUT ROWID;

CREATE TABLE ban (
  room INTEGER NOT NULL, user TEXT NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (room, user)
) WITHOUT ROWID;

-- Beside the member's own column, for those who leave and come again.
CREATE TABLE mute (room INTEGER NOT NULL, user TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (room, user)) WITHOUT ROWID;

-- room: its id, since a code may lead to a room that the same batch has made. uses_left: NULL is any number; 0 is over.
CREATE TABLE invite (
  code TEXT PRIMARY KEY, room TEXT NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL, uses_left INTEGER, expires_at INTEGER
) WITHOUT ROWID;
CREATE INDEX invite_room ON invite (room);

-- The forms of a message, for its versions and its recall, however many other events its room has.
CREATE INDEX event_edit ON event (room, target) WHERE kind = 'message.edited';

CREATE TABLE block (user TEXT NOT NULL, other TEXT NOT NULL, PRIMARY KEY (user, other)) WITHOUT ROWID;
", "
-- What a message's sender was told follows from the message; so it is found there: key is a hash of sender and
-- id, hash one of what was sent. Other answers are in `answer`, and so are those of older messages.
ALTER TABLE event ADD COLUMN key INTEGER;
ALTER TABLE event ADD COLUMN hash BLOB;
CREATE INDEX event_key ON event (key) WHERE key IS NOT NULL;
", "
-- gone: by retention, up to there. shared, public: while the policy says so, from after there on.
ALTER TABLE room ADD COLUMN gone_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN gone_pos INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN shared_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN public_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN public_pos INTEGER NOT NULL DEFAULT 0;

-- until: set where the message has gone; then reply has what the answer is made from. answers_until: those up to
-- there hold no more, whether they are still there or not.
ALTER TABLE answer ADD COLUMN until INTEGER;
CREATE INDEX answer_until ON answer (until) WHERE until IS NOT NULL;
INSERT INTO meta (key, value) VALUES ('answers_until', 0);

-- A message's mentions, for its recall and its end.
CREATE INDEX mention_message ON mention (room, seq);
", "
-- Whether the user could only read when they left.
ALTER TABLE interval ADD COLUMN as_reader INTEGER NOT NULL DEFAULT 0;
", "
-- A room's events are found in two lanes, the messages by seq. Keys are random: those of one stretch of positions
-- stand together, so that a message touches a page that others have just touched.
DROP INDEX event_room;
DROP INDEX event_key;
CREATE INDEX event_key ON event (pos >> 15, key) WHERE key IS NOT NULL;
", "
-- For a search: what was edited since it was indexed.
CREATE INDEX event_edited ON event (pos) WHERE kind = 'message.edited';
", "
-- Positions whose text has left the tables, and not the log yet: those of messages that were recalled or have
-- expired, and of their edits.
CREATE TABLE scrub (pos INTEGER PRIMARY KEY);
CREATE TRIGGER event_scrubbed AFTER UPDATE OF tail ON event WHEN old.kind IN ('message', 'message.edited') BEGIN
  INSERT OR IGNORE INTO scrub VALUES (old.pos);
END;
CREATE TRIGGER event_gone AFTER DELETE ON event WHEN old.kind IN ('message', 'message.edited') BEGIN
  INSERT OR IGNORE INTO scrub VALUES (old.pos);
END;
"];

/// Brings the database to the newest form; refuses one that is newer than this program.
pub(crate) fn migrate(db: &mut Connection) -> Result<(), MigrateError> {
    let version = version(db)?;
    if version > MIGRATIONS.len() {
        return Err(MigrateError::Newer { found: version, known: MIGRATIONS.len() });
    }
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(version) {
        let tx = db.transaction()?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "user_version", step + 1)?;
        tx.commit()?;
    }
    Ok(())
}

/// The rows of `meta` that tell of the runs of a directory. All others are folded like any table.
pub(crate) const OF_RUN: [&str; 4] = ["epoch", "durability", "boot", "clean"];
/// The row of `meta` that names the stream whose beginning the tables of a cluster's node hold.
pub(crate) const STREAM: &str = "stream";

/// The form that a database has.
pub(crate) fn version(db: &Connection) -> rusqlite::Result<usize> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The newest form.
pub(crate) fn known() -> usize {
    MIGRATIONS.len()
}

/// Why a database cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A later version of the program wrote it.
    #[error(
        "the data was written by a newer wigeon (schema {found}, this one knows {known}): upgrade the program"
    )]
    Newer {
        /// The database's version.
        found: usize,
        /// The newest this program knows.
        known: usize,
    },
    /// The medium.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<rusqlite::Error> for MigrateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Fault(error.into())
    }
}
