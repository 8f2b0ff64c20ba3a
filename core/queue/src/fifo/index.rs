//! A hash index over the items of a slab: linear hashing, chained through the items.
//!
//! It grows by one bucket for each item that is added and shrinks by one for each that leaves a
//! sparse table, so no single verb pays for a rehash of a million groups. Hashes must come from a
//! keyed function: callers choose the names.

use super::slab::{Chunks, Linked, NIL, Slab};

/// A table with fewer items than this share of its buckets is sparse, and shrinks.
const SPARSE: usize = 4;

/// Enough that a table that is emptied ends small.
const MERGES_PER_REMOVAL: usize = SPARSE;

/// An item that can be indexed; its [`Linked::link`] is the chain of its bucket.
pub(super) trait Hashed: Linked {
    fn hash(&self) -> u32;
}

#[derive(Debug, Default)]
pub(super) struct Index {
    // The first item of each bucket.
    heads: Chunks<u32>,
    count: usize,
}

impl Index {
    /// The first item with this hash that `is` it; of equal ones the one that was added last, until
    /// its bucket is split.
    #[inline]
    pub fn find<T: Hashed>(
        &self,
        slab: &Slab<T>,
        hash: u32,
        is: impl Fn(&T) -> bool,
    ) -> Option<u32> {
        if self.count == 0 {
            return None;
        }
        let mut item = self.heads[self.bucket(hash)];
        while item != NIL {
            let candidate = &slab[item];
            if candidate.hash() == hash && is(candidate) {
                return Some(item);
            }
            item = candidate.link();
        }
        None
    }

    pub fn insert<T: Hashed>(&mut self, slab: &mut Slab<T>, item: u32) {
        self.count += 1;
        if self.count > self.heads.len() {
            self.split(slab);
        }
        let bucket = self.bucket(slab[item].hash());
        self.push(slab, bucket, item);
    }

    /// Removes an item that is in the index.
    pub fn remove<T: Hashed>(&mut self, slab: &mut Slab<T>, item: u32) {
        let bucket = self.bucket(slab[item].hash());
        let after = slab[item].link();
        let mut before = self.heads[bucket];
        if before == item {
            self.heads[bucket] = after;
        } else {
            while slab[before].link() != item {
                before = slab[before].link();
            }
            slab[before].set_link(after);
        }
        self.count -= 1;
        for _ in 0..MERGES_PER_REMOVAL {
            if self.count < self.heads.len() / SPARSE {
                self.merge(slab);
            }
        }
    }

    pub fn memory(&self) -> usize {
        self.heads.memory()
    }

    /// With 2^k <= n < 2^(k+1) buckets, those from 2^k on are the split halves of the first ones.
    #[inline]
    fn bucket(&self, hash: u32) -> u32 {
        let low = 1u32 << (self.heads.len() as u32).ilog2();
        let bucket = hash & (low << 1).wrapping_sub(1);
        if (bucket as usize) < self.heads.len() { bucket } else { bucket & (low - 1) }
    }

    #[inline]
    fn push<T: Hashed>(&mut self, slab: &mut Slab<T>, bucket: u32, item: u32) {
        slab[item].set_link(self.heads[bucket]);
        self.heads[bucket] = item;
    }

    /// Adds one bucket and moves to it what belongs there, out of the bucket it is the half of.
    fn split<T: Hashed>(&mut self, slab: &mut Slab<T>) {
        let new = self.heads.len() as u32;
        self.heads.push(NIL);
        if new == 0 {
            return;
        }
        let old = new - (1 << new.ilog2());
        let mut item = std::mem::replace(&mut self.heads[old], NIL);
        while item != NIL {
            let next = slab[item].link();
            let bucket = self.bucket(slab[item].hash());
            debug_assert!(bucket == old || bucket == new);
            self.push(slab, bucket, item);
            item = next;
        }
    }

    /// Removes the last bucket and moves its items back to the bucket it was split from.
    fn merge<T: Hashed>(&mut self, slab: &mut Slab<T>) {
        let Some(mut item) = self.heads.pop() else { return };
        let gone = self.heads.len() as u32;
        debug_assert!(gone > 0, "a table of one bucket is never sparse");
        let old = gone - (1 << gone.ilog2());
        while item != NIL {
            let next = slab[item].link();
            self.push(slab, old, item);
            item = next;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Item {
        value: u32,
        link: u32,
    }

    impl Linked for Item {
        fn link(&self) -> u32 {
            self.link
        }

        fn set_link(&mut self, link: u32) {
            self.link = link;
        }
    }

    impl Hashed for Item {
        // Few different hashes: chains are long and buckets collide.
        fn hash(&self) -> u32 {
            self.value % 50 * 0x0101_0101
        }
    }

    fn find(index: &Index, slab: &Slab<Item>, value: u32) -> Option<u32> {
        let probe = Item { value, link: NIL };
        index.find(slab, probe.hash(), |item| item.value == value)
    }

    proptest! {
        #[test]
        fn the_index_finds_exactly_what_is_in_it_while_it_grows_and_shrinks(
            steps in prop::collection::vec((any::<bool>(), 0u32..200), 1..1_500),
        ) {
            let (mut slab, mut index) = (Slab::default(), Index::default());
            let mut inside = std::collections::BTreeMap::new();
            // The second half only removes, so that the table is also seen to shrink.
            let half = steps.len() / 2;
            for (step, (insert, value)) in steps.into_iter().enumerate() {
                prop_assert_eq!(find(&index, &slab, value), inside.get(&value).copied());
                if let Some(item) = inside.remove(&value) {
                    index.remove(&mut slab, item);
                    slab.release(item);
                } else if insert && step < half {
                    let item = slab.take();
                    slab[item].value = value;
                    index.insert(&mut slab, item);
                    inside.insert(value, item);
                }
            }
            for value in 0..200 {
                prop_assert_eq!(find(&index, &slab, value), inside.get(&value).copied());
            }
            prop_assert_eq!(slab.live(), inside.len());
        }
    }

    #[test]
    fn a_table_that_is_emptied_ends_small() {
        let (mut slab, mut index) = (Slab::<Item>::default(), Index::default());
        let items: Vec<u32> = (0..5_000).map(|_| slab.take()).collect();
        for item in &items {
            slab[*item].value = *item % 50;
        }
        for item in items.iter() {
            index.insert(&mut slab, *item);
        }
        assert_eq!(index.heads.len(), 5_000);
        for item in items.iter().rev() {
            index.remove(&mut slab, *item);
        }
        assert!(index.heads.len() < 8, "{} buckets", index.heads.len());
    }
}
