//! The batches that were written last, kept in memory, so that a reader that follows a retained log
//! closely makes no system call for an entry.
//!
//! Bound: `limits::RECENT_BYTES_MAX` of buffers for a journal, whatever the number of its logs. A
//! journal without a retained log keeps nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::limits;
use crate::lsn::Lsn;
use crate::tail::PendingBatch;

#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// Whether there is a retained log, so that what is kept may be read.
    wanted: bool,
    /// In order of their positions.
    batches: VecDeque<Arc<PendingBatch>>,
    /// What their buffers take.
    bytes: usize,
}

impl Recent {
    /// From now on batches are kept.
    pub(crate) fn want(&mut self) {
        self.wanted = true;
    }

    /// Adds batches that were written, and returns those that are kept no longer.
    pub(crate) fn add(&mut self, written: Vec<Arc<PendingBatch>>) -> Vec<Arc<PendingBatch>> {
        if !self.wanted {
            return written;
        }
        self.bytes += written.iter().map(|batch| batch.bytes.capacity()).sum::<usize>();
        self.batches.extend(written);
        let mut dropped = Vec::new();
        while self.bytes > limits::RECENT_BYTES_MAX {
            let Some(oldest) = self.batches.pop_front() else { break };
            self.bytes -= oldest.bytes.capacity();
            dropped.push(oldest);
        }
        dropped
    }

    /// What the buffers of the batches take.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The batch that holds the record at `lsn`, if it is kept.
    pub(crate) fn find(&self, lsn: Lsn) -> Option<Arc<PendingBatch>> {
        let behind = self.batches.partition_point(|batch| batch.start < lsn);
        let batch = self.batches.get(behind.checked_sub(1)?)?;
        batch.frames(lsn).is_some().then(|| Arc::clone(batch))
    }
}
