//! A copy-on-write hash table from 32-bit keys to numbers: a radix tree over the first bits of the
//! key, whose leaves are small open-addressing tables.
//!
//! As an index it is a filter: values whose hashes are equal share an entry, so the caller verifies
//! what it finds. A lookup costs one cache miss, in the leaf; with a million entries the tree has
//! 4,000 nodes and stays in the cache.

use std::sync::Arc;

use crate::cow::prefetch::prefetch;

/// Key bits that each level of the tree consumes.
const STEP_BITS: u32 = 4;
const CHILDREN: usize = 1 << STEP_BITS;

/// The smallest and the largest leaf. A full leaf of the largest size becomes an inner node.
const SLOTS_MIN: usize = 16;
const SLOTS_MAX: usize = 512;

/// Keys that `get_many` loads at once.
const BATCH: usize = 4;

/// See the module. A slot is `key << 32 | value + 1`; an empty slot is 0.
#[derive(Clone, Debug)]
pub(crate) struct CowHashTable {
    root: Node,
    len: usize,
}

#[derive(Clone, Debug)]
enum Node {
    Table(Arc<[u64]>),
    Inner(Arc<[Node; CHILDREN]>),
}

impl Default for CowHashTable {
    fn default() -> Self {
        Self { root: Node::table(), len: 0 }
    }
}

impl CowHashTable {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn get(&self, key: u32) -> Option<u32> {
        let slots = self.leaf(key);
        let slot = slots[find(slots, key)];
        (slot != 0).then(|| slot as u32 - 1)
    }

    /// Calls `found` with the value of each key that is there.
    ///
    /// The first slots of several keys are loaded before any is examined, so that their cache
    /// misses overlap.
    #[inline]
    pub(crate) fn get_many(&self, keys: &[u32], mut found: impl FnMut(u32)) {
        if let [key] = *keys {
            return self.get(key).into_iter().for_each(found);
        }
        for keys in keys.chunks(BATCH) {
            let mut leaves = [&[][..]; BATCH];
            let mut slots = [0; BATCH];
            for ((leaf, slot), &key) in leaves.iter_mut().zip(&mut slots).zip(keys) {
                *leaf = self.leaf(key);
                *slot = leaf[key as usize & (leaf.len() - 1)];
            }
            for ((leaf, mut slot), &key) in leaves.into_iter().zip(slots).zip(keys) {
                let mut at = key as usize;
                while slot != 0 {
                    if (slot >> 32) as u32 == key {
                        found(slot as u32 - 1);
                        break;
                    }
                    at += 1;
                    slot = leaf[at & (leaf.len() - 1)];
                }
            }
        }
    }

    /// Whether the table is larger than one leaf: only then it may not be in the cache.
    #[inline]
    pub(crate) fn is_large(&self) -> bool {
        matches!(self.root, Node::Inner(_))
    }

    /// Fetches the first slot of a key, for a lookup that comes soon.
    #[inline]
    pub(crate) fn prefetch(&self, key: u32) {
        let leaf = self.leaf(key);
        prefetch(leaf, key as usize & (leaf.len() - 1));
    }

    #[inline]
    fn leaf(&self, key: u32) -> &[u64] {
        let mut node = &self.root;
        let mut rest = key;
        loop {
            match node {
                Node::Inner(children) => {
                    node = &children[(rest >> (32 - STEP_BITS)) as usize];
                    rest <<= STEP_BITS;
                }
                Node::Table(slots) => return slots,
            }
        }
    }

    /// Sets the value of a key; returns the previous one.
    pub(crate) fn insert(&mut self, key: u32, value: u32) -> Option<u32> {
        let mut node = &mut self.root;
        let mut level = 0;
        loop {
            match node {
                Node::Inner(children) => {
                    let child = (key << level) >> (32 - STEP_BITS);
                    node = &mut Arc::make_mut(children)[child as usize];
                    level += STEP_BITS;
                }
                Node::Table(slots) => {
                    let at = find(slots, key);
                    let before = slots[at];
                    let slot = u64::from(key) << 32 | u64::from(value + 1);
                    if before != 0 {
                        Arc::make_mut(slots)[at] = slot;
                        return Some(before as u32 - 1);
                    }
                    let used = 1 + slots.iter().filter(|&&slot| slot != 0).count();
                    if used * 4 <= slots.len() * 3 {
                        Arc::make_mut(slots)[at] = slot;
                        self.len += 1;
                        return None;
                    }
                    node.grow(level);
                }
            }
        }
    }

    /// Removes a key; returns its value.
    pub(crate) fn remove(&mut self, key: u32) -> Option<u32> {
        let value = self.get(key)?;
        self.root.remove(key, 0);
        self.len -= 1;
        Some(value)
    }
}

impl Node {
    fn table() -> Self {
        Node::Table(table_of(&[], SLOTS_MIN))
    }

