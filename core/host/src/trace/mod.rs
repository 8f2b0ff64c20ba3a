//! The trace: what happened to messages, events and records, in memory, for those who ask by id.
//!
//! Kinds of resources note what happens; a note names its subject, what happened, where, when, and
//! says the rest in words. The trace knows no kind. It is off unless it is asked for: then a kind
//! pays one relaxed load where it would note something.
//!
//! A subject begins with [`Trace::begin`], which also says what led to it: a message in a queue
//! may come from a publish. While a kind delivers, it says so with [`Trace::enter`], and
//! what begins on the same thread meanwhile comes from there. So nothing has to be passed through
//! the code between them.
//!
//! When only a part of the subjects is followed, chance decides about those that come from outside,
//! and what comes from a followed subject is followed too.

mod entry;
mod query;
mod ring;

use std::cell::RefCell;

use trunkline_types::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use trunkline_types::sync::{Mutex, MutexGuard, lock};
use trunkline_types::{IdKey, ResourceId, Seq};

use self::entry::encode;
use self::ring::Ring;

pub use self::entry::{Note, Origin, Subject, What};
pub use self::query::{Traced, TracedEntry};

/// Bytes of memory for entries, unless another bound is set.
const BYTES_MAX: usize = 16 << 20;

const OFF: u32 = 0;
const ALL: u32 = u32::MAX;

/// Slots of the filter that spares subjects which are not followed the lock.
const FILTER_SLOTS: usize = 1 << 14;

/// The trace of one engine.
pub struct Trace {
    /// Which part of the subjects is followed: 0 none, `u32::MAX` all.
    rate: AtomicU32,
    key: IdKey,
    ring: Mutex<Ring>,
    /// Counts the followed subjects by their hash; a slot that is full stays full.
    filter: Box<[AtomicU8]>,
}

/// How a trace stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceStatistics {
    /// The part of the subjects that is followed: 0 for none, 1 for all.
    pub rate: f64,
    /// Entries in memory.
    pub entries: u64,
    /// Entries that were dropped, oldest first, because the memory was full.
    pub dropped: u64,
    /// Bytes of memory that the entries have.
    pub bytes: usize,
    /// The bound of these bytes.
    pub bytes_max: usize,
}

thread_local! {
    /// What this thread delivers now.
    static CAUSE: RefCell<Option<Cause>> = const { RefCell::new(None) };
}

/// A subject that owns its text.
enum Cause {
    Numbered(ResourceId, Seq),
    Id([u8; 16]),
    Text(String),
}

impl Cause {
    fn of(subject: Subject<'_>) -> Self {
        match subject {
            Subject::Numbered(resource, number) => Self::Numbered(resource, number),
            Subject::Id(id) => Self::Id(id),
            Subject::Text(text) => Self::Text(text.to_owned()),
        }
    }

    fn subject(&self) -> Subject<'_> {
        match self {
            Self::Numbered(resource, number) => Subject::Numbered(*resource, *number),
            Self::Id(id) => Subject::Id(*id),
            Self::Text(text) => Subject::Text(text),
        }
    }
}

/// While it lives, what begins on this thread comes from one subject, or from none.
pub struct Entered(Option<Option<Cause>>);

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(before) = self.0.take() {
            CAUSE.set(before);
        }
    }
}

impl Trace {
    pub(crate) fn new(key: IdKey) -> Self {
        let mut ring = Ring::default();
        ring.set_bytes_max(BYTES_MAX);
        let filter = (0..FILTER_SLOTS).map(|_| AtomicU8::new(0)).collect();
        Self { rate: AtomicU32::new(OFF), key, ring: Mutex::new(ring), filter }
    }

