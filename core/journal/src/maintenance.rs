//! The lock of whatever creates, renames or removes files of the folder apart from the leader: a
//! reclaim, a checkpoint, the sealing of a log. `close` takes it before it gives the folder up, so
//! that nothing is changed in a folder that another opening may own by then.

use std::thread::{self, ThreadId};

use trunkline_types::sync::{Mutex, MutexGuard, lock};

#[derive(Debug, Default)]
pub(crate) struct Maintenance {
    held: Mutex<()>,
    holder: Mutex<Option<ThreadId>>,
}

/// Holds the lock.
#[derive(Debug)]
pub(crate) struct Maintaining<'a> {
    holder: &'a Mutex<Option<ThreadId>>,
    _held: MutexGuard<'a, ()>,
}

impl Drop for Maintaining<'_> {
    fn drop(&mut self) {
        *lock(self.holder) = None;
    }
}

impl Maintenance {
    /// Waits for the lock and takes it.
    pub(crate) fn take(&self) -> Maintaining<'_> {
        let held = lock(&self.held);
        *lock(&self.holder) = Some(thread::current().id());
        Maintaining { holder: &self.holder, _held: held }
    }

    /// The same, but returns `None` in a signal that the holder itself calls, where nothing would
    /// ever release the lock.
    pub(crate) fn take_unless_mine(&self) -> Option<Maintaining<'_>> {
        if *lock(&self.holder) == Some(thread::current().id()) {
            return None;
        }
        Some(self.take())
    }
}
