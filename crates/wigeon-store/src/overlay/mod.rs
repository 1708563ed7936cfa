//! The overlay: state as of the last entry applied, over tables that are a little behind.
//!
//! It is what the rules read. What an entry changes is noted here at once and stays until the fold has
//! brought it into the tables; what is not here is as the tables have it. So each of these holds
//! everything that is newer than the tables, and some are caches besides.
//!
//! A kind of change that no rule reads back (a mention, a name) needs no place here.

mod reads;

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use rusqlite::Connection;
use wigeon_core::entry::PayloadHash;
use wigeon_core::outcome::Change;
use wigeon_core::state::{Member, MessageState, Room, State as _};
use wigeon_proto::cursor::Epoch;
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::ANSWERS_KEPT_MS;
use wigeon_proto::room::{Policy, RoomKind};

use crate::cache::{Cache, Map};
use crate::known::Known;
use crate::rare::Rare;
use crate::rows::{self, AnswerId, Keyed, Sent};
use crate::{Fault, retention};

/// Rooms of one generation of the cache: some 20 MB.
const ROOMS_MAX: usize = 50_000;
/// Memberships of one generation of the cache: some 30 MB.
const MEMBERS_MAX: usize = 200_000;
/// Messages of one generation that were edited, recalled or reacted to.
const MESSAGES_MAX: usize = 5_000;

type MessageKey = (i64, u64);

/// What the rules read.
#[derive(Debug)]
pub(crate) struct Overlay {
    tables: Connection,
    epoch: Epoch,
    rooms_known: i64,
    rooms: RefCell<Cache<RoomId, Keyed<Room>>>,
    /// `None` for one who is no member.
    members: RefCell<Cache<(i64, UserId), Option<Member>>>,
    messages: RefCell<Cache<MessageKey, MessageState>>,
    reactions: RefCell<Cache<MessageKey, HashSet<(String, UserId)>>>,
    rare: Rare,
    answers: Map<AnswerId, Kept>,
    /// The key of the entry at hand: it was made on its sender's time, and the rules ask for no other.
    at_hand: i64,
    /// Answers to messages that have gone hold no more if this is past their end.
    answers_until: u64,
    known: Known,
    recent: VecDeque<Recent>,
}

/// What of an entry is here only until it is folded.
#[derive(Debug)]
pub(crate) struct Recent {
    pub(crate) position: u64,
    /// Under which its answer stands.
    pub(crate) answer: Option<AnswerId>,
    /// The message it is.
    pub(crate) message: Option<RecentMessage>,
    /// Who came and who went.
    pub(crate) moves: Vec<Move>,
}

/// An answer that is not folded yet.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) hash: PayloadHash,
    pub(crate) reply: Reply,
    /// See [`Answered::until`].
    pub(crate) until: Option<u64>,
}

/// The reply's `ok` object.
#[derive(Debug)]
pub(crate) enum Reply {
    Bytes(Vec<u8>),
    /// It follows from this message.
    To(Sent),
}

/// A message as it was sent.
#[derive(Debug)]
pub(crate) struct RecentMessage {
    pub(crate) key: MessageKey,
    pub(crate) state: MessageState,
    /// Its frame.
    pub(crate) json: Arc<[u8]>,
}

/// Who is told of an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Audience {
    /// The room's key.
    pub(crate) n: i64,
    /// Anybody may watch it.
    pub(crate) public: bool,
    /// Its members are told of each other's receipts.
    pub(crate) tells_receipts: bool,
}

#[derive(Debug)]
pub(crate) struct Move {
    user: UserId,
    room: RoomId,
    came: bool,
}

impl Overlay {
    /// Over the tables that a connection reads.
    pub(crate) fn new(tables: Connection, epoch: Epoch) -> Result<Self, Fault> {
        Ok(Self {
            rooms_known: rows::rooms_known(&tables)?,
            known: Known::load(&tables)?,
            answers_until: retention::answers_until(&tables)?,
            tables,
            epoch,
            rooms: RefCell::new(Cache::new(ROOMS_MAX)),
            members: RefCell::new(Cache::new(MEMBERS_MAX)),
            messages: RefCell::new(Cache::new(MESSAGES_MAX)),
            reactions: RefCell::new(Cache::new(MESSAGES_MAX)),
            rare: Rare::default(),
            answers: Map::default(),
            at_hand: 0,
            recent: VecDeque::new(),
        })
    }

    /// The rooms a user is a member of.
    pub(crate) fn rooms_of(&self, user: &UserId) -> Result<HashSet<RoomId>, Fault> {
        let mut rooms = rows::rooms_of(&self.tables, user)?;
        for Move { room, came, .. } in
            self.recent.iter().flat_map(|recent| &recent.moves).filter(|moved| moved.user == *user)
        {
            if *came {
                rooms.insert(room.clone());
            } else {
                rooms.remove(room);
            }
        }
        Ok(rooms)
    }

