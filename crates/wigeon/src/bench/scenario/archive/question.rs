//! What is asked of an archive: the requests of the page, as it makes them, and whether an answer is right.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use anyhow::{Result, ensure};
use memchr::memmem;
use serde_json::{Value, json};
use wigeon_proto::limits::{PAGE_FRAMES_MAX, SNAPSHOT_ROOMS_MAX};

use super::fill::Shelves;
use super::last_text;
use super::texts::{Dice, Sought};
use crate::bench::world::World;

/// Messages of a page of history: the chat page's own step.
const STEP: usize = 50;
/// Hits of a page of what is found.
const HITS: usize = 20;

/// A kind of question, measured for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Opening the page: the snapshot, all parts of it, then the room and the newest messages there.
    Open,
    /// One answer of a snapshot of the user who is in most rooms; the next of another begins where it ends.
    Part,
    /// A page of events after an absence.
    CatchUp,
    /// The newest messages of one of the user's rooms.
    Newest,
    /// Messages from anywhere in the largest room.
    Deep,
    /// A word in all of the user's rooms.
    Search(Sought),
    /// A word in the largest room.
    SearchRoom(Sought),
}

impl Question {
    pub(super) const ALL: [Self; 9] = [
        Self::Open,
        Self::Part,
        Self::CatchUp,
        Self::Newest,
        Self::Deep,
        Self::Search(Sought::Common),
        Self::Search(Sought::Rare),
        Self::Search(Sought::Chinese),
        Self::SearchRoom(Sought::Rare),
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "open the page",
            Self::Part => "a part of the busiest user's",
            Self::CatchUp => "catch up with 500 events",
            Self::Newest => "newest page of a room",
            Self::Deep => "a page deep in a room",
            Self::Search(Sought::Common) => "search a common word",
            Self::Search(Sought::Rare) => "search a rare word",
            Self::Search(Sought::Chinese) => "search a Chinese word",
            Self::SearchRoom(Sought::Common) => "search a room, common",
            Self::SearchRoom(Sought::Rare) => "search a room, rare",
            Self::SearchRoom(Sought::Chinese) => "search a room, Chinese",
        }
    }
}

/// A snapshot that is being read in parts.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Where the next part begins; none for the first.
    after: Option<String>,
    /// Rooms so far.
    rooms: usize,
    /// Messages that had been written when it began.
    written: u64,
}

/// Who asks, and what there is to be asked for.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) world: Rc<World>,
    pub(super) shelves: Rc<Shelves>,
    /// A cursor of each user from which one page of events is missing.
    pub(super) cursors: Vec<String>,
    /// Theirs: what a service sees is more.
    pub(super) tokens: Vec<String>,
    /// That of the busiest user.
    pub(super) walk: RefCell<Walk>,
    /// Questions so far.
    pub(super) asked: Cell<u64>,
}

impl Reader {
    /// Asks, and fails where the answer is not what it must be.
    pub(super) async fn ask(&self, question: Question, dice: &mut Dice) -> Result<()> {
        let busiest = self.shelves.users.len() - 1;
        let user = dice.below(busiest as u64) as usize;
        let rooms = &self.shelves.users[user];
        let room = rooms[dice.below(rooms.len() as u64) as usize];
        match question {
            Question::Open => self.open(user, room).await,
            Question::Part => self.part(busiest).await,
            Question::CatchUp => self.catch_up(user).await,
            Question::Newest => self.page(user, room, None).await,
            Question::Deep => {
                let before = 2 + dice.below(self.shelves.messages[0].into());
                self.page(user, 0, Some(before)).await
            }
            Question::Search(sought) => self.search(user, sought, None).await.map(drop),
            Question::SearchRoom(sought) => self.search(user, sought, Some(0)).await.map(drop),
        }
    }

    /// The snapshot, which is one answer; then, in one request, what the page asks of the room it shows.
    async fn open(&self, user: usize, room: usize) -> Result<()> {
        let answer = self.command(user, json!({ "type": "snapshot" })).await?;
        let (rooms, all) = (rooms_in(&answer), self.shelves.users[user].len());
        ensure!(rooms == all.min(SNAPSHOT_ROOMS_MAX), "a snapshot of {rooms} of {all} rooms");
        let name = self.world.rooms.name(room);
        let as_user = self.world.rooms.user(user);
        let shown = json!([
            { "id": "a", "type": "room.get", "as": as_user, "room": name },
            { "id": "b", "type": "history", "as": as_user, "room": name, "before": u32::MAX, "limit": STEP },
        ]);
        let answer = self.world.post_with(&self.tokens[user], shown.to_string()).await?.body;
        self.holds(&answer, room, None)
    }

