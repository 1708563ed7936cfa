//! Filling an archive: who is in which room, who wrote what, and where the log stood meanwhile.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::rc::Rc;

use anyhow::{Context, Result};
use serde_json::json;
use tokio::task::spawn_local;
use wigeon_proto::limits::{COMMANDS_PER_REQUEST_MAX, MEMBERS_PER_COMMAND_MAX};

use super::last_text;
use super::texts::{Dice, Sought, text};
use crate::bench::arguments;
use crate::bench::limits::FILLING_AT_ONCE;
use crate::bench::progress::Goal;
use crate::bench::tally::Tally;
use crate::bench::world::World;

/// Any number: the same archive in each run.
const SEED: u64 = 20_260_101;

/// What was filled.
#[derive(Debug)]
pub(super) struct Shelves {
    /// The rooms of each user, in no order; the last user is in most of them.
    pub(super) users: Vec<Vec<usize>>,
    /// Messages of each room.
    pub(super) messages: Vec<u32>,
    /// The room of each message, in the order of sending.
    sequence: Vec<u32>,
    /// After so many messages the log stood here, or a little further: several batches are under way at once.
    marks: Vec<(usize, String)>,
    /// For each of [`Sought::ALL`], how many messages of each room have it.
    having: [Vec<u32>; 3],
}

impl Shelves {
    /// How many messages have a word in these rooms.
    pub(super) fn having(&self, sought: Sought, rooms: &[usize]) -> usize {
        rooms.iter().map(|room| self.having[sought as usize][*room] as usize).sum()
    }

    /// A cursor after which a user has not seen `events` messages or more, if there were as many.
    pub(super) fn behind(&self, user: usize, events: usize) -> &str {
        let mut is_mine = vec![false; self.messages.len()];
        self.users[user].iter().for_each(|room| is_mine[*room] = true);
        let mine = |(_, room): &(usize, &u32)| is_mine[**room as usize];
        let newest_first = self.sequence.iter().enumerate().rev().filter(mine);
        let from = newest_first.take(events).last().map_or(0, |(at, _)| at);
        // As many batches earlier as may have been written before their turn.
        let safe = from.saturating_sub(FILLING_AT_ONCE * COMMANDS_PER_REQUEST_MAX);
        let mark = self.marks.partition_point(|(at, _)| *at <= safe).saturating_sub(1);
        &self.marks[mark].1
    }
}

/// Makes rooms and members, then writes.
pub(super) async fn fill(
    world: &Rc<World>,
    asked: &arguments::Archive,
    tally: &Rc<Tally>,
) -> Result<Shelves> {
    let mut dice = Dice::new(SEED);
    let rooms = asked.rooms as usize;
    let mut users: Vec<Vec<usize>> =
        (0..asked.users).map(|_| some_rooms(&mut dice, rooms, asked.rooms_each as usize)).collect();
    users.push(some_rooms(&mut dice, rooms, asked.rooms_of_busiest as usize));
    let mut members = vec![Vec::new(); rooms];
    for (user, rooms) in users.iter().enumerate() {
        for room in rooms {
            members[*room].push(user);
        }
    }
    make_rooms(world, &members).await?;
    let start = world.cursor().await?;

    let sequence = sequence(&mut dice, rooms, asked.messages as usize);
    let mut messages = vec![0; rooms];
    for room in &sequence {
        messages[*room as usize] += 1;
    }
    world.progress.begin("filling", Goal::Count(sequence.len() as u64));
    let writing = Rc::new(Writing {
        world: world.clone(),
        tally: tally.clone(),
        members,
        sequence,
        next: Cell::new(0),
        dice: RefCell::new(dice),
        marks: RefCell::new(vec![(0, start)]),
        having: RefCell::new(Sought::ALL.map(|_| vec![0; rooms])),
    });
    let writers: Vec<_> = (0..FILLING_AT_ONCE).map(|_| spawn_local(writing.clone().write())).collect();
    for writer in writers {
        writer.await.context("a writer")??;
    }
    let writing = Rc::into_inner(writing).context("all writers are through")?;
    let mut marks = writing.marks.into_inner();
    marks.sort_unstable();
    let having = writing.having.into_inner();
    Ok(Shelves { users, messages, sequence: writing.sequence, marks, having })
}

/// Room 0, which is the largest, and others by chance.
fn some_rooms(dice: &mut Dice, rooms: usize, count: usize) -> Vec<usize> {
    let mut others: Vec<usize> = (1..rooms).collect();
    for i in 0..count - 1 {
        let j = i + dice.below((others.len() - i) as u64) as usize;
        others.swap(i, j);
    }
    others.truncate(count - 1);
    others.push(0);
    others
}

