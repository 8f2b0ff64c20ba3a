//! A map from sequence numbers to slots, for keys that are nearly consecutive.
//!
//! Keys that share all but their lowest ten bits share a page; pages are ordered by their number,
//! so iteration is in order of the keys. The page used last is remembered, so a run of neighbours
//! costs no search. A page that becomes empty is freed.

use std::collections::BTreeMap;

use trunkline_types::Seq;

const PAGE_BITS: u32 = 10;
const PAGE_ENTRIES: usize = 1 << PAGE_BITS;
/// No value: slots never reach it.
const NONE: u32 = u32::MAX;

/// Slots by sequence number. A slot may be any number below `u32::MAX`.
#[derive(Debug, Default)]
pub struct SeqMap {
    pages: BTreeMap<u64, u32>,
    store: Vec<Page>,
    free: Vec<u32>,
    len: usize,
    // The page used last: its number and its place in `store`.
    recent: Option<(u64, u32)>,
}

#[derive(Debug)]
struct Page {
    used: u32,
    slots: Box<[u32]>,
}

impl SeqMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The slot of `seq`.
    pub fn get(&self, seq: Seq) -> Option<u32> {
        let page = self.page(seq >> PAGE_BITS)?;
        let slot = self.store[page as usize].slots[offset(seq)];
        (slot != NONE).then_some(slot)
    }

    /// Sets the slot of `seq`; returns the one it had.
    pub fn insert(&mut self, seq: Seq, slot: u32) -> Option<u32> {
        assert!(slot != NONE, "slot {slot} is reserved");
        let number = seq >> PAGE_BITS;
        let page = self.page(number).unwrap_or_else(|| self.add_page(number));
        self.recent = Some((number, page));
        let page = &mut self.store[page as usize];
        let old = std::mem::replace(&mut page.slots[offset(seq)], slot);
        if old != NONE {
            return Some(old);
        }
        page.used += 1;
        self.len += 1;
        None
    }

    /// Removes `seq`; returns the slot it had.
    pub fn remove(&mut self, seq: Seq) -> Option<u32> {
        let number = seq >> PAGE_BITS;
        let place = self.page(number)?;
        let page = &mut self.store[place as usize];
        let old = std::mem::replace(&mut page.slots[offset(seq)], NONE);
        if old == NONE {
            return None;
        }
        page.used -= 1;
        self.len -= 1;
        self.recent = Some((number, place));
        if page.used == 0 {
            self.remove_page(number, place);
        }
        Some(old)
    }

    /// Every key and its slot, in order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (Seq, u32)> + '_ {
        self.pages.iter().flat_map(|(number, place)| {
            let slots = self.store[*place as usize].slots.iter().enumerate();
            slots
                .filter(|(_, slot)| **slot != NONE)
                .map(move |(offset, slot)| (number << PAGE_BITS | offset as u64, *slot))
        })
    }

    /// Bytes of memory in use, about.
    pub fn memory(&self) -> usize {
        self.pages.len() * (PAGE_ENTRIES * size_of::<u32>() + 2 * size_of::<(u64, u32)>())
            + self.store.capacity() * size_of::<Page>()
    }

    #[inline]
    fn page(&self, number: u64) -> Option<u32> {
        match self.recent {
            Some((recent, place)) if recent == number => Some(place),
            _ => self.pages.get(&number).copied(),
        }
    }

    fn add_page(&mut self, number: u64) -> u32 {
        let page = Page { used: 0, slots: vec![NONE; PAGE_ENTRIES].into_boxed_slice() };
        let place = match self.free.pop() {
            Some(place) => {
                self.store[place as usize] = page;
                place
            }
            None => {
                self.store.push(page);
                (self.store.len() - 1) as u32
            }
        };
        self.pages.insert(number, place);
        place
    }

    fn remove_page(&mut self, number: u64, place: u32) {
        self.pages.remove(&number);
        self.recent = None;
        if self.pages.is_empty() {
            // Recovery is over and everything it brought is gone: keep nothing of it.
            *self = Self::default();
            return;
        }
        self.store[place as usize].slots = Box::default();
        self.free.push(place);
    }
}

#[inline]
fn offset(seq: Seq) -> usize {
    seq as usize & (PAGE_ENTRIES - 1)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_map_that_was_emptied_keeps_no_memory() {
        let mut map = SeqMap::new();
        for seq in 0..100_000 {
            map.insert(seq, seq as u32);
        }
        assert!(map.memory() > 400_000);
        for seq in 0..100_000 {
            assert_eq!(map.remove(seq), Some(seq as u32));
        }
        assert_eq!((map.len(), map.memory()), (0, 0));
    }

    proptest! {
        #[test]
        fn the_map_holds_what_a_sorted_map_holds(
            steps in prop::collection::vec(
                (any::<bool>(), 0u64..4, 0u64..40, 0u32..1_000), 1..300,
            ),
        ) {
            let (mut map, mut model) = (SeqMap::new(), BTreeMap::new());
            for (insert, page, offset, slot) in steps {
                // Runs at the edges of a few distant pages.
                let seq = (page * 0x1_0000_0000 + offset + 1_004).saturating_sub(20);
                if insert {
                    prop_assert_eq!(map.insert(seq, slot), model.insert(seq, slot));
                } else {
                    prop_assert_eq!(map.remove(seq), model.remove(&seq));
                }
                prop_assert_eq!(map.get(seq), model.get(&seq).copied());
                prop_assert_eq!(map.len(), model.len());
            }
            prop_assert!(map.iter().eq(model.into_iter()));
        }
    }
}
