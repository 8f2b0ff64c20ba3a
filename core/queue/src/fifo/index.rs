//! A hash index over items that lie elsewhere: extendible hashing.
//!
//! ```text
//! directory   [ 00 ][ 01 ][ 10 ][ 11 ]     by the low bits of the hash
//!                |     \     |     /
//! tables      [ bits 2 ] [ bits 1 ] ...    open addressing, by the high bits of the hash
//! ```
//!
//! A table that is full is split in two, and two sparse halves are merged again; so no single verb
//! pays for a rehash of a million groups, and a look-up that finds nothing touches no item. Hashes
//! must come from a keyed function: callers choose the names.

use super::slab::NIL;

/// A new table is small, because most queues are.
const CELLS_MIN: usize = 8;
/// A table of this size is split when it is full: some microseconds of work.
const CELLS_MAX: usize = 512;
/// Beyond this depth tables grow instead: equal hashes cannot be split.
const BITS_MAX: u32 = 22;

#[derive(Debug, Clone, Copy)]
struct Cell {
    hash: u32,
    // NIL when the cell is empty.
    item: u32,
}

const EMPTY: Cell = Cell { hash: 0, item: NIL };

#[derive(Debug)]
struct Table {
    /// How many low bits of the hash its items share.
    bits: u32,
    used: usize,
    /// A power of two; at most three quarters are used.
    cells: Box<[Cell]>,
}

#[derive(Debug, Default)]
pub(super) struct Index {
    /// 2^bits places in `tables`; empty while there is no item.
    directory: Vec<u32>,
    bits: u32,
    tables: Vec<Table>,
    /// Places in `tables` that hold nothing.
    free: Vec<u32>,
    count: usize,
}

impl Index {
    /// An item with this hash that `is` it.
    #[inline]
    pub fn find(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        if self.count == 0 {
            return None;
        }
        let table = &self.tables[self.table(hash) as usize];
        let mut at = table.home(hash);
        while table.cells[at].item != NIL {
            let cell = table.cells[at];
            if cell.hash == hash && is(cell.item) {
                return Some(cell.item);
            }
            at = table.next(at);
        }
        None
    }

    pub fn insert(&mut self, hash: u32, item: u32) {
        if self.directory.is_empty() {
            self.directory.push(0);
            self.tables.push(Table::new(0, CELLS_MIN));
        }
        self.count += 1;
        loop {
            let place = self.table(hash);
            let table = &mut self.tables[place as usize];
            if table.has_space() {
                return table.put(Cell { hash, item });
            }
            if table.cells.len() < CELLS_MAX || table.bits == BITS_MAX {
                table.grow();
            } else {
                self.split(place, hash);
            }
        }
    }

    /// Removes an item that is in the index under this hash.
    pub fn remove(&mut self, hash: u32, item: u32) {
        let place = self.table(hash);
        self.tables[place as usize].take(hash, item);
        self.count -= 1;
        if self.count == 0 {
            *self = Self::default();
        } else {
            self.merge(hash);
        }
    }

    pub fn memory(&self) -> usize {
        let cells: usize = self.tables.iter().map(|table| table.cells.len()).sum();
        cells * size_of::<Cell>()
            + self.tables.capacity() * size_of::<Table>()
            + self.directory.capacity() * size_of::<u32>()
    }

    #[inline]
    fn table(&self, hash: u32) -> u32 {
        self.directory[hash as usize & (self.directory.len() - 1)]
    }

    /// Splits the table at `place`, which is the one of `hash`, by one more bit.
    fn split(&mut self, place: u32, hash: u32) {
        let bits = self.tables[place as usize].bits;
        if bits == self.bits {
            self.directory.extend_from_within(..);
            self.bits += 1;
        }
        let mut upper = Table::new(bits + 1, CELLS_MAX);
        let mut lower = Table::new(bits + 1, CELLS_MAX);
        for cell in self.tables[place as usize].occupied() {
            if cell.hash >> bits & 1 == 1 { upper.put(cell) } else { lower.put(cell) }
        }
        self.tables[place as usize] = lower;
        let new = match self.free.pop() {
            Some(new) => {
                self.tables[new as usize] = upper;
                new
            }
            None => {
                self.tables.push(upper);
                (self.tables.len() - 1) as u32
            }
        };
        self.point(hash | 1 << bits, bits + 1, new);
    }

    /// Merges the table of `hash` with the one it was split from, if both are sparse.
    fn merge(&mut self, hash: u32) {
        let place = self.table(hash);
        let bits = self.tables[place as usize].bits;
        if bits == 0 || self.tables[place as usize].used > CELLS_MAX / 8 {
            return;
        }
        let buddy = self.table(hash ^ 1 << (bits - 1));
        let (table, other) = (&self.tables[place as usize], &self.tables[buddy as usize]);
        if other.bits != bits || table.used + other.used > CELLS_MAX / 4 {
            return;
        }
        let mut merged = Table::new(bits - 1, CELLS_MAX);
        table.occupied().chain(other.occupied()).for_each(|cell| merged.put(cell));
        self.tables[place as usize] = merged;
        self.tables[buddy as usize] = Table::new(0, 0);
        self.free.push(buddy);
        self.point(hash, bits - 1, place);
        if self.tables.len() == self.free.len() + 1 {
            self.reset_to(place);
        }
    }

