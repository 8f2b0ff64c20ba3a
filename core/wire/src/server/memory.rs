//! Room for large bodies: what callers send slowly, and what they do not read, must not fill the
//! memory of the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// Bodies below this size are not counted: the limits of connections and of streams bound them.
pub(super) const COUNTED_BYTES_MIN: usize = 64 * 1024;

/// Bytes of large bodies that are held at the moment, over all connections.
pub(crate) struct Memory {
    used: AtomicUsize,
    max: usize,
}

impl Memory {
    pub fn new(max: usize) -> Self {
        Self { used: AtomicUsize::new(0), max }
    }

    /// Whether large bodies have filled the room.
    pub fn is_full(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.max
    }
}

/// What one body takes of the room; given back when it is dropped.
pub(super) struct Share {
    memory: Arc<Memory>,
    bytes: usize,
}

impl Share {
    pub fn none(memory: &Arc<Memory>) -> Self {
        Self { memory: memory.clone(), bytes: 0 }
    }

    /// How much it has taken.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes so much more; whether there was room for it. It is counted in any case, because the
    /// bytes are there.
    pub fn take(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        self.memory.used.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.memory.max
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.memory.used.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

/// An answer's body, which counts until it is written or thrown away.
pub(super) fn counted(memory: &Arc<Memory>, body: Vec<u8>) -> Bytes {
    if body.len() < COUNTED_BYTES_MIN {
        return Bytes::from(body);
    }
    let mut share = Share::none(memory);
    // An answer that is there is given: its messages are leased already. Full is said to the next.
    share.take(body.capacity());
    Bytes::from_owner(Counted { body, _share: share })
}

struct Counted {
    body: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_counts_for_as_long_as_it_is_held() {
        let memory = Arc::new(Memory::new(2 * COUNTED_BYTES_MIN));
        drop(counted(&memory, vec![0; 8]));
        let small = counted(&memory, vec![0; 8]);
        assert!(!memory.is_full());
        let held: Vec<Bytes> =
            (0..2).map(|_| counted(&memory, vec![0; COUNTED_BYTES_MIN])).collect();
        assert!(memory.is_full());
        let part = held[1].slice(1..2);
        drop(held);
        assert!(!memory.is_full());
        assert_eq!(memory.used.load(Ordering::Relaxed), COUNTED_BYTES_MIN);
        drop((part, small));
        assert_eq!(memory.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_share_says_when_there_is_no_room() {
        let memory = Arc::new(Memory::new(10));
        let mut share = Share::none(&memory);
        assert!(share.take(10));
        assert!(!share.take(1));
        drop(share);
        assert!(Share::none(&memory).take(10));
    }
}
