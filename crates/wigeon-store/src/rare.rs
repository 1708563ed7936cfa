//! The rarer facts as the rules read them: over the tables, with what is not folded yet.
//!
//! Part of the overlay, and under its law: what an entry changes is noted here at once, and nothing is
//! forgotten that the tables do not hold. What comes in a set that has a bound is kept as the whole set, so
//! that it can be counted.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use rusqlite::Connection;
use wigeon_core::outcome::Change;
use wigeon_core::state::Among;
use wigeon_proto::id::{InviteCode, RoomId, UserId};
use wigeon_proto::reply::{Invite, Prefs};

use crate::cache::Cache;
use crate::facts::{self, Stay};
use crate::{Fault, stored};

/// Entries of one generation, where each is small.
const SMALL_MAX: usize = 20_000;
/// Entries of one generation, where each may have some KiB.
const LARGE_MAX: usize = 1_000;

/// A cache that reads through to the tables.
type Through<K, V> = RefCell<Cache<K, V>>;

/// What the rules read seldom.
#[derive(Debug)]
pub(crate) struct Rare {
    pins: Through<i64, HashSet<u64>>,
    bans: Through<(i64, UserId), bool>,
    mutes: Through<(i64, UserId), u64>,
    invites: Through<InviteCode, Option<Invite>>,
    blocks: Through<UserId, HashSet<UserId>>,
    prefs: Through<(UserId, Option<RoomId>), Prefs>,
    stays: Through<(i64, UserId), Vec<Stay>>,
    /// Texts of messages that were edited or recalled; empty for the latter.
    texts: Through<(i64, u64), String>,
}

impl Default for Rare {
    fn default() -> Self {
        fn of<K: Hash + Eq, V>(generation_max: usize) -> Through<K, V> {
            RefCell::new(Cache::new(generation_max))
        }
        Self {
            pins: of(SMALL_MAX),
            bans: of(SMALL_MAX),
            mutes: of(SMALL_MAX),
            invites: of(SMALL_MAX),
            blocks: of(LARGE_MAX),
            prefs: of(LARGE_MAX),
            stays: of(SMALL_MAX),
            texts: of(LARGE_MAX / 4),
        }
    }
}

/// Looks at an entry of a cache, which is read from the tables if it is not there.
fn with<K: Hash + Eq, V, T>(
    cache: &Through<K, V>,
    key: K,
    read: impl FnOnce() -> Result<V, Fault>,
    look: impl FnOnce(&mut V) -> T,
) -> Result<T, Fault> {
    let mut cache = cache.borrow_mut();
    if let Some(value) = cache.get(&key) {
        return Ok(look(value));
    }
    Ok(look(cache.insert(key, read()?)))
}

fn among<T: Hash + Eq>(set: &HashSet<T>, one: &T) -> Among {
    Among { stands: set.contains(one), count: set.len() }
}

fn toggle<T: Hash + Eq>(set: &mut HashSet<T>, one: T, on: bool) {
    if on {
        set.insert(one);
    } else {
        set.remove(&one);
    }
}

impl Rare {
    pub(crate) fn pin(&self, db: &Connection, n: i64, seq: u64) -> Result<Among, Fault> {
        with(&self.pins, n, || pins(db, n), |pins| among(pins, &seq))
    }

    pub(crate) fn banned(&self, db: &Connection, n: i64, user: &UserId) -> Result<bool, Fault> {
        with(&self.bans, (n, user.clone()), || facts::banned(db, n, user), |banned| *banned)
    }

    pub(crate) fn muted_until(&self, db: &Connection, n: i64, user: &UserId) -> Result<u64, Fault> {
        with(&self.mutes, (n, user.clone()), || facts::muted_until(db, n, user), |until| *until)
    }

    pub(crate) fn invite(&self, db: &Connection, code: &InviteCode) -> Result<Option<Invite>, Fault> {
        with(&self.invites, code.clone(), || facts::invite(db, code), |invite| invite.clone())
    }

    /// Those of the tables, corrected by what is newer.
    pub(crate) fn invites(&self, db: &Connection, room: &RoomId, at: u64) -> Result<usize, Fault> {
        let read = facts::invites(db, room, at)?.into_iter().map(|invite| (invite.code.clone(), invite));
        let mut all: HashMap<InviteCode, Invite> = read.collect();
        for (code, invite) in self.invites.borrow().iter() {
            if let Some(invite) = invite.as_ref().filter(|invite| invite.room == *room) {
                all.insert(code.clone(), invite.clone());
            }
        }
        Ok(all.values().filter(|invite| invite.is_good(at)).count())
    }

    pub(crate) fn blocked(&self, db: &Connection, user: &UserId, other: &UserId) -> Result<Among, Fault> {
        with(&self.blocks, user.clone(), || facts::blocks(db, user), |blocks| among(blocks, other))
    }