    /// Lets every place of the directory that shares the low `bits` of `hash` name `table`.
    fn point(&mut self, hash: u32, bits: u32, table: u32) {
        let first = hash as usize & ((1 << bits) - 1);
        for entry in self.directory[first..].iter_mut().step_by(1 << bits) {
            *entry = table;
        }
    }

    /// Only one table is left: the directory is given back.
    fn reset_to(&mut self, place: u32) {
        let table = self.tables.swap_remove(place as usize);
        debug_assert_eq!(table.bits, 0);
        (self.directory, self.bits) = (vec![0], 0);
        (self.tables, self.free) = (vec![table], Vec::new());
    }
}

impl Table {
    fn new(bits: u32, cells: usize) -> Self {
        Self { bits, used: 0, cells: vec![EMPTY; cells].into_boxed_slice() }
    }

    fn has_space(&self) -> bool {
        self.used < self.cells.len() / 4 * 3
    }

    fn occupied(&self) -> impl Iterator<Item = Cell> + '_ {
        self.cells.iter().copied().filter(|cell| cell.item != NIL)
    }

    /// Where the search for `hash` starts. High bits: the low ones chose the table.
    #[inline]
    fn home(&self, hash: u32) -> usize {
        (hash as usize * self.cells.len()) >> u32::BITS
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.cells.len() - 1)
    }

    fn put(&mut self, cell: Cell) {
        let mut at = self.home(cell.hash);
        while self.cells[at].item != NIL {
            at = self.next(at);
        }
        self.cells[at] = cell;
        self.used += 1;
    }

    fn grow(&mut self) {
        let mut grown = Self::new(self.bits, self.cells.len() * 2);
        self.occupied().for_each(|cell| grown.put(cell));
        *self = grown;
    }

    fn take(&mut self, hash: u32, item: u32) {
        let mut hole = self.home(hash);
        while self.cells[hole].item != item {
            assert!(self.cells[hole].item != NIL, "item {item} is not in the index");
            hole = self.next(hole);
        }
        // Close the gap: move back what a search would no longer reach.
        let mask = self.cells.len() - 1;
        let mut at = self.next(hole);
        while self.cells[at].item != NIL {
            let home = self.home(self.cells[at].hash);
            let distance = at.wrapping_sub(home) & mask;
            if distance >= (at.wrapping_sub(hole) & mask) {
                self.cells[hole] = self.cells[at];
                hole = at;
            }
            at = self.next(at);
        }
        self.cells[hole] = EMPTY;
        self.used -= 1;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn spread(value: u32) -> u32 {
        value.wrapping_mul(0x9e37_79b9).rotate_left(15).wrapping_mul(0x85eb_ca6b)
    }

    proptest! {
        #[test]
        fn the_index_finds_exactly_what_is_in_it_while_it_grows_and_shrinks(
            // Few different hashes: runs of equal cells that wrap around.
            hashes in prop_oneof![Just(5u32), Just(60), Just(u32::MAX)],
            fill in 0u32..4_000,
            steps in prop::collection::vec((any::<bool>(), 0u32..4_000), 1..600),
        ) {
            let hash = |value: u32| spread(value % hashes);
            let fill = if hashes == u32::MAX { fill } else { fill % 200 };
            let mut index = Index::default();
            let mut inside = BTreeMap::new();
            for value in 0..fill {
                index.insert(hash(value), value);
                inside.insert(value, ());
            }
            for (insert, value) in steps {
                let value = if insert { value } else { value % fill.max(1) };
                let found = index.find(hash(value), |item| item == value);
                prop_assert_eq!(found.is_some(), inside.contains_key(&value));
                if inside.remove(&value).is_some() {
                    index.remove(hash(value), value);
                } else if insert {
                    index.insert(hash(value), value);
                    inside.insert(value, ());
                }
            }
            for value in 0..4_000 {
                let found = index.find(hash(value), |item| item == value);
                prop_assert_eq!(found.is_some(), inside.contains_key(&value));
            }
            for value in inside.keys() {
                index.remove(hash(*value), *value);
            }
            prop_assert_eq!((index.count, index.memory()), (0, 0));
        }
    }

    #[test]
    fn a_table_that_is_nearly_emptied_ends_small() {
        let mut index = Index::default();
        for value in 0..100_000 {
            index.insert(spread(value), value);
        }
        let large = index.memory();
        for value in 0..99_990 {
            index.remove(spread(value), value);
        }
        assert!(large > 800_000, "{large} bytes");
        assert!(index.memory() < 10_000, "{} bytes", index.memory());
        for value in 99_990..100_000 {
            assert_eq!(index.find(spread(value), |item| item == value), Some(value));
        }
    }
}
