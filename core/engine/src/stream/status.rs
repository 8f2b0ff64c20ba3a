//! The states of a stream at the AWS surface: a change lasts for a while on the engine's clock.
//!
//! Nothing in the process waits for these states: a stream takes and hands out records from its
//! creation on. A surface asks for the state and refuses what AWS would refuse.

use std::any::Any;
use std::sync::Arc;

use trunkline_host::TimerKey;
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Limits, Millis, Result};

use super::Stream;

/// Timer slot: the time of a stream that is being deleted may be over.
pub(super) const SLOT_DELETION: u32 = 3;

/// What happens to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamChange {
    /// It is being created.
    Creating,
    /// Its shards or its settings are being changed.
    Updating,
    /// It is being deleted, and is removed at the end.
    Deleting,
}

/// A change, and when it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pending {
    pub change: StreamChange,
    pub until: Millis,
}

/// What a surface made of the document of a stream.
pub(super) type Derived = Mutex<Option<Arc<dyn Any + Send + Sync>>>;

impl Stream {
    /// What happens to the stream now; `None` while it is active.
    pub fn change_now(&self) -> Option<StreamChange> {
        let pending = self.state().pending?;
        (pending.until > self.host.now()).then_some(pending.change)
    }

    /// Begins a change that is over after `duration`. A deletion removes the stream then; of no
    /// duration, at once.
    pub fn begin_change(&self, change: StreamChange, duration: Millis) -> Result<Option<Ticket>> {
        if duration == 0 {
            return match change {
                StreamChange::Deleting => self.remove(),
                StreamChange::Creating | StreamChange::Updating => Ok(None),
            };
        }
        let ticket = self.change(|state, now| {
            state.pending = Some(Pending { change, until: now.saturating_add(duration) });
        })?;
        self.arm_deletion();
        Ok(ticket)
    }

    /// Asks for the removal of a stream that is being deleted.
    pub(super) fn arm_deletion(&self) {
        let pending = self.state().pending;
        if let Some(Pending { change: StreamChange::Deleting, until }) = pending {
            self.host.arm(TimerKey { owner: self.id, slot: SLOT_DELETION }, until);
        }
    }

    /// Removes the stream if its deletion is over.
    pub(super) fn end_deletion(&self, now: Millis) -> Result<()> {
        let pending = self.state().pending;
        match pending {
            Some(Pending { change: StreamChange::Deleting, until }) if until <= now => {
                self.remove().map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Largest record that the stream takes, data and partition key together, in bytes.
    #[inline]
    pub fn record_bytes_max(&self) -> u32 {
        bytes_max(self.record_bytes_max.load(Ordering::Relaxed), &self.host.limits)
    }

    /// Sets the largest record of the stream; 0 stands for the engine's limit.
    pub fn set_record_bytes_max(&self, bytes: u32) -> Result<Option<Ticket>> {
        self.change(|state, _| {
            state.record_bytes_max = bytes;
            self.record_bytes_max.store(bytes, Ordering::Relaxed);
        })
    }

    /// What `read` makes of the stream's document. It is made once for each version of the
    /// document; all callers have to ask for the same type.
    pub fn derived<T: Send + Sync + 'static>(&self, read: impl Fn(&[u8]) -> T) -> Arc<T> {
        let state = self.state();
        let mut derived = lock(&state.derived);
        if let Some(Ok(known)) = derived.clone().map(Arc::downcast) {
            return known;
        }
        let made = Arc::new(read(&state.document));
        *derived = Some(made.clone());
        made
    }
}

fn bytes_max(own: u32, limits: &Limits) -> u32 {
    if own > 0 { own } else { limits.stream_record_bytes_max }
}