    /// The members who may not see a message, for it was said before they came.
    pub(crate) fn too_late_for(&self, room: &RoomId, seq: u64) -> Result<Vec<UserId>, Fault> {
        let look = |(n, room): &Keyed<Room>| (*n, room.open_after(true));
        let Some((n, open_after)) = self.with_room(room, look)? else { return Ok(Vec::new()) };
        if open_after.is_some_and(|after| seq > after) {
            return Ok(Vec::new());
        }
        let moves = self.recent.iter().flat_map(|recent| &recent.moves);
        let came = moves.filter(|moved| moved.came && moved.room == *room).map(|moved| moved.user.clone());
        let mut late = Vec::new();
        for user in rows::joined_since(&self.tables, n, seq)?.into_iter().chain(came) {
            if self.member(room, &user)?.is_some() && !self.was_there(room, &user, seq)? {
                late.push(user);
            }
        }
        Ok(late)
    }

    /// Whether anybody may see a message.
    pub(crate) fn is_public(&self, room: &RoomId, seq: u64) -> Result<bool, Fault> {
        let opens = self.with_room(room, |(_, room)| room.open_after(false))?;
        Ok(opens.flatten().is_some_and(|after| seq > after))
    }

    /// What is asked next is of the entry with this key.
    pub(crate) fn take_in_hand(&mut self, key: i64) {
        self.at_hand = key;
    }

    /// Notes an entry's change, and returns the key of the room it is in; 0 where it is in none.
    pub(crate) fn change(&mut self, change: &Change, moves: &mut Vec<Move>) -> Result<i64, Fault> {
        let mut moved = |room: &RoomId, user: &UserId, came| {
            moves.push(Move { user: user.clone(), room: room.clone(), came });
        };
        let n = match change {
            Change::Room(room) => self.put_room(room),
            Change::Joined(room, user, member) => {
                // A new room's own row comes with a later change of the entry; its key is taken now.
                let n = match self.key(room)? {
                    Some(n) => n,
                    None => self.reserve(room),
                };
                self.members.get_mut().insert((n, user.clone()), Some(*member));
                moved(room, user, true);
                Ok(n)
            }
            Change::Member(room, user, member) => {
                let n = self.key_of(room)?;
                self.members.get_mut().insert((n, user.clone()), Some(*member));
                Ok(n)
            }
            Change::Left { room, user, .. } => {
                let n = self.key_of(room)?;
                self.members.get_mut().insert((n, user.clone()), None);
                moved(room, user, false);
                Ok(n)
            }
            Change::Mention(room, ..)
            | Change::MentionAll(room, ..)
            | Change::Pin { room, .. }
            | Change::Banned { room, .. }
            | Change::Unbanned(room, ..)
            | Change::Muted(room, ..) => self.key_of(room),
            Change::Edited { room, seq, version, .. } => {
                self.change_message(room, *seq, |message| message.version = *version)
            }
            Change::Recalled { room, seq } => {
                let n = self.change_message(room, *seq, |message| message.recalled = true)?;
                self.reactions.get_mut().insert((n, *seq), HashSet::new());
                Ok(n)
            }
            Change::Retained { room, to_seq, at, .. } => {
                let n = self.key_of(room)?;
                self.retain(n, *to_seq, *at);
                Ok(n)
            }
            Change::Reaction { room, seq, user, emoji, on } => {
                let n = self.key_of(room)?;
                self.with_reactions((n, *seq), |standing| {
                    let reaction = (emoji.clone(), user.clone());
                    if *on { standing.insert(reaction) } else { standing.remove(&reaction) }
                })?;
                Ok(n)
            }
            Change::Invite(_) | Change::Blocked { .. } | Change::User(..) | Change::Prefs(..) => Ok(0),
        }?;
        self.rare.change(&self.tables, n, change)?;
        Ok(n)
    }

    /// Messages have gone: their answers do not hold for ever any more. What else there is of them here nobody
    /// asks for, as the room says that they have gone.
    fn retain(&mut self, n: i64, to_seq: u64, at: u64) {
        self.answers_until = self.answers_until.max(at);
        for Recent { answer, message, .. } in &self.recent {
            if let (Some(key), Some(RecentMessage { key: (of, seq), state, .. })) = (answer, message)
                && *of == n
                && *seq <= to_seq
                && let Some(answer) = self.answers.get_mut(key)
            {
                answer.until = Some(answered_until(state.at));
            }
        }
    }

    /// An event's audience. A self audience gets its row with its first event, and its head moves with each:
    /// then the room is there to be folded, too.
    pub(crate) fn audience(&mut self, id: &RoomId, position: u64) -> Result<(Audience, Option<Room>), Fault> {
        let look = |(n, room): &Keyed<Room>| {
            let (public, tells_receipts) = (room.is_public(), room.tells_receipts());
            let own = (room.kind == RoomKind::Own).then(|| room.clone());
            (Audience { n: *n, public, tells_receipts }, own)
        };
        let mut room = match self.with_room(id, look)? {
            Some((audience, None)) => return Ok((audience, None)),
            Some((_, Some(own))) => own,
            None => {
                let own = Room::new(id.clone(), RoomKind::Own, "", Policy::of(RoomKind::Own));
                Room { user_count: 1, ..own }
            }
        };
        room.head_pos = position;
        let n = self.put_room(&room)?;
        Ok((Audience { n, public: false, tells_receipts: false }, Some(room)))
    }

