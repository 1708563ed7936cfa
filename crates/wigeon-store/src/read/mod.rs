//! Reading: every answer comes from one snapshot of committed state.
//!
//! It holds everything that was acknowledged or shown before the question was asked. [`Pool`] lends a connection to a blocking thread; a [`View`] is that connection inside one read
//! transaction. What a view sees does not move while it answers, however many queries that takes.

mod history;
mod lanes;
mod moderation;
mod page;
mod receipts;
mod retention;
mod rooms;
mod search;
mod users;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{Connection, Transaction};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use wigeon_core::state::{Member, Room};
use wigeon_proto::cursor::{Cursor, Epoch};
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::{SEARCH_EFFORT_MAX, SEARCH_WAIT_MS_MAX, SEARCHES_MAX};
use wigeon_proto::room::RoomKind;

use crate::fold::Progress;
use crate::level::Level;
use crate::rows::{self, find_member, find_room, open_reader};
use crate::search::file;
use crate::{Fault, facts};

pub use page::{Gap, Page, PageRequest, Record};
pub use receipts::Reach;
pub use retention::{Expired, Sweep};
pub use rooms::Unread;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The asker's affair.
    #[error(transparent)]
    Refused(#[from] WireError),
    /// Ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<rusqlite::Error> for QueryError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Fault(error.into())
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Asker {
    /// The user.
    pub user: UserId,
    /// A service sees every room.
    pub service: bool,
}

/// Read connections.
#[derive(Debug, Clone)]
pub struct Pool {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
    searches: Arc<Semaphore>,
    epoch: Epoch,
    near: u64,
    effort: usize,
    progress: Progress,
    indexed: watch::Receiver<u64>,
    /// Of a node of a cluster.
    level: Option<Level>,
}

impl Pool {
    /// Opens `count` connections to the tables and to the search index beside them, which goes on as `indexed`
    /// tells.
    pub(crate) fn open(
        file: &Path,
        index: &Path,
        epoch: Epoch,
        progress: Progress,
        indexed: watch::Receiver<u64>,
        count: usize,
    ) -> Result<Self, Fault> {
        let open = || {
            let db = open_reader(file)?;
            db.execute("ATTACH DATABASE ?1 AS search", [index.to_string_lossy()])?;
            Ok(db)
        };
        let idle = (0..count).map(|_| open()).collect::<Result<_, Fault>>()?;
        let permits = Arc::new(Semaphore::new(count));
        let searches = Arc::new(Semaphore::new(SEARCHES_MAX));
        let (near, effort, level) = (page::NEAR, SEARCH_EFFORT_MAX, None);
        let idle = Arc::new(Mutex::new(idle));
        Ok(Self { idle, permits, searches, epoch, near, effort, progress, indexed, level })
    }

    /// Looks through another number of positions before rooms are asked one by one: both ways must show the same.
    #[must_use]
    pub fn looking(self, near: u64) -> Self {
        Self { near, ..self }
    }

    /// Lets a search make another effort before it answers with what it has: asked on and on, it must find the
    /// same.
    #[must_use]
    pub fn searching(self, effort: usize) -> Self {
        Self { effort, ..self }
    }

    /// Waits for a turn to search, which lasts until it is dropped. Searches take longer than other questions,
    /// so only some of the connections are lent to them at once.
    pub async fn turn_to_search(&self) -> Result<OwnedSemaphorePermit, WireError> {
        let turn = self.searches.clone().acquire_owned();
        match timeout(Duration::from_millis(SEARCH_WAIT_MS_MAX), turn).await {
            Ok(turn) => Ok(turn.expect("it is never closed")),
            Err(_) => Err(WireError::new(ErrorCode::Busy, "too many are searching").retry_after(1000)),
        }
    }

    /// The last position the search index holds.
    pub fn indexed(&self) -> u64 {
        *self.indexed.borrow()
    }

    /// Waits until the search index holds a position; false if it will not come to it.
    pub async fn index_reaches(&self, position: u64) -> bool {
        self.indexed.clone().wait_for(|indexed| *indexed >= position).await.is_ok()
    }

    /// Before each answer, waits until this node is level with its cluster.
    pub(crate) fn with_level(self, level: Level) -> Self {
        Self { level: Some(level), ..self }
    }

    /// Answers from one snapshot, on a thread that may block. Waits for the tables to hold what is durable,
    /// and for a connection; the caller bounds the wait by dropping the future, which costs nothing but the
    /// answer.
    pub async fn read<T, F>(&self, question: F) -> Result<T, QueryError>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<T, QueryError> + Send + 'static,
    {
        let level = match &self.level {
            Some(level) => level.reached().await?,
            None => true,
        };
        self.progress.caught_up().await?;
        let permit = self.permits.clone().acquire_owned().await.expect("the pool is never closed");
        let (idle, epoch, near, effort) = (self.idle.clone(), self.epoch, self.near, self.effort);
        let answer = tokio::task::spawn_blocking(move || {
            let mut db =
                idle.lock().expect("nothing panics under this lock").pop().expect("one for each permit");
            let answer = View::of(&mut db, epoch, near, effort, level).and_then(|view| question(&view));
            idle.lock().expect("nothing panics under this lock").push(db);
            drop(permit);
            answer
        });
        answer.await.map_err(|_| Fault::Corrupt("a query panicked".into()))?
    }
}

/// One snapshot of committed state.
pub struct View<'a> {
    db: Transaction<'a>,
    epoch: Epoch,
    /// How many positions a page looks through before it asks rooms one by one.
    near: u64,
    /// How much a search looks at before it answers with what it has.
    effort: usize,
    /// The last position the tables hold: at least everything acknowledged before the question.
    pub position: u64,
    /// The last position the search index holds; never after [`Self::position`].
    indexed: u64,
    /// Whether nothing later was in the log when the question came: false on a node that is cut off from it.
    pub level: bool,
}

