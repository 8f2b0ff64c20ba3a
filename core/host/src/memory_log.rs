//! The entries of a log in memory: chunks of bytes, the oldest first. A chunk that is full never
//! changes again, so a read of it holds no lock.

use std::collections::VecDeque;
use std::sync::Arc;

use trunkline_journal::retained::Entry;
use trunkline_types::Millis;
use trunkline_types::sync::{Mutex, MutexGuard, lock};

/// A chunk is full when it holds this many bytes of entries. Below the length from which allocators
/// map memory of its own for a buffer, so that the memory of expired chunks is used again.
const CHUNK_BYTES: usize = 64 << 10;

/// Half of how many entries of the last chunk a reader copies first.
const COPIED_FIRST: usize = 8;

/// The entries of one log. The first has the sequence number 1.
#[derive(Default)]
pub(crate) struct MemoryLog {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Entries that were removed.
    removed: u64,
    /// Entries of the first chunk that were removed.
    skipped: usize,
    full: VecDeque<Arc<Chunk>>,
    /// The chunk that takes the next entry.
    tail: Chunk,
    /// Set when the log takes no more entries: it was closed or removed.
    closed: bool,
}

/// Entries side by side in one buffer.
#[derive(Default)]
struct Chunk {
    /// The sequence number of the first entry.
    first: u64,
    /// The latest time of an entry in this chunk and all chunks before.
    max_time: Millis,
    /// The time of each entry, and where it ends in `bytes`.
    entries: Vec<(Millis, u32)>,
    bytes: Vec<u8>,
}

impl MemoryLog {
    /// Adds an entry; returns its sequence number. `None`: the log was closed or removed. Always
    /// inlined: where the length of a part is known, its copy is one store.
    #[inline(always)]
    pub fn append(&self, time: Millis, parts: &[&[u8]]) -> Option<u64> {
        lock(&self.state).append(time, parts)
    }

    /// Locks the log for entries that are added one after another.
    pub fn hold(&self) -> HeldMemoryLog<'_> {
        HeldMemoryLog(lock(&self.state))
    }

    /// The first entry that is there, and the sequence number of the next one.
    pub fn range(&self) -> (u64, u64) {
        let state = lock(&self.state);
        (state.removed + 1, state.next())
    }

    /// Calls `each` with the entries from `sequence` on, in order, until it returns false; not with
    /// those that are appended meanwhile. Without the lock: what the last chunk has is copied, more
    /// at a time the more is read, so that readers of the newest entries do not wait for each
    /// other.
    pub fn read(&self, sequence: u64, each: &mut dyn FnMut(Entry<'_>) -> bool) {
        let (mut at, mut end, mut most) = (sequence, None, COPIED_FIRST);
        loop {
            let chunk = {
                let state = lock(&self.state);
                at = at.max(state.removed + 1);
                if at >= *end.get_or_insert(state.next()) {
                    return;
                }
                let index = state.full.partition_point(|chunk| chunk.next() <= at);
                state.full.get(index).cloned().unwrap_or_else(|| {
                    most *= 2;
                    Arc::new(state.tail.copied(at, most))
                })
            };
            if !chunk.read(at, end.unwrap_or(at), each) {
                return;
            }
            at = chunk.next();
        }
    }

    /// The first entry whose time is not before `time`; the next sequence number if there is none.
    pub fn find_time(&self, time: Millis) -> u64 {
        let state = lock(&self.state);
        let index = state.full.partition_point(|chunk| chunk.max_time < time);
        let chunk = state.full.get(index).map_or(&state.tail, |chunk| chunk);
        let found = chunk.entries.iter().position(|(at, _)| *at >= time);
        let sequence = found.map_or(state.next(), |index| chunk.first + index as u64);
        sequence.max(state.removed + 1)
    }

    /// Removes the entries up to the first that did not come before `before`; returns how many.
    /// `came` says when an entry of a time came.
    pub fn expire(&self, before: Millis, came: &dyn Fn(Millis) -> Millis) -> u64 {
        let mut state = lock(&self.state);
        let removed = state.removed;
        let is_old = |time: Millis| time < before || came(time) < before;
        while let Some(count) = state.expire_front(&is_old) {
            state.removed += count;
        }
        state.removed - removed
    }

    /// Takes no more entries.
    pub fn close(&self) {
        lock(&self.state).closed = true;
    }

    /// Removes everything, for good.
    pub fn remove(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        state.removed = state.next() - 1;
        state.full.clear();
        state.tail = Chunk { first: state.removed + 1, ..Chunk::default() };
    }
}

