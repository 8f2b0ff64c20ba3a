//! The memory that sealed files are read into. An entry borrows from its buffer; who keeps the
//! buffer has the entry without a copy. Buffers that are let go are used again: fresh memory costs
//! a page fault for each 4 KiB, which is more than the read itself.

use std::fmt;
use std::sync::Arc;

use trunkline_types::Result;
use trunkline_types::sync::{Mutex, lock};

use crate::limits;

/// Buffers that are used again, at most `limits::SEALED_BUFFERS_KEPT`.
#[derive(Debug, Default)]
pub(crate) struct BufferPool {
    free: Mutex<Vec<Vec<u8>>>,
}

impl BufferPool {
    /// A buffer of `length` bytes that `read` has filled.
    pub(crate) fn filled(
        self: &Arc<Self>,
        length: usize,
        read: impl FnOnce(&mut [u8]) -> Result<()>,
    ) -> Result<Arc<ReadBuffer>> {
        let mut bytes = lock(&self.free).pop().unwrap_or_default();
        if bytes.len() < length {
            bytes.clear();
            bytes.resize(length, 0);
        }
        let mut buffer = ReadBuffer { bytes, length, pool: Arc::clone(self) };
        read(&mut buffer.bytes[..length])?;
        Ok(Arc::new(buffer))
    }
}

/// Bytes of a sealed file that were read together.
pub struct ReadBuffer {
    /// May be longer: a buffer is not cleared for the next read.
    bytes: Vec<u8>,
    length: usize,
    pool: Arc<BufferPool>,
}

impl ReadBuffer {
    /// What was read.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The memory that it takes.
    pub fn memory(&self) -> usize {
        self.bytes.len()
    }

    /// Where `part` starts in the buffer that it was borrowed from.
    #[inline]
    pub fn offset_of(&self, part: &[u8]) -> Option<usize> {
        let offset = (part.as_ptr() as usize).checked_sub(self.bytes.as_ptr() as usize)?;
        (offset + part.len() <= self.length).then_some(offset)
    }
}

impl Drop for ReadBuffer {
    fn drop(&mut self) {
        if self.bytes.len() > limits::SEALED_READ_BYTES_MAX {
            return;
        }
        let mut free = lock(&self.pool.free);
        if free.len() < limits::SEALED_BUFFERS_KEPT {
            free.push(std::mem::take(&mut self.bytes));
        }
    }
}

impl fmt::Debug for ReadBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadBuffer").field("bytes", &self.length).finish_non_exhaustive()
    }
}