    /// Removes a key that is there. Leaves shrink, and inner nodes with few keys become a leaf, so
    /// that the table returns memory.
    fn remove(&mut self, key: u32, level: u32) {
        match self {
            Node::Inner(children) => {
                let child = ((key << level) >> (32 - STEP_BITS)) as usize;
                Arc::make_mut(children)[child].remove(key, level + STEP_BITS);
                self.merge();
            }
            Node::Table(slots) => {
                let used: Vec<u64> = slots
                    .iter()
                    .copied()
                    .filter(|&slot| slot != 0 && (slot >> 32) as u32 != key)
                    .collect();
                let is_sparse = used.len() * 8 < slots.len() && slots.len() > SLOTS_MIN;
                let len = if is_sparse { slots.len() / 2 } else { slots.len() };
                *slots = table_of(&used, len);
            }
        }
    }

    /// Replaces an inner node by a leaf if its children are leaves with few keys in all.
    fn merge(&mut self) {
        let Node::Inner(children) = self else {
            return;
        };
        let mut all = Vec::new();
        for child in children.iter() {
            match child {
                Node::Table(slots) if slots.len() == SLOTS_MIN => {
                    all.extend(slots.iter().copied().filter(|&slot| slot != 0));
                }
                _ => return,
            }
        }
        if all.len() <= SLOTS_MAX / 8 {
            *self = Node::Table(table_of(&all, SLOTS_MAX / 4));
        }
    }

    /// Grows a full leaf: doubles it, or replaces it by an inner node with a leaf for each value of
    /// the next bits.
    fn grow(&mut self, level: u32) {
        let Node::Table(slots) = self else {
            return;
        };
        let used: Vec<u64> = slots.iter().copied().filter(|&slot| slot != 0).collect();
        if slots.len() < SLOTS_MAX || level + STEP_BITS > 32 {
            *slots = table_of(&used, slots.len() * 2);
            return;
        }
        let mut parts: [Vec<u64>; CHILDREN] = Default::default();
        for slot in used {
            let key = (slot >> 32) as u32;
            parts[((key << level) >> (32 - STEP_BITS)) as usize].push(slot);
        }
        *self = Node::Inner(Arc::new(parts.map(|part| {
            let slots = (part.len() * 2).next_power_of_two().max(SLOTS_MIN);
            Node::Table(table_of(&part, slots))
        })));
    }
}

fn table_of(used: &[u64], len: usize) -> Arc<[u64]> {
    let mut slots = vec![0; len];
    for &slot in used {
        let at = find(&slots, (slot >> 32) as u32);
        slots[at] = slot;
    }
    Arc::from(slots)
}

/// The slot of a key, or the empty slot for it. The tree uses the first bits of the key, so this
/// uses the last.
#[inline]
fn find(slots: &[u64], key: u32) -> usize {
    let mask = slots.len() - 1;
    let mut at = key as usize & mask;
    loop {
        let slot = slots[at];
        if slot == 0 || (slot >> 32) as u32 == key {
            return at;
        }
        at = (at + 1) & mask;
    }
}

#[cfg(test)]
impl CowHashTable {
    /// The slots of all leaves.
    pub(crate) fn slots(&self) -> usize {
        fn slots_of(node: &Node) -> usize {
            match node {
                Node::Table(slots) => slots.len(),
                Node::Inner(children) => children.iter().map(slots_of).sum(),
            }
        }
        slots_of(&self.root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_shrinks_when_keys_are_removed() {
        let mut map = CowHashTable::default();
        let key = |index: u32| index.wrapping_mul(0x9e37_79b1);
        (0..100_000).for_each(|index| assert_eq!(map.insert(key(index), index), None));
        let full = map.slots();
        (1..100_000).for_each(|index| assert_eq!(map.remove(key(index)), Some(index)));
        assert!(map.slots() <= SLOTS_MAX, "{} of {full} slots are left", map.slots());
        assert_eq!(map.get(key(0)), Some(0));
    }

    #[test]
    fn a_map_is_a_map_and_a_copy_stays() {
        let mut map = CowHashTable::default();
        let key = |index: u32| index.wrapping_mul(0x9e37_79b1);
        for index in 0..50_000 {
            assert_eq!(map.insert(key(index), index), None);
        }
        let before = map.clone();
        for index in (0..50_000).step_by(3) {
            assert_eq!(map.remove(key(index)), Some(index));
        }
        for index in (1..50_000).step_by(3) {
            assert_eq!(map.insert(key(index), index + 1), Some(index));
        }
        for index in 0..50_000 {
            let expected = match index % 3 {
                0 => None,
                1 => Some(index + 1),
                _ => Some(index),
            };
            assert_eq!(map.get(key(index)), expected);
            assert_eq!(before.get(key(index)), Some(index));
        }
        assert_eq!((map.len(), before.len()), (33_333, 50_000));
        assert_eq!(map.remove(key(50_001)), None);
    }

    #[test]
    fn equal_first_bits_end_in_a_table() {
        let mut map = CowHashTable::default();
        (0..2000).for_each(|index| assert_eq!(map.insert(index, index), None));
        assert!((0..2000).all(|index| map.get(index) == Some(index)));
    }
}