/// A log that is locked.
pub(crate) struct HeldMemoryLog<'a>(MutexGuard<'a, State>);

impl HeldMemoryLog<'_> {
    /// As [`MemoryLog::append`].
    #[inline(always)]
    pub fn append(&mut self, time: Millis, parts: &[&[u8]]) -> Option<u64> {
        self.0.append(time, parts)
    }
}

impl State {
    #[inline(always)]
    fn append(&mut self, time: Millis, parts: &[&[u8]]) -> Option<u64> {
        if self.closed {
            return None;
        }
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let used = self.tail.bytes.len();
        if used > 0 && used + length > CHUNK_BYTES {
            self.close_chunk();
        }
        let tail = &mut self.tail;
        if tail.first == 0 {
            tail.first = 1;
        }
        parts.iter().for_each(|part| tail.bytes.extend_from_slice(part));
        // An entry is a record at most, which is far below 4 GiB.
        tail.entries.push((time, tail.bytes.len() as u32));
        tail.max_time = tail.max_time.max(time);
        Some(tail.next() - 1)
    }

    fn next(&self) -> u64 {
        self.tail.next().max(self.removed + 1)
    }

    /// The log is large enough for chunks: the next one gets its whole space at once.
    #[cold]
    fn close_chunk(&mut self) {
        let next = Chunk {
            first: self.tail.next(),
            max_time: self.tail.max_time,
            entries: Vec::with_capacity(self.tail.entries.len()),
            bytes: Vec::with_capacity(CHUNK_BYTES),
        };
        let mut full = std::mem::replace(&mut self.tail, next);
        full.entries.shrink_to_fit();
        // A copy is worth it only where it gives much space back.
        if full.bytes.capacity() - full.bytes.len() > CHUNK_BYTES / 8 {
            full.bytes.shrink_to_fit();
        }
        self.full.push_back(Arc::new(full));
    }

    /// Removes old entries from the first chunk; how many. `None` when there are none.
    fn expire_front(&mut self, is_old: &dyn Fn(Millis) -> bool) -> Option<u64> {
        let chunk = self.full.front().map_or(&self.tail, |chunk| chunk);
        let left = &chunk.entries[self.skipped..];
        let old = left.iter().take_while(|(time, _)| is_old(*time)).count();
        if old == 0 {
            return None;
        }
        self.skipped += old;
        if self.skipped == chunk.entries.len() {
            self.skipped = 0;
            if self.full.pop_front().is_none() {
                let (first, max_time) = (self.tail.next(), self.tail.max_time);
                self.tail = Chunk { first, max_time, ..Chunk::default() };
            }
        }
        Some(old as u64)
    }
}

impl Chunk {
    /// The sequence number behind the last entry.
    fn next(&self) -> u64 {
        self.first.max(1) + self.entries.len() as u64
    }

    /// At most `most` of the entries from `sequence` on, which is there.
    fn copied(&self, sequence: u64, most: usize) -> Self {
        let skipped = (sequence - self.first.max(1)) as usize;
        let start = skipped.checked_sub(1).map_or(0, |before| self.entries[before].1);
        let taken = &self.entries[skipped..self.entries.len().min(skipped + most)];
        let end = taken.last().map_or(start, |(_, end)| *end);
        Self {
            first: sequence,
            max_time: self.max_time,
            entries: taken.iter().map(|(time, end)| (*time, end - start)).collect(),
            bytes: self.bytes[start as usize..end as usize].to_vec(),
        }
    }

