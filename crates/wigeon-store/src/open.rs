//! Opening the data directory: its lock, its database, its epoch, and what its log holds beyond the tables.
//!
//! Positions are never given out twice under one epoch. So an epoch ends whenever acknowledged
//! entries may have been lost: at each start after `memory`, and after `os` unless the program ended
//! cleanly or the machine has not been restarted since.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use wigeon_proto::cursor::Epoch;
use wigeon_proto::limits::LOCK_WAIT_MS_MAX;

use crate::fold::Fold;
use crate::log::{self, Appender, End};
use crate::overlay::Overlay;
use crate::read::Pool;
use crate::refold::Refold;
use crate::rows;
use crate::rows::open_reader;
use crate::schema::{MigrateError, STREAM, migrate};
use crate::scrub::Places;
use crate::search::index::{Index, IndexSizes};
use crate::step::Stepper;
use crate::writer::Writer;
use crate::{Fault, base};

/// Between two tries to have the lock.
const LOOK: Duration = Duration::from_millis(10);

/// What an acknowledged entry survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Power failure: each batch is synced to the disk before it is acknowledged.
    #[default]
    Fsync,
    /// A crash of the program, not of the machine.
    Os,
    /// Nothing but a clean stop: no log is kept, and it takes a new epoch at each start. For benchmarks and
    /// throw-away data.
    Memory,
}

impl Durability {
    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fsync => "fsync",
            Self::Os => "os",
            Self::Memory => "memory",
        }
    }

    /// Reads the word in the configuration.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Fsync, Self::Os, Self::Memory].into_iter().find(|durability| durability.as_str() == text)
    }
}

/// Why the data directory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made or written.
    #[error("cannot use the data directory {path}: {source}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("the data directory {path} is in use by another wigeon")]
    Locked {
        /// Which.
        path: PathBuf,
    },
    /// The database.
    #[error("cannot open the database in {path}: {source}")]
    Database {
        /// Which directory.
        path: PathBuf,
        /// Why.
        source: MigrateError,
    },
    /// It holds something else than what is to be done with it.
    #[error("the data directory {path} {what}")]
    Other {
        /// Which.
        path: PathBuf,
        /// What it holds.
        what: &'static str,
    },
}

/// Held while a program uses a data directory; the operating system lets go of it when the program ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// An open data directory.
#[derive(Debug)]
pub struct Store {
    /// The log's present incarnation.
    pub epoch: Epoch,
    /// For the sequencer.
    pub writer: Writer,
    /// For queries.
    pub readers: Pool,
    /// Keeps other programs out of the directory.
    pub lock: Lock,
}

/// Entries between two words of a start that has many of them to fold: some seconds.
const FOLDED_PER_WORD: u64 = 50_000;
/// Read connections: queries are short, and more of them than cores gain nothing.
const READERS: usize = 4;

impl Store {
    /// Opens the directory, or makes it, and folds what the log holds beyond the tables. `random` is
    /// used if the log needs a new epoch.
    pub fn open(directory: &Path, durability: Durability, random: u64) -> Result<Self, OpenError> {
        Self::open_with(directory, durability, random, IndexSizes::default())
    }

    /// As [`Self::open`], with a search index of other sizes.
    pub fn open_with(
        directory: &Path,
        durability: Durability,
        random: u64,
        sizes: IndexSizes,
    ) -> Result<Self, OpenError> {
        let lock = lock(directory)?;
        fs::create_dir_all(directory.join("log"))
            .and_then(|()| log::sync_directory(directory))
            .map_err(|source| OpenError::Directory { path: directory.to_owned(), source })?;
        start(directory, durability, random, sizes, lock)
            .map_err(|source| OpenError::Database { path: directory.to_owned(), source })
    }
}

