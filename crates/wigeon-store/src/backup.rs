//! A backup: a data directory's copy, made while a server uses it or not.
//!
//! The tables are copied at one position, and what the log has beyond them is folded into the copy: so it
//! holds everything that was acknowledged before it began, however far the tables were behind. It becomes the
//! base of the copy, whose log is empty, and belongs to no epoch: the server that is started on it takes a
//! new one, since positions it gives out are known to clients with another meaning.
//!
//! Until it is whole and on the disk it stands under another name.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use wigeon_proto::cursor::Epoch;

use crate::log::walk;
use crate::open::LastRun;
use crate::refold::Refold;
use crate::rows::open_reader;
use crate::schema::{self, MigrateError};
use crate::{Fault, base, copy, rows};

/// How often the log is read, while a server appends to it. A read can see the second of two records whole
/// and the first one not yet; it cannot go on doing so.
const READS_MAX: u32 = 5;
/// Between two reads: long enough for any write that was under way.
const READS_APART: Duration = Duration::from_millis(100);

/// A backup that was made.
#[derive(Debug, Clone, Copy)]
pub struct Backup {
    /// Everything up to this position is in it.
    pub position: u64,
    /// Bytes of its tables.
    pub bytes: u64,
}

/// What a backup is doing.
#[derive(Debug, Clone, Copy)]
pub enum Progress {
    /// It copies the tables, and has so many of so many pages.
    Copying(u64, u64),
    /// It folds what the log has beyond them.
    Folding,
    /// It reads the copy from end to end.
    Verifying,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to copy.
    #[error("{0} is no data directory of wigeon: it has no wigeon.db")]
    NoData(PathBuf),
    /// Something is there already.
    #[error("{0} exists, and is no empty directory")]
    Exists(PathBuf),
    /// Another version of the program writes the data.
    #[error("the data has schema {found}, this wigeon knows {known}: use the version that serves it")]
    Schema {
        /// The tables' version.
        found: usize,
        /// The program's.
        known: usize,
    },
    /// The copy is no sound database, and so the tables are none.
    #[error("the copy is not sound ({0}): the tables are damaged; see `wigeon check`")]
    Unsound(String),
    /// A file of the backup cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The medium.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<MigrateError> for BackupError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Newer { found, known } => Self::Schema { found, known },
            MigrateError::Fault(fault) => fault.into(),
        }
    }
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        Fault::from(error).into()
    }
}

/// Copies the data directory `from` to `to`, which does not exist or is an empty directory. Of `also`, files
/// of the directory that are nobody else's to read, those there are come with it.
pub fn backup(
    from: &Path,
    to: &Path,
    also: &[&str],
    told: &mut dyn FnMut(Progress),
) -> Result<Backup, BackupError> {
    let (tables, log) = (from.join("wigeon.db"), from.join("log"));
    if !tables.is_file() {
        return Err(BackupError::NoData(from.to_owned()));
    }
    let unfinished = Unfinished::begin(to)?;
    let file = unfinished.base();
    let failed = |path: &Path, source| BackupError::Write { path: path.to_owned(), source };

    let source = open_reader(&tables)?;
    let (found, known) = (schema::version(&source)?, schema::known());
    if found != known {
        return Err(BackupError::Schema { found, known });
    }
    let run = LastRun::read(&source)?;
    copy::tables(&source, &file, &mut |done, of| told(Progress::Copying(done, of)))?;
    drop(source);
    told(Progress::Folding);
    let position = catch_up(&log, &file, run)?;
    told(Progress::Verifying);
    verify(&open_reader(&file)?, position)?;
    for name in also {
        copy_private(&from.join(name), &unfinished.0.join(name))
            .map_err(|source| failed(&unfinished.0.join(name), source))?;
    }
    let bytes = fs::metadata(&file).map_err(|source| failed(&file, source))?.len();
    unfinished.finish(to)?;
    Ok(Backup { position, bytes })
}

/// Folds what the log has beyond the tables of a copy into them, and returns their position then.
fn catch_up(log: &Path, file: &Path, run: LastRun) -> Result<u64, BackupError> {
    let mut refold = Refold::open(file, run.epoch.unwrap_or(Epoch::new(0)))?;
    let mut reads = 1;
    loop {
        let after = refold.position();
        match walk(log, after, run.whole, |position, bytes| refold.entry(position, bytes)) {
            Err(Fault::Log(_)) if reads < READS_MAX => std::thread::sleep(READS_APART),
            read => {
                read?;
                break;
            }
        }
        reads += 1;
    }
    let position = refold.position();
    let (stepper, db) = refold.finish()?;
    // Its own connection would be in the way.
    drop(stepper);
    copy::settle(db)?;
    File::open(file).and_then(|file| file.sync_all()).map_err(Fault::from)?;
    Ok(position)
}

/// Reads the copy from the disk, from end to end.
fn verify(copy: &Connection, position: u64) -> Result<(), BackupError> {
    let found: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(BackupError::Unsound(found));
    }
    match rows::position(copy)? {
        there if there == position => Ok(()),
        there => Err(BackupError::Unsound(format!("it is at {there}, not at {position}"))),
    }
}

/// Copies a file, if there is one, for its owner alone.
fn copy_private(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = match File::open(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        source => source?,
    };
    let mut target = File::options().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut source, &mut target)?;
    target.sync_all()
}

/// The directory of a backup that is not whole yet; gone if it never becomes so.
struct Unfinished(PathBuf);

impl Unfinished {
    fn begin(to: &Path) -> Result<Self, BackupError> {
        let free = match fs::read_dir(to) {
            Ok(mut files) => files.next().is_none(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        let Some(name) = to.file_name().filter(|_| free) else {
            return Err(BackupError::Exists(to.to_owned()));
        };
        let name = format!("{}.unfinished-{}", name.display(), std::process::id());
        let path = to.with_file_name(name);
        let private = |path: &Path| DirBuilder::new().mode(0o700).create(path);
        match private(&path) {
            Ok(()) => {
                let unfinished = Self(path);
                private(&unfinished.0.join("log"))
                    .map_err(|source| BackupError::Write { path: unfinished.0.join("log"), source })?;
                Ok(unfinished)
            }
            Err(source) => Err(BackupError::Write { path, source }),
        }
    }

    fn base(&self) -> PathBuf {
        base::file(&self.0.join("log"))
    }

    fn finish(self, to: &Path) -> Result<(), BackupError> {
        let sync = |path: &Path| File::open(path)?.sync_all();
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // In this order: what the new name stands for is whole, whenever the machine goes down.
        let finished = sync(&self.0.join("log"))
            .and_then(|()| sync(&self.0))
            .and_then(|()| fs::rename(&self.0, to))
            .and_then(|()| sync(parent));
        finished.map_err(|source| BackupError::Write { path: to.to_owned(), source })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Renamed, it is not there any more; else whatever stays is named as what it is.
        let _ = fs::remove_dir_all(&self.0);
    }
}
