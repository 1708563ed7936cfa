//! Names: who has taken another one, until those who may show the old one have been told.
//!
//! The event itself is for the user's own devices. All others who share a room with them hear of it by a signal,
//! which each node makes for its own feeds when the event reaches it: the log tells the nodes. In large rooms it
//! is for those who look, as with typing, and for those who asked about the user by `presence.watch`. Whoever
//! takes one name after another is told of once a second, with the last.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;
use wigeon_proto::frame::Control;
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::{
    NAME_TOLD_ROOMS_MAX, NAME_TOLD_USERS_MAX, NAMES_DUE_MAX, NAMES_PER_TICK_MAX, TYPING_USERS_MAX,
};
use wigeon_store::Pool;
use wigeon_store::read::QueryError;

use super::Hub;
use super::audience::Audience;

/// Between two times that names are told.
const PACE: Duration = Duration::from_secs(1);

/// Who has another name that has not been told yet.
#[derive(Default)]
pub(super) struct Names {
    due: Mutex<HashSet<UserId>>,
    noted: Notify,
}

impl Names {
    /// A user has another name.
    pub(super) fn note(&self, user: &UserId) {
        let mut due = self.due.lock().expect("nothing panics under this lock");
        if due.len() < NAMES_DUE_MAX {
            due.insert(user.clone());
            self.noted.notify_one();
        }
    }

    /// Some of those who are due.
    fn take(&self) -> Vec<UserId> {
        let mut due = self.due.lock().expect("nothing panics under this lock");
        let some: Vec<_> = due.iter().take(NAMES_PER_TICK_MAX).cloned().collect();
        for user in &some {
            due.remove(user);
        }
        if !due.is_empty() {
            self.noted.notify_one();
        }
        some
    }
}

impl Hub {
    /// Tells of new names, for as long as the server runs.
    pub(crate) async fn tell_names(self, pool: Pool) {
        loop {
            self.shared.names.noted.notified().await;
            for user in self.shared.names.take() {
                if let Err(error) = self.tell_name(&pool, user).await {
                    tracing::warn!(%error, "a new name could not be told");
                }
            }
            tokio::time::sleep(PACE).await;
        }
    }

    /// Tells those of the live who may know of the user: as with presence, not who blocks, or is blocked.
    async fn tell_name(&self, pool: &Pool, user: UserId) -> Result<(), QueryError> {
        let who = user.clone();
        let rooms = pool.read(move |view| view.rooms_by_size(&who, NAME_TOLD_ROOMS_MAX)).await?;
        let mut near: HashSet<UserId> = self.presence.watchers_of(&user).into_iter().collect();
        self.lock().add_near(&rooms, &mut near);
        near.remove(&user);
        if near.is_empty() {
            return Ok(());
        }
        let who = user.clone();
        let near = near.into_iter().take(NAME_TOLD_USERS_MAX).collect();
        let asked = pool.read(move |view| Ok((view.name(&who)?, view.acquainted(&who, near)?)));
        let (Some(name), told) = asked.await? else { return Ok(()) };
        let json = Control::User { user, name }.to_json().into();
        for other in &told {
            self.tell(other, &json);
        }
        Ok(())
    }
}

impl Audience {
    /// Adds the live members of these rooms, each with its number of members; of large ones those who look.
    fn add_near(&self, rooms: &[(RoomId, u64)], near: &mut HashSet<UserId>) {
        for (room, users) in rooms {
            let is_large = *users > TYPING_USERS_MAX;
            for subscription in self.rooms.get(room).into_iter().flat_map(HashMap::values) {
                if near.len() > NAME_TOLD_USERS_MAX {
                    return;
                }
                if subscription.member && (!is_large || subscription.slot.sees(room, true)) {
                    near.insert(subscription.slot.user.clone());
                }
            }
        }
    }
}