/// Which room each message is for: room n is as likely as an n-th of room 1.
fn sequence(dice: &mut Dice, rooms: usize, messages: usize) -> Vec<u32> {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=rooms)
        .map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        })
        .collect();
    // Each once first: no room is empty.
    let pick = |dice: &mut Dice| {
        let drawn = dice.unit() * sum;
        sums.partition_point(|below| *below <= drawn).min(rooms - 1)
    };
    (0..messages).map(|number| if number < rooms { number } else { pick(dice) } as u32).collect()
}

async fn make_rooms(world: &World, members: &[Vec<usize>]) -> Result<()> {
    let rooms = members.len();
    world.progress.begin("rooms", Goal::Count(1));
    let mut commands = Vec::new();
    for (room, members) in members.iter().enumerate() {
        let users: Vec<_> = members.iter().map(|user| world.rooms.user(*user)).collect();
        let mut parts = users.chunks(MEMBERS_PER_COMMAND_MAX);
        let (id, title) = (world.rooms.name(room), format!("Room {room} of {rooms}"));
        let first = parts.next().unwrap_or_default();
        commands.push(
            json!({ "id": id, "type": "room.create", "kind": "group", "room": id, "title": title, "members": first })
                .to_string(),
        );
        for (part, users) in parts.enumerate() {
            let id = format!("{}-{part}", world.rooms.name(room));
            let room = world.rooms.name(room);
            commands
                .push(json!({ "id": id, "type": "member.add", "room": room, "users": users }).to_string());
        }
    }
    for commands in commands.chunks(COMMANDS_PER_REQUEST_MAX) {
        world.commands(commands).await?;
    }
    Ok(())
}

/// What the writers share.
#[derive(Debug)]
struct Writing {
    world: Rc<World>,
    tally: Rc<Tally>,
    members: Vec<Vec<usize>>,
    sequence: Vec<u32>,
    next: Cell<usize>,
    dice: RefCell<Dice>,
    marks: RefCell<Vec<(usize, String)>>,
    having: RefCell<[Vec<u32>; 3]>,
}

impl Writing {
    async fn write(self: Rc<Self>) -> Result<()> {
        loop {
            let from = self.next.get();
            let to = (from + COMMANDS_PER_REQUEST_MAX).min(self.sequence.len());
            if from == to {
                return Ok(());
            }
            self.next.set(to);
            let answer = self.world.post_all(self.world.client(), self.batch(from, to)).await?.body;
            let cursor = last_text(&answer, "cursor").context("a reply without a cursor")?;
            self.marks.borrow_mut().push((to, cursor));
            self.tally.ready.set(self.tally.ready.get() + to - from);
        }
    }

    /// One request's messages, each by a member of its room.
    fn batch(&self, from: usize, to: usize) -> String {
        let dice = &mut *self.dice.borrow_mut();
        let words = Sought::ALL.map(Sought::word);
        let mut batch = String::from("[");
        for number in from..to {
            let room = self.sequence[number] as usize;
            let members = &self.members[room];
            let comma = if number == from { "" } else { "," };
            let name = self.world.rooms.name(room);
            let _ = write!(batch, r#"{comma}{{"id":"{name}-{number}","type":"send","room":"{name}""#);
            if !members.is_empty() {
                let author = members[dice.below(members.len() as u64) as usize];
                let _ = write!(batch, r#","as":"{}""#, self.world.rooms.user(author));
            }
            let text = text(dice);
            for (word, rooms) in words.iter().zip(self.having.borrow_mut().iter_mut()) {
                rooms[room] += u32::from(text.contains(word));
            }
            let _ = write!(batch, r#","body":{{"text":"{text}"}}}}"#);
        }
        batch.push(']');
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_in_the_largest_room_and_no_room_is_empty() {
        let mut dice = Dice::new(1);
        let rooms = some_rooms(&mut dice, 50, 50);
        assert!(rooms.contains(&0) && rooms.len() == 50);
        let sequence = sequence(&mut dice, 50, 10_000);
        let of = |room: u32| sequence.iter().filter(|other| **other == room).count();
        assert!((0..50).all(|room| of(room) > 0));
        assert!(of(0) > 1500 && of(0) > 3 * of(9), "{} {}", of(0), of(9));
    }

    #[test]
    fn a_cursor_lies_before_what_was_missed() {
        let marks = (0..=30).map(|batch| (batch * 100, format!("{batch}"))).collect();
        let sequence = (0..3000).map(|number| number % 2).collect();
        let having = [vec![0; 2], vec![0; 2], vec![0; 2]];
        let shelves = Shelves { users: vec![vec![1]], messages: vec![1500; 2], sequence, marks, having };
        // The 500th newest of room 1 is message 2001; eight batches earlier is 1201.
        assert_eq!(shelves.behind(0, 500), "12");
        assert_eq!(shelves.behind(0, 5000), "0");
    }
}
