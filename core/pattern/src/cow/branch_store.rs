//! Stores encoded branches by id, 64 to a page, without an allocation for each.
//!
//! A change writes a new page of a few kilobytes; readers keep the old one.

use std::sync::Arc;

use crate::cow::array::CowArray;
use crate::cow::prefetch::prefetch;

/// The id of a branch.
pub(crate) type BranchId = u32;

const GROUP: usize = 64;
const HEAD: usize = 4 * (GROUP + 1);
const CACHE_LINE: usize = 64;

/// The place of a branch in its page.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    page: &'a [u8],
    at: usize,
}

impl<'a> Place<'a> {
    /// The bytes of the branch.
    #[inline]
    pub(crate) fn bytes(self) -> &'a [u8] {
        &self.page[offset(self.page, self.at)..offset(self.page, self.at + 1)]
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct BranchStore {
    pages: CowArray<Arc<[u8]>, 32>,
}

impl BranchStore {
    /// The bytes of a branch; empty if the id is unused.
    #[inline]
    pub(crate) fn get(&self, id: BranchId) -> &[u8] {
        self.place(id).bytes()
    }

    /// Where a branch lies. What its bytes are read from is on its way to the cache afterwards.
    #[inline]
    pub(crate) fn place(&self, id: BranchId) -> Place<'_> {
        let page: &[u8] = self.pages.get(id as usize / GROUP);
        let at = id as usize % GROUP;
        prefetch(page, at * 4);
        // The branches of a page are about equally long, so this is near enough for a hint, and
        // the bytes need not wait for their offset.
        let near = HEAD + (page.len() - HEAD) * at / GROUP;
        prefetch(page, near);
        prefetch(page, near + CACHE_LINE);
        Place { page, at }
    }

    /// All ids that have a page.
    pub(crate) fn ids(&self) -> impl Iterator<Item = BranchId> {
        0..(self.pages.len() * GROUP) as BranchId
    }

    /// Replaces the bytes of an id: an id in use, or the next new one.
    pub(crate) fn set(&mut self, id: BranchId, bytes: &[u8]) {
        let index = id as usize / GROUP;
        if index == self.pages.len() {
            let empty: Vec<u8> = (HEAD as u32).to_le_bytes().repeat(GROUP + 1);
            self.pages.push(Arc::from(empty));
        }
        let page = self.pages.get_mut(index);
        let at = id as usize % GROUP;
        let (start, end) = (offset(page, at), offset(page, at + 1));
        let mut next = Vec::with_capacity(page.len() + bytes.len() + start - end);
        for slot in 0..=GROUP {
            let old = offset(page, slot);
            let new = if slot > at { old + bytes.len() + start - end } else { old };
            next.extend_from_slice(&(new as u32).to_le_bytes());
        }
        next.extend_from_slice(&page[HEAD..start]);
        next.extend_from_slice(bytes);
        next.extend_from_slice(&page[end..]);
        *page = Arc::from(next);
    }
}

#[inline]
fn offset(page: &[u8], slot: usize) -> usize {
    let mut raw = [0; 4];
    raw.copy_from_slice(&page[slot * 4..slot * 4 + 4]);
    u32::from_le_bytes(raw) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back() {
        let mut store = BranchStore::default();
        let bytes = |id: u32| vec![id as u8; id as usize % 50];
        (0..1000).for_each(|id| store.set(id, &bytes(id)));
        let before = store.clone();
        (0..1000).step_by(3).for_each(|id| store.set(id, &bytes(id + 7)));
        (1..1000).step_by(3).for_each(|id| store.set(id, &[]));
        for id in 0..1000 {
            assert_eq!(before.get(id), bytes(id));
            match id % 3 {
                0 => assert_eq!(store.get(id), bytes(id + 7)),
                1 => assert!(store.get(id).is_empty()),
                _ => assert_eq!(store.get(id), bytes(id)),
            }
        }
    }
}
