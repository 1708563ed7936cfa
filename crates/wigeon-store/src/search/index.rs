//! The index's thread: brings into the index what the tables have, a stretch at a time.
//!
//! Nobody waits for it. What it has not come to yet is gone through by each search, so it begins a stretch
//! only when there is a whole one; and it runs when nothing else wants to, since a server under load has
//! better things to do. A crash loses nothing: it goes on from its watermark, which is written together with
//! what it stands for. It ends when the fold does.

use std::path::Path;
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, TransactionBehavior::Immediate};
use tokio::sync::watch;
use wigeon_proto::cursor::Epoch;
use wigeon_proto::limits::{SEARCH_MERGE_PIECES, SEARCH_STRETCH_POSITIONS};

use super::gather::{gather, next_event};
use super::{file, pieces};
use crate::Fault;
use crate::fold::Progress;

/// How far the thread steps back: behind everything, the fold too.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;

/// How large the index's pieces are. Tests make them small.
#[derive(Debug, Clone, Copy)]
pub struct IndexSizes {
    /// Positions of the smallest.
    pub stretch: u64,
    /// How many become a larger one.
    pub merge: usize,
}

impl Default for IndexSizes {
    fn default() -> Self {
        Self { stretch: SEARCH_STRETCH_POSITIONS, merge: SEARCH_MERGE_PIECES }
    }
}

/// The index of an open store. Dropped after the fold has ended, it waits for its thread.
#[derive(Debug)]
pub(crate) struct Index {
    thread: Option<JoinHandle<()>>,
}

/// The index's file, opened.
pub(crate) struct Opened(Connection);

impl Index {
    /// Opens the file, or makes it, for a log whose tables hold `position`. After this readers may open it.
    pub(crate) fn open(file: &Path, epoch: Epoch, position: u64) -> Result<Opened, Fault> {
        Ok(Opened(file::open(file, epoch, position)?))
    }

    /// Starts the thread, which reads from `tables`, and tells of its watermark.
    pub(crate) fn start(
        opened: Opened,
        tables: Connection,
        progress: Progress,
        sizes: IndexSizes,
    ) -> Result<(Self, watch::Receiver<u64>), Fault> {
        let position = file::watermark(&opened.0)?;
        let (told, watermark) = watch::channel(position);
        let mut work = Work { index: opened.0, tables, progress, sizes, position, told };
        let run = move || {
            step_back();
            if let Err(fault) = work.run() {
                tracing::error!(%fault, "nothing is indexed any more; searches go through the rest themselves");
            }
        };
        let thread = thread::Builder::new().name("index".into()).spawn(run)?;
        Ok((Self { thread: Some(thread) }, watermark))
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // It has told of its fault itself.
            let _ = thread.join();
        }
    }
}

fn step_back() {
    // On Linux this is of the calling thread alone.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICE);
}

struct Work {
    index: Connection,
    tables: Connection,
    progress: Progress,
    sizes: IndexSizes,
    /// The watermark.
    position: u64,
    told: watch::Sender<u64>,
}

impl Work {
    fn run(&mut self) -> Result<(), Fault> {
        loop {
            let wanted = self.position + self.sizes.stretch;
            let Some(folded) = self.progress.wait_for_more(wanted - 1) else { return Ok(()) };
            // Far behind, the larger pieces are made at once.
            let many = self.sizes.stretch * self.sizes.merge as u64;
            if folded - self.position >= many {
                self.merge(0, 1)?;
                self.stretch(self.position + many, 1)?;
            } else {
                self.stretch(wanted, 0)?;
            }
            for level in 0..pieces::LEVEL_MAX {
                self.merge(level, self.sizes.merge)?;
            }
        }
    }

    fn stretch(&mut self, high: u64, level: u32) -> Result<(), Fault> {
        let mut gathered = gather(&self.tables, self.position, high)?;
        if gathered.rooms.is_empty() && gathered.late.is_empty() {
            // Positions may have been left out on the way, any number of them.
            let next = next_event(&self.tables, gathered.high)?;
            gathered.high = next.map_or(gathered.high, |next| gathered.high.max(next - 1));
        }
        let tx = self.index.transaction_with_behavior(Immediate)?;
        pieces::write(&tx, &gathered, level)?;
        file::set_watermark(&tx, gathered.high)?;
        tx.commit()?;
        self.position = gathered.high;
        self.told.send_replace(self.position);
        Ok(())
    }

    /// Puts the pieces of a level together, if there are as many.
    fn merge(&mut self, level: u32, least: usize) -> Result<(), Fault> {
        let tx = self.index.transaction_with_behavior(Immediate)?;
        let pieces = pieces::of_level(&tx, level)?;
        if pieces.len() < least {
            return Ok(());
        }
        // Not to the end only when the store is being closed; then the next start does it.
        if pieces::merge(&tx, &pieces, level + 1, || !self.progress.has_ended())? {
            tx.commit()?;
        }
        Ok(())
    }
}
