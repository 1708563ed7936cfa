//! What is known of presence, and how it changes: a machine without a clock, a lock or a network of its own.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;
use wigeon_proto::frame::{Control, PresenceState};
use wigeon_proto::id::UserId;
use wigeon_proto::limits::{
    CLUSTER_PRESENCE_MS_MAX, PRESENCE_DEBOUNCE_MS, PRESENCE_KNOWN_MAX, PRESENCE_WATCH_MS,
    PRESENCE_WATCHED_MAX, SESSION_MS,
};
use wigeon_proto::reply::Presence as Shown;

const SESSION: Duration = Duration::from_millis(SESSION_MS);
const DEBOUNCE: Duration = Duration::from_millis(PRESENCE_DEBOUNCE_MS);
const WATCH: Duration = Duration::from_millis(PRESENCE_WATCH_MS);
const PEER: Duration = Duration::from_millis(CLUSTER_PRESENCE_MS_MAX);

/// A change, and whom it is told.
#[derive(Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) to: Vec<UserId>,
    user: UserId,
    state: PresenceState,
    at: u64,
}

impl Told {
    /// The signal that tells it.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        Control::Presence { user: self.user.clone(), state: self.state, at: self.at }.to_json()
    }
}

/// Who is there, who asked about whom, and what is to be told: all of it by the clock that is passed in.
#[derive(Default)]
pub(super) struct State {
    users: HashMap<UserId, Who>,
    /// Who is told of a user, and until when.
    watchers: HashMap<UserId, HashMap<UserId, Instant>>,
    /// Of whom a user is told, those named last at the end.
    watched: HashMap<UserId, VecDeque<UserId>>,
    /// When to look at a user again: each user without a feed once, at most.
    due: BinaryHeap<Reverse<(Instant, UserId)>>,
    /// Those who were with this node and are no longer, until the other nodes are told.
    gone: Vec<UserId>,
    /// How far devices are that spoke to this node, until the other nodes are told.
    acked: HashMap<UserId, u64>,
}

struct Who {
    feeds: usize,
    /// There without a feed until then.
    until: Instant,
    online: bool,
    /// With this node, as the others know it.
    here: bool,
    /// With other nodes, each until then.
    elsewhere: Vec<(String, Instant)>,
    /// Stands in `due`.
    awaited: bool,
    /// When they were last known to be there: milliseconds since 1970.
    seen_at: u64,
    /// The highest position that a device of theirs has taken in.
    acked: u64,
}

impl Who {
    fn new(now: Instant) -> Self {
        Self {
            feeds: 0,
            until: now,
            online: false,
            here: false,
            elsewhere: Vec::new(),
            awaited: false,
            seen_at: 0,
            acked: 0,
        }
    }

    /// When to look at them again, where they have no feed; none if their time is over.
    fn next(&self, now: Instant) -> Option<Instant> {
        let elsewhere = self.elsewhere.iter().map(|(_, until)| *until);
        elsewhere.chain([self.until]).filter(|until| *until > now).min()
    }
}

impl State {
    fn who(&mut self, user: &UserId, now: Instant) -> &mut Who {
        self.users.entry(user.clone()).or_insert_with(|| Who::new(now))
    }

    pub(super) fn enter(&mut self, user: &UserId, now: Instant, at: u64) -> Vec<Told> {
        self.who(user, now).feeds += 1;
        self.comes(user, now, at)
    }

    pub(super) fn renew(&mut self, user: &UserId, now: Instant, at: u64) -> Vec<Told> {
        self.stays_until(user, now + SESSION, now);
        self.comes(user, now, at)
    }

    fn comes(&mut self, user: &UserId, now: Instant, at: u64) -> Vec<Told> {
        let who = self.who(user, now);
        who.seen_at = at;
        if std::mem::replace(&mut who.online, true) {
            return Vec::new();
        }
        self.told(user, PresenceState::Online, now)
    }

