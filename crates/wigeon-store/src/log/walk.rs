//! The way through the log: entries in order of position, and where they end.

use std::fs;
use std::path::Path;

use super::record::{self, Record};
use super::{Segment, segments};
use crate::Fault;

/// Where a walk ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    /// The position that comes next.
    pub(crate) next: u64,
    /// The segment it stopped in; none where there is no log.
    pub(crate) segment: Option<Segment>,
    /// How many bytes of records that segment has.
    pub(crate) bytes: u64,
    /// Whether anything but zeros follows.
    pub(crate) is_torn: bool,
}

/// Hands out, in order, the entries after `after` with their positions. Segments that end before it are not
/// opened.
///
/// `whole` says that nothing acknowledged can have been lost: then only the end of the newest segment may be
/// broken. Otherwise the log ends at the first break, wherever it is; it has a new epoch then.
///
/// The log may grow meanwhile. Then the walk ends at a batch that was whole when its segment was read.
pub(crate) fn walk(
    directory: &Path,
    after: u64,
    whole: bool,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), Fault>,
) -> Result<End, Fault> {
    let mut segments = segments(directory)?;
    let needed = segments.partition_point(|segment| segment.first <= after + 1);
    segments.drain(..needed.saturating_sub(1));
    let mut end = End { next: after + 1, segment: None, bytes: 0, is_torn: false };
    let count = segments.len();
    for (i, segment) in segments.into_iter().enumerate() {
        let path = segment.path.clone();
        let damaged = |what: &str| Fault::Log(format!("{}: {what}", path.display()));
        // The first may begin anywhere up to what is asked for; each other where the last one ended.
        let follows = if i == 0 { segment.first <= after + 1 } else { segment.first == end.next };
        if !follows {
            if whole {
                return Err(damaged("entries before it are missing"));
            }
            end.is_torn = true;
            return Ok(end);
        }
        let bytes = fs::read(&path)?;
        let (mut rest, mut next) = (bytes.as_slice(), segment.first);
        while let Some(record) = Record::parse(rest).filter(|record| record.first == next) {
            for entry in record.entries() {
                let entry = entry.ok_or_else(|| damaged("a record holds half an entry"))?;
                if next > after {
                    each(next, entry)?;
                }
                next += 1;
            }
            rest = &rest[record.len()..];
        }
        let at = bytes.len() - rest.len();
        let is_torn = record::zeros_at_end(rest) < rest.len();
        if is_torn && whole && (i + 1 < count || record::follows(&rest[1..], next)) {
            return Err(damaged(&format!("damaged at byte {at}, and whole records follow")));
        }
        end = End { next, segment: Some(segment), bytes: at as u64, is_torn };
        if is_torn {
            break;
        }
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::Appender;
    use super::super::record::HEAD;
    use super::*;

    fn appender(directory: &Path) -> Appender {
        Appender::resume(directory, &end(directory).unwrap(), false).unwrap()
    }

    fn end(directory: &Path) -> Result<End, Fault> {
        walk(directory, 0, true, |_, _| Ok(()))
    }

    /// Three records of one, two and three entries, the last two in a segment of their own.
    fn written() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let mut log = appender(directory.path());
        log.push(b"one");
        log.write(1).unwrap();
        let begun = End { next: 2, segment: None, bytes: 0, is_torn: false };
        log = Appender::resume(directory.path(), &begun, true).unwrap();
        log.push(b"two");
        log.push(b"3");
        log.write(2).unwrap();
        for entry in [b"four", b"five", b"six!"] {
            log.push(entry);
        }
        log.write(4).unwrap();
        directory
    }

    fn read(directory: &Path, after: u64, whole: bool) -> Result<Vec<(u64, Vec<u8>)>, Fault> {
        let mut found = Vec::new();
        walk(directory, after, whole, |position, entry| {
            found.push((position, entry.to_vec()));
            Ok(())
        })?;
        Ok(found)
    }

    fn newest(directory: &Path) -> PathBuf {
        segments(directory).unwrap().pop().unwrap().path
    }

    const FIRST_RECORD: usize = HEAD + 4 + 3 + 4 + 1;
    const BOTH_RECORDS: usize = FIRST_RECORD + HEAD + 3 * (4 + 4);

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
    fn a_log_torn_at_any_byte_ends_with_the_last_whole_batch_and_goes_on_there() {
        let directory = written();
        let newest = newest(directory.path());
        let whole = fs::read(&newest).unwrap();
        for cut in 0..BOTH_RECORDS {
            let kept = if cut < FIRST_RECORD { 1 } else { 3 };
            for garbage in [&[][..], &[0; 40], &[0xff; 40]] {
                fs::write(&newest, [&whole[..cut], garbage].concat()).unwrap();
                assert_eq!(read(directory.path(), 0, true).unwrap().len(), kept, "cut at {cut}");
                let mut log = appender(directory.path());
                log.push(b"x");
                log.write(kept as u64 + 1).unwrap();
                assert_eq!(
                    read(directory.path(), 0, true).unwrap()[kept..],
                    [(kept as u64 + 1, b"x".to_vec())]
                );
                assert!(!end(directory.path()).unwrap().is_torn, "what was torn is wiped");
            }
        }
    }

    #[test]
    fn damage_before_whole_records_is_no_torn_end() {
        let directory = written();
        let newest = newest(directory.path());
        let whole = fs::read(&newest).unwrap();
        for at in 0..FIRST_RECORD {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&newest, &bytes).unwrap();
            let error = read(directory.path(), 0, true).unwrap_err().to_string();
            assert!(error.contains("whole records follow"), "{error}");
            let kept = read(directory.path(), 0, false).unwrap().len();
            assert_eq!(kept, 1, "where a loss is said, it just ends");
        }
        let mut bytes = whole.clone();
        bytes[..FIRST_RECORD].fill(0);
        fs::write(&newest, &bytes).unwrap();
        assert!(read(directory.path(), 0, true).is_err(), "zeros are the end only if nothing follows");
        fs::write(&newest, &whole).unwrap();
        let oldest = directory.path().join(format!("{:020}.log", 1));
        for damage in [&b"torn"[..], &[0; 40]] {
            fs::write(&oldest, damage).unwrap();
            assert!(read(directory.path(), 0, true).is_err(), "an older segment has no torn end");
        }
        fs::remove_file(&oldest).unwrap();
        assert!(read(directory.path(), 0, true).is_err(), "entry 1 is nowhere");
        assert_eq!(read(directory.path(), 1, true).unwrap().len(), 5);
    }

    #[test]
    fn what_is_lost_is_gone_before_the_log_goes_on() {
        let directory = written();
        let oldest = directory.path().join(format!("{:020}.log", 1));
        fs::write(&oldest, b"torn").unwrap();
        let lost = walk(directory.path(), 0, false, |_, _| Ok(())).unwrap();
        assert_eq!((lost.next, lost.is_torn), (1, true));
        let mut log = Appender::resume(directory.path(), &lost, true).unwrap();
        log.push(b"another");
        log.write(1).unwrap();
        assert_eq!(read(directory.path(), 0, true).unwrap(), [(1, b"another".to_vec())]);
    }
}
