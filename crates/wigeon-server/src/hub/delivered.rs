//! Delivered: senders in direct rooms and small groups are told whose devices have taken their messages in.
//!
//! It follows from the cursors that devices acknowledge anyway. What was sent lately is kept here by room, and
//! nowhere else: a tick that is missed is found by `receipts.get`. What a second brings is told at its end, the
//! highest message for each user and room, so that a flurry costs its sender no more than a pause.

use std::collections::{HashMap, VecDeque};

use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::{DELIVERED_PER_TICK_MAX, DELIVERED_ROOM_MESSAGES_MAX, DELIVERED_ROOMS_MAX};

/// What was sent lately, and whom it has reached.
#[derive(Default)]
pub(super) struct Delivered {
    /// In two generations, so that forgetting costs nothing: the young one becomes the old one when it is full.
    young: HashMap<RoomId, VecDeque<Sent>>,
    old: HashMap<RoomId, VecDeque<Sent>>,
    /// To be told: up to which message each user has it.
    due: HashMap<RoomId, HashMap<UserId, u64>>,
}

/// A message that is on its way.
struct Sent {
    position: u64,
    seq: u64,
    from: UserId,
}

/// What is told, and to whom.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) to: Vec<UserId>,
    pub(super) room: RoomId,
    pub(super) user: UserId,
    pub(super) seq: u64,
}

impl Delivered {
    /// Notes a message. Positions ascend.
    pub(super) fn sent(&mut self, room: &RoomId, position: u64, seq: u64, from: &UserId) {
        if !self.young.contains_key(room) {
            if self.young.len() >= DELIVERED_ROOMS_MAX {
                self.old = std::mem::take(&mut self.young);
            }
            let kept = self.old.remove(room).unwrap_or_default();
            self.young.insert(room.clone(), kept);
        }
        let Some(lately) = self.young.get_mut(room) else { return };
        if lately.len() == DELIVERED_ROOM_MESSAGES_MAX {
            lately.pop_front();
        }
        lately.push_back(Sent { position, seq, from: from.clone() });
    }

    /// A device of a user, who is in these rooms, has taken in what is after one position up to another.
    pub(super) fn acked<'a>(
        &mut self,
        user: &UserId,
        rooms: impl Iterator<Item = &'a RoomId>,
        (after, to): (u64, u64),
    ) {
        for room in rooms {
            let Some(lately) = self.young.get(room).or_else(|| self.old.get(room)) else { continue };
            let newest = lately.iter().rev().find(|sent| sent.position <= to && sent.from != *user);
            if let Some(sent) = newest.filter(|sent| sent.position > after) {
                let seq = self.due.entry(room.clone()).or_default().entry(user.clone()).or_default();
                *seq = sent.seq.max(*seq);
            }
        }
    }

    /// What a second has brought. Of a large flurry in one room a part is left for the next.
    pub(super) fn tell(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        for (room, mut due) in std::mem::take(&mut self.due) {
            let Some(lately) = self.young.get(&room).or_else(|| self.old.get(&room)) else { continue };
            let now: Vec<_> = due.keys().take(DELIVERED_PER_TICK_MAX).cloned().collect();
            for user in now {
                let Some(seq) = due.remove(&user) else { continue };
                let mut to: Vec<UserId> = Vec::new();
                for sent in lately.iter().filter(|sent| sent.seq <= seq && sent.from != user) {
                    if !to.contains(&sent.from) {
                        to.push(sent.from.clone());
                    }
                }
                told.push(Told { to, room: room.clone(), user, seq });
            }
            if !due.is_empty() {
                self.due.insert(room, due);
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str) -> UserId {
        UserId::parse(id).unwrap()
    }

    fn room(id: &str) -> RoomId {
        RoomId::parse(id).unwrap()
    }

    fn told(delivered: &mut Delivered) -> Vec<(String, u64, Vec<String>)> {
        let names = |to: Vec<UserId>| to.into_iter().map(String::from).collect();
        delivered.tell().into_iter().map(|told| (told.user.into(), told.seq, names(told.to))).collect()
    }

    #[test]
    fn a_second_is_told_at_once_to_who_wrote_and_only_what_is_new() {
        let mut delivered = Delivered::default();
        let (r, bob) = (room("r"), user("bob"));
        for (position, seq, from) in [(10, 1, "ann"), (11, 2, "ann"), (14, 3, "bob"), (15, 4, "cat")] {
            delivered.sent(&r, position, seq, &user(from));
        }
        delivered.acked(&bob, [&r].into_iter(), (0, 10));
        delivered.acked(&bob, [&r].into_iter(), (10, 14));
        assert_eq!(told(&mut delivered), [("bob".into(), 2, vec!["ann".into()])], "not one's own message");
        delivered.acked(&bob, [&r].into_iter(), (14, 14));
        assert!(told(&mut delivered).is_empty());
        delivered.acked(&bob, [&r, &room("other")].into_iter(), (14, 20));
        assert_eq!(told(&mut delivered), [("bob".into(), 4, vec!["ann".into(), "cat".into()])]);
    }

    #[test]
    fn a_flurry_is_told_in_parts_and_memory_has_a_bound() {
        let mut delivered = Delivered::default();
        let r = room("r");
        delivered.sent(&r, 1, 1, &user("ann"));
        for n in 0..DELIVERED_PER_TICK_MAX + 5 {
            delivered.acked(&user(&format!("u{n}")), [&r].into_iter(), (0, 1));
        }
        assert_eq!((told(&mut delivered).len(), told(&mut delivered).len()), (DELIVERED_PER_TICK_MAX, 5));
        for n in 0..3 * DELIVERED_ROOMS_MAX as u64 {
            delivered.sent(&room(&format!("r{n}")), n, 1, &user("ann"));
        }
        assert!(delivered.young.len() + delivered.old.len() <= 2 * DELIVERED_ROOMS_MAX);
        for n in 0..2 * DELIVERED_ROOM_MESSAGES_MAX as u64 {
            delivered.sent(&r, n, n, &user("ann"));
        }
        assert_eq!(delivered.young[&r].len(), DELIVERED_ROOM_MESSAGES_MAX);
    }
}