    /// The next part of a snapshot; after the last one, the first of another.
    async fn part(&self, user: usize) -> Result<()> {
        let Walk { after, rooms, written } = self.walk.take();
        let written = if after.is_none() { self.world.rooms.sent() } else { written };
        let answer = self.command(user, json!({ "type": "snapshot", "after": after })).await?;
        let (rooms, after) = (rooms + rooms_in(&answer), last_text(&answer, "next"));
        if after.is_some() {
            ensure!(rooms_in(&answer) == SNAPSHOT_ROOMS_MAX, "{} rooms in a part", rooms_in(&answer));
            self.walk.replace(Walk { after, rooms, written });
            return Ok(());
        }
        let all = self.shelves.users[user].len();
        // A room that is written to between two parts has moved to the front, and is told of by an event; so
        // have some that were under way at the beginning.
        let moved = (self.world.rooms.sent() - written) as usize + all / 10;
        ensure!((all.saturating_sub(moved)..=all).contains(&rooms), "a snapshot of {rooms} of {all} rooms");
        Ok(())
    }

    async fn page(&self, user: usize, room: usize, before: Option<u64>) -> Result<()> {
        let name = self.world.rooms.name(room);
        let ask = json!({ "type": "history", "room": name, "before": before, "limit": STEP });
        let answer = self.command(user, ask).await?;
        self.holds(&answer, room, before)
    }

    /// Whether there are as many messages as there must be.
    fn holds(&self, answer: &[u8], room: usize, before: Option<u64>) -> Result<()> {
        let there = before.map_or(self.shelves.messages[room].into(), |before| before - 1);
        let found = memmem::find_iter(answer, b"{\"type\":\"message\"").count();
        ensure!(found >= STEP.min(there as usize), "{found} messages of {there} in room {room}");
        ensure!(found <= STEP + 1, "{found} messages in a page");
        Ok(())
    }

    async fn catch_up(&self, user: usize) -> Result<()> {
        let (as_user, after) = (self.world.rooms.user(user), &self.cursors[user]);
        let path = format!("/v1/events?transport=poll&as={as_user}&after={after}&limit={PAGE_FRAMES_MAX}");
        let answer = self.world.get_with(&self.tokens[user], &path).await?.body;
        let frames = memmem::find_iter(&answer, b"{\"type\":\"message\"").count();
        let missed = self.shelves.users[user].iter().map(|room| self.shelves.messages[*room] as usize).sum();
        ensure!(frames == PAGE_FRAMES_MAX.min(missed), "{frames} events of {missed}");
        Ok(())
    }

    /// The first page of what is found, in as many answers as that takes; how many those were.
    pub(super) async fn search(&self, user: usize, sought: Sought, room: Option<usize>) -> Result<usize> {
        let name = room.map(|room| self.world.rooms.name(room));
        let there = match room {
            Some(room) => self.shelves.having(sought, &[room]),
            None => self.shelves.having(sought, &self.shelves.users[user]),
        };
        let (mut hits, mut last, mut before, mut answers) = (0, None::<String>, None, 0);
        loop {
            let ask = json!({ "type": "search", "q": sought.word(), "room": name, "before": before, "limit": HITS });
            let answer = self.command(user, ask).await?;
            answers += 1;
            for hit in cursors(&answer) {
                // Of one epoch, the text of a cursor keeps the order of the log.
                let is_older = last.as_ref().is_none_or(|last| hit < *last);
                ensure!(is_older, "a hit at {hit} after one at {last:?}, in answer {answers}");
                (hits, last) = (hits + 1, Some(hit));
            }
            before = last_text(&answer, "next");
            if before.is_none() || hits >= HITS {
                break;
            }
        }
        ensure!(hits >= HITS.min(there), "{hits} hits of {there}");
        ensure!(hits <= there, "{hits} hits where there are {there}");
        Ok(answers)
    }

    /// The answer to one command of a user.
    async fn command(&self, user: usize, mut command: Value) -> Result<Vec<u8>> {
        command["id"] = "a".into();
        command["as"] = self.world.rooms.user(user).into();
        let answer = self.world.post_with(&self.tokens[user], command.to_string()).await?.body;
        ensure!(
            memmem::find(&answer, b"\"error\":{").is_none(),
            "{}",
            String::from_utf8_lossy(&answer[..answer.len().min(300)])
        );
        Ok(answer.into())
    }
}

/// How many rooms an answer has.
fn rooms_in(answer: &[u8]) -> usize {
    memmem::find_iter(answer, b"\"kind\":\"group\"").count()
}

/// The cursors of what was found.
fn cursors(answer: &[u8]) -> Vec<String> {
    const FIELD: &[u8] = b"\"cursor\":\"";
    let text = |at: usize| {
        let rest = &answer[at + FIELD.len()..];
        let end = memchr::memchr(b'"', rest).unwrap_or(rest.len());
        String::from_utf8_lossy(&rest[..end]).into_owned()
    };
    memmem::find_iter(answer, FIELD).map(text).collect()
}