    pub(super) fn leave(&mut self, user: &UserId, now: Instant, at: u64) {
        let who = self.who(user, now);
        who.feeds -= 1;
        who.seen_at = at;
        if who.feeds == 0 {
            self.stays_until(user, now + DEBOUNCE, now);
        }
    }

    fn stays_until(&mut self, user: &UserId, until: Instant, now: Instant) {
        let who = self.who(user, now);
        who.until = who.until.max(until);
        if !std::mem::replace(&mut who.awaited, true) {
            let due = who.until;
            self.due.push(Reverse((due, user.clone())));
        }
    }

    pub(super) fn acked(&mut self, user: &UserId, position: u64, at: u64) -> Option<u64> {
        let before = self.note_acked(user, position, at)?;
        self.acked.insert(user.clone(), position);
        Some(before)
    }

    /// Whether a device of the user is known to have taken in a position.
    pub(super) fn has_acked(&self, user: &UserId, position: u64) -> bool {
        self.users.get(user).is_some_and(|who| who.acked >= position)
    }

    /// Who has gone from this node, and how far devices are, since it was asked last: what other nodes are told.
    pub(super) fn take_news(&mut self) -> (Vec<UserId>, Vec<(UserId, u64)>) {
        (std::mem::take(&mut self.gone), std::mem::take(&mut self.acked).into_iter().collect())
    }

    /// Returns up to where it was known before, where that is further.
    pub(super) fn note_acked(&mut self, user: &UserId, position: u64, at: u64) -> Option<u64> {
        // Only of those who are there anyway: an acknowledgement comes beside a feed.
        let who = self.users.get_mut(user)?;
        who.seen_at = at;
        let before = who.acked;
        who.acked = before.max(position);
        (before < position).then_some(before)
    }

    /// Says whether they were not with this node before.
    pub(super) fn comes_here(&mut self, user: &UserId) -> bool {
        self.users.get_mut(user).is_some_and(|who| !std::mem::replace(&mut who.here, true))
    }

    pub(super) fn here(&self) -> Vec<UserId> {
        self.users.iter().filter(|(_, who)| who.here).map(|(user, _)| user.clone()).collect()
    }

    pub(super) fn peer_has(&mut self, node: &str, user: &UserId, now: Instant, at: u64) -> Vec<Told> {
        let who = self.who(user, now);
        who.elsewhere.retain(|(known, _)| known != node);
        who.elsewhere.push((node.to_owned(), now + PEER));
        self.stays_until(user, now, now);
        self.comes(user, now, at)
    }

    pub(super) fn peer_lost(&mut self, node: &str, user: &UserId, now: Instant) {
        let Some(who) = self.users.get_mut(user) else { return };
        who.elsewhere.retain(|(known, _)| known != node);
        who.awaited = true;
        self.due.push(Reverse((now, user.clone())));
    }

    /// Those whose time is over are offline now.
    pub(super) fn look_around(&mut self, now: Instant) -> Vec<Told> {
        let mut told = Vec::new();
        while self.due.peek().is_some_and(|Reverse((due, _))| *due <= now) {
            let Some(Reverse((_, user))) = self.due.pop() else { break };
            let Some(who) = self.users.get_mut(&user) else { continue };
            if who.feeds == 0 && who.until <= now && std::mem::replace(&mut who.here, false) {
                self.gone.push(user.clone());
            }
            if let Some(next) = who.next(now).filter(|_| who.feeds == 0) {
                self.due.push(Reverse((next, user)));
                continue;
            }
            who.awaited = false;
            who.elsewhere.retain(|(_, until)| *until > now);
            // Somebody else's lease may have brought them here twice.
            if who.feeds == 0 && std::mem::replace(&mut who.online, false) {
                told.extend(self.told(&user, PresenceState::Offline, now));
                self.forget_watches(&user);
                if self.users.len() > PRESENCE_KNOWN_MAX {
                    self.users.remove(&user);
                }
            }
        }
        told
    }

