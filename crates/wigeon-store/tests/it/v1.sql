-- The tables as the first version made them.
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