    pub(crate) fn prefs(
        &self,
        db: &Connection,
        user: &UserId,
        room: Option<&RoomId>,
    ) -> Result<Prefs, Fault> {
        let key = (user.clone(), room.cloned());
        with(&self.prefs, key, || facts::prefs(db, user, room), |prefs| prefs.clone())
    }

    pub(crate) fn was_there(&self, db: &Connection, n: i64, user: &UserId, seq: u64) -> Result<bool, Fault> {
        let key = (n, user.clone());
        let covers = |stays: &mut Vec<Stay>| stays.iter().any(|stay| stay.covers(seq));
        with(&self.stays, key, || facts::stays(db, n, user), covers)
    }

    pub(crate) fn left_as_reader(&self, db: &Connection, n: i64, user: &UserId) -> Result<bool, Fault> {
        let last = |stays: &mut Vec<Stay>| stays.last().is_some_and(|stay| stay.as_reader);
        with(&self.stays, (n, user.clone()), || facts::stays(db, n, user), last)
    }

    /// The text of a message that is not as it was sent, if that is newer than the tables may be.
    pub(crate) fn text(&self, n: i64, seq: u64) -> Option<String> {
        self.texts.borrow_mut().get(&(n, seq)).map(|text| text.clone())
    }

    /// Notes a change in a room whose key is `n`, or in none.
    pub(crate) fn change(&mut self, db: &Connection, n: i64, change: &Change) -> Result<(), Fault> {
        match change {
            Change::Pin { seq, on, .. } => {
                with(&self.pins, n, || pins(db, n), |pins| toggle(pins, *seq, *on))?;
            }
            Change::Edited { seq, text, .. } => {
                self.texts.get_mut().insert((n, *seq), text.clone());
            }
            Change::Recalled { seq, .. } => {
                self.texts.get_mut().insert((n, *seq), String::new());
                with(&self.pins, n, || pins(db, n), |pins| toggle(pins, *seq, false))?;
            }
            Change::Retained { to_seq, .. } => {
                with(&self.pins, n, || pins(db, n), |pins| pins.retain(|seq| seq > to_seq))?;
            }
            Change::Banned { user, .. } => drop(self.bans.get_mut().insert((n, user.clone()), true)),
            Change::Unbanned(_, user) => drop(self.bans.get_mut().insert((n, user.clone()), false)),
            Change::Muted(_, user, until) => drop(self.mutes.get_mut().insert((n, user.clone()), *until)),
            Change::Invite(invite) => {
                self.invites.get_mut().insert(invite.code.clone(), Some(invite.clone()));
            }
            Change::Blocked { user, other, on } => {
                let change = |blocks: &mut HashSet<UserId>| toggle(blocks, other.clone(), *on);
                with(&self.blocks, user.clone(), || facts::blocks(db, user), change)?;
            }
            Change::Prefs(user, room, json) => {
                let prefs = stored(serde_json::from_str(json))?;
                self.prefs.get_mut().insert((user.clone(), room.clone()), prefs);
            }
            Change::Joined(_, user, member) => {
                let stay = Stay { after: member.joined_seq, to: None, as_reader: false };
                let begin = |stays: &mut Vec<Stay>| stays.push(stay);
                with(&self.stays, (n, user.clone()), || facts::stays(db, n, user), begin)?;
            }
            Change::Left { user, seq, as_reader, .. } => {
                let end = |stays: &mut Vec<Stay>| {
                    if let Some(last) = stays.last_mut() {
                        (last.to, last.as_reader) = (Some(*seq), *as_reader);
                    }
                };
                with(&self.stays, (n, user.clone()), || facts::stays(db, n, user), end)?;
            }
            Change::Room(_)
            | Change::Member(..)
            | Change::Mention(..)
            | Change::MentionAll(..)
            | Change::Reaction { .. }
            | Change::User(..) => {}
        }
        Ok(())
    }

    /// Makes room in the caches, as the overlay does in its own.
    pub(crate) fn trim(
        &mut self,
        position: u64,
        folded: &mut impl FnMut(u64) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        fn turn<K: Hash + Eq, V>(
            cache: &mut Through<K, V>,
            position: u64,
            folded: &mut impl FnMut(u64) -> Result<(), Fault>,
        ) -> Result<(), Fault> {
            let cache = cache.get_mut();
            if let Some(changed) = cache.is_full() {
                folded(changed)?;
                cache.turn(position);
            }
            Ok(())
        }
        turn(&mut self.pins, position, folded)?;
        turn(&mut self.bans, position, folded)?;
        turn(&mut self.mutes, position, folded)?;
        turn(&mut self.invites, position, folded)?;
        turn(&mut self.blocks, position, folded)?;
        turn(&mut self.prefs, position, folded)?;
        turn(&mut self.stays, position, folded)?;
        turn(&mut self.texts, position, folded)
    }
}

fn pins(db: &Connection, n: i64) -> Result<HashSet<u64>, Fault> {
    Ok(facts::pins(db, n)?.into_iter().collect())
}
