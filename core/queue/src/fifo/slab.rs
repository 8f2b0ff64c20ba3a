//! Storage that grows in chunks: an index stays valid, and growing never copies what is there.

use std::ops::{Index, IndexMut};

const CHUNK_BITS: u32 = 12;
const CHUNK_ITEMS: usize = 1 << CHUNK_BITS;

/// Items that an empty slab keeps, so that a burst does not stay in memory.
const KEPT_ITEMS_MAX: usize = 4 * CHUNK_ITEMS;

/// No item.
pub(super) const NIL: u32 = u32::MAX;

/// An item with a link of its own, which is the slab's while the item is free.
pub(super) trait Linked: Default {
    fn link(&self) -> u32;
    fn set_link(&mut self, link: u32);
}

/// A vector in chunks. The first chunk grows as a vector does, so a small one is small.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }
}

impl<T> Chunks<T> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn push(&mut self, item: T) {
        let chunk = self.len >> CHUNK_BITS;
        if chunk == self.chunks.len() {
            let capacity = if chunk == 0 { 4 } else { CHUNK_ITEMS };
            self.chunks.push(Vec::with_capacity(capacity));
        }
        self.chunks[chunk].push(item);
        self.len += 1;
    }

    pub fn truncate(&mut self, len: usize) {
        debug_assert!(len.is_multiple_of(CHUNK_ITEMS));
        if len < self.len {
            self.chunks.truncate(len >> CHUNK_BITS);
            self.len = len;
        }
    }

    #[inline]
    pub fn get(&self, index: u32) -> Option<&T> {
        self.chunks.get((index >> CHUNK_BITS) as usize)?.get(index as usize & (CHUNK_ITEMS - 1))
    }

    pub fn memory(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.capacity() * size_of::<T>()).sum()
    }
}

impl<T> Index<u32> for Chunks<T> {
    type Output = T;

    #[inline]
    fn index(&self, index: u32) -> &T {
        &self.chunks[(index >> CHUNK_BITS) as usize][index as usize & (CHUNK_ITEMS - 1)]
    }
}

impl<T> IndexMut<u32> for Chunks<T> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut T {
        &mut self.chunks[(index >> CHUNK_BITS) as usize][index as usize & (CHUNK_ITEMS - 1)]
    }
}

/// Items that are taken and given back. An item that is taken again still has its old content.
#[derive(Debug)]
pub(super) struct Slab<T> {
    items: Chunks<T>,
    free: u32,
    live: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { items: Chunks::default(), free: NIL, live: 0 }
    }
}

impl<T: Linked> Slab<T> {
    pub fn live(&self) -> usize {
        self.live
    }

    /// Takes an item, the one given back last first.
    pub fn take(&mut self) -> u32 {
        self.live += 1;
        if self.free != NIL {
            let item = self.free;
            self.free = self.items[item].link();
            return item;
        }
        let item = self.items.len() as u32;
        // Two numbers below NIL are timer slots of the engine; memory ends long before.
        assert!(item < NIL - 2, "more items than a slab can number");
        self.items.push(T::default());
        item
    }

    /// Gives an item back.
    pub fn release(&mut self, item: u32) {
        self.items[item].set_link(self.free);
        self.free = item;
        self.live -= 1;
        if self.live == 0 && self.items.len() > KEPT_ITEMS_MAX {
            self.items.truncate(KEPT_ITEMS_MAX);
            self.free = NIL;
            for item in (0..KEPT_ITEMS_MAX as u32).rev() {
                self.items[item].set_link(self.free);
                self.free = item;
            }
        }
    }

    /// How many items there are, those that are free included.
    pub fn len(&self) -> u32 {
        self.items.len() as u32
    }

    /// An item that may never have been taken.
    #[inline]
    pub fn get(&self, item: u32) -> Option<&T> {
        self.items.get(item)
    }

    /// Every item ever taken, also those that are free now.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.chunks.iter_mut().flatten()
    }

    pub fn memory(&self) -> usize {
        self.items.memory()
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;

    #[inline]
    fn index(&self, item: u32) -> &T {
        &self.items[item]
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, item: u32) -> &mut T {
        &mut self.items[item]
    }
}
