//! The deduplication window: which keys were accepted lately, and as which message.
//!
//! An entry outlives its message. It counts from the first accepted send; duplicates do not extend
//! it. Entries leave in order of time, a few with each send and the rest when the clock comes by.

use trunkline_types::{Millis, Seq};

use super::index::Index;
use super::slab::{Linked, NIL, Slab};

/// Entries that one send may drop. More than one, so that the window cannot grow without end.
const DROPS_PER_SEND: usize = 4;

/// A remembered deduplication key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DedupEntry {
    /// The caller's digest of the id and its scope.
    pub key: u128,
    /// The message that was accepted.
    pub seq: Seq,
    /// When it was accepted.
    pub at: Millis,
    /// Where the newest record that tells of it lies in the journal; the queue does not read it.
    pub location: u64,
}

/// An entry in 48 bytes.
#[derive(Debug, Default)]
struct Node {
    // The key in halves: a u128 would be aligned to 16 bytes.
    key: [u64; 2],
    seq: Seq,
    at: Millis,
    location: u64,
    newer: u32,
}

#[derive(Debug)]
pub(super) struct Dedup {
    slab: Slab<Node>,
    keys: Index,
    oldest: u32,
    newest: u32,
    latest: Millis,
}

impl Default for Dedup {
    fn default() -> Self {
        Self { slab: Slab::default(), keys: Index::default(), oldest: NIL, newest: NIL, latest: 0 }
    }
}

impl Dedup {
    pub fn len(&self) -> usize {
        self.slab.live()
    }

    /// The message that was accepted under `key` within `window` before `now`.
    pub fn find(&self, key: u128, now: Millis, window: Millis) -> Option<Seq> {
        let key = halves(key);
        let node = self.keys.find(hash(key), |node| {
            let node = &self.slab[node];
            node.key == key && is_remembered(node.at, now, window)
        })?;
        Some(self.slab[node].seq)
    }

    pub fn remember(&mut self, entry: DedupEntry, window: Millis) {
        self.drop_old(entry.at, window, DROPS_PER_SEND);
        self.add(entry);
    }

    /// The same during recovery, where entries come in any order, and more than once when
    /// compaction appended them again.
    pub fn recall(&mut self, entry: DedupEntry, window: Millis) {
        self.latest = self.latest.max(entry.at);
        self.drop_old(self.latest, window, DROPS_PER_SEND);
        let key = halves(entry.key);
        let known = self
            .keys
            .find(hash(key), |node| self.slab[node].key == key && self.slab[node].seq == entry.seq);
        match known {
            Some(node) => self.slab[node].set(entry),
            None if is_remembered(entry.at, self.latest, window) => self.add(entry),
            None => {}
        }
    }

    /// Puts what recovery brought into the order of time.
    pub fn sort(&mut self) {
        let mut nodes = Vec::with_capacity(self.slab.live());
        let mut node = self.oldest;
        while node != NIL {
            nodes.push(node);
            node = self.slab[node].newer;
        }
        nodes.sort_by_key(|node| (self.slab[*node].at, self.slab[*node].seq));
        (self.oldest, self.newest) = (NIL, NIL);
        for node in nodes {
            self.append(node);
        }
    }

    /// Drops up to `limit` entries, oldest first, that are out of the window.
    pub fn drop_old(&mut self, now: Millis, window: Millis, limit: usize) {
        for _ in 0..limit {
            let node = self.oldest;
            if node == NIL || is_remembered(self.slab[node].at, now, window) {
                return;
            }
            self.oldest = self.slab[node].newer;
            if self.oldest == NIL {
                self.newest = NIL;
            }
            self.keys.remove(hash(self.slab[node].key), node);
            self.slab.release(node);
        }
    }

    /// When the oldest entry was accepted.
    pub fn oldest_at(&self) -> Option<Millis> {
        (self.oldest != NIL).then(|| self.slab[self.oldest].at)
    }

    /// Every entry, oldest first; the callback may give one a new location.
    pub fn for_each(&mut self, mut visit: impl FnMut(&DedupEntry) -> Option<u64>) {
        let mut node = self.oldest;
        while node != NIL {
            let known = &mut self.slab[node];
            if let Some(location) = visit(&known.entry()) {
                known.location = location;
            }
            node = known.newer;
        }
    }

    /// The entries in the places from `from` on, of at most `count` places; says where to go on.
    pub fn scan(&self, from: u32, count: u32, mut f: impl FnMut(&DedupEntry)) -> Option<u32> {
        let (end, len) = (from.saturating_add(count), self.slab.len());
        for node in from..end.min(len) {
            let key = self.slab[node].key;
            // A place that is free still has its old content.
            if self.keys.find(hash(key), |found| found == node).is_some() {
                f(&self.slab[node].entry());
            }
        }
        (end < len).then_some(end)
    }

    pub fn memory(&self) -> usize {
        self.slab.memory() + self.keys.memory()
    }

    fn add(&mut self, entry: DedupEntry) {
        let node = self.slab.take();
        self.slab[node].set(entry);
        self.keys.insert(hash(halves(entry.key)), node);
        self.append(node);
    }

    fn append(&mut self, node: u32) {
        self.slab[node].newer = NIL;
        match std::mem::replace(&mut self.newest, node) {
            NIL => self.oldest = node,
            last => self.slab[last].newer = node,
        }
    }
}

impl Node {
    fn set(&mut self, entry: DedupEntry) {
        let DedupEntry { key, seq, at, location } = entry;
        (self.key, self.seq, self.at, self.location) = (halves(key), seq, at, location);
    }

    fn entry(&self) -> DedupEntry {
        let key = u128::from(self.key[1]) << 64 | u128::from(self.key[0]);
        DedupEntry { key, seq: self.seq, at: self.at, location: self.location }
    }
}

impl Linked for Node {
    fn link(&self) -> u32 {
        self.newer
    }

    fn set_link(&mut self, link: u32) {
        self.newer = link;
    }
}

#[inline]
fn halves(key: u128) -> [u64; 2] {
    [key as u64, (key >> 64) as u64]
}

#[inline]
fn is_remembered(at: Millis, now: Millis, window: Millis) -> bool {
    now < at.saturating_add(window)
}

/// The caller's digest is keyed already.
#[inline]
fn hash(key: [u64; 2]) -> u32 {
    key[0] as u32
}
