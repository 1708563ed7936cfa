//! A cache whose entries may be newer than the tables.
//!
//! What is forgotten is read again from the tables, so nothing may be forgotten that has not been folded
//! into them. Entries live in two generations: the young one becomes the old one when it is full, and the
//! old one is dropped then. Whatever is used in between moves to the young one. So forgetting costs nothing
//! per entry, and needs to know only up to which position the dropped generation was changed.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// A map whose keys peers may have chosen: seeded at random, like the standard one, and a sixth of its price for
/// keys as short as ours.
pub(crate) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    young: Map<K, V>,
    old: Map<K, V>,
    /// Nothing in the old generation was changed after this position.
    old_position: u64,
    generation_max: usize,
}

impl<K: Hash + Eq, V> Cache<K, V> {
    /// Keeps at least the `generation_max` entries used last, and at most twice as many and one batch's.
    pub(crate) fn new(generation_max: usize) -> Self {
        Self { young: Map::default(), old: Map::default(), old_position: 0, generation_max }
    }

    pub(crate) fn get<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        // Asked twice, because a borrow returned from one branch would hold in the other.
        if !self.young.contains_key(key) {
            let (key, value) = self.old.remove_entry(key)?;
            self.young.insert(key, value);
        }
        self.young.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) -> &mut V {
        self.old.remove(&key);
        self.young.entry(key).insert_entry(value).into_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.old.iter().chain(&self.young)
    }

    /// The position up to which the tables must be folded before [`Self::turn`], if it is time for it.
    pub(crate) fn is_full(&self) -> Option<u64> {
        (self.young.len() > self.generation_max).then_some(self.old_position)
    }

    /// Forgets the old generation; the young one, changed up to `position`, takes its place.
    pub(crate) fn turn(&mut self, position: u64) {
        self.old = std::mem::take(&mut self.young);
        self.old_position = position;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_nothing_is_there_twice() {
        let mut cache = Cache::new(2);
        for (position, key) in ["a", "b", "c"].into_iter().enumerate() {
            cache.insert(key, position);
        }
        assert_eq!(cache.is_full(), Some(0));
        cache.turn(3);
        cache.insert("a", 7);
        assert_eq!(cache.get("b"), Some(&mut 1));
        assert_eq!(cache.iter().count(), 3, "each key once");
        cache.insert("d", 9);
        assert_eq!(cache.is_full(), Some(3), "c was last changed by then");
        cache.turn(9);
        assert_eq!(cache.get("c"), None);
        assert_eq!(cache.get("a"), Some(&mut 7), "the newest of it");
    }
}
