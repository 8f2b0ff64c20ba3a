//! A map from 32 bits of a hash to a number, changed by copying: a tree over the first bits, with
//! small tables of open addressing as leaves.
//!
//! As an index it is a filter: two keys with the same bits share an entry, and whoever uses the
//! entry looks at the rules themselves. A lookup costs one cache miss for the table, and the tree
//! above it stays in the cache: with a million entries it is 4,000 nodes.

use std::sync::Arc;

/// Bits of the hash that choose a child.
const STEP_BITS: u32 = 4;
const CHILDREN: usize = 1 << STEP_BITS;

/// Slots of a table, at least and at most: a full one becomes a node with a table a child.
const SLOTS_MIN: usize = 16;
const SLOTS_MAX: usize = 512;

/// See the module. A slot is `key << 32 | value + 1`, or zero.
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
        let mut node = &self.root;
        let mut rest = key;
        loop {
            match node {
                Node::Inner(children) => {
                    node = &children[(rest >> (32 - STEP_BITS)) as usize];
                    rest <<= STEP_BITS;
                }
                Node::Table(slots) => {
                    let slot = slots[find(slots, key)];
                    return (slot != 0).then(|| slot as u32 - 1);
                }
            }
        }
    }

    /// Sets the value of a key, and returns the one before.
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

    /// Removes a key, and returns its value.
    pub(crate) fn remove(&mut self, key: u32) -> Option<u32> {
        self.get(key)?;
        let mut node = &mut self.root;
        let mut rest = key;
        loop {
            match node {
                Node::Inner(children) => {
                    node = &mut Arc::make_mut(children)[(rest >> (32 - STEP_BITS)) as usize];
                    rest <<= STEP_BITS;
                }
                Node::Table(slots) => {
                    let at = find(slots, key);
                    let value = slots[at] as u32 - 1;
                    let others: Vec<u64> = slots
                        .iter()
                        .copied()
                        .enumerate()
                        .filter_map(|(index, slot)| (index != at && slot != 0).then_some(slot))
                        .collect();
                    *slots = table_of(&others, slots.len());
                    self.len -= 1;
                    return Some(value);
                }
            }
        }
    }
}

impl Node {
    fn table() -> Self {
        Node::Table(table_of(&[], SLOTS_MIN))
    }

    /// Makes room in a full table: twice the slots, or a table for each value of the next bits.
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

/// Where a key is, or would be. The first bits are the tree's, so the last ones choose.
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
mod tests {
    use super::*;

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
