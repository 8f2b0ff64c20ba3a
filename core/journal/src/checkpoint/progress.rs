//! How much of the journal lies behind its newest checkpoint.

use trunkline_types::sync::{Mutex, lock};

/// See the module.
#[derive(Debug)]
pub(crate) struct Progress(Mutex<State>);

#[derive(Debug, Clone, Copy)]
struct State {
    /// Bytes of batches behind the checkpoint when the journal was opened; 0 once another
    /// checkpoint was written.
    replayed: u64,
    /// What `Shared::bytes_appended` was when that checkpoint was begun.
    appended: u64,
    /// The length of the newest checkpoint; 0 when there is none.
    bytes: u64,
}

impl Progress {
    /// The journal was opened: `replayed` bytes lay behind a checkpoint of `bytes`.
    pub(crate) fn new(replayed: u64, bytes: u64) -> Self {
        Self(Mutex::new(State { replayed, appended: 0, bytes }))
    }

    /// A checkpoint of `bytes` was written, begun when `appended` bytes had been appended.
    pub(crate) fn wrote(&self, appended: u64, bytes: u64) {
        *lock(&self.0) = State { replayed: 0, appended, bytes };
    }

    /// Bytes behind the newest checkpoint, and its length. About: batch headers are not counted.
    pub(crate) fn behind(&self, appended: u64) -> (u64, u64) {
        let State { replayed, appended: before, bytes } = *lock(&self.0);
        (replayed + appended.saturating_sub(before), bytes)
    }
}
