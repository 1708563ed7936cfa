//! `history`: a room's messages by `seq`, in their current form, clamped to what the asker may see; and
//! `message.versions`: the forms one of them has had.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use wigeon_proto::command::{self, Body};
use wigeon_proto::cursor::Cursor;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::limits::{HISTORY_MAX, VERSIONS_MAX};
use wigeon_proto::reply::{self, Json};
use wigeon_proto::{frame, json};

use super::{Asker, QueryError, View};
use crate::{Fault, stored};

impl View<'_> {
    /// Answers `history`.
    pub fn history(&self, asker: &Asker, query: &command::History) -> Result<reply::History, QueryError> {
        let (n, room, member) = self.room(asker, &query.room)?;
        let visible = self.visible(asker, n, &room, member.as_ref())?;
        let limit = query.limit.unwrap_or(50).clamp(1, HISTORY_MAX);
        if query.seqs.len() > HISTORY_MAX {
            return Err(WireError::new(ErrorCode::TooLarge, format!("at most {HISTORY_MAX} seqs")).into());
        }
        let (after, before) = (query.after.unwrap_or(0), query.before.unwrap_or(u64::MAX));
        let (mut seqs, more) = if !query.seqs.is_empty() {
            (exactly(&query.seqs, &visible), false)
        } else if let Some(around) = query.around {
            let (mut older, _) = self.seqs(n, &visible, 0, around, limit / 2, false)?;
            let (newer, more) =
                self.seqs(n, &visible, around.saturating_sub(1), u64::MAX, limit - older.len(), true)?;
            older.extend(newer);
            (older, more)
        } else {
            let upwards = query.after.is_some();
            self.seqs(n, &visible, after, before, limit, upwards)?
        };
        seqs.sort_unstable();
        let messages = seqs.into_iter().map(|seq| self.message(n, seq)).collect::<Result<_, _>>()?;
        let some = visible.iter().filter(|(after, to)| after < to);
        let min_seq = some.clone().map(|(after, _)| after + 1).min().unwrap_or(0);
        let max_seq = some.map(|(_, to)| *to).max().unwrap_or(0);
        Ok(reply::History { messages, min_seq, max_seq, more })
    }

    /// Answers `message.versions`: the texts a message has had, the oldest first.
    pub fn message_versions(
        &self,
        asker: &Asker,
        query: &command::Target,
    ) -> Result<reply::Versions, QueryError> {
        let (n, room, member) = self.room(asker, &query.room)?;
        let visible = self.visible(asker, n, &room, member.as_ref())?;
        if exactly(&[query.seq], &visible).is_empty() {
            return Err(WireError::new(ErrorCode::NotFound, "there is no such message").into());
        }
        if self.amend(n, query.seq)?.is_some_and(|amend| amend.text.is_none()) {
            return Err(WireError::new(ErrorCode::Gone, "the message was recalled").into());
        }
        let mut statement = self.db.prepare_cached(
            "SELECT pos, tail FROM event WHERE room = ?1 AND seq = ?2
             UNION ALL
             SELECT pos, tail FROM event INDEXED BY event_edit
             WHERE room = ?1 AND target = ?2 AND kind = 'message.edited'
             ORDER BY pos DESC LIMIT ?3",
        )?;
        let rows = statement
            .query_map(params![n, query.seq, VERSIONS_MAX], |row| row.get::<_, Vec<u8>>(1))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let versions = rows.iter().rev().map(|tail| version(tail)).collect::<Result<_, _>>()?;
        Ok(reply::Versions { versions })
    }

    /// The visible seqs between two exclusive bounds: the `limit` oldest or newest, and whether there are more.
    fn seqs(
        &self,
        n: i64,
        visible: &[(u64, u64)],
        after: u64,
        before: u64,
        limit: usize,
        upwards: bool,
    ) -> Result<(Vec<u64>, bool), Fault> {
        let mut stretches: Vec<(u64, u64)> = visible.to_vec();
        let order = if upwards { "ASC" } else { "DESC" };
        if !upwards {
            stretches.reverse();
        }
        let sql = format!(
            "SELECT seq FROM event WHERE room = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq {order} LIMIT ?4"
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut found: Vec<u64> = Vec::new();
        for (from, to) in stretches {
            let (from, to) = (from.max(after), to.min(before.saturating_sub(1)));
            let wanted = limit + 1 - found.len();
            let as_key = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
            let rows = statement.query_map(params![n, as_key(from), as_key(to), wanted], |row| row.get(0))?;
            for seq in rows {
                found.push(seq?);
            }
            if found.len() > limit {
                found.truncate(limit);
                return Ok((found, true));
            }
        }
        Ok((found, false))
    }

    /// A message's frame in its current form.
    pub(super) fn message(&self, n: i64, seq: u64) -> Result<Json, Fault> {
        let mut statement = self.db.prepare_cached(
            "SELECT event.pos, event.kind, event.tail, amend.room IS NOT NULL, amend.version, amend.text, amend.at,
               EXISTS (SELECT 1 FROM reaction WHERE reaction.room = ?1 AND reaction.seq = ?2)
             FROM event LEFT JOIN amend ON amend.room = ?1 AND amend.seq = ?2
             WHERE event.room = ?1 AND event.seq = ?2",
        )?;
        let mut rows = statement.query(params![n, seq])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let text = |i: usize| row.get_ref(i).and_then(|value| Ok(value.as_str()?));
        let cursor = Cursor { epoch: self.epoch, position: row.get(0)? }.to_string();
        let tail = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        let frame = frame::event(text(1)?, &cursor, tail);
        let amend = row.get::<_, bool>(3)?.then(|| -> rusqlite::Result<_> {
            Ok(Amend { version: row.get(4)?, text: row.get(5)?, at: row.get(6)? })
        });
        let amend = amend.transpose()?;
        let reactions = if row.get(7)? { self.reactions(n, seq)? } else { Vec::new() };
        let frame =
            if amend.is_none() && reactions.is_empty() { frame } else { amended(&frame, amend, reactions)? };
        let text = stored(String::from_utf8(frame))?;
        stored(RawValue::from_string(text))
    }

    fn amend(&self, n: i64, seq: u64) -> Result<Option<Amend>, Fault> {
        let mut statement =
            self.db.prepare_cached("SELECT version, text, at FROM amend WHERE room = ?1 AND seq = ?2")?;
        let amend = statement.query_row(params![n, seq], |row| {
            Ok(Amend { version: row.get(0)?, text: row.get(1)?, at: row.get(2)? })
        });
        Ok(amend.optional()?)
    }

    /// Who reacted how, in the order the reactions came.
    fn reactions(&self, n: i64, seq: u64) -> Result<Vec<(String, Vec<String>)>, Fault> {
        let mut statement =
            self.db.prepare_cached("SELECT emoji, user, pos FROM reaction WHERE room = ?1 AND seq = ?2")?;
        let rows = statement.query_map(params![n, seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut by_emoji: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
        for row in rows {
            let (emoji, user, position) = row?;
            by_emoji.entry(emoji).or_default().push((position, user));
        }
        let mut all: Vec<_> = by_emoji.into_iter().collect();
        for (_, users) in &mut all {
            users.sort_unstable();
        }
        all.sort_by_key(|(_, users)| users[0].0);
        Ok(all
            .into_iter()
            .map(|(emoji, users)| (emoji, users.into_iter().map(|(_, user)| user).collect()))
            .collect())
    }
}

/// Those of the seqs that are visible, each once.
fn exactly(asked: &[u64], visible: &[(u64, u64)]) -> Vec<u64> {
    let is_visible = |seq: &u64| visible.iter().any(|(after, to)| after < seq && seq <= to);
    let seqs: BTreeSet<u64> = asked.iter().copied().filter(is_visible).collect();
    seqs.into_iter().collect()
}

/// A message's later form; no text when it was recalled.
struct Amend {
    version: u64,
    text: Option<String>,
    at: u64,
}

/// One form of a message, out of its event's tail.
fn version(tail: &[u8]) -> Result<reply::Version, Fault> {
    #[derive(Deserialize)]
    struct Form {
        at: u64,
        body: Body,
        #[serde(default)]
        version: u64,
    }
    let json = [b"{", tail].concat();
    let Form { at, body, version } = stored(serde_json::from_slice(&json))?;
    Ok(reply::Version { version, body, at })
}

fn amended(
    frame: &[u8],
    amend: Option<Amend>,
    reactions: Vec<(String, Vec<String>)>,
) -> Result<Vec<u8>, Fault> {
    let mut fields: Map<String, Value> = stored(serde_json::from_slice(frame))?;
    match amend {
        Some(Amend { text: Some(text), version, at }) => {
            fields.insert("body".into(), serde_json::json!({ "text": text }));
            fields.insert("version".into(), version.into());
            fields.insert("edited_at".into(), at.into());
        }
        Some(Amend { text: None, .. }) => {
            fields.remove("body");
            fields.insert("recalled".into(), true.into());
        }
        None => {}
    }
    if !reactions.is_empty() {
        let list =
            reactions.into_iter().map(|(emoji, users)| serde_json::json!({ "emoji": emoji, "users": users }));
        fields.insert("reactions".into(), list.collect());
    }
    Ok(json::to_vec(&fields))
}