    fn told(&mut self, user: &UserId, state: PresenceState, now: Instant) -> Vec<Told> {
        let at = self.users.get(user).map_or(0, |who| who.seen_at);
        let to = self.watchers_of(user, now);
        if to.is_empty() { Vec::new() } else { vec![Told { to, user: user.clone(), state, at }] }
    }

    /// Those who are told of a user now.
    pub(super) fn watchers_of(&self, user: &UserId, now: Instant) -> Vec<UserId> {
        let Some(watchers) = self.watchers.get(user) else { return Vec::new() };
        watchers.iter().filter(|(_, until)| **until > now).map(|(watcher, _)| watcher.clone()).collect()
    }

    pub(super) fn watch(&mut self, watcher: &UserId, mut users: Vec<UserId>, now: Instant) -> Vec<Shown> {
        users.sort_unstable();
        users.dedup();
        if self.users.get(watcher).is_some_and(|who| who.online) {
            self.note_watches(watcher, &users, now);
        }
        let shown = |user: UserId| {
            let who = self.users.get(&user);
            let online = who.is_some_and(|who| who.online);
            let state = if online { PresenceState::Online } else { PresenceState::Offline };
            Shown { user, state, at: who.map(|who| who.seen_at).filter(|at| *at > 0) }
        };
        users.into_iter().map(shown).collect()
    }

    /// Notes whom one who is there, and so can be told, wants to be told of.
    fn note_watches(&mut self, watcher: &UserId, users: &[UserId], now: Instant) {
        let list = self.watched.entry(watcher.clone()).or_default();
        list.retain(|user| !users.contains(user));
        list.extend(users.iter().cloned());
        let too_many = list.len().saturating_sub(PRESENCE_WATCHED_MAX);
        let dropped: Vec<UserId> = list.drain(..too_many).collect();
        for user in dropped {
            self.unwatch(watcher, &user);
        }
        for user in users {
            self.watchers.entry(user.clone()).or_default().insert(watcher.clone(), now + WATCH);
        }
    }

    fn forget_watches(&mut self, watcher: &UserId) {
        for user in self.watched.remove(watcher).into_iter().flatten() {
            self.unwatch(watcher, &user);
        }
    }

