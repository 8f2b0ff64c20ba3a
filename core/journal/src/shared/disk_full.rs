//! Detects a full disk before the current segment is full.
//!
//! The next segment is preallocated when the current one is half full, and must exist when it is
//! three quarters full. If the disk cannot hold it, new messages fail with `StorageFull`. The
//! rest of the current segment is reserved for records that free space: deletes and compaction. So
//! consumers can drain a full engine.

use std::time::{Duration, Instant};

use trunkline_types::sync::atomic::{AtomicU8, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Result};

use super::Shared;

/// Minimum time between two probes. A probe writes zeros until the disk is full, then removes
/// them.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

const AVAILABLE: u8 = 0;
const UNKNOWN: u8 = 1;
const FULL: u8 = 2;

#[derive(Debug, Default)]
pub(crate) struct DiskSpace {
    /// One of `AVAILABLE`, `UNKNOWN` and `FULL`.
    state: AtomicU8,
    probed_at: Mutex<Option<Instant>>,
    /// The error for senders while the next segment cannot be created.
    refusal: Mutex<Option<Error>>,
}

impl DiskSpace {
    #[inline]
    pub(crate) fn is_available(&self) -> bool {
        self.state.load(Ordering::Relaxed) == AVAILABLE
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.state.load(Ordering::Relaxed) == FULL
    }

    /// Makes senders wait until the preallocation of the next segment has succeeded or failed.
    pub(crate) fn require(&self) {
        let _already_known =
            self.state.compare_exchange(AVAILABLE, UNKNOWN, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn set(&self, refusal: Option<Error>) {
        let state = if refusal.is_some() { FULL } else { AVAILABLE };
        *lock(&self.probed_at) = refusal.as_ref().map(|_| Instant::now());
        *lock(&self.refusal) = refusal;
        self.state.store(state, Ordering::Relaxed);
    }

    /// Allows an immediate probe, because disk space was freed.
    pub(crate) fn allow_probe(&self) {
        *lock(&self.probed_at) = None;
    }

    fn may_probe(&self) -> bool {
        lock(&self.probed_at).is_none_or(|at| at.elapsed() >= PROBE_INTERVAL)
    }
}

impl Shared {
    /// Retries the preallocation; fails while the disk is full.
    #[cold]
    pub(crate) fn probe(&self) -> Result<()> {
        self.check_usable()?;
        if self.disk_space.may_probe() {
            let newest = lock(&self.table).all().last().copied();
            if let Some(newest) = newest {
                self.preallocate_after(newest.number, newest.bytes);
            }
        }
        lock(&self.disk_space.refusal).clone().map_or(Ok(()), Err)
    }

    /// Records the outcome of a preallocation. A full disk and a want of file descriptors are
    /// back-pressure. The leader meets other errors again.
    pub(crate) fn note_preallocation(&self, made: &Result<()>) {
        let refusal = match made {
            Err(cause) if cause.code() == Code::StorageFull => Some(Error::new(
                Code::StorageFull,
                "the disk is full, so no message is accepted; receive and delete messages, or free \
                 disk space, and send again",
            )),
            Err(cause) if self.storage.lacks_descriptors() => Some(cause.clone()),
            _ => None,
        };
        self.disk_space.set(refusal);
    }
}