/// Brings the tables up to the log, and everything to life.
fn start(
    directory: &Path,
    durability: Durability,
    random: u64,
    sizes: IndexSizes,
    lock: Lock,
) -> Result<Store, MigrateError> {
    let (file, log) = (directory.join("wigeon.db"), directory.join("log"));
    if !file.try_exists().map_err(Fault::from)? {
        base::restore(&log, &file)?;
    }
    let db = open_writer(&file)?;
    let run = Run::decide(LastRun::read(&db)?, durability, random);
    let overlay = Overlay::new(open_reader(&file)?, run.epoch)?;
    let found = rows::position(&db)?;
    let stepper = Stepper::new(overlay, found, run.epoch);
    let (stepper, mut db, end) = recover(&log, Refold::new(stepper, db), run)?;
    let position = stepper.position;
    let end = match durability {
        Durability::Memory => None,
        Durability::Os | Durability::Fsync => {
            // What was found in the tables, beyond the base, was folded under the epoch before.
            let is_mixed = run.is_another && found > base::position(&log)?;
            Some(connected(&log, &db, end, position, is_mixed)?)
        }
    };
    run.note(&mut db, durability)?;
    let appender = match end {
        None => None,
        Some(end) => Some(Appender::resume(&log, &end, durability == Durability::Fsync)?),
    };
    // The log is what survives; the database is synced at checkpoints alone.
    let synchronous = if durability == Durability::Memory { "off" } else { "normal" };
    db.pragma_update(None, "synchronous", synchronous)?;
    let (writer, readers) = live(directory, db, stepper, appender, sizes)?;
    Ok(Store { epoch: run.epoch, writer, readers, lock })
}

/// Starts what writes and what reads the tables, which are at the stepper's position.
pub(crate) fn live(
    directory: &Path,
    db: Connection,
    stepper: Stepper,
    appender: Option<Appender>,
    sizes: IndexSizes,
) -> Result<(Writer, Pool), Fault> {
    let places = Places {
        log: directory.join("log"),
        tables: directory.join("wigeon.db"),
        index: directory.join("search.db"),
    };
    let (epoch, position) = (stepper.epoch, stepper.position);
    let wal = match &appender {
        Some(appender) if appender.syncs() => Some(File::open(directory.join("wigeon.db-wal"))?),
        _ => None,
    };
    let fold = Fold::start(db, wal, position);
    let index = Index::open(&places.index, epoch, position)?;
    let (index, indexed) = Index::start(index, open_reader(&places.tables)?, fold.progress(), sizes)?;
    let readers = Pool::open(&places.tables, &places.index, epoch, fold.progress(), indexed, READERS)?;
    Ok((Writer::new(stepper, appender, fold, index, places), readers))
}

/// Applies what the log holds beyond the tables once more, by the same rules. Says where the log ends.
fn recover(log: &Path, mut refold: Refold, run: Run) -> Result<(Stepper, Connection, End), Fault> {
    let after = refold.position();
    let end = log::walk(log, after, run.whole, |position, bytes| {
        if (position - after) % FOLDED_PER_WORD == 1 {
            tracing::info!(after, position, "bringing the tables up to the log");
        }
        refold.entry(position, bytes)
    })?;
    let (stepper, db) = refold.finish()?;
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok((stepper, db, end))
}

/// The end of a log from which, with its base, the tables could be folded again. Where the log that was found
/// is none, the tables become the base of another. So they do where they would be of two epochs: an answer that
/// they hold names the epoch it was given in, and a log is folded in one.
fn connected(log: &Path, tables: &Connection, end: End, position: u64, is_mixed: bool) -> Result<End, Fault> {
    let base = base::position(log)?;
    let reaches_back = match (&end.segment, log::segments(log)?.first()) {
        (Some(_), Some(oldest)) => oldest.first <= base + 1,
        _ => base == position,
    };
    if reaches_back && end.next == position + 1 && (base == position || !is_mixed) {
        return Ok(end);
    }
    tracing::info!(position, "the log does not lead to the tables; they become its base");
    base::begin(log, tables)?;
    Ok(End { next: position + 1, segment: None, bytes: 0, is_torn: false })
}

pub(crate) fn lock(directory: &Path) -> Result<Lock, OpenError> {
    let blame = |source| OpenError::Directory { path: directory.to_owned(), source };
    fs::create_dir_all(directory).map_err(blame)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(directory.join("lock"))
        .map_err(blame)?;
    match claim(&file) {
        Ok(()) => Ok(Lock { _file: file }),
        Err(fs::TryLockError::WouldBlock) => Err(OpenError::Locked { path: directory.to_owned() }),
        Err(fs::TryLockError::Error(source)) => Err(blame(source)),
    }
}

/// Locks the lock's file, unless another has it for longer than a moment: a process that another thread starts has
/// a copy of everything that is open here, the lock among it, until it runs its own program.
pub(crate) fn claim(file: &File) -> Result<(), fs::TryLockError> {
    let until = Instant::now() + Duration::from_millis(LOCK_WAIT_MS_MAX);
    loop {
        match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(LOOK),
            claimed => return claimed,
        }
    }
}

