//! A full disk, met while there is room left.
//!
//! The segment after the present one is made when that is half full, and has to be there when it is
//! three quarters full. When the disk has no room for it, no message is accepted any more, and the
//! rest of the present segment is kept for what makes room: leases, deletes and cleaning. So the
//! consumers of a full engine can empty it.

use std::time::{Duration, Instant};

use trunkline_types::sync::atomic::{AtomicU8, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Result};

use crate::shared::Shared;

/// How long a refused sender's question is answered from memory: an attempt fills the disk with
/// zeros until it is full, and gives them back.
const ATTEMPT_EVERY: Duration = Duration::from_secs(1);

const THERE: u8 = 0;
const IN_QUESTION: u8 = 1;
const MISSING: u8 = 2;

#[derive(Debug, Default)]
pub(crate) struct Room {
    /// What is known of the next segment.
    state: AtomicU8,
    attempted: Mutex<Option<Instant>>,
}

impl Room {
    #[inline]
    pub(crate) fn is_there(&self) -> bool {
        self.state.load(Ordering::Relaxed) == THERE
    }

    #[inline]
    pub(crate) fn is_missing(&self) -> bool {
        self.state.load(Ordering::Relaxed) == MISSING
    }

    /// The next segment will be needed soon: a sender waits until it is known to be there or not.
    pub(crate) fn question(&self) {
        let _already_missing =
            self.state.compare_exchange(THERE, IN_QUESTION, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Notes what came of making the next segment. Other failures than a full disk are left for
    /// the leader to meet again.
    pub(crate) fn note(&self, made: &Result<()>) {
        let missing = made.as_ref().is_err_and(|cause| cause.code() == Code::StorageFull);
        *lock(&self.attempted) = missing.then(Instant::now);
        self.state.store(if missing { MISSING } else { THERE }, Ordering::Relaxed);
    }

    /// Something was given back to the disk: the next question is worth an attempt.
    pub(crate) fn may_be_there(&self) {
        *lock(&self.attempted) = None;
    }

    fn may_attempt(&self) -> bool {
        lock(&self.attempted).is_none_or(|at| at.elapsed() >= ATTEMPT_EVERY)
    }
}

impl Shared {
    /// Looks again whether the disk has room; fails while it has none.
    #[cold]
    pub(crate) fn look_for_room(&self) -> Result<()> {
        self.check_usable()?;
        if self.room.may_attempt() {
            let newest = lock(&self.table).all().last().copied();
            if let Some(newest) = newest {
                self.make_segment_after(newest.number, newest.bytes);
            }
        }
        if !self.room.is_missing() {
            return Ok(());
        }
        Err(Error::new(
            Code::StorageFull,
            "the disk has no room for more messages; receive and delete what is there, or free \
             some space, and send again",
        ))
    }
}