    /// Hands out the entries from `sequence` on and before `end`; whether more are wanted.
    fn read(&self, sequence: u64, end: u64, each: &mut dyn FnMut(Entry<'_>) -> bool) -> bool {
        let first = self.first.max(1);
        let skipped = usize::try_from(sequence.saturating_sub(first)).unwrap_or(usize::MAX);
        let wanted = usize::try_from(end.saturating_sub(first)).unwrap_or(usize::MAX);
        let last = self.entries.len().min(wanted);
        let Some(entries) = self.entries.get(skipped..last) else { return true };
        let mut start = match skipped.checked_sub(1) {
            Some(before) => self.entries[before].1 as usize,
            None => 0,
        };
        for (index, (time, end)) in entries.iter().enumerate() {
            let (sequence, end) = (first + (skipped + index) as u64, *end as usize);
            if !each(Entry {
                sequence,
                time: *time,
                payload: &self.bytes[start..end],
                buffer: None,
            }) {
                return false;
            }
            start = end;
        }
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn filled(count: u64) -> MemoryLog {
        let log = MemoryLog::default();
        for number in 1..=count {
            let payload = number.to_le_bytes();
            let sequence = log.append(number * 10, &[&payload, &[7; 100]]).unwrap();
            assert_eq!(sequence, number);
        }
        log
    }

    fn read(log: &MemoryLog, from: u64) -> Vec<u64> {
        let mut seen = Vec::new();
        log.read(from, &mut |entry| {
            assert_eq!(entry.payload[..8], entry.sequence.to_le_bytes());
            assert_eq!((entry.payload.len(), entry.time), (108, entry.sequence * 10));
            seen.push(entry.sequence);
            true
        });
        seen
    }

    #[test]
    fn entries_are_found_by_sequence_and_by_time_across_chunks() {
        let log = filled(10_000);
        assert_eq!(log.range(), (1, 10_001));
        for from in [0, 1, 2, 2_427, 2_428, 5_000, 9_999, 10_000, 10_001, 99_999] {
            assert_eq!(read(&log, from), (from.max(1)..=10_000).collect::<Vec<_>>(), "{from}");
        }
        for (time, expected) in [(0, 1), (10, 1), (11, 2), (50_000, 5_000), (100_001, 10_001)] {
            assert_eq!(log.find_time(time), expected, "{time}");
        }
    }

    #[test]
    fn a_read_holds_no_lock_and_ends_although_the_log_grows() {
        let log = filled(1_000);
        let mut seen = Vec::new();
        log.read(950, &mut |entry| {
            seen.push(entry.sequence);
            (0..100).all(|_| log.append(99_999, &[&[7; 108]]).is_some())
        });
        assert_eq!(seen, (950..=1_000).collect::<Vec<_>>());
        assert_eq!(log.range(), (1, 6_101));
    }

    #[test]
    fn a_log_that_is_held_takes_entries_as_any_other() {
        let log = filled(100);
        let mut held = log.hold();
        for number in 101..=2_000_u64 {
            let sequence = held.append(number * 10, &[&number.to_le_bytes(), &[7; 100]]);
            assert_eq!(sequence, Some(number));
        }
        drop(held);
        assert_eq!(read(&log, 0), (1..=2_000).collect::<Vec<_>>());
        log.close();
        assert_eq!(log.hold().append(1, &[b"x"]), None);
    }

    #[test]
    fn old_entries_expire_one_by_one_and_numbers_are_never_reused() {
        let log = filled(10_000);
        for (before, gone) in [(5, 0), (25, 2), (25, 0), (50_000, 4_997), (99_991, 5_000)] {
            assert_eq!(log.expire(before, &|time| time), gone, "{before}");
            let (first, next) = log.range();
            assert_eq!(read(&log, 0), (first..next).collect::<Vec<_>>());
        }
        assert_eq!(log.range(), (10_000, 10_001));
        assert_eq!(log.expire(Millis::MAX, &|time| time), 1);
        assert_eq!(log.range(), (10_001, 10_001));
        assert_eq!(log.find_time(0), 10_001);
        assert_eq!(log.append(1, &[b"x"]), Some(10_001));
        log.close();
        assert_eq!((log.append(1, &[b"x"]), log.range()), (None, (10_001, 10_002)));
        log.remove();
        assert_eq!((log.append(1, &[b"x"]), log.range()), (None, (10_002, 10_002)));
    }
}
