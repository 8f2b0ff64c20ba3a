//! The wheel: eight levels of 64 buckets, one millisecond a tick on the lowest.
//!
//! ```text
//! level 7  |....|....|  2^42 ms a bucket, 8,900 years around
//!   ...                 an entry lies on the level of the highest digit (base 64) in which its
//! level 1  |..|..|      time differs from `elapsed`, in the bucket of that digit
//! level 0  |.|.|.|.|    1 ms a bucket: all entries of a bucket are due at once
//! ```
//!
//! Invariants: everything before `elapsed` has fired. On each level only buckets at or after the
//! digit of `elapsed` are occupied; on level 1 and above the bucket *at* that digit is occupied
//! only while it is being cascaded, and nothing fires until it is empty. So the lowest occupied
//! level holds the earliest entry.

use std::collections::VecDeque;

use trunkline_types::Millis;

const DIGIT_BITS: u32 = 6;
const BUCKETS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = 8;

/// The end of time, in the year 10889: later times are kept for then.
const TIME_MAX: Millis = (1 << (DIGIT_BITS * LEVELS as u32)) - 1;

/// An emptied bucket keeps its memory up to this many entries, so that a burst does not stay.
const BUCKET_KEPT_MAX: usize = 64;

#[derive(Debug, Clone, Copy)]
struct Entry<K> {
    at: Millis,
    key: K,
}

/// Keys by the time they are due. No cancelling, and the same key may be entered many times.
#[derive(Debug)]
pub struct Wheel<K> {
    elapsed: Millis,
    len: usize,
    // Whether the bucket of `elapsed` holds entries that were overdue when they came.
    overdue: bool,
    levels: [Level<K>; LEVELS],
}

#[derive(Debug)]
struct Level<K> {
    // Bit n: bucket n holds something.
    occupied: u64,
    buckets: Vec<VecDeque<Entry<K>>>,
}

impl<K: Copy> Wheel<K> {
    /// An empty wheel whose time is `now`.
    pub fn new(now: Millis) -> Self {
        let buckets = || (0..BUCKETS).map(|_| VecDeque::new()).collect();
        let levels = std::array::from_fn(|_| Level { occupied: 0, buckets: buckets() });
        Self { elapsed: now.min(TIME_MAX), len: 0, overdue: false, levels }
    }

    /// How many entries wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Enters `key` for `at`. A time that has passed is due at once.
    pub fn insert(&mut self, key: K, at: Millis) {
        self.overdue |= at < self.elapsed;
        self.place(Entry { at: at.min(TIME_MAX), key });
        self.len += 1;
    }

    /// The time of the earliest entry or, while that is far away, a time before it that is after
    /// the wheel's own; exact within 64 ms. An entry that is overdue gives the wheel's own time.
    pub fn next_due(&self) -> Option<Millis> {
        self.next_bucket().map(|(_, _, start)| start)
    }

    /// Fires what is due at `now`, in order of time. A callback that returns `Some(t)` is called
    /// again at `t`; a `t` that has passed means within this call, so it must lead somewhere.
    pub fn expire(&mut self, now: Millis, fire: impl FnMut(K) -> Option<Millis>) -> usize {
        self.expire_some(now, usize::MAX, fire).0
    }

    /// The same, for at most `limit` steps of work. Returns how many entries fired, and whether
    /// something that is due was left.
    pub fn expire_some(
        &mut self,
        now: Millis,
        limit: usize,
        mut fire: impl FnMut(K) -> Option<Millis>,
    ) -> (usize, bool) {
        let now = now.min(TIME_MAX);
        let (mut fired, mut steps) = (0, 0);
        while let Some((level, bucket, start)) = self.next_bucket() {
            if start > now {
                break;
            }
            if steps >= limit {
                return (fired, true);
            }
            self.elapsed = self.elapsed.max(start);
            if level == 0 {
                let count = self.fire_bucket(bucket, limit - steps, &mut fire);
                fired += count;
                steps += count;
            } else {
                steps += self.cascade(level, bucket, limit - steps);
            }
        }
        self.elapsed = self.elapsed.max(now);
        (fired, false)
    }

    /// Fires up to `limit` entries of a bucket of level 0, earliest first.
    fn fire_bucket(
        &mut self,
        bucket: usize,
        limit: usize,
        fire: &mut impl FnMut(K) -> Option<Millis>,
    ) -> usize {
        if std::mem::take(&mut self.overdue) {
            let entries = self.levels[0].buckets[bucket].make_contiguous();
            entries.sort_by_key(|entry| entry.at);
        }
        let mut count = 0;
        while count < limit {
            let Some(entry) = self.pop(0, bucket) else { break };
            self.len -= 1;
            count += 1;
            if let Some(at) = fire(entry.key) {
                self.insert(entry.key, at);
            }
        }
        count
    }

    /// Moves up to `limit` entries of a bucket to the levels below.
    fn cascade(&mut self, level: usize, bucket: usize, limit: usize) -> usize {
        let mut count = 0;
        while count < limit {
            let Some(entry) = self.pop(level, bucket) else { break };
            count += 1;
            self.place(entry);
        }
        count
    }

    fn pop(&mut self, level: usize, bucket: usize) -> Option<Entry<K>> {
        let level = &mut self.levels[level];
        let entries = &mut level.buckets[bucket];
        let entry = entries.pop_front();
        if entries.is_empty() {
            level.occupied &= !(1 << bucket);
            if entries.capacity() > BUCKET_KEPT_MAX {
                *entries = VecDeque::new();
            }
        }
        entry
    }

    #[inline]
    fn place(&mut self, entry: Entry<K>) {
        let at = entry.at.max(self.elapsed);
        let differing = at ^ self.elapsed;
        let level = match differing {
            0 => 0,
            _ => ((u64::BITS - 1 - differing.leading_zeros()) / DIGIT_BITS) as usize,
        };
        let bucket = digit(at, level);
        self.levels[level].occupied |= 1 << bucket;
        self.levels[level].buckets[bucket].push_back(entry);
    }

    /// The bucket to work on next: level, index, and the first time it covers.
    fn next_bucket(&self) -> Option<(usize, usize, Millis)> {
        for level in (1..LEVELS).rev() {
            let here = digit(self.elapsed, level);
            if self.levels[level].occupied & 1 << here != 0 {
                return Some((level, here, self.elapsed));
            }
        }
        for (level, ring) in self.levels.iter().enumerate() {
            let here = digit(self.elapsed, level);
            debug_assert_eq!(ring.occupied & !(u64::MAX << here), 0, "a bucket was passed over");
            if ring.occupied != 0 {
                let bucket = ring.occupied.trailing_zeros() as usize;
                let shift = DIGIT_BITS * level as u32;
                let above = self.elapsed >> shift >> DIGIT_BITS << DIGIT_BITS;
                return Some((level, bucket, (above | bucket as u64) << shift));
            }
        }
        None
    }
}

#[inline]
fn digit(at: Millis, level: usize) -> usize {
    (at >> (DIGIT_BITS * level as u32)) as usize & (BUCKETS - 1)
}
