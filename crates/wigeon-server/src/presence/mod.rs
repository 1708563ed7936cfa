//! Presence: who is there, told to those who asked, and remembered nowhere but here.
//!
//! ```text
//!              feed opens, session renews
//!   offline ───────────────────────────────▶ online
//!      ▲                                        │ no feed is left, no session runs
//!      └──────── 20 s, and nobody came ─────────┘
//! ```
//! A user is there while a feed of theirs is live or the lease of one of their sessions runs, so that one who
//! polls is as present as one with a socket. The wait before "offline" hides reloads, changes of transport and
//! tunnels. Asking is a lease too: it ends by itself, and nobody has to say that a page was closed.
//!
//! In a cluster each node says who is there with it, and a user is there while they are with any. What a node
//! says is a lease as well, so that nobody stays for ever with a node that has died.
//!
//! Besides, it knows how far each user's devices have taken the log in: what "delivered" is made from.

mod state;

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::time::Instant;
use wigeon_proto::id::UserId;
use wigeon_proto::reply::Presence as Shown;

use crate::clock::now_ms;
use crate::peers::{Peers, Said};
use state::State;
pub(crate) use state::Told;

/// A handle; clones share it. What there is to tell is returned: telling is the hub's.
#[derive(Clone, Default)]
pub(crate) struct Presence {
    state: Arc<Mutex<State>>,
    pub(crate) peers: Peers,
}

/// While it lives, a feed of the user is live.
pub(crate) struct Present {
    presence: Presence,
    user: UserId,
}

impl Presence {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics under the lock of presence")
    }

    /// That of a node, which tells the others.
    pub(crate) fn with_peers(peers: Peers) -> Self {
        Self { peers, ..Self::default() }
    }

    /// A feed of the user opens.
    pub(crate) fn enter(&self, user: &UserId) -> (Present, Vec<Told>) {
        let mut state = self.lock();
        let told = state.enter(user, Instant::now(), now_ms());
        let came = state.comes_here(user);
        drop(state);
        self.say_came(came, user);
        (Present { presence: self.clone(), user: user.clone() }, told)
    }

    /// A session of the user gives a sign of life.
    pub(crate) fn renew(&self, user: &UserId) -> Vec<Told> {
        let mut state = self.lock();
        let told = state.renew(user, Instant::now(), now_ms());
        let came = state.comes_here(user);
        drop(state);
        self.say_came(came, user);
        told
    }

    fn say_came(&self, came: bool, user: &UserId) {
        if came {
            self.peers.say(|| Said::Present { users: vec![user.clone()] });
        }
    }

    /// A device of the user has taken in everything up to a position. Returns up to where it was known before,
    /// where that is further.
    pub(crate) fn acked(&self, user: &UserId, position: u64) -> Option<u64> {
        self.lock().acked(user, position, now_ms())
    }

    /// Whether a device of the user is known to have taken in a position.
    pub(crate) fn has_acked(&self, user: &UserId, position: u64) -> bool {
        self.lock().has_acked(user, position)
    }

    /// Those who are told of a user.
    pub(crate) fn watchers_of(&self, user: &UserId) -> Vec<UserId> {
        self.lock().watchers_of(user, Instant::now())
    }

    /// How these users are now, and from now on for a while each change of it to `watcher`.
    pub(crate) fn watch(&self, watcher: &UserId, users: Vec<UserId>) -> Vec<Shown> {
        self.peers.say(|| Said::Watch { watcher: watcher.clone(), users: users.clone() });
        self.lock().watch(watcher, users, Instant::now())
    }

    /// Those who have gone since the last time.
    pub(crate) fn look_around(&self) -> Vec<Told> {
        let mut state = self.lock();
        let told = state.look_around(Instant::now());
        let (gone, acked) = state.take_news();
        drop(state);
        self.peers.say_of(&gone, |users| Said::Gone { users });
        self.peers.say_of(&acked, |users| Said::Acked { users });
        told
    }

    /// Tells the other nodes who is here.
    pub(crate) fn say_who_is_here(&self) {
        let here = self.lock().here();
        self.peers.say_of(&here, |users| Said::Present { users });
    }

    /// Another node has these users.
    pub(crate) fn peer_has(&self, node: &str, users: &[UserId]) -> Vec<Told> {
        let (mut state, now) = (self.lock(), Instant::now());
        users.iter().flat_map(|user| state.peer_has(node, user, now, now_ms())).collect()
    }

    /// Another node has these users no longer; the next look around tells.
    pub(crate) fn peer_lost(&self, node: &str, users: &[UserId]) {
        let mut state = self.lock();
        for user in users {
            state.peer_lost(node, user, Instant::now());
        }
    }

    /// Another node was asked to tell of these users.
    pub(crate) fn peer_watches(&self, watcher: &UserId, users: Vec<UserId>) {
        self.lock().watch(watcher, users, Instant::now());
    }

    /// As [`Self::acked`], told by another node.
    pub(crate) fn peer_acked(&self, user: &UserId, position: u64) -> Option<u64> {
        self.lock().note_acked(user, position, now_ms())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.presence.lock().leave(&self.user, Instant::now(), now_ms());
    }
}
