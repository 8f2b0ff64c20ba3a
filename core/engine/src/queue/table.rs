//! A table keyed by numbers that come nearly in order: pages of consecutive numbers, found by a
//! cached guess or a binary search. Replaying tens of millions of records makes a hash map the
//! bottleneck; here a look-up costs a few nanoseconds.
//!
//! A page may come as a block of a checkpoint. It is decoded when one of its entries is touched, or
//! when the table is emptied: most are never touched.

use trunkline_types::Seq;

use crate::queue::block::{BLOCK, PackedBlock};
use crate::queue::stored::StoredMessage;

const PAGE: u64 = BLOCK;

/// See the module.
#[derive(Default)]
pub(crate) struct Table {
    // Sorted by number.
    pages: Vec<Page>,
    guess: usize,
}

struct Page {
    number: u64,
    live: u32,
    entries: Entries,
}

enum Entries {
    Open(Box<[Option<StoredMessage>]>),
    Packed(PackedBlock),
}

impl Table {
    pub fn insert(&mut self, key: Seq, value: StoredMessage) {
        let index = match self.find(key / PAGE) {
            Ok(index) => index,
            Err(index) => {
                let entries = Entries::Open(vec![None; PAGE as usize].into());
                self.pages.insert(index, Page { number: key / PAGE, live: 0, entries });
                index
            }
        };
        self.guess = index;
        let page = &mut self.pages[index];
        let entry = &mut page.open()[(key % PAGE) as usize];
        let is_new = entry.is_none();
        *entry = Some(value);
        page.live += u32::from(is_new);
    }

    /// Inserts a whole page. Its messages have no group.
    pub fn insert_block(&mut self, number: u64, block: PackedBlock) {
        match self.find(number) {
            Ok(_) => block.unpack(|index, message| {
                self.insert(number * PAGE + u64::from(index), message);
            }),
            Err(index) => {
                let live = block.count() as u32;
                self.pages.insert(index, Page { number, live, entries: Entries::Packed(block) });
                self.guess = index;
            }
        }
    }

    pub fn get_mut(&mut self, key: Seq) -> Option<&mut StoredMessage> {
        let index = self.find(key / PAGE).ok()?;
        self.guess = index;
        self.pages[index].open()[(key % PAGE) as usize].as_mut()
    }

    pub fn remove(&mut self, key: Seq) -> Option<StoredMessage> {
        let index = self.find(key / PAGE).ok()?;
        self.guess = index;
        let page = &mut self.pages[index];
        let removed = page.open()[(key % PAGE) as usize].take();
        page.live -= u32::from(removed.is_some());
        if page.live == 0 {
            self.pages.remove(index);
        }
        removed
    }

    pub fn remove_before(&mut self, key: Seq) {
        self.pages.retain_mut(|page| {
            let keep_from = key.saturating_sub(page.number * PAGE).min(PAGE) as usize;
            if keep_from == PAGE as usize {
                return false;
            }
            if keep_from > 0 {
                let removed = page.open()[..keep_from].iter_mut().filter_map(Option::take).count();
                page.live -= removed as u32;
            }
            page.live > 0
        });
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.pages.iter().map(|page| page.live as usize).sum()
    }

    /// Calls `each` with every entry, in order of its key.
    pub fn for_each(&self, mut each: impl FnMut(Seq, &StoredMessage)) {
        self.pages.iter().for_each(|page| page.for_each(|key, message| each(key, &message)));
    }

    /// The same, and frees each page when it has been read.
    pub fn drain(self, mut each: impl FnMut(Seq, StoredMessage)) {
        self.pages.into_iter().for_each(|page| page.for_each(&mut each));
    }

    fn find(&self, number: u64) -> Result<usize, usize> {
        for guess in [self.guess, self.guess + 1] {
            if self.pages.get(guess).is_some_and(|page| page.number == number) {
                return Ok(guess);
            }
        }
        // New numbers come at the end: look there before searching.
        match self.pages.last() {
            Some(last) if last.number < number => Err(self.pages.len()),
            _ => self.pages.binary_search_by_key(&number, |page| page.number),
        }
    }
}

impl Page {
    /// The entries, to be changed.
    fn open(&mut self) -> &mut [Option<StoredMessage>] {
        if let Entries::Packed(block) = &self.entries {
            let mut entries = vec![None; PAGE as usize];
            block.unpack(|index, message| entries[usize::from(index)] = Some(message));
            self.entries = Entries::Open(entries.into());
        }
        match &mut self.entries {
            Entries::Open(entries) => entries,
            Entries::Packed(_) => unreachable!("it was opened"),
        }
    }

    fn for_each(&self, mut each: impl FnMut(Seq, StoredMessage)) {
        let base = self.number * PAGE;
        match &self.entries {
            Entries::Packed(block) => {
                block.unpack(|index, message| each(base + u64::from(index), message));
            }
            Entries::Open(entries) => {
                for (entry, key) in entries.iter().zip(base..) {
                    if let Some(message) = entry {
                        each(key, *message);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use trunkline_journal::Lsn;
    use trunkline_types::ResourceId;

    use super::*;
    use crate::queue::block::Block;

    fn message(number: u64) -> StoredMessage {
        StoredMessage { lsn: Lsn::from_u64(number), ..StoredMessage::default() }
    }

    #[test]
    fn it_holds_what_a_map_would_hold() {
        let mut table = Table::default();
        let mut map = std::collections::BTreeMap::new();
        let mut key = 7u64;
        // Some pages come as blocks, the last one twice and with other entries.
        for (number, step) in [(0, 2), (3, 1), (9, 3), (9, 5)] {
            let mut block = Block::default();
            for key in (number * PAGE..(number + 1) * PAGE).step_by(step) {
                assert!(block.push(key, message(key), None, None));
                map.insert(key, message(key));
            }
            let mut bytes = Vec::new();
            block.take(ResourceId(1), &mut bytes);
            table.insert_block(number, PackedBlock::read(&bytes).expect("as written").block);
        }
        for step in 0..5_000u64 {
            key = (key * 1_103_515_245 + 12_345) % 4_096;
            if step % 3 == 0 {
                assert_eq!(table.remove(key), map.remove(&key));
            } else {
                table.insert(key, message(step));
                map.insert(key, message(step));
            }
            assert_eq!(table.get_mut(key).copied(), map.get(&key).copied());
        }
        table.remove_before(1_000);
        map.retain(|key, _| *key >= 1_000);
        assert_eq!(table.len(), map.len());
        let expected: Vec<_> = map.into_iter().collect();
        let mut kept = Vec::new();
        table.for_each(|key, value| kept.push((key, *value)));
        assert_eq!(kept, expected);
        let mut drained = Vec::new();
        table.drain(|key, value| drained.push((key, value)));
        assert_eq!(drained, expected);
    }
}