pub(crate) fn open_writer(file: &Path) -> Result<Connection, MigrateError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(file, flags)?;
    db.pragma_update(None, "journal_mode", "wal")?;
    // How a run begins must be on the disk before its first entry.
    db.pragma_update(None, "synchronous", "full")?;
    // A checkpoint moves some 4 MB: whoever syncs the log meanwhile waits for what it has the disk do.
    db.pragma_update(None, "wal_autocheckpoint", 1_000)?;
    // After a burst it is cut back to this.
    db.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    db.pragma_update(None, "cache_size", -32 * 1024)?;
    // Of a text that goes nothing stays in the file, or in a copy of it.
    db.pragma_update(None, "secure_delete", true)?;
    rows::keep_plans(&db)?;
    migrate(&mut db)?;
    Ok(db)
}

/// How a run begins.
#[derive(Clone, Copy)]
struct Run {
    epoch: Epoch,
    /// The epoch is not that of the last run.
    is_another: bool,
    /// Nothing acknowledged can have been lost before it.
    whole: bool,
}

impl Run {
    /// Decides it from how the last one went.
    fn decide(last: LastRun, durability: Durability, random: u64) -> Self {
        let kept = last.epoch.filter(|_| last.whole && durability != Durability::Memory);
        let epoch = kept.unwrap_or(Epoch::new(random));
        Self { epoch, is_another: last.epoch != Some(epoch), whole: last.whole }
    }

    /// Notes that it begins. Until then a start that is cut short is followed by one like it.
    fn note(self, db: &mut Connection, durability: Durability) -> Result<(), Fault> {
        let tx = db.transaction()?;
        let write =
            "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
        for (key, value) in [
            ("epoch", self.epoch.bits().to_string()),
            ("durability", durability.as_str().to_owned()),
            ("boot", boot()),
            ("clean", "0".to_owned()),
        ] {
            tx.execute(write, [key, &value])?;
        }
        // Of a node of a cluster once: from here on the log is another one.
        tx.execute("DELETE FROM meta WHERE key = ?1", [STREAM])?;
        Ok(tx.commit()?)
    }
}

/// What the last run left behind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastRun {
    /// None where there was none: then no client knows a position.
    pub(crate) epoch: Option<Epoch>,
    pub(crate) durability: Option<Durability>,
    /// Nothing it acknowledged can have been lost.
    pub(crate) whole: bool,
}

impl LastRun {
    pub(crate) fn read(db: &Connection) -> Result<Self, Fault> {
        let read = |key: &str| -> rusqlite::Result<Option<String>> {
            db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()
        };
        let epoch = read("epoch")?.and_then(|text| text.parse().ok()).map(Epoch::new);
        let durability = read("durability")?.as_deref().and_then(Durability::parse);
        let whole = match durability {
            // None: there are no tables yet; what is in the log is all there is.
            Some(Durability::Fsync) | None => true,
            Some(Durability::Os) => read("clean")?.as_deref() == Some("1") || read("boot")? == Some(boot()),
            Some(Durability::Memory) => false,
        };
        Ok(Self { epoch, durability, whole })
    }
}

/// What tells this time the machine is up from any other.
fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch_of(dir: &Path, durability: Durability, random: u64) -> u64 {
        Store::open(dir, durability, random).unwrap().epoch.bits()
    }

    #[test]
    fn an_epoch_lasts_while_nothing_can_have_been_lost() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        assert_eq!(epoch_of(at, Durability::Fsync, 1), 1);
        assert_eq!(epoch_of(at, Durability::Fsync, 2), 1, "fsync keeps it");
        assert_eq!(epoch_of(at, Durability::Os, 3), 1);
        assert_eq!(epoch_of(at, Durability::Os, 4), 1, "same boot");
        assert_eq!(epoch_of(at, Durability::Memory, 5), 5);
        assert_eq!(epoch_of(at, Durability::Memory, 6), 6, "memory never keeps it");
        assert_eq!(epoch_of(at, Durability::Fsync, 7), 7, "nor does what follows it");
    }

    #[test]
    fn two_programs_do_not_share_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        let _first = Store::open(dir.path(), Durability::Fsync, 1).unwrap();
        let second = Store::open(dir.path(), Durability::Fsync, 2);
        assert!(matches!(second, Err(OpenError::Locked { .. })), "{second:?}");
    }
}