    /// Whether anything is followed. While it is not, nothing need be noted.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.rate.load(Ordering::Relaxed) != OFF
    }

    /// Follows this part of the subjects from now on: 0 for none, 1 for all. What is in memory
    /// stays there.
    pub fn set_rate(&self, rate: f64) {
        let mut ring = lock(&self.ring);
        let rate = match rate {
            rate if rate >= 1.0 => ALL,
            rate if rate > 0.0 => ((rate * f64::from(ALL)) as u32).clamp(1, ALL - 1),
            _ => OFF,
        };
        ring.unfollow_all();
        self.filter.iter().for_each(|slot| slot.store(0, Ordering::Relaxed));
        if rate != OFF && rate != ALL {
            let beginnings = ring.beginnings();
            beginnings.into_iter().for_each(|hash| self.follow(&mut ring, hash));
        }
        self.rate.store(rate, Ordering::Relaxed);
    }

    /// Bounds the memory of entries; at least one block of 64 KiB.
    pub fn set_bytes_max(&self, bytes_max: usize) {
        let unfollowed = lock(&self.ring).set_bytes_max(bytes_max);
        self.unfollow(&unfollowed);
    }

    /// Forgets every entry.
    pub fn clear(&self) {
        lock(&self.ring).clear();
        self.filter.iter().for_each(|slot| slot.store(0, Ordering::Relaxed));
    }

    /// How the trace stands.
    pub fn statistics(&self) -> TraceStatistics {
        let ring = lock(&self.ring);
        TraceStatistics {
            rate: f64::from(self.rate.load(Ordering::Relaxed)) / f64::from(ALL),
            entries: ring.entries(),
            dropped: ring.dropped(),
            bytes: ring.bytes(),
            bytes_max: ring.bytes_max(),
        }
    }

    /// What begins on this thread comes from `subject`, until the result is dropped.
    #[inline]
    pub fn enter(&self, subject: Subject<'_>) -> Entered {
        if !self.is_on() {
            return Entered(None);
        }
        Entered(Some(CAUSE.replace(Some(Cause::of(subject)))))
    }

    /// The same for the subject whose id is this text, which is parsed for the trace alone.
    #[inline]
    pub fn enter_named(&self, text: &str) -> Entered {
        if self.is_on() { self.enter(Subject::named(text)) } else { Entered(None) }
    }

    /// What begins on this thread comes from nothing, until the result is dropped.
    #[inline]
    pub(crate) fn leave(&self) -> Entered {
        if self.is_on() { Entered(Some(CAUSE.take())) } else { Entered(None) }
    }

    /// Notes the first entry of a subject, which came from `origin`, or else from what this thread
    /// delivers now: what would be [`What::Accepted`] is [`What::Delivered`] then.
    #[cold]
    pub fn begin(&self, note: &Note<'_>, origin: Option<Origin<'_>>) {
        CAUSE.with_borrow(|cause| {
            let cause = cause.as_ref().map(|cause| (cause.subject(), false));
            let cause = cause.map(|(subject, is_same)| Origin { subject, is_same });
            let origin = origin.or(cause).filter(|origin| origin.subject != note.subject);
            let Some((hash, mut ring)) = self.follow_beginning(note.subject, origin) else {
                return;
            };
            let what = match (note.what, origin) {
                (What::Accepted, Some(_)) => What::Delivered,
                (what, _) => what,
            };
            self.push(&mut ring, hash, &Note { what, ..*note }, true, origin);
        });
    }

    /// Notes a later entry of a subject.
    #[cold]
    pub fn note(&self, note: &Note<'_>) {
        let rate = self.rate.load(Ordering::Relaxed);
        let hash = self.hash(note.subject);
        if rate == OFF || rate != ALL && self.slot(hash).load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut ring = lock(&self.ring);
        if rate == ALL || ring.is_followed(hash) {
            self.push(&mut ring, hash, note, false, None);
        }
    }

    /// Notes what happened to everything in a resource with a number below that of the subject.
    #[cold]
    pub fn note_all(&self, note: &Note<'_>) {
        let hash = self.hash(note.subject);
        self.push(&mut lock(&self.ring), hash, note, false, None);
    }

    fn follow_beginning(
        &self,
        subject: Subject<'_>,
        origin: Option<Origin<'_>>,
    ) -> Option<(u64, MutexGuard<'_, Ring>)> {
        let rate = self.rate.load(Ordering::Relaxed);
        let hash = self.hash(subject);
        if rate == OFF {
            return None;
        }
        if rate == ALL {
            return Some((hash, lock(&self.ring)));
        }
        let mut ring = match origin.map(|origin| self.hash(origin.subject)) {
            None if (hash >> 32) as u32 >= rate => return None,
            None => lock(&self.ring),
            Some(origin) if self.slot(origin).load(Ordering::Relaxed) == 0 => return None,
            Some(origin) => Some(lock(&self.ring)).filter(|ring| ring.is_followed(origin))?,
        };
        self.follow(&mut ring, hash);
        Some((hash, ring))
    }

    fn push(
        &self,
        ring: &mut Ring,
        hash: u64,
        note: &Note<'_>,
        begins: bool,
        origin: Option<Origin<'_>>,
    ) {
        thread_local! {
            static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        BYTES.with_borrow_mut(|bytes| {
            bytes.clear();
            encode(note, begins, origin, bytes);
            self.unfollow(&ring.push(hash, bytes));
        });
    }

    fn hash(&self, subject: Subject<'_>) -> u64 {
        match subject {
            Subject::Numbered(resource, number) => {
                // The finalizer of splitmix64: neighbouring numbers give unrelated hashes.
                let mut z = number.wrapping_add(u64::from(resource.0) << 40 ^ self.key.0);
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                z ^ (z >> 31)
            }
            Subject::Id(_) | Subject::Text(_) => subject.key(self.key) as u64,
        }
    }

    fn slot(&self, hash: u64) -> &AtomicU8 {
        &self.filter[hash as usize % FILTER_SLOTS]
    }

    fn follow(&self, ring: &mut Ring, hash: u64) {
        if ring.follow(hash) {
            let up = |count: u8| Some(count.saturating_add(1));
            let _ = self.slot(hash).fetch_update(Ordering::Relaxed, Ordering::Relaxed, up);
        }
    }

    fn unfollow(&self, hashes: &[u64]) {
        for hash in hashes {
            let down = |count: u8| (count != u8::MAX).then(|| count.saturating_sub(1));
            let _ = self.slot(*hash).fetch_update(Ordering::Relaxed, Ordering::Relaxed, down);
        }
    }
}
