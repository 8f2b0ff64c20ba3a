//! The deduplication window: which keys were accepted lately, and as which message.
//!
//! An entry outlives its message. It counts from the first accepted send; duplicates do not extend
//! it. Entries leave in order of time, a few with each send and the rest when the clock comes by.

use trunkline_vocabulary::{Millis, Seq};

use super::index::{Hashed, Index};
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
    pub home: u64,
}

#[derive(Debug)]
struct Node {
    entry: DedupEntry,
    chain: u32,
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
        let node = self.keys.find(&self.slab, hash(key), |node| {
            node.entry.key == key && is_remembered(&node.entry, now, window)
        })?;
        Some(self.slab[node].entry.seq)
    }

    pub fn remember(&mut self, entry: DedupEntry, window: Millis) {
        self.drop_old(entry.at, window, DROPS_PER_SEND);
        self.add(entry);
    }

    /// The same during recovery, where entries come in any order, and more than once when they
    /// were carried along the log.
    pub fn recall(&mut self, entry: DedupEntry, window: Millis) {
        self.latest = self.latest.max(entry.at);
        self.drop_old(self.latest, window, DROPS_PER_SEND);
        let known = self.keys.find(&self.slab, hash(entry.key), |node| {
            node.entry.key == entry.key && node.entry.seq == entry.seq
        });
        match known {
            Some(node) => self.slab[node].entry = entry,
            None if is_remembered(&entry, self.latest, window) => self.add(entry),
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
        nodes.sort_by_key(|node| (self.slab[*node].entry.at, self.slab[*node].entry.seq));
        (self.oldest, self.newest) = (NIL, NIL);
        for node in nodes {
            self.append(node);
        }
    }

    /// Drops up to `limit` entries, oldest first, that are out of the window.
    pub fn drop_old(&mut self, now: Millis, window: Millis, limit: usize) {
        for _ in 0..limit {
            let node = self.oldest;
            if node == NIL || is_remembered(&self.slab[node].entry, now, window) {
                return;
            }
            self.oldest = self.slab[node].newer;
            if self.oldest == NIL {
                self.newest = NIL;
            }
            self.keys.remove(&mut self.slab, node);
            self.slab.release(node);
        }
    }

    /// When the oldest entry was accepted.
    pub fn oldest_at(&self) -> Option<Millis> {
        (self.oldest != NIL).then(|| self.slab[self.oldest].entry.at)
    }

    /// Every entry, oldest first; the callback may give one a new home.
    pub fn for_each(&mut self, mut visit: impl FnMut(&DedupEntry) -> Option<u64>) {
        let mut node = self.oldest;
        while node != NIL {
            let Node { entry, newer, .. } = &mut self.slab[node];
            if let Some(home) = visit(entry) {
                entry.home = home;
            }
            node = *newer;
        }
    }

    pub fn memory(&self) -> usize {
        self.slab.memory() + self.keys.memory()
    }

    fn add(&mut self, entry: DedupEntry) {
        let node = self.slab.take();
        self.slab[node].entry = entry;
        self.keys.insert(&mut self.slab, node);
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

#[inline]
fn is_remembered(entry: &DedupEntry, now: Millis, window: Millis) -> bool {
    now < entry.at.saturating_add(window)
}

/// The caller's digest is keyed already.
#[inline]
fn hash(key: u128) -> u32 {
    key as u32
}

impl Default for Node {
    fn default() -> Self {
        let entry = DedupEntry { key: 0, seq: 0, at: 0, home: 0 };
        Self { entry, chain: NIL, newer: NIL }
    }
}

impl Linked for Node {
    fn link(&self) -> u32 {
        self.chain
    }

    fn set_link(&mut self, link: u32) {
        self.chain = link;
    }
}

impl Hashed for Node {
    fn hash(&self) -> u32 {
        hash(self.entry.key)
    }
}