    fn unwatch(&mut self, watcher: &UserId, user: &UserId) {
        if let Some(watchers) = self.watchers.get_mut(user) {
            watchers.remove(watcher);
            if watchers.is_empty() {
                self.watchers.remove(user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str) -> UserId {
        UserId::parse(id).unwrap()
    }

    /// Ann asks about Bob; both are strangers to the server until then.
    fn asked() -> (State, Instant) {
        let (mut state, now) = (State::default(), Instant::now());
        state.enter(&user("ann"), now, 1);
        let shown = state.watch(&user("ann"), vec![user("bob")], now);
        assert_eq!((shown[0].state, shown[0].at), (PresenceState::Offline, None));
        (state, now)
    }

    fn states(told: &[Told]) -> Vec<PresenceState> {
        told.iter().map(|told| told.state).collect()
    }

    #[test]
    fn a_change_of_transport_is_no_change_of_presence() {
        let (mut state, now) = asked();
        assert_eq!(states(&state.enter(&user("bob"), now, 1)), [PresenceState::Online]);
        assert_eq!(state.enter(&user("bob"), now, 2), [], "a second feed is nothing new");
        state.leave(&user("bob"), now, 3);
        state.leave(&user("bob"), now, 4);
        assert_eq!(state.look_around(now + DEBOUNCE / 2), []);
        assert_eq!(state.enter(&user("bob"), now + DEBOUNCE / 2, 5), []);
        assert_eq!(state.look_around(now + DEBOUNCE * 3), [], "a live feed needs no sign of life");
        state.leave(&user("bob"), now + DEBOUNCE * 3, 6);
        let told = state.look_around(now + DEBOUNCE * 4);
        assert_eq!(
            (states(&told), told[0].at),
            (vec![PresenceState::Offline], 6),
            "and when they were last seen"
        );
        assert_eq!(state.look_around(now + DEBOUNCE * 5), [], "once");
    }

    #[test]
    fn one_who_polls_is_there_between_polls() {
        let (mut state, now) = asked();
        assert_eq!(states(&state.renew(&user("bob"), now, 1)), [PresenceState::Online]);
        for i in 1..4 {
            assert_eq!(state.renew(&user("bob"), now + SESSION / 2 * i, 1), []);
            assert_eq!(state.look_around(now + SESSION / 2 * i), []);
        }
        let end = now + SESSION / 2 * 3 + SESSION;
        assert_eq!(states(&state.look_around(end)), [PresenceState::Offline]);
        assert!(state.due.is_empty());
    }

    #[test]
    fn one_who_is_with_several_nodes_goes_when_the_last_has_lost_them() {
        let (mut state, now) = asked();
        let bob = user("bob");
        assert_eq!(states(&state.peer_has("n1", &bob, now, 1)), [PresenceState::Online]);
        assert_eq!(state.peer_has("n2", &bob, now, 1), []);
        assert_eq!(state.enter(&bob, now, 1), []);
        assert!(state.comes_here(&bob) && !state.comes_here(&bob));
        state.peer_lost("n1", &bob, now);
        assert_eq!(state.look_around(now), [], "still here, and with the other");
        state.leave(&bob, now, 2);
        assert_eq!(state.look_around(now + DEBOUNCE), []);
        assert_eq!(state.gone, std::slice::from_ref(&bob), "the others are told");
        state.peer_lost("n2", &bob, now + DEBOUNCE);
        assert_eq!(states(&state.look_around(now + DEBOUNCE)), [PresenceState::Offline]);
        assert_eq!(state.look_around(now + PEER * 2), [], "once");
    }

    #[test]
    fn a_node_that_has_died_keeps_nobody() {
        let (mut state, now) = asked();
        let bob = user("bob");
        state.peer_has("n1", &bob, now, 1);
        assert_eq!(state.peer_has("n1", &bob, now + PEER / 2, 1), [], "said again");
        assert_eq!(state.look_around(now + PEER), []);
        assert_eq!(states(&state.look_around(now + PEER * 2)), [PresenceState::Offline]);
        assert!(state.gone.is_empty(), "they were never here");
    }

    #[test]
    fn asking_ends_by_itself_and_when_the_asker_goes() {
        let (mut state, now) = asked();
        assert_eq!(state.enter(&user("bob"), now + WATCH, 1), [], "the time is over");
        let (mut state, now) = asked();
        state.leave(&user("ann"), now, 1);
        state.look_around(now + DEBOUNCE);
        assert!(state.watchers.is_empty() && state.watched.is_empty());
        state.watch(&user("ann"), vec![user("bob")], now);
        assert!(state.watchers.is_empty(), "nobody is there to be told");
    }

    #[test]
    fn one_who_asks_about_everybody_is_told_of_the_last_named() {
        let (mut state, now) = asked();
        for i in 0..=PRESENCE_WATCHED_MAX {
            state.watch(&user("ann"), vec![user(&format!("u{i}"))], now);
        }
        assert_eq!(state.watchers.len(), PRESENCE_WATCHED_MAX);
        assert_eq!(state.enter(&user("u0"), now, 1), []);
        assert_eq!(state.enter(&user("u1"), now, 1).len(), 1);
        state.watch(&user("ann"), vec![user("u1"), user("u1")], now);
        assert_eq!(state.watched[&user("ann")].len(), PRESENCE_WATCHED_MAX);
    }

    #[test]
    fn what_one_device_has_taken_in_is_not_taken_back_by_another() {
        let (mut state, now) = (State::default(), Instant::now());
        state.acked(&user("bob"), 5, 1);
        assert!(!state.users.contains_key(&user("bob")), "who is not there acknowledges nothing");
        state.enter(&user("bob"), now, 1);
        state.acked(&user("bob"), 5, 1);
        state.acked(&user("bob"), 3, 1);
        assert_eq!(state.users[&user("bob")].acked, 5);
    }
}
