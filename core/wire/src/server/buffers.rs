//! The memory of bodies that come in several pieces. It is used again: an allocator gives a buffer
//! of this size back to the system, and to fill it anew costs more than to copy the body.

use trunkline_types::sync::{Mutex, lock};

/// The largest buffer that is kept, and what all of them may take: a body of each of some twenty
/// connections is put together at the same time.
const BYTES_MAX: usize = 2 << 20;
const KEPT_BYTES_MAX: usize = 16 << 20;

/// Buffers that are not in use.
#[derive(Debug, Default)]
pub(super) struct Buffers(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

impl Buffers {
    /// An empty buffer.
    pub fn take(&self) -> Vec<u8> {
        let mut kept = lock(&self.0);
        let buffer = kept.buffers.pop().unwrap_or_default();
        kept.bytes -= buffer.capacity();
        buffer
    }

    /// Keeps a buffer for the next body.
    pub fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut kept = lock(&self.0);
        if buffer.capacity() <= BYTES_MAX && kept.bytes + buffer.capacity() <= KEPT_BYTES_MAX {
            kept.bytes += buffer.capacity();
            kept.buffers.push(buffer);
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
        let most = KEPT_BYTES_MAX / BYTES_MAX;
        (0..2 * most).for_each(|_| buffers.give_back(Vec::with_capacity(BYTES_MAX)));
        assert_eq!(lock(&buffers.0).buffers.len(), most);
        let taken: Vec<_> = (0..most).map(|_| buffers.take()).collect();
        assert_eq!(lock(&buffers.0).bytes, 0);
        taken.into_iter().for_each(|buffer| buffers.give_back(buffer));
        assert_eq!(lock(&buffers.0).buffers.len(), most);
    }
}
