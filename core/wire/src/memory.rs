//! The bound on what requests and answers hold in memory: what callers send slowly, and what they
//! do not read, must not fill the machine. Every byte counts, whatever the size of its body.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that are held at the moment, over all connections.
#[derive(Debug)]
pub(crate) struct Memory {
    used: AtomicUsize,
    max: usize,
}

impl Memory {
    pub fn new(max: usize) -> Self {
        Self { used: AtomicUsize::new(0), max }
    }

    /// Whether the bound is reached.
    pub fn is_full(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.max
    }

    /// Whether the bound is near, so that callers who keep what they hold lose it sooner.
    pub fn is_short(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.max - self.max / 4
    }
}

/// A part of the bound; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    memory: Arc<Memory>,
    bytes: usize,
}

impl Share {
    pub fn none(memory: &Arc<Memory>) -> Self {
        Self { memory: memory.clone(), bytes: 0 }
    }

    /// Takes so much more; whether the bound allows it. It is counted in any case, because the
    /// bytes are there.
    pub fn take(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        self.memory.used.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.memory.max
    }
}

impl Share {
    /// Gives back what was taken.
    pub fn release(&mut self) {
        if self.bytes > 0 {
            self.memory.used.fetch_sub(self.bytes, Ordering::Relaxed);
            self.bytes = 0;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_counts_for_as_long_as_it_is_held() {
        let memory = Arc::new(Memory::new(10));
        let mut share = Share::none(&memory);
        assert!(share.take(7) && !memory.is_short());
        assert!(share.take(3) && memory.is_full());
        assert!(!share.take(1));
        drop(share);
        assert_eq!(memory.used.load(Ordering::Relaxed), 0);
        assert!(Share::none(&memory).take(10));
    }
}
