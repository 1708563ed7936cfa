//! The audience: which live feeds hear which room, at the position the hub has come to.
//!
//! A feed hears a room because its user is a member, because it watches, or both: a member who leaves goes on
//! hearing what anybody may. A feed that ends is found by its user and taken out of its rooms, so that no
//! room has to be searched for feeds that are gone.

use std::collections::HashMap;
use std::sync::Arc;

use wigeon_proto::id::{RoomId, UserId};

use super::slot::Slot;

#[derive(Default)]
pub(super) struct Audience {
    /// Who hears a room's events, by slot.
    pub(super) rooms: HashMap<RoomId, HashMap<u64, Subscription>>,
    /// The live feeds of a user, with the rooms each of them is subscribed to.
    pub(super) users: HashMap<UserId, Vec<Live>>,
}

pub(super) struct Live {
    pub(super) slot: Arc<Slot>,
    /// A room may be there twice, once as a member's and once as one that is watched.
    rooms: Vec<RoomId>,
}

pub(super) struct Subscription {
    pub(super) slot: Arc<Slot>,
    /// Hears everything, until the membership ends.
    pub(super) member: bool,
    /// Hears what anybody may hear.
    watch: bool,
}

impl Audience {
    /// A feed is live from here on: a member's of these rooms, and it watches those.
    pub(super) fn add(&mut self, slot: &Arc<Slot>, rooms: Vec<RoomId>, watch: Vec<RoomId>) {
        // As much as is needed: most users have one feed, and feeds are many.
        let live = Live { slot: slot.clone(), rooms: Vec::with_capacity(1 + rooms.len() + watch.len()) };
        let feeds = self.users.entry(slot.user.clone()).or_default();
        feeds.reserve_exact(1);
        feeds.push(live);
        self.subscribe(RoomId::own(&slot.user), slot, true);
        for room in rooms {
            self.subscribe(room, slot, true);
        }
        for room in watch {
            self.subscribe(room, slot, false);
        }
    }

    /// A feed has ended.
    pub(super) fn remove(&mut self, slot: &Slot) {
        let Some(feeds) = self.users.get_mut(&slot.user) else { return };
        let Some(place) = feeds.iter().position(|live| live.slot.id == slot.id) else { return };
        let live = feeds.swap_remove(place);
        if feeds.is_empty() {
            self.users.remove(&slot.user);
        }
        for room in live.rooms {
            self.unsubscribe(&room, slot.id);
        }
    }

    /// The rooms that a user's live feeds hear; each as often as it is heard.
    pub(super) fn rooms_of(&self, user: &UserId) -> impl Iterator<Item = &RoomId> {
        self.users.get(user).into_iter().flatten().flat_map(|live| &live.rooms)
    }

    fn subscribe(&mut self, room: RoomId, slot: &Arc<Slot>, member: bool) {
        let subscription = self
            .rooms
            .entry(room.clone())
            .or_default()
            .entry(slot.id)
            .or_insert_with(|| Subscription { slot: slot.clone(), member: false, watch: false });
        subscription.member |= member;
        subscription.watch |= !member;
        let feeds = self.users.get_mut(&slot.user);
        if let Some(live) = feeds.and_then(|feeds| feeds.iter_mut().find(|live| live.slot.id == slot.id)) {
            live.rooms.push(room);
        }
    }

    fn unsubscribe(&mut self, room: &RoomId, slot: u64) {
        if let Some(subscriptions) = self.rooms.get_mut(room) {
            subscriptions.remove(&slot);
            if subscriptions.is_empty() {
                self.rooms.remove(room);
            }
        }
    }

    /// A user has come into a room: their live feeds hear it from here on.
    pub(super) fn enter(&mut self, room: &RoomId, user: &UserId) {
        let slots: Vec<_> =
            self.users.get(user).into_iter().flatten().map(|live| live.slot.clone()).collect();
        for slot in slots {
            self.subscribe(room.clone(), &slot, true);
        }
    }

    /// A user has left a room: what they watch as anybody may, they go on hearing.
    pub(super) fn exit(&mut self, room: &RoomId, user: &UserId) {
        let Some(feeds) = self.users.get_mut(user) else { return };
        let mut gone = Vec::new();
        for live in feeds {
            let id = live.slot.id;
            let Some(subscription) =
                self.rooms.get_mut(room).and_then(|subscriptions| subscriptions.get_mut(&id))
            else {
                continue;
            };
            subscription.member = false;
            if !subscription.watch {
                live.rooms.retain(|heard| heard != room);
                gone.push(id);
            }
        }
        for id in gone {
            self.unsubscribe(room, id);
        }
    }
}
