//! Unread counts that follow a feed: which rooms may count differently now, and when to say so.
//!
//! A client never adds and subtracts; it is told. At most once a second, for all rooms together, so that a
//! busy room costs its readers one question a second and not one a message.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use wigeon_proto::frame::Control;
use wigeon_proto::id::{RoomId, UserId};
use wigeon_store::Pool;
use wigeon_store::read::QueryError;

use super::{Batch, Shown};

/// The time from one telling to the next.
const EVERY: Duration = Duration::from_secs(1);

/// The counts that a batch read without a feed may have changed.
pub(crate) async fn after(pool: &Pool, user: &UserId, batch: &Batch) -> Result<Batch, QueryError> {
    let mut unread = Unread::new(user.clone());
    batch.events.iter().for_each(|shown| unread.note(shown));
    unread.tell(pool).await
}

/// What one feed has to be told.
pub(super) struct Unread {
    user: UserId,
    touched: BTreeSet<RoomId>,
    next: Instant,
}

impl Unread {
    pub(super) fn new(user: UserId) -> Self {
        Self { user, touched: BTreeSet::new(), next: Instant::now() }
    }

    /// Notes what an event may have changed.
    pub(super) fn note(&mut self, shown: &Shown) {
        let Some(counts) = &shown.counts else { return };
        if counts.concern(&self.user) {
            self.touched.insert(counts.room.clone());
        }
    }

    /// Notes rooms that may count differently.
    pub(super) fn add(&mut self, rooms: BTreeSet<RoomId>) {
        self.touched.extend(rooms);
    }

    /// Returns when there is something to tell. Cancel-safe.
    pub(super) async fn due(&self) {
        if self.touched.is_empty() {
            std::future::pending::<()>().await;
        }
        sleep_until(self.next).await;
    }

    /// The counts as they are now, as signals.
    pub(super) async fn tell(&mut self, pool: &Pool) -> Result<Batch, QueryError> {
        let rooms: Vec<RoomId> = self.touched.iter().cloned().collect();
        let (user, asked) = (self.user.clone(), rooms.clone());
        let counts = pool.read(move |view| view.unread_of(&user, &asked)).await?;
        for room in &rooms {
            self.touched.remove(room);
        }
        self.next = Instant::now() + EVERY;
        let signal = |(room, unread, mentions)| Control::Unread { room, unread, mentions }.to_json().into();
        Ok(Batch { signals: counts.into_iter().map(signal).collect(), ..Batch::default() })
    }
}
