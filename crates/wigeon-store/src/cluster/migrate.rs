//! From one machine to a cluster, and back: positions and epoch stay, and with them every client's cursor.
//!
//! The log does not move. The tables say where it ended, and the stream begins after that, or the log does: what
//! is before stands in the tables alone, and other nodes start from a copy of them. Each step can be done
//! again after a crash.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use wigeon_proto::cursor::Epoch;

use super::{JoinError, compare, join_error, store};
use crate::nats::{self, Log, Nats, NewLog};
use crate::open::{Durability, LastRun, OpenError, Store, lock, open_writer};
use crate::schema::MigrateError;
use crate::{base, log, rows};

/// Where the log went on.
#[derive(Debug, PartialEq, Eq)]
pub struct Moved {
    /// The last position before.
    pub position: u64,
    /// The stream.
    pub stream: String,
}

/// Makes the stream of a cluster that goes on where a single machine's data ends, and the directory that of its
/// first node. `random` is used if the data needs a new epoch.
pub async fn to_stream(directory: &Path, nats: &Nats, random: u64) -> Result<Moved, JoinError> {
    let client = nats::connect(nats).await?;
    let fold = {
        let directory = directory.to_owned();
        tokio::task::spawn_blocking(move || fold(&directory, random))
    };
    let Folded { lock: _lock, mut db, epoch, position, stream } = fold.await.expect("it does not panic")?;
    let new = stream.is_none().then_some(NewLog { epoch, base: position });
    let log = Log::open(nats, client, new).await?;
    let is_ours = match &stream {
        Some(subject) => *subject == log.subject,
        None => (log.epoch, log.base, log.last) == (epoch, position, position),
    };
    if !is_ours {
        let what =
            format!("the NATS stream {} is there already, and is the log of something else", log.stream);
        return Err(JoinError::Apart(what));
    }
    let at = |fault| join_error(directory, fault);
    store::mark(&mut db, &log.subject, epoch).map_err(at)?;
    let logs = directory.join("log");
    log::clear(&logs).and_then(|()| base::remove(&logs)).map_err(at)?;
    db.close().map_err(|(_, error)| at(error.into()))?;
    Ok(Moved { position, stream: log.stream })
}

/// What a single machine's directory comes to.
struct Folded {
    lock: crate::open::Lock,
    db: Connection,
    epoch: Epoch,
    position: u64,
    /// Of a directory that has been moved before, if not to the end.
    stream: Option<String>,
}

fn fold(directory: &Path, random: u64) -> Result<Folded, JoinError> {
    let file = directory.join("wigeon.db");
    let at = |fault| join_error(directory, fault);
    if !has_data(directory) {
        let what = "holds no data: a cluster that begins empty needs no migration";
        return Err(OpenError::Other { path: directory.to_owned(), what }.into());
    }
    if file.exists() {
        let lock = lock(directory)?;
        let db = open_writer(&file).map_err(|error| database(directory, error))?;
        let last = LastRun::read(&db).map_err(at)?;
        if let (Some(stream), Some(epoch)) = (store::stream(&db).map_err(at)?, last.epoch) {
            let position = rows::position(&db).map_err(at)?;
            return Ok(Folded { lock, db, epoch, position, stream: Some(stream) });
        }
    }
    let Store { epoch, writer, readers, lock } = Store::open(directory, Durability::Fsync, random)?;
    let position = writer.position();
    drop(readers);
    writer.close().map_err(at)?;
    let db = open_writer(&file).map_err(|error| database(directory, error))?;
    Ok(Folded { lock, db, epoch, position, stream: None })
}

fn has_data(directory: &Path) -> bool {
    let log: PathBuf = directory.join("log");
    directory.join("wigeon.db").exists() || fs::read_dir(log).is_ok_and(|mut files| files.next().is_some())
}

/// Makes the directory of a node that holds all of the stream that of a single machine. Nothing can be published
/// to the stream any more.
pub async fn from_stream(directory: &Path, nats: &Nats) -> Result<Moved, JoinError> {
    let at = |fault| join_error(directory, fault);
    let file = directory.join("wigeon.db");
    let none = || OpenError::Other { path: directory.to_owned(), what: "is not that of a node of a cluster" };
    if !file.exists() {
        return Err(none().into());
    }
    let _lock = lock(directory)?;
    compare::was_right(directory)?;
    let mut db = open_writer(&file).map_err(|error| database(directory, error))?;
    let (stream, position) =
        (store::stream(&db).map_err(at)?.ok_or_else(none)?, rows::position(&db).map_err(at)?);
    let log = Log::open(nats, nats::connect(nats).await?, None).await?;
    if log.subject != stream {
        return Err(JoinError::Apart(format!(
            "this node is of {stream}, and the NATS stream is {}",
            log.subject
        )));
    }
    let level = |last| match last {
        last if last == position => Ok(()),
        last => Err(JoinError::Apart(format!(
            "this node holds entries up to {position}, and the NATS stream {} ends at {last}: stop all other nodes, \
             start this one until it is level, stop it, and try again",
            log.stream
        ))),
    };
    level(log.last)?;
    level(log.seal().await?)?;
    fs::create_dir_all(directory.join("log")).map_err(|error| at(error.into()))?;
    store::unmark(&mut db, log.epoch).map_err(at)?;
    base::begin(&directory.join("log"), &db).map_err(at)?;
    db.close().map_err(|(_, error)| at(error.into()))?;
    Ok(Moved { position, stream: log.stream })
}

fn database(directory: &Path, source: MigrateError) -> JoinError {
    OpenError::Database { path: directory.to_owned(), source }.into()
}
