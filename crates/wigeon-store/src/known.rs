//! Which commands were answered before, as a filter: nearly all are new, and it says so without asking the
//! tables, which would be a third of what an append costs.
//!
//! A Bloom filter in blocks of one cache line (Putze, Sanders, Singler: "Cache-, Hash- and Space-Efficient
//! Bloom Filters", 2007). It never says no of one that was answered; where it says perhaps, the tables know.

use rusqlite::Connection;
use wigeon_proto::id::{CommandId, UserId};

use crate::rows::answer_key;
use crate::{Fault, stored};

/// Blocks of 512 bits: 8 MiB, for which one command in a hundred is asked for in vain at seven million.
const BLOCKS: usize = 1 << 17;
/// Answers read when the filter is filled, in about a second and a half; with more it would hardly say no.
const LOADED_MAX: usize = 16_000_000;
/// Bits that each answer sets.
const BITS: usize = 6;

/// The filter.
#[derive(Debug)]
pub(crate) struct Known {
    /// None where there are too many: then everything may be known.
    blocks: Option<Vec<[u64; 8]>>,
}

impl Known {
    /// A filter of what the tables hold.
    pub(crate) fn load(db: &Connection) -> Result<Self, Fault> {
        let mut known = Self { blocks: Some(vec![[0; 8]; BLOCKS]) };
        let mut count = 0;
        let mut messages = db.prepare("SELECT key FROM event WHERE key IS NOT NULL LIMIT ?1")?;
        let mut rows = messages.query([LOADED_MAX])?;
        while let Some(row) = rows.next()? {
            known.insert(row.get(0)?);
            count += 1;
        }
        let mut others = db.prepare("SELECT actor, id FROM answer LIMIT ?1")?;
        let mut rows = others.query([LOADED_MAX - count])?;
        while let Some(row) = rows.next()? {
            let actor = stored(UserId::parse(&row.get::<_, String>(0)?))?;
            let id = stored(CommandId::parse(&row.get::<_, String>(1)?))?;
            known.insert(answer_key(&actor, &id));
            count += 1;
        }
        if count == LOADED_MAX {
            known.blocks = None;
        }
        Ok(known)
    }

    /// Notes an answer by its key.
    pub(crate) fn insert(&mut self, key: i64) {
        if let Some(blocks) = &mut self.blocks {
            let block = &mut blocks[block_of(key)];
            bits_of(key).for_each(|bit| block[bit / 64] |= 1 << (bit % 64));
        }
    }

    /// Whether there may be an answer of this key.
    pub(crate) fn may_have(&self, key: i64) -> bool {
        self.blocks.as_ref().is_none_or(|blocks| {
            let block = &blocks[block_of(key)];
            bits_of(key).all(|bit| block[bit / 64] & (1 << (bit % 64)) != 0)
        })
    }
}

fn block_of(key: i64) -> usize {
    (key as u64 >> 40) as usize % BLOCKS
}

/// The bits of a key in its block. Keys are hashes already; the multiplication only spreads the bits that the
/// choice of the block has not used.
fn bits_of(key: i64) -> impl Iterator<Item = usize> {
    let spread = (key as u64 & 0xff_ffff_ffff).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..BITS).map(move |i| (spread >> (64 - 9 * (i + 1))) as usize % 512)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u64) -> i64 {
        let actor = UserId::parse("ann").unwrap();
        answer_key(&actor, &CommandId::parse(&format!("m{n}")).unwrap())
    }

    #[test]
    fn what_was_answered_is_never_new_and_hardly_anything_else_is_old() {
        let mut known = Known { blocks: Some(vec![[0; 8]; BLOCKS]) };
        (0..1_000_000).for_each(|n| known.insert(key(n)));
        assert!((0..1_000_000).all(|n| known.may_have(key(n))));
        let wrong = (1_000_000..2_000_000).filter(|n| known.may_have(key(*n))).count();
        assert!(wrong < 2_000, "{wrong} of a million new ones looked old");
    }
}
