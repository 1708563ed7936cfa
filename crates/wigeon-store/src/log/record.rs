//! A record: the entries of one batch, as they stand in a segment.
//!
//! ```text
//! length u32 · crc32 u32 · position of the first entry u64 · ( length u32 · bytes )…
//! ```
//! Numbers are little-endian; `length` counts all after itself and the checksum, which covers the same.
//!
//! A record for a batch and not for an entry, because a batch is what one sync makes durable: the disk may
//! lose any part of the last one, but of none before it. So what is no record is the end of the log if
//! nothing whole follows, and damage if something does.

/// Before the entries: length, checksum, first position.
pub(crate) const HEAD: usize = 16;
/// What the length counts of that.
const COUNTED: usize = 8;

/// How many bytes a record has after its head; 0 where there is none.
pub(crate) fn rest_of(head: &[u8]) -> u64 {
    let length = head.first_chunk::<4>().map_or(0, |length| u32::from_le_bytes(*length));
    u64::from(length).saturating_sub(COUNTED as u64)
}

/// A record that is being made: [`push`](Self::push) entries, then [`seal`](Self::seal).
#[derive(Debug)]
pub(crate) struct Builder {
    bytes: Vec<u8>,
}

impl Default for Builder {
    fn default() -> Self {
        Self { bytes: vec![0; HEAD] }
    }
}

impl Builder {
    pub(crate) fn push(&mut self, entry: &[u8]) {
        self.bytes.extend_from_slice(&(entry.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(entry);
    }

    /// How many bytes the record has so far.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The whole record, whose first entry stands at `first`.
    pub(crate) fn seal(&mut self, first: u64) -> &[u8] {
        let length = (self.bytes.len() - HEAD + COUNTED) as u32;
        self.bytes[8..HEAD].copy_from_slice(&first.to_le_bytes());
        let sum = crc32fast::hash(&self.bytes[8..]);
        self.bytes[..4].copy_from_slice(&length.to_le_bytes());
        self.bytes[4..8].copy_from_slice(&sum.to_le_bytes());
        &self.bytes
    }

    /// Begins another record.
    pub(crate) fn clear(&mut self) {
        self.bytes.truncate(HEAD);
    }
}

/// A whole record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    /// The position of its first entry.
    pub(crate) first: u64,
    entries: &'a [u8],
}

impl<'a> Record<'a> {
    /// The record that `bytes` begin with.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let number =
            |range: std::ops::Range<usize>| u32::from_le_bytes(head[range].try_into().expect("four"));
        let entries = rest.get(..(number(0..4) as usize).checked_sub(COUNTED)?)?;
        let mut sum = crc32fast::Hasher::new();
        sum.update(&head[8..]);
        sum.update(entries);
        let first = u64::from_le_bytes(head[8..].try_into().expect("eight"));
        (sum.finalize() == number(4..8)).then_some(Self { first, entries })
    }

    /// How many bytes it has.
    pub(crate) fn len(self) -> usize {
        HEAD + self.entries.len()
    }

    /// Its entries; `None` in place of one that the record cuts off.
    pub(crate) fn entries(self) -> Entries<'a> {
        Entries(self.entries)
    }
}

/// The entries of a record.
#[derive(Debug)]
pub(crate) struct Entries<'a>(&'a [u8]);

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

/// Whether a whole record of a position after `expected` begins anywhere in `bytes`.
pub(crate) fn follows(bytes: &[u8], expected: u64) -> bool {
    let bytes = &bytes[..bytes.len() - zeros_at_end(bytes)];
    // Every entry takes bytes: the position tells nearly every false start apart before a checksum is made.
    let near = expected..=expected + bytes.len() as u64;
    bytes.windows(HEAD).enumerate().any(|(at, head)| {
        let first = u64::from_le_bytes(head[8..].try_into().expect("eight"));
        near.contains(&first) && Record::parse(&bytes[at..]).is_some()
    })
}

/// How many zeros `bytes` end with. Most of a segment that has just begun is zeros, so they are compared a
/// block at a time.
pub(crate) fn zeros_at_end(bytes: &[u8]) -> usize {
    const BLOCK: usize = 4096;
    let blocks = bytes.rchunks(BLOCK).take_while(|block| **block == [0; BLOCK][..block.len()]);
    let whole = blocks.map(<[u8]>::len).sum::<usize>();
    whole + bytes[..bytes.len() - whole].iter().rev().take_while(|byte| **byte == 0).count()
}