    /// Notes what of an entry is not a change of state.
    pub(crate) fn note(&mut self, recent: Recent, answer: Option<Kept>) {
        if let (Some(of), Some(answer)) = (&recent.answer, answer) {
            self.known.insert(of.key);
            self.answers.insert(of.clone(), answer);
        }
        self.recent.push_back(recent);
    }

    /// Lets go of what the tables hold, which is everything up to `folded`.
    pub(crate) fn release(&mut self, folded: u64) {
        let count = self.recent.partition_point(|recent| recent.position <= folded);
        for key in self.recent.drain(..count).filter_map(|recent| recent.answer) {
            self.answers.remove(&key);
        }
    }

    /// Makes room in the caches, if there is need. State is at `position`; `folded` waits until the tables
    /// are at the position it is given.
    pub(crate) fn trim(
        &mut self,
        position: u64,
        mut folded: impl FnMut(u64) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        /// One after the other, as each is of another type.
        macro_rules! trim {
            ($($cache:ident)*) => {$(
                let cache = self.$cache.get_mut();
                if let Some(changed) = cache.is_full() {
                    folded(changed)?;
                    cache.turn(position);
                }
            )*};
        }
        trim!(rooms members messages reactions);
        self.rare.trim(position, &mut folded)
    }

    fn reserve(&mut self, id: &RoomId) -> i64 {
        self.rooms_known += 1;
        let placeholder = Room::new(id.clone(), RoomKind::Group, "", Policy::of(RoomKind::Group));
        self.rooms.get_mut().insert(id.clone(), (self.rooms_known, placeholder));
        self.rooms_known
    }

    fn put_room(&mut self, room: &Room) -> Result<i64, Fault> {
        if self.key(&room.id)?.is_none() {
            self.reserve(&room.id);
        }
        let (n, known) = self.rooms.get_mut().get(&room.id).expect("it is there by now");
        known.clone_from(room);
        Ok(*n)
    }

    fn key(&self, room: &RoomId) -> Result<Option<i64>, Fault> {
        self.with_room(room, |(n, _)| *n)
    }

    /// The key of a room that a rule has found.
    fn key_of(&self, room: &RoomId) -> Result<i64, Fault> {
        self.key(room)?.ok_or_else(|| Fault::Corrupt(format!("no row for room {room}")))
    }

    fn with_room<T>(&self, id: &RoomId, look: impl FnOnce(&Keyed<Room>) -> T) -> Result<Option<T>, Fault> {
        let mut rooms = self.rooms.borrow_mut();
        if let Some(room) = rooms.get(id) {
            return Ok(Some(look(room)));
        }
        let Some(room) = rows::find_room(&self.tables, id)? else { return Ok(None) };
        Ok(Some(look(rooms.insert(id.clone(), room))))
    }

    fn find_message(&self, key: MessageKey) -> Result<Option<MessageState>, Fault> {
        if let Some(message) = self.messages.borrow_mut().get(&key) {
            return Ok(Some(message.clone()));
        }
        if let Some(recent) = self.recent_message(key) {
            return Ok(Some(recent.state.clone()));
        }
        rows::find_message(&self.tables, key.0, key.1)
    }

    fn recent_message(&self, key: MessageKey) -> Option<&RecentMessage> {
        self.recent.iter().filter_map(|recent| recent.message.as_ref()).find(|message| message.key == key)
    }

    /// A fact of a room there is; of a room that is yet to come, what holds of nothing.
    fn rarely<T: Default>(
        &self,
        room: &RoomId,
        ask: impl FnOnce(&Rare, &Connection, i64) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.key(room)?.map_or_else(|| Ok(T::default()), |n| ask(&self.rare, &self.tables, n))
    }

    fn change_message(
        &mut self,
        room: &RoomId,
        seq: u64,
        change: impl FnOnce(&mut MessageState),
    ) -> Result<i64, Fault> {
        let key = (self.key_of(room)?, seq);
        let Some(mut message) = self.find_message(key)? else {
            return Err(Fault::Corrupt(format!("no message {seq} in {room}")));
        };
        change(&mut message);
        self.messages.get_mut().insert(key, message);
        Ok(key.0)
    }

    fn with_reactions<T>(
        &self,
        key: MessageKey,
        look: impl FnOnce(&mut HashSet<(String, UserId)>) -> T,
    ) -> Result<T, Fault> {
        let mut reactions = self.reactions.borrow_mut();
        if let Some(standing) = reactions.get(&key) {
            return Ok(look(standing));
        }
        Ok(look(reactions.insert(key, rows::reactions_of(&self.tables, key.0, key.1)?)))
    }
}

/// Until when the answer to a message that has gone holds.
fn answered_until(sent_at: u64) -> u64 {
    sent_at.saturating_add(ANSWERS_KEPT_MS)
}
