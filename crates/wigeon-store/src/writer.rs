//! The writer: the only one who appends.
//!
//! An entry is applied in memory, a batch of them made durable in the log, and then handed to the fold,
//! which brings them into the tables. A fault half-way leaves memory and disk apart: the program ends
//! then, and the next start reads the disk.

use tokio::sync::watch;
use wigeon_proto::cursor::Epoch;
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::COMMIT_BYTES_MAX;

use crate::Fault;
use crate::digest::Digester;
use crate::fold::Fold;
use crate::log::Appender;
use crate::scrub::{Places, Scrubber};
use crate::search::index::Index;
use crate::step::{Admitted, Answer, Committed, Effect, Step, Stepper};
use crate::tables::Pending;

/// The one who appends.
#[derive(Debug)]
pub struct Writer {
    stepper: Stepper,
    /// None where nothing is to survive.
    log: Option<Appender>,
    fold: Fold,
    /// After the fold, so that it is let go when the fold has ended: it ends then, too.
    _index: Index,
    scrubber: Option<Scrubber>,
    places: Places,
    /// Applied, and not durable yet.
    batch: Vec<Pending>,
    events: Vec<Committed>,
    /// Of a node of a cluster: told of each commit.
    applied: Option<watch::Sender<u64>>,
    digester: Option<Digester>,
}

impl Writer {
    pub(crate) fn new(
        stepper: Stepper,
        log: Option<Appender>,
        fold: Fold,
        index: Index,
        places: Places,
    ) -> Self {
        let (batch, events) = (Vec::new(), Vec::new());
        Self {
            stepper,
            log,
            fold,
            _index: index,
            scrubber: None,
            places,
            batch,
            events,
            applied: None,
            digester: None,
        }
    }

    /// The last position given out.
    pub fn position(&self) -> u64 {
        self.stepper.position
    }

    /// The log's incarnation.
    pub fn epoch(&self) -> Epoch {
        self.stepper.epoch
    }

    /// Applies one entry within the present batch. One that is rejected or repeated leaves no trace and
    /// takes no position. Waits where the tables are too far behind.
    pub fn step(&mut self, entry: &Admitted) -> Result<Answer, Fault> {
        if self.batch.is_empty() {
            self.fold.wait_for_room()?;
            self.stepper.overlay.release(self.fold.position());
        }
        match self.stepper.step(entry)? {
            Step::Answered(answer) => Ok(answer),
            Step::Applied(effect) => {
                let Effect { reply, logged, pending, committed } = effect;
                if let Some(log) = &mut self.log {
                    log.push(logged.as_deref().unwrap_or(entry.bytes()));
                }
                self.batch.push(pending);
                self.events.extend(committed);
                Ok(Ok(reply))
            }
        }
    }

    /// As [`Self::step`], for an entry that has its position already and keeps it, whatever comes of it. One that
    /// is `None` is passed over.
    pub(crate) fn step_at(&mut self, position: u64, entry: Option<&Admitted>) -> Result<Answer, Fault> {
        if position != self.position() + 1 {
            let here = self.position();
            return Err(Fault::Stream(format!("entry {position} comes where {here} was the last")));
        }
        let answer = entry.map(|entry| self.step(entry)).transpose()?;
        if self.position() < position {
            self.stepper.position = position;
            self.batch.push(Pending::nothing(position));
        }
        let answer = answer.unwrap_or_else(|| Ok(Vec::new()));
        if let Some(digester) = &mut self.digester {
            let event = self.events.last().filter(|event| event.cursor.position == position);
            digester.note(position, entry, &answer, event.map(|event| event.json.as_ref()));
        }
        Ok(answer)
    }

    /// Has `applied` told of each commit, and `digester` of what each entry came to.
    pub(crate) fn tell_applied(&mut self, applied: watch::Sender<u64>, digester: Digester) {
        (self.applied, self.digester) = (Some(applied), Some(digester));
    }

    /// Whether the batch has as many bytes as one sync should wait for.
    pub(crate) fn is_full(&self) -> bool {
        self.log.as_ref().is_some_and(|log| log.batch_bytes() >= COMMIT_BYTES_MAX)
    }

    /// Makes the batch durable and returns its events. After an error nothing of it may be acknowledged,
    /// and the program must end.
    pub fn commit(&mut self) -> Result<Vec<Committed>, Fault> {
        let Some(first) = self.batch.first().map(|pending| pending.position) else { return Ok(Vec::new()) };
        if let Some(log) = &mut self.log {
            log.write(first)?;
        }
        self.fold.push(std::mem::take(&mut self.batch));
        let (stepper, fold) = (&mut self.stepper, &mut self.fold);
        stepper.overlay.trim(stepper.position, |changed| fold.wait_for(changed))?;
        if let Some(applied) = &self.applied {
            applied.send_replace(self.stepper.position);
        }
        Ok(std::mem::take(&mut self.events))
    }

    /// The rooms a user is a member of, as of the last entry applied.
    pub fn rooms_of(&self, user: &UserId) -> Result<Vec<RoomId>, Fault> {
        Ok(self.stepper.overlay.rooms_of(user)?.into_iter().collect())
    }

    /// Calls `then` when nothing can be appended any more because the tables cannot be written.
    pub(crate) fn on_fault(&self, then: impl FnOnce() + Send + 'static) {
        self.fold.on_end(then);
    }

    /// Goes on in another segment of the log, so that the present one can be scrubbed. Between two batches.
    pub(crate) fn turn(&mut self) -> Result<(), Fault> {
        self.log.as_mut().map_or(Ok(()), |log| log.turn(self.stepper.position + 1))
    }

    /// Has what was recalled, and what has expired, leave the log; `turn` asks for [`Self::turn`].
    pub(crate) fn start_scrubbing(&mut self, turn: impl Fn() + Send + 'static) {
        let turn = self.log.is_some().then_some(turn);
        self.scrubber = Some(Scrubber::start(self.places.clone(), self.fold.progress(), turn));
    }

    /// Folds everything, and notes that nothing is lost whatever happens to the machine from here on.
    pub fn close(self) -> Result<(), Fault> {
        drop(self.scrubber);
        let db = self.fold.close()?;
        db.pragma_update(None, "synchronous", "full")?;
        db.execute("UPDATE meta SET value = '1' WHERE key = 'clean'", [])?;
        Ok(db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }
}
