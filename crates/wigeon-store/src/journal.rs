//! The journal: where an entry becomes durable.
//!
//! Appending to one file and syncing it is the cheapest thing a disk does safely; the tables are folded
//! from it afterwards (see [`crate::fold`]). A file holds records, each with the entries of one batch:
//!
//! ```text
//! length u32 · crc32 u32 · position of the first entry u64 · ( length u32 · bytes )…
//! ```
//!
//! A record for a batch and not for an entry, because a batch is what one sync makes durable: the disk may
//! lose any part of the last one, but of none before it. So a broken record is the end of the journal if
//! nothing whole follows, and damage if something does.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use wigeon_proto::limits::JOURNAL_FILE_BYTES_MAX;

use crate::Fault;

/// Before the entries: length, checksum, first position.
const HEAD: usize = 16;
/// What the length counts: all after length and checksum.
const COUNTED: usize = 8;

/// The file that is being appended to.
#[derive(Debug)]
pub(crate) struct Journal {
    directory: PathBuf,
    file: File,
    path: PathBuf,
    bytes: u64,
    sync: bool,
    /// The record of the present batch.
    record: Vec<u8>,
}

/// A file that is appended to no longer.
#[derive(Debug, Clone)]
pub(crate) struct Retired {
    pub(crate) path: PathBuf,
    /// The last position in it.
    pub(crate) last: u64,
}

impl Journal {
    /// Begins a file whose first entry will stand at `first`. With `sync`, what [`Self::write`] returned
    /// from survives a power failure.
    pub(crate) fn begin(directory: &Path, first: u64, sync: bool) -> Result<Self, Fault> {
        let path = directory.join(format!("{first:020}.log"));
        let file = File::create(&path)?;
        if sync {
            sync_directory(directory)?;
        }
        let record = vec![0; HEAD];
        Ok(Self { directory: directory.to_owned(), file, path, bytes: 0, sync, record })
    }

    /// Adds an entry to the present batch.
    pub(crate) fn push(&mut self, entry: &[u8]) {
        self.record.extend_from_slice(&(entry.len() as u32).to_le_bytes());
        self.record.extend_from_slice(entry);
    }

    /// Writes the batch, whose first entry stands at `first`. A file that is full before it is retired.
    pub(crate) fn write(&mut self, first: u64) -> Result<Option<Retired>, Fault> {
        let retired = if self.bytes >= JOURNAL_FILE_BYTES_MAX { Some(self.rotate(first)?) } else { None };
        let record = &mut self.record;
        let length = (record.len() - HEAD + COUNTED) as u32;
        record[8..HEAD].copy_from_slice(&first.to_le_bytes());
        let sum = crc32fast::hash(&record[8..]);
        record[..4].copy_from_slice(&length.to_le_bytes());
        record[4..8].copy_from_slice(&sum.to_le_bytes());
        self.file.write_all(record)?;
        if self.sync {
            self.file.sync_data()?;
        }
        self.bytes += record.len() as u64;
        record.truncate(HEAD);
        Ok(retired)
    }

    fn rotate(&mut self, first: u64) -> Result<Retired, Fault> {
        let mut next = Self::begin(&self.directory, first, self.sync)?;
        std::mem::swap(&mut next.record, &mut self.record);
        let full = std::mem::replace(self, next);
        Ok(Retired { path: full.path, last: first - 1 })
    }
}

/// Makes the names in a directory durable.
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Removes every file of the journal: the tables hold all of it, durably.
pub(crate) fn clear(directory: &Path) -> Result<(), Fault> {
    for (_, path) in files(directory)? {
        fs::remove_file(path)?;
    }
    Ok(sync_directory(directory)?)
}

/// Hands out, in order, the entries after `after` with their positions.
///
/// `whole` says that nothing acknowledged can have been lost: then only the end of the newest file may be
/// broken. Otherwise the journal ends at the first break, wherever it is; the log has a new epoch then.
pub(crate) fn replay(
    directory: &Path,
    after: u64,
    whole: bool,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let files = files(directory)?;
    let mut expected = None;
    for (i, (first, path)) in files.iter().enumerate() {
        let damaged = |what: &str| Fault::Journal(format!("{}: {what}", path.display()));
        let newest = i + 1 == files.len();
        // The first file may begin anywhere up to what the tables lack; each other where the last one ended.
        if expected.map_or(*first > after + 1, |expected| expected != *first) {
            if whole {
                return Err(damaged("entries before it are missing"));
            }
            return Ok(());
        }
        let bytes = fs::read(path)?;
        let (mut rest, mut next) = (bytes.as_slice(), *first);
        while let Some((entries, tail)) = record(rest, next) {
            for entry in Entries(entries) {
                let entry = entry.ok_or_else(|| damaged("a record holds half an entry"))?;
                if next > after {
                    each(next, entry)?;
                }
                next += 1;
            }
            rest = tail;
        }
        if !rest.is_empty() {
            if whole && (!newest || holds_record(&rest[1..], next)) {
                let at = bytes.len() - rest.len();
                return Err(damaged(&format!("damaged at byte {at}, and whole records follow")));
            }
            return Ok(());
        }
        expected = Some(next);
    }
    Ok(())
}

