//! One word that all waiters of a batch sleep on, so that one system call wakes them together.
//!
//! Invariant: whoever changes what waiters look at calls `advance` afterwards. A waiter reads the
//! epoch first, then looks, then sleeps only while the epoch is still the one it read.

use trunkline_vocabulary::sync::atomic::{AtomicU32, Ordering};

#[derive(Debug)]
pub(crate) struct Epoch {
    word: AtomicU32,
    waiters: AtomicU32,
}

impl Epoch {
    pub(crate) fn new() -> Self {
        Self { word: AtomicU32::new(0), waiters: AtomicU32::new(0) }
    }

    /// The epoch, to be read before looking at the state.
    pub(crate) fn now(&self) -> u32 {
        self.word.load(Ordering::SeqCst)
    }

    /// Sleeps until the epoch is another than `seen`. May return early.
    pub(crate) fn wait(&self, seen: u32) {
        // Before the word is compared: either `advance` sees this waiter, or it sees the new word.
        self.waiters.fetch_add(1, Ordering::SeqCst);
        sleep(&self.word, seen);
        self.waiters.fetch_sub(1, Ordering::SeqCst);
    }

    /// Starts the next epoch and wakes everybody.
    pub(crate) fn advance(&self) {
        self.word.fetch_add(1, Ordering::SeqCst);
        if self.waiters.load(Ordering::SeqCst) > 0 {
            wake(&self.word);
        }
    }

    /// How many sleep, or are about to.
    pub(crate) fn waiters(&self) -> u32 {
        self.waiters.load(Ordering::Relaxed)
    }
}

#[cfg(not(loom))]
fn sleep(word: &AtomicU32, seen: u32) {
    atomic_wait::wait(word, seen);
}

#[cfg(not(loom))]
fn wake(word: &AtomicU32) {
    atomic_wait::wake_all(word);
}

#[cfg(loom)]
fn sleep(word: &AtomicU32, seen: u32) {
    while word.load(Ordering::SeqCst) == seen {
        loom::thread::yield_now();
    }
}

#[cfg(loom)]
fn wake(_word: &AtomicU32) {}