impl<'a> View<'a> {
    fn of(
        db: &'a mut Connection,
        epoch: Epoch,
        near: u64,
        effort: usize,
        level: bool,
    ) -> Result<Self, QueryError> {
        let db = db.transaction()?;
        // First the index, then the tables: it is made from them, so it is never ahead of what is read here.
        let indexed = file::watermark(&db)?;
        let position = rows::position(&db)?;
        Ok(Self { db, epoch, near, effort, position, indexed, level })
    }

    /// The cursor of this snapshot.
    pub fn cursor(&self) -> Cursor {
        Cursor { epoch: self.epoch, position: self.position }
    }

    /// A room that the asker may know of, with its key and the asker's membership.
    fn room(&self, asker: &Asker, id: &RoomId) -> Result<(i64, Room, Option<Member>), QueryError> {
        let Some((n, room)) = find_room(&self.db, id)?.filter(|(_, room)| room.kind != RoomKind::Own) else {
            return Err(WireError::new(ErrorCode::NotFound, "there is no such room").into());
        };
        let member = find_member(&self.db, n, &asker.user)?;
        if member.is_none() && !asker.service && !room.is_public() {
            return Err(WireError::new(ErrorCode::NotMember, "you are not a member of this room").into());
        }
        Ok((n, room, member))
    }

    /// The stretches of `seq` that the asker may see in a room, ascending: `(after, to)`, the first bound exclusive.
    fn visible(
        &self,
        asker: &Asker,
        n: i64,
        room: &Room,
        member: Option<&Member>,
    ) -> Result<Vec<(u64, u64)>, Fault> {
        let open = if asker.service { Some(0) } else { room.open_after(member.is_some()) };
        let open = open.map(|after| (after, room.head_seq));
        if open == Some((0, room.head_seq)) {
            return Ok(vec![(room.gone_seq, room.head_seq)]);
        }
        let stays = facts::stays(&self.db, n, &asker.user)?.into_iter();
        let mut stretches: Vec<(u64, u64)> =
            stays.map(|stay| (stay.after, stay.to.unwrap_or(room.head_seq))).chain(open).collect();
        stretches.sort_unstable();
        Ok(joined(&stretches, room.gone_seq))
    }

    /// A user's display name; the id where none was chosen.
    fn name_of(&self, user: &UserId) -> Result<String, QueryError> {
        Ok(self.name(user)?.unwrap_or_else(|| user.as_str().to_owned()))
    }
}

/// Stretches as few that do not overlap, without what has gone. They come sorted, and none is empty after.
fn joined(stretches: &[(u64, u64)], gone: u64) -> Vec<(u64, u64)> {
    let mut all: Vec<(u64, u64)> = Vec::new();
    for (after, to) in stretches.iter().map(|(after, to)| ((*after).max(gone), *to)) {
        match all.last_mut() {
            Some(last) if after <= last.1 => last.1 = last.1.max(to),
            _ if after < to => all.push((after, to)),
            _ => {}
        }
    }
    all
}
