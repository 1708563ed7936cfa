//! The log: every entry, in order, for good. What is in it is durable; the tables are folded from it
//! afterwards (see [`crate::fold`]) and can be folded again.
//!
//! It lies in a directory of its own. A segment is a file of [records](record), named after its first
//! position. Beside the segments there may be `base.db`: the tables at the position before the first entry,
//! where that is not the first there ever was (see [`crate::base`]). So base and log together always give
//! the tables.
//!
//! ```text
//! log/base.db   log/00000000000000000001.log   log/00000000000000000412.log   log/spare
//!               records ▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪0    records ▪▪▪▪▪▪0000000000000   zeros, to be the next
//! ```
//! A segment is filled with zeros before it is used: then a sync has data to write, and nothing of the file
//! system's own. So what is not a record at the end of a segment is zeros, or the torn end of a batch that
//! nobody was told of; see [`walk`].

mod append;
pub(crate) mod record;
mod spare;
mod walk;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use crate::Fault;
use record::Record;

pub(crate) use append::Appender;
pub(crate) use walk::{End, walk};

/// The name of the segment that is prepared.
const SPARE: &str = "spare";

/// One file of the log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Segment {
    /// The position of its first entry, also while it has none.
    pub(crate) first: u64,
    pub(crate) path: PathBuf,
}

impl Segment {
    fn named(directory: &Path, first: u64) -> Self {
        Self { first, path: directory.join(format!("{first:020}.log")) }
    }
}

/// The segments, ascending.
pub(crate) fn segments(directory: &Path) -> Result<Vec<Segment>, Fault> {
    let mut segments = Vec::new();
    for file in fs::read_dir(directory)? {
        let path = file?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".log"));
        if let Some(first) = name.and_then(|digits| digits.parse().ok()) {
            segments.push(Segment { first, path });
        }
    }
    let spare = directory.join(SPARE);
    if let Some(first) = begun(&spare)?.filter(|first| segments.iter().all(|segment| segment.first != *first))
    {
        segments.push(Segment { first, path: spare });
    }
    segments.sort_unstable();
    Ok(segments)
}

/// The position of the record that a file begins with, if it does.
fn begun(path: &Path) -> io::Result<Option<u64>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        file.by_ref().take(record::HEAD as u64).read_to_end(&mut bytes)?;
        file.take(record::rest_of(&bytes)).read_to_end(&mut bytes)
    });
    match read {
        Ok(_) => Ok(Record::parse(&bytes).map(|record| record.first)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes every segment, the newest first: whatever is left when this is cut short has no hole.
pub(crate) fn clear(directory: &Path) -> Result<(), Fault> {
    for segment in segments(directory)?.iter().rev() {
        fs::remove_file(&segment.path)?;
    }
    Ok(sync_directory(directory)?)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
