//! One reader's book: every message exactly once, in order, room by room, by its `seq`.

use super::message::Mark;

/// What a message is to a reader who has kept count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// The one that was to come.
    Next,
    /// One that was to come later: so many before it did not.
    After(u32),
    /// One that was there before, or that comes too late to be in order.
    Again,
    /// One of a room that this reader does not follow, or sent before another that stands before it.
    Wrong,
}

#[derive(Debug)]
pub(super) struct Account {
    rooms: Vec<Room>,
}

#[derive(Debug)]
struct Room {
    id: usize,
    first: u32,
    next: u32,
    /// The sender's number of the last.
    number: u32,
    /// The `seq` that it is to have reached.
    goal: u32,
}

impl Account {
    /// Follows `rooms`; in each, `first` is the `seq` of the first message to come.
    pub(super) fn new(rooms: &[usize], first: u32) -> Self {
        Self {
            rooms: rooms
                .iter()
                .map(|room| Room { id: *room, first, next: first, number: 0, goal: 0 })
                .collect(),
        }
    }

    pub(super) fn see(&mut self, mark: &Mark) -> Seen {
        let Some(room) = self.rooms.iter_mut().find(|room| room.id == mark.room) else {
            return Seen::Wrong;
        };
        if mark.seq < room.next {
            return Seen::Again;
        }
        if mark.number <= room.number {
            return Seen::Wrong;
        }
        let missing = mark.seq - room.next;
        (room.next, room.number) = (mark.seq + 1, mark.number);
        if missing == 0 { Seen::Next } else { Seen::After(missing) }
    }

    /// Level is from now on who has what each room was sent so far.
    pub(super) fn aim(&mut self, last: impl Fn(usize) -> u32) {
        self.rooms.iter_mut().for_each(|room| room.goal = last(room.id));
    }

    /// Whether every message that was aimed at has come or been given up.
    pub(super) fn is_level(&self) -> bool {
        self.rooms.iter().all(|room| room.next > room.goal)
    }

    /// Messages that should have come so far, when `last` says what each room was sent.
    pub(super) fn expected(&self, last: impl Fn(usize) -> u32) -> u64 {
        self.rooms.iter().map(|room| u64::from((last(room.id) + 1).saturating_sub(room.first))).sum()
    }

    /// Messages that are missing at the end of each room.
    pub(super) fn missing(&self, last: impl Fn(usize) -> u32) -> u64 {
        self.rooms.iter().map(|room| u64::from((last(room.id) + 1).saturating_sub(room.next))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(account: &mut Account, room: usize, seq: u32) -> Seen {
        account.see(&Mark { room, number: seq + 10, sent_ns: 0, seq })
    }

    #[test]
    fn each_room_is_counted_for_itself() {
        let mut account = Account::new(&[3, 5], 2);
        assert_eq!(see(&mut account, 3, 2), Seen::Next);
        assert_eq!(see(&mut account, 5, 2), Seen::Next);
        assert_eq!(see(&mut account, 3, 6), Seen::After(3));
        assert_eq!(see(&mut account, 3, 5), Seen::Again);
        assert_eq!(see(&mut account, 3, 6), Seen::Again);
        assert_eq!(see(&mut account, 4, 2), Seen::Wrong);
        assert_eq!(account.see(&Mark { room: 5, number: 12, sent_ns: 0, seq: 3 }), Seen::Wrong);
        let last = |room| if room == 3 { 8 } else { 2 };
        assert_eq!((account.expected(last), account.missing(last)), (8, 2));
        account.aim(|_| 2);
        assert!(account.is_level());
        account.aim(|_| 3);
        assert!(!account.is_level());
    }
}
