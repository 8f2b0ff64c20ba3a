//! All pages of a log: found by number, taken from pools, never freed while the log lives.
//!
//! A slot's number is `page << 10 | index`. Pages are found through chunks that double, each made
//! by the first thread that needs it. Free pages wait in one stack for each size; its top carries a
//! tag, so a page that went and came back in between does not fool a compare-and-swap.

use trunkline_types::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::once_box::OnceBox;
use super::page::{CLASSES, Page};

/// Bits of a slot number that tell the slot inside its page.
pub(super) const INDEX_BITS: u32 = 10;
/// Pages a log may have: 4.3 thousand million slots, more than memory holds.
const PAGES_MAX: u32 = 1 << (32 - INDEX_BITS);
/// Pages of the first chunk; they lie in the log itself.
#[cfg(not(loom))]
const FIRST: u32 = 4;
#[cfg(loom)]
const FIRST: u32 = 2;
#[cfg(not(loom))]
const CHUNKS: usize = 20;
#[cfg(loom)]
const CHUNKS: usize = 3;

type Chunk = Box<[OnceBox<Page>]>;

#[derive(Debug)]
pub(super) struct Directory {
    first: [OnceBox<Page>; FIRST as usize],
    chunks: [OnceBox<Chunk>; CHUNKS],
    made: AtomicU32,
    pools: [AtomicU64; CLASSES.len()],
}

impl Directory {
    pub(super) fn new() -> Self {
        Self {
            first: std::array::from_fn(|_| OnceBox::empty()),
            chunks: std::array::from_fn(|_| OnceBox::empty()),
            made: AtomicU32::new(0),
            pools: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// The page of that number, if it exists.
    #[inline]
    pub(super) fn find(&self, id: u32) -> Option<&Page> {
        if let Some(cell) = self.first.get(id as usize) {
            return cell.get();
        }
        let (chunk, index) = locate(id);
        self.chunks.get(chunk)?.get()?.get(index)?.get()
    }

    /// A page that is not in use, closed, of that size.
    pub(super) fn take(&self, class: u8) -> &Page {
        self.pop(class).unwrap_or_else(|| self.make(class))
    }

    /// Makes pages of the largest size until there are `count` of all sizes: their memory is there
    /// before another thread takes them.
    pub(super) fn make_ahead(&self, count: usize) {
        let class = CLASSES.len() as u8 - 1;
        while (self.made.load(Ordering::Relaxed) as usize) < count {
            let page = self.make(class);
            page.touch();
            self.give(page);
        }
    }

    /// Gives a page that is not in use back to its pool.
    pub(super) fn give(&self, page: &Page) {
        let pool = &self.pools[usize::from(page.class)];
        let mut top = pool.load(Ordering::Acquire);
        loop {
            page.below.store(top as u32, Ordering::Relaxed);
            let new = next_tag(top) | u64::from(page.id + 1);
            match pool.compare_exchange(top, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(found) => top = found,
            }
        }
    }

    fn pop(&self, class: u8) -> Option<&Page> {
        let pool = &self.pools[usize::from(class)];
        let mut top = pool.load(Ordering::Acquire);
        loop {
            let page = self.find((top as u32).checked_sub(1)?)?;
            let new = next_tag(top) | u64::from(page.below.load(Ordering::Relaxed));
            match pool.compare_exchange(top, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(page),
                Err(found) => top = found,
            }
        }
    }

    #[cold]
    fn make(&self, class: u8) -> &Page {
        let id = self.made.fetch_add(1, Ordering::Relaxed);
        assert!(id < PAGES_MAX, "a queue holds more slots than a slot number can name");
        let make = || Page::new(id, class);
        if let Some(cell) = self.first.get(id as usize) {
            return cell.get_or_make(make);
        }
        let (chunk, index) = locate(id);
        let size = (FIRST as usize) << (chunk + 1);
        let cells =
            self.chunks[chunk].get_or_make(|| (0..size).map(|_| OnceBox::empty()).collect());
        cells[index].get_or_make(make)
    }

    /// Every page there is.
    pub(super) fn pages(&self) -> impl Iterator<Item = &Page> {
        (0..self.made.load(Ordering::Acquire)).filter_map(|id| self.find(id))
    }
}

/// Chunk and index of a page behind the first chunk. Chunk `c` has `FIRST << (c + 1)` pages.
#[inline]
fn locate(id: u32) -> (usize, usize) {
    let doubled = id / FIRST + 1;
    let chunk = doubled.ilog2();
    let start = FIRST * ((1 << chunk) - 1);
    (chunk as usize - 1, (id - start) as usize)
}

/// The tag above that of `top`, at its place in the word.
#[inline]
fn next_tag(top: u64) -> u64 {
    ((top >> 32) + 1) << 32
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_page_number_has_its_own_cell() {
        let mut expected = (0, 0);
        for id in FIRST..100_000 {
            assert_eq!(locate(id), expected);
            expected.1 += 1;
            if expected.1 == (FIRST as usize) << (expected.0 + 1) {
                expected = (expected.0 + 1, 0);
            }
        }
        assert!(locate(PAGES_MAX - 1).0 < CHUNKS);
    }

    #[test]
    fn a_page_that_was_given_back_is_taken_again() {
        let directory = Directory::new();
        let (one, two) = (directory.take(0).id, directory.take(1).id);
        directory.give(directory.find(one).expect("made"));
        directory.give(directory.find(two).expect("made"));
        assert_eq!((directory.take(1).id, directory.take(0).id), (two, one));
        assert_eq!(directory.take(0).id, 2);
        assert_eq!(directory.pages().count(), 3);
    }
}
