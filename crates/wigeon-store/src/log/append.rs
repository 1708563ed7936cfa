//! The end of the log, where entries become durable.
//!
//! One write and one sync for a batch. A segment that is full stays as it is, and the next one takes its
//! place; it was prepared while this one filled.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use wigeon_proto::limits::{LOG_SEGMENT_BYTES_MAX, LOG_SEGMENT_BYTES_MIN};

use super::record::Builder;
use super::spare::{Spare, fill};
use super::{End, SPARE, Segment, segments, sync_directory};
use crate::Fault;

/// The one who appends.
#[derive(Debug)]
pub(crate) struct Appender {
    directory: PathBuf,
    file: File,
    /// Bytes of records in the file; zeros follow.
    written: u64,
    /// How far the file was prepared.
    bytes: u64,
    sync: bool,
    spare: Option<Spare>,
    /// The present batch.
    record: Builder,
}

impl Appender {
    /// Goes on where the log ends. What a crash tore off there is wiped, and so is everything after `end`:
    /// the caller has decided that it is lost. With `sync`, what [`Self::write`] returned from survives a
    /// power failure.
    pub(crate) fn resume(directory: &Path, end: &End, sync: bool) -> Result<Self, Fault> {
        let last = end.segment.clone().unwrap_or_else(|| Segment::named(directory, end.next));
        for segment in segments(directory)?.iter().rev().take_while(|segment| **segment > last) {
            fs::remove_file(&segment.path)?;
        }
        let path = Segment::named(directory, last.first).path;
        if last.path != path {
            // A power failure came before its name was durable.
            fs::rename(&last.path, &path)?;
        }
        let file = File::options().create(true).truncate(false).write(true).open(&path)?;
        let bytes = file.metadata()?.len().max(LOG_SEGMENT_BYTES_MIN);
        if end.is_torn {
            // Later files are gone for good before this one looks as if it were the last.
            sync_directory(directory)?;
            file.set_len(end.bytes)?;
        }
        let length = file.metadata()?.len();
        fill(&file, length, bytes, sync)?;
        if sync {
            file.sync_all()?;
            sync_directory(directory)?;
        }
        (&file).seek(SeekFrom::Start(end.bytes))?;
        let _ = fs::remove_file(directory.join(SPARE));
        let (directory, record) = (directory.to_owned(), Builder::default());
        Ok(Self { directory, file, written: end.bytes, bytes, sync, spare: None, record })
    }

    /// Adds an entry to the present batch.
    pub(crate) fn push(&mut self, entry: &[u8]) {
        self.record.push(entry);
    }

    /// Whether what was written survives a power failure.
    pub(crate) fn syncs(&self) -> bool {
        self.sync
    }

    /// How many bytes the present batch has.
    pub(crate) fn batch_bytes(&self) -> usize {
        self.record.len()
    }

    /// Writes the batch, whose first entry stands at `first`.
    pub(crate) fn write(&mut self, first: u64) -> Result<(), Fault> {
        if self.written + self.record.len() as u64 > self.bytes {
            self.turn(first)?;
        }
        let record = self.record.seal(first);
        self.file.write_all(record)?;
        if self.sync {
            self.file.sync_data()?;
        }
        self.written += record.len() as u64;
        self.record.clear();
        if self.spare.is_none() && self.written > self.bytes / 2 {
            let bytes = (self.bytes * 2).min(LOG_SEGMENT_BYTES_MAX);
            self.spare = Some(Spare::prepare(&self.directory, bytes, self.sync));
        }
        Ok(())
    }

    /// Leaves the segment for the next one, whose first entry will stand at `first`. Between two batches.
    pub(crate) fn turn(&mut self, first: u64) -> Result<(), Fault> {
        if self.written == 0 {
            return Ok(());
        }
        let path = Segment::named(&self.directory, first).path;
        let mut prepared = None;
        if let Some(spare) = self.spare.take_if(|spare| spare.is_ready()) {
            let bytes = spare.bytes;
            prepared = spare.take(&path)?.map(|file| (file, bytes));
        }
        let (file, bytes) = if let Some(prepared) = prepared {
            prepared
        } else {
            // Nobody waits for one that is not ready: then each sync of this segment takes a little longer.
            let file = File::create(&path)?;
            if self.sync {
                sync_directory(&self.directory)?;
            }
            (file, self.bytes)
        };
        (self.file, self.bytes, self.written) = (file, bytes, 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::walk;
    use super::*;

    #[test]
    fn segments_grow_up_to_their_bound_and_are_continued() {
        let directory = tempfile::tempdir().unwrap();
        let end = || walk(directory.path(), 0, true, |_, _| Ok(())).unwrap();
        let mut log = Appender::resume(directory.path(), &end(), false).unwrap();
        let entry = vec![b'x'; 100_000];
        let count = 5 * LOG_SEGMENT_BYTES_MAX / 2 / entry.len() as u64;
        for position in 1..=count {
            log.push(&entry);
            log.write(position).unwrap();
            while log.spare.as_ref().is_some_and(|spare| !spare.is_ready()) {
                std::thread::yield_now();
            }
            if position % 100 == 0 {
                drop(log);
                log = Appender::resume(directory.path(), &end(), false).unwrap();
            }
        }
        let bytes = |segment: &Segment| fs::metadata(&segment.path).unwrap().len();
        let sizes: Vec<u64> = segments(directory.path()).unwrap().iter().map(bytes).collect();
        let grown = |doublings: u32| (LOG_SEGMENT_BYTES_MIN << doublings).min(LOG_SEGMENT_BYTES_MAX);
        assert_eq!(sizes, (0..sizes.len() as u32).map(grown).collect::<Vec<_>>());
        assert_eq!(sizes.iter().rev().take(2).sum::<u64>(), 2 * LOG_SEGMENT_BYTES_MAX, "the bound was met");
        assert_eq!(end().next, count + 1);
    }

    #[test]
    fn a_segment_is_found_whose_name_was_not_durable() {
        let directory = tempfile::tempdir().unwrap();
        let end = || walk(directory.path(), 0, true, |_, _| Ok(())).unwrap();
        let write = |position| {
            let mut log = Appender::resume(directory.path(), &end(), true).unwrap();
            log.push(b"entry");
            log.write(position).unwrap();
            log.turn(position + 1).unwrap();
        };
        write(1);
        write(2);
        let (named, spare) = (Segment::named(directory.path(), 2).path, directory.path().join(SPARE));
        for torn in [&[0; 64][..], b"torn", b""] {
            fs::write(&spare, torn).unwrap();
            assert_eq!(end().next, 3, "one without a record is none");
        }
        fs::copy(&named, &spare).unwrap();
        assert_eq!(end().next, 3, "one that has its name is not there twice");
        fs::remove_file(Segment::named(directory.path(), 3).path).unwrap();
        fs::remove_file(&named).unwrap();
        assert_eq!((end().next, end().segment.unwrap().path), (3, spare.clone()));
        write(3);
        assert!(named.exists() && !spare.exists(), "it has its name again");
        assert_eq!(end().next, 4);
    }
}
