//! A table keyed by numbers that come nearly in order: pages of consecutive numbers, found by a
//! cached guess or a binary search. Replaying tens of millions of records makes a hash map the
//! bottleneck; here a look-up costs a few nanoseconds.

use trunkline_types::Seq;

const PAGE: u64 = 256;

/// See the module.
pub(crate) struct Table<T> {
    // Sorted by number.
    pages: Vec<Page<T>>,
    guess: usize,
}

struct Page<T> {
    number: u64,
    live: u32,
    entries: Box<[Option<T>]>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), guess: 0 }
    }
}

impl<T: Copy> Table<T> {
    pub fn insert(&mut self, key: Seq, value: T) {
        let index = match self.find(key / PAGE) {
            Ok(index) => index,
            Err(index) => {
                let entries = vec![None; PAGE as usize].into_boxed_slice();
                self.pages.insert(index, Page { number: key / PAGE, live: 0, entries });
                index
            }
        };
        self.guess = index;
        let page = &mut self.pages[index];
        let entry = &mut page.entries[(key % PAGE) as usize];
        page.live += u32::from(entry.is_none());
        *entry = Some(value);
    }

    pub fn get_mut(&mut self, key: Seq) -> Option<&mut T> {
        let index = self.find(key / PAGE).ok()?;
        self.guess = index;
        self.pages[index].entries[(key % PAGE) as usize].as_mut()
    }

    pub fn remove(&mut self, key: Seq) -> Option<T> {
        let index = self.find(key / PAGE).ok()?;
        self.guess = index;
        let page = &mut self.pages[index];
        let removed = page.entries[(key % PAGE) as usize].take();
        page.live -= u32::from(removed.is_some());
        if page.live == 0 {
            self.pages.remove(index);
        }
        removed
    }

    pub fn remove_before(&mut self, key: Seq) {
        self.pages.retain_mut(|page| {
            let keep_from = key.saturating_sub(page.number * PAGE).min(PAGE) as usize;
            for entry in &mut page.entries[..keep_from] {
                page.live -= u32::from(entry.take().is_some());
            }
            page.live > 0
        });
    }

    /// Every entry, in order of its key.
    pub fn iter(&self) -> impl Iterator<Item = (Seq, &T)> {
        self.pages.iter().flat_map(|page| {
            let base = page.number * PAGE;
            let with_key = move |(at, entry)| Some((base + at as u64, Option::as_ref(entry)?));
            page.entries.iter().enumerate().filter_map(with_key)
        })
    }

    /// Every entry, in order of its key; each page is freed when it has been read.
    pub fn drain(self) -> impl Iterator<Item = (Seq, T)> {
        self.pages.into_iter().flat_map(|page| {
            let base = page.number * PAGE;
            let with_key = move |(at, entry): (usize, Option<T>)| Some((base + at as u64, entry?));
            page.entries.into_vec().into_iter().enumerate().filter_map(with_key)
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_a_map_would_hold() {
        let mut table = Table::default();
        let mut map = std::collections::BTreeMap::new();
        let mut key = 7u64;
        for step in 0..5_000u64 {
            key = (key * 1_103_515_245 + 12_345) % 4_096;
            if step % 3 == 0 {
                assert_eq!(table.remove(key), map.remove(&key));
            } else {
                table.insert(key, step);
                map.insert(key, step);
            }
            assert_eq!(table.get_mut(key).copied(), map.get(&key).copied());
        }
        table.remove_before(1_000);
        map.retain(|key, _| *key >= 1_000);
        let kept: Vec<_> = table.iter().map(|(key, value)| (key, *value)).collect();
        assert_eq!(kept, map.into_iter().collect::<Vec<_>>());
        assert_eq!(table.drain().collect::<Vec<_>>(), kept);
    }
}
