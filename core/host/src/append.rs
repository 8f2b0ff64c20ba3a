//! One step of the journal: records appended, and live bytes counted, under the append lock.
//!
//! A memory engine has no journal; there every step is off and costs a branch.

use trunkline_journal::retained::{self, RetainedLog};
use trunkline_journal::{Appender, Lsn, Ticket};
use trunkline_types::sync::MutexGuard;
use trunkline_types::sync::atomic::{AtomicU32, Ordering};
use trunkline_types::{Millis, Result};

use crate::codec::Encode;
use crate::live_bytes::LiveBytes;
use crate::location::Location;
use crate::mutant::{self, Mutant};

/// The right to append, for as long as it lives.
pub enum Append<'a> {
    /// There is no journal to append to.
    Off,
    /// The append lock is held.
    On(Step<'a>),
}

/// One step of the journal.
pub struct Step<'a> {
    appender: Appender<'a>,
    live_bytes: MutexGuard<'a, LiveBytes>,
    segments: Segments<'a>,
    now: Millis,
    /// Whether the disk is full, so that only records that free space are appended.
    is_full: bool,
}

/// Tells who gives space back that the journal has reached a new segment.
#[derive(Clone, Copy)]
pub(crate) struct Segments<'a> {
    /// The newest segment that was seen.
    pub seen: &'a AtomicU32,
    pub watcher: &'a dyn WatchSegments,
}

/// What is told of new segments.
pub(crate) trait WatchSegments: Sync {
    /// The journal has reached `segment`, which is newer than any that was seen.
    fn begin(&self, segment: u32);
}

impl Segments<'_> {
    #[inline]
    fn reached(&self, segment: u32) {
        if segment > self.seen.load(Ordering::Relaxed) {
            self.watcher.begin(segment);
        }
    }
}

impl<'a> Append<'a> {
    pub(crate) fn off() -> Self {
        Self::Off
    }

    pub(crate) fn on(
        appender: Appender<'a>,
        live_bytes: MutexGuard<'a, LiveBytes>,
        segments: Segments<'a>,
        now: Millis,
        is_full: bool,
    ) -> Self {
        Self::On(Step { appender, live_bytes, segments, now, is_full })
    }

    /// Appends a live record whose payload is the concatenation of `payload`, without copying the
    /// parts together first.
    #[inline]
    pub fn append_payload(&mut self, head: &impl Encode, payload: &[&[u8]]) -> Option<Location> {
        let Self::On(step) = self else { return None };
        let mut bytes = Vec::with_capacity(96);
        head.encode(&mut bytes);
        let location = match payload {
            [body] => step.append_parts(&[&bytes, body]),
            [envelope, body] => step.append_parts(&[&bytes, envelope, body]),
            more => step.append_parts(&[&bytes, &more.concat()]),
        };
        step.live_bytes.add(location, step.now);
        Some(location)
    }

    /// Appends a fact that compaction may drop with its segment; says where it lies.
    pub fn append(&mut self, record: &impl Encode) -> Option<Lsn> {
        let Self::On(step) = self else { return None };
        let mut bytes = Vec::with_capacity(64);
        record.encode(&mut bytes);
        Some(step.append_parts(&[&bytes]).lsn)
    }

    /// The same for a fact that is needed for some time from `at` on: see
    /// [`crate::Component::needs`].
    pub fn append_dated(&mut self, record: &impl Encode, at: Millis) -> Option<Lsn> {
        let lsn = self.append(record)?;
        if let Self::On(step) = self {
            step.live_bytes.note(lsn.segment(), at);
        }
        Some(lsn)
    }

    /// Appends a fact that only delays work, such as a lease or its extension. On a full disk it is
    /// not appended: what is left of the segment belongs to deletes and compaction. A crash then
    /// forgets the lease, and the message is delivered again.
    pub fn append_delay(&mut self, record: &impl Encode) {
        if matches!(self, Self::On(step) if !step.is_full) {
            self.append(record);
        }
    }

    /// Appends a live record; `old` is the location it leaves.
    pub fn append_live(&mut self, record: &impl Encode, old: Option<Location>) -> Option<Location> {
        let Self::On(step) = self else { return None };
        let mut bytes = Vec::with_capacity(256);
        record.encode(&mut bytes);
        let location = step.append_parts(&[&bytes]);
        step.live_bytes.add(location, step.now);
        if let Some(old) = old {
            step.live_bytes.remove(old);
        }
        Some(location)
    }

    /// Appends a record that `count` live things share: it lives there once for each of them.
    pub fn append_live_of(&mut self, record: &impl Encode, count: usize) -> Option<Location> {
        let location = self.append_live(record, None)?;
        if let Self::On(step) = self {
            (1..count).for_each(|_| step.live_bytes.add(location, step.now));
        }
        Some(location)
    }

    /// Keeps the next `count` records together, of at most `bytes` in all: a crash leaves all of
    /// them or none. They have to follow at once. False, and no promise, if they are longer than
    /// the longest record.
    pub fn reserve(&mut self, count: usize, bytes: usize) -> bool {
        match self {
            Self::Off => true,
            Self::On(_) if mutant::has(Mutant::SplitStep) => true,
            Self::On(step) => step.appender.reserve(count, bytes),
        }
    }

    /// What lay there lives no longer.
    pub fn release(&mut self, location: Location) {
        if let Self::On(step) = self {
            step.live_bytes.remove(location);
        }
    }

    /// Whether there is a journal.
    pub fn is_on(&self) -> bool {
        matches!(self, Self::On(_))
    }

    /// What to wait for, so that everything appended so far is as durable as asked.
    pub fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Off => None,
            Self::On(step) => Some(step.appender.ticket()),
        }
    }
}

// At the end of every step, so that no kind of resource can forget to ask for space.
impl Drop for Step<'_> {
    #[inline]
    fn drop(&mut self) {
        self.segments.reached(self.appender.end().segment());
    }
}

impl Step<'_> {
    /// Appends an entry to a log; returns its sequence number.
    pub(crate) fn append_to_log(
        &mut self,
        log: &RetainedLog,
        time: Millis,
        parts: &[&[u8]],
    ) -> Result<u64> {
        let mut counting = Counting { live_bytes: &mut self.live_bytes, now: self.now };
        log.append(&mut self.appender, time, parts, &mut counting)
    }

    fn append_parts(&mut self, parts: &[&[u8]]) -> Location {
        let len = parts.iter().map(|part| part.len()).sum::<usize>();
        Location { lsn: self.appender.append(parts), len: len as u32 }
    }
}

/// Counts the live records of a log within a step.
struct Counting<'a> {
    live_bytes: &'a mut LiveBytes,
    now: Millis,
}

impl retained::LiveBytes for Counting<'_> {
    fn add(&mut self, at: retained::Location) {
        self.live_bytes.add(Location { lsn: at.lsn, len: at.len }, self.now);
    }

    fn remove(&mut self, at: retained::Location) {
        self.live_bytes.remove(Location { lsn: at.lsn, len: at.len });
    }
}