/// The files by first position, ascending.
fn files(directory: &Path) -> Result<Vec<(u64, PathBuf)>, Fault> {
    let mut files = Vec::new();
    for file in fs::read_dir(directory)? {
        let path = file?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".log"));
        if let Some(first) = name.and_then(|digits| digits.parse().ok()) {
            files.push((first, path));
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The record that begins `bytes`, if it is whole and stands at `first`: its entries, and what follows it.
fn record(bytes: &[u8], first: u64) -> Option<(&[u8], &[u8])> {
    let (found, entries, rest) = split(bytes)?;
    (found == first).then_some((entries, rest))
}

fn split(bytes: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let number = |range: std::ops::Range<usize>| u32::from_le_bytes(head[range].try_into().expect("four"));
    let length = (number(0..4) as usize).checked_sub(COUNTED)?;
    let (entries, rest) = rest.split_at_checked(length)?;
    let mut sum = crc32fast::Hasher::new();
    sum.update(&head[8..]);
    sum.update(entries);
    let first = u64::from_le_bytes(head[8..].try_into().expect("eight"));
    (sum.finalize() == number(4..8)).then_some((first, entries, rest))
}

/// Whether a whole record of a position after `expected` begins anywhere in `bytes`.
fn holds_record(bytes: &[u8], expected: u64) -> bool {
    // A record holds a few thousand entries at most: the position tells nearly every false start apart
    // before a checksum is made.
    let near = expected..=expected + bytes.len() as u64;
    bytes.windows(HEAD).enumerate().any(|(at, head)| {
        let first = u64::from_le_bytes(head[8..].try_into().expect("eight"));
        near.contains(&first) && split(&bytes[at..]).is_some()
    })
}

/// The entries of a record; `None` for one that its record cuts off.
struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let mut cut = || {
            let (length, rest) = self.0.split_first_chunk::<4>()?;
            let (entry, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            self.0 = rest;
            Some(entry)
        };
        Some(cut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three records of one, two and three entries, the last two in a file of their own.
    fn written() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(directory.path(), 1, true).unwrap();
        journal.push(b"one");
        journal.write(1).unwrap();
        journal = Journal::begin(directory.path(), 2, true).unwrap();
        journal.push(b"two");
        journal.push(b"3");
        journal.write(2).unwrap();
        for entry in [b"four", b"five", b"six!"] {
            journal.push(entry);
        }
        journal.write(4).unwrap();
        directory
    }

    fn read(directory: &Path, after: u64, whole: bool) -> Result<Vec<(u64, Vec<u8>)>, Fault> {
        let mut found = Vec::new();
        replay(directory, after, whole, |position, entry| {
            found.push((position, entry.to_vec()));
            Ok(())
        })?;
        Ok(found)
    }

    fn newest(directory: &Path) -> PathBuf {
        directory.join(format!("{:020}.log", 2))
    }

    #[test]
    fn what_was_written_comes_back_from_any_position() {
        let directory = written();
        let all = read(directory.path(), 0, true).unwrap();
        let entries: Vec<&[u8]> = all.iter().map(|(_, entry)| entry.as_slice()).collect();
        assert_eq!(entries, [b"one".as_slice(), b"two", b"3", b"four", b"five", b"six!"]);
        for after in 0..=6 {
            assert_eq!(read(directory.path(), after, true).unwrap(), all[after as usize..]);
        }
    }

    #[test]
    fn a_journal_torn_at_any_byte_ends_with_the_last_whole_batch() {
        let directory = written();
        let whole = fs::read(newest(directory.path())).unwrap();
        let first_record = HEAD + 4 + 3 + 4 + 1;
        for cut in 0..whole.len() {
            let kept = if cut < first_record { 1 } else { 3 };
            for garbage in [&[][..], &[0; 40], &[0xff; 40]] {
                fs::write(newest(directory.path()), [&whole[..cut], garbage].concat()).unwrap();
                assert_eq!(read(directory.path(), 0, true).unwrap().len(), kept, "cut at {cut}");
            }
        }
    }

    #[test]
    fn damage_before_whole_records_is_no_torn_end() {
        let directory = written();
        let newest = newest(directory.path());
        let whole = fs::read(&newest).unwrap();
        let first_record = HEAD + 4 + 3 + 4 + 1;
        for at in 0..first_record {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&newest, &bytes).unwrap();
            let error = read(directory.path(), 0, true).unwrap_err().to_string();
            assert!(error.contains("whole records follow"), "{error}");
            assert_eq!(
                read(directory.path(), 0, false).unwrap().len(),
                1,
                "where a loss is said, it just ends"
            );
        }
        fs::write(&newest, &whole).unwrap();
        let oldest = directory.path().join(format!("{:020}.log", 1));
        fs::write(&oldest, b"torn").unwrap();
        assert!(read(directory.path(), 0, true).is_err(), "an older file has no torn end");
        fs::remove_file(&oldest).unwrap();
        assert!(read(directory.path(), 0, true).is_err(), "entry 1 is nowhere");
        assert_eq!(read(directory.path(), 1, true).unwrap().len(), 5);
    }
}
