//! The entries in memory: blocks of bytes, of which the oldest is dropped when the memory is full.

use std::collections::{HashMap, VecDeque};

use super::entry::{self, Kept};

/// Bytes of a block. Every entry is shorter.
const BLOCK_BYTES: usize = 64 << 10;

#[derive(Default)]
pub(super) struct Ring {
    blocks: VecDeque<Block>,
    bytes_max: usize,
    entries: u64,
    dropped: u64,
    /// The subjects that are followed, by their hash, with how many entries begin one of them.
    /// Kept only while a part of the subjects is followed.
    followed: HashMap<u64, u32>,
}

#[derive(Default)]
struct Block {
    /// Each entry behind its hash and its length.
    bytes: Vec<u8>,
    entries: u64,
}

/// Where the bytes of an entry begin in its block.
const HEAD: usize = 8 + 4;

impl Ring {
    pub fn set_bytes_max(&mut self, bytes_max: usize) -> Vec<u64> {
        self.bytes_max = bytes_max;
        let mut unfollowed = Vec::new();
        while self.blocks.len() > self.blocks_max() {
            self.drop_oldest(&mut unfollowed);
        }
        unfollowed
    }

    fn blocks_max(&self) -> usize {
        (self.bytes_max / BLOCK_BYTES).max(1)
    }

    /// Adds the bytes of an entry whose subject has this hash. Returns the hashes of subjects that
    /// are no longer followed, because the entry where they begin was dropped.
    pub fn push(&mut self, hash: u64, entry: &[u8]) -> Vec<u64> {
        let mut unfollowed = Vec::new();
        let length = HEAD + entry.len();
        let has_capacity = |block: &Block| block.bytes.capacity() - block.bytes.len() >= length;
        if !self.blocks.back().is_some_and(has_capacity) {
            let mut block = match self.blocks.len() >= self.blocks_max() {
                true => self.drop_oldest(&mut unfollowed),
                false => Block::default(),
            };
            block.bytes.clear();
            block.bytes.reserve_exact(BLOCK_BYTES.max(length));
            self.blocks.push_back(Block { entries: 0, ..block });
        }
        if let Some(block) = self.blocks.back_mut() {
            block.bytes.extend_from_slice(&hash.to_le_bytes());
            block.bytes.extend_from_slice(&(entry.len() as u32).to_le_bytes());
            block.bytes.extend_from_slice(entry);
            block.entries += 1;
            self.entries += 1;
        }
        unfollowed
    }

    fn drop_oldest(&mut self, unfollowed: &mut Vec<u64>) -> Block {
        let Some(block) = self.blocks.pop_front() else { return Block::default() };
        self.dropped += block.entries;
        self.entries -= block.entries;
        if !self.followed.is_empty() {
            for (hash, _) in block.iter().filter(|(_, kept)| kept.begins) {
                if self.unfollow(hash) {
                    unfollowed.push(hash);
                }
            }
        }
        block
    }

    /// Follows a subject that begins; whether it is new.
    pub fn follow(&mut self, hash: u64) -> bool {
        let count = self.followed.entry(hash).or_default();
        *count += 1;
        *count == 1
    }

    fn unfollow(&mut self, hash: u64) -> bool {
        let Some(count) = self.followed.get_mut(&hash) else { return false };
        *count -= 1;
        if *count > 0 {
            return false;
        }
        self.followed.remove(&hash);
        true
    }

    pub fn is_followed(&self, hash: u64) -> bool {
        self.followed.contains_key(&hash)
    }

    /// Forgets which subjects are followed.
    pub fn unfollow_all(&mut self) {
        self.followed = HashMap::new();
    }

    /// The hashes of the subjects that begin in the ring, as often as they do.
    pub fn beginnings(&self) -> Vec<u64> {
        self.iter_hashed().filter(|(_, kept)| kept.begins).map(|(hash, _)| hash).collect()
    }

    /// The entries, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = Kept<'_>> {
        self.iter_hashed().map(|(_, kept)| kept)
    }

    fn iter_hashed(&self) -> impl Iterator<Item = (u64, Kept<'_>)> {
        self.blocks.iter().flat_map(Block::iter)
    }

    pub fn clear(&mut self) {
        self.blocks = VecDeque::new();
        (self.entries, self.dropped) = (0, 0);
        self.unfollow_all();
    }

    pub fn entries(&self) -> u64 {
        self.entries
    }

    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes of memory that the blocks have.
    pub fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.bytes.capacity()).sum()
    }

    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }
}

impl Block {
    fn iter(&self) -> impl Iterator<Item = (u64, Kept<'_>)> {
        let mut left = &self.bytes[..];
        std::iter::from_fn(move || {
            let (hash, behind) = left.split_first_chunk::<8>()?;
            let (length, behind) = behind.split_first_chunk::<4>()?;
            let length = u32::from_le_bytes(*length) as usize;
            let (entry, behind) = behind.split_at_checked(length)?;
            left = behind;
            Some((u64::from_le_bytes(*hash), entry::decode(entry).ok()?))
        })
    }
}
