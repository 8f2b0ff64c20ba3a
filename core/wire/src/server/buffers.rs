//! The memory of bodies that come in several pieces. It is used again: an allocator gives a buffer
//! of this size back to the system, and to fill it anew costs more than to copy the body.

use trunkline_types::sync::{Mutex, lock};

/// Buffers that are kept, and their largest size.
const KEPT_MAX: usize = 8;
const BYTES_MAX: usize = 2 << 20;

/// Buffers that are not in use.
#[derive(Debug, Default)]
pub(super) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// An empty buffer.
    pub fn take(&self) -> Vec<u8> {
        lock(&self.0).pop().unwrap_or_default()
    }

    /// Keeps a buffer for the next body.
    pub fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut kept = lock(&self.0);
        if buffer.capacity() <= BYTES_MAX && kept.len() < KEPT_MAX {
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_of_usual_sizes_are_used_again_and_others_are_not() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take();
        buffer.extend_from_slice(b"secret");
        buffers.give_back(buffer);
        let again = buffers.take();
        assert!(again.is_empty() && again.capacity() >= 6);
        buffers.give_back(Vec::with_capacity(BYTES_MAX + 1));
        assert_eq!(buffers.take().capacity(), 0);
        (0..2 * KEPT_MAX).for_each(|_| buffers.give_back(Vec::with_capacity(9)));
        assert_eq!(lock(&buffers.0).len(), KEPT_MAX);
    }
}
