//! What is sent, and how it is found again without parsing JSON.
//!
//! A text begins with a mark: `@wg`, then room, number in that room and time of sending in hex digits. Finding
//! it is one search for three bytes; parsing every frame would cost the driver more than receiving it.
//! What must come is counted by the `seq` that the server gives to each message it takes: without holes, as many
//! as were acknowledged. The number in the text is the sender's own, and shows that the order was kept.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::time::Instant;

use memchr::memmem;

const MARK: &[u8] = b"@wg";
const ROOM_DIGITS: usize = 5;
const NUMBER_DIGITS: usize = 8;
const TIME_DIGITS: usize = 16;
/// Rooms that a mark can tell apart.
pub(super) const ROOMS_MAX: usize = 1 << (4 * ROOM_DIGITS);
/// Bytes of a whole mark.
pub(super) const MARK_BYTES: usize = MARK.len() + ROOM_DIGITS + NUMBER_DIGITS + TIME_DIGITS;

/// The run's clock: nanoseconds since it began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn now_ns(self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }
}

/// The rooms of a run, and what was sent to each.
#[derive(Debug)]
pub(super) struct Rooms {
    run: String,
    padding: String,
    each: RefCell<Vec<Sent>>,
    clock: Clock,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sent {
    /// The number of the newest message.
    number: u32,
    /// Messages that the server has taken, and so the `seq` of the newest of them.
    taken: u32,
}

impl Rooms {
    /// `run` is part of every name, so that runs against one server never meet. `size` is in bytes of text.
    pub(super) fn new(run: String, rooms: usize, size: usize, clock: Clock) -> Self {
        let padding = "x".repeat(size.saturating_sub(MARK_BYTES));
        Self { run, padding, each: RefCell::new(vec![Sent::default(); rooms]), clock }
    }

    pub(super) fn count(&self) -> usize {
        self.each.borrow().len()
    }

    pub(super) fn name(&self, room: usize) -> String {
        format!("bench-{}-{room}", self.run)
    }

    /// A user's id in this run.
    pub(super) fn user(&self, number: usize) -> String {
        format!("bench-{}-u{number}", self.run)
    }

    /// The server has acknowledged one more.
    pub(super) fn taken(&self, room: usize) {
        self.each.borrow_mut()[room].taken += 1;
    }

    /// The `seq` of the newest message that was acknowledged.
    pub(super) fn last(&self, room: usize) -> u32 {
        self.each.borrow()[room].taken
    }

    /// Messages to all rooms, those under way and those refused with them.
    pub(super) fn sent(&self) -> u64 {
        self.each.borrow().iter().map(|room| u64::from(room.number)).sum()
    }

    /// The command that sends the room's next message.
    pub(super) fn next(&self, room: usize) -> String {
        let number = {
            let room = &mut self.each.borrow_mut()[room];
            room.number += 1;
            room.number
        };
        let (run, padding, now) = (&self.run, &self.padding, self.clock.now_ns());
        let mut command = String::with_capacity(160 + padding.len());
        write!(
            command,
            r#"{{"id":"{run}-{room:x}-{number:x}","type":"send","room":"bench-{run}-{room}","body":{{"text":"@wg{room:05x}{number:08x}{now:016x}{padding}"}}}}"#
        )
        .expect("a string takes everything");
        command
    }
}

/// A message that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) room: usize,
    /// Its sender's number.
    pub(super) number: u32,
    pub(super) sent_ns: u64,
    /// The server's number.
    pub(super) seq: u32,
}

/// The messages in `bytes`, which hold whole frames.
pub(super) fn marks(bytes: &[u8]) -> impl Iterator<Item = Mark> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        loop {
            let at = memmem::find(rest, MARK)?;
            let (before, from) = rest.split_at(at);
            let Some(mark) = from.get(..MARK_BYTES).and_then(|mark| read(before, mark)) else {
                rest = &from[MARK.len()..];
                continue;
            };
            rest = &from[MARK_BYTES..];
            return Some(mark);
        }
    })
}

fn read(before: &[u8], mark: &[u8]) -> Option<Mark> {
    let (room, rest) = mark[MARK.len()..].split_at(ROOM_DIGITS);
    let (number, time) = rest.split_at(NUMBER_DIGITS);
    Some(Mark {
        room: hex(room)? as usize,
        number: hex(number)? as u32,
        sent_ns: hex(time)?,
        seq: seq(before)?,
    })
}

fn hex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |sum, digit| Some(sum << 4 | u64::from(char::from(*digit).to_digit(16)?)))
}

/// The `seq` of the frame that `before` ends in.
fn seq(before: &[u8]) -> Option<u32> {
    const FIELD: &[u8] = b"\"seq\":";
    let digits = &before[memmem::rfind(before, FIELD)? + FIELD.len()..];
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// The command as the event that becomes of it.
    fn event(command: &str, seq: u32) -> String {
        let command: Value = serde_json::from_str(command).unwrap();
        format!(r#"{{"type":"message","seq":{seq},"body":{}}}"#, command["body"])
    }

    #[test]
    fn what_is_sent_is_found_again_with_its_numbers() {
        let rooms = Rooms::new("r".into(), 70_000, 128, Clock::start());
        let sent = [rooms.next(69_999), rooms.next(0), rooms.next(69_999)];
        assert_eq!(rooms.sent(), 3);
        let bytes: Vec<String> =
            sent.iter().zip([1, 1, 9]).map(|(command, seq)| event(command, seq)).collect();
        let found: Vec<_> = marks(bytes.join("\n").as_bytes()).collect();
        let numbers: Vec<_> = found.iter().map(|mark| (mark.room, mark.number, mark.seq)).collect();
        assert_eq!(numbers, [(69_999, 1, 1), (0, 1, 1), (69_999, 2, 9)]);
        assert!(found.is_sorted_by_key(|mark| mark.sent_ns));
    }

    #[test]
    fn a_text_has_the_size_that_was_asked_for() {
        for size in [MARK_BYTES, 128, 1000] {
            let rooms = Rooms::new("r".into(), 1, size, Clock::start());
            let command: Value = serde_json::from_str(&rooms.next(0)).unwrap();
            assert_eq!(command["body"]["text"].as_str().unwrap().len(), size);
        }
    }

    #[test]
    fn what_only_looks_like_a_mark_is_passed_over() {
        assert_eq!(marks(b"@wg @wgzzzzz0000000100000000000000ff @w @wg00001").count(), 0);
    }
}
