//! One word that all waiters of a batch sleep on, so that one system call wakes all of them.
//!
//! Invariant: a thread that changes the state that waiters look at calls `advance` afterwards. A
//! waiter reads the epoch, then looks at the state, then sleeps only while the epoch is unchanged.

use trunkline_types::sync::atomic::{AtomicU32, Ordering, fence};

#[derive(Debug)]
pub(crate) struct Epoch {
    word: AtomicU32,
    waiters: AtomicU32,
    #[cfg(loom)]
    futex: Futex,
}

impl Epoch {
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU32::new(0),
            waiters: AtomicU32::new(0),
            #[cfg(loom)]
            futex: Futex::default(),
        }
    }

    /// The current epoch. Read it before looking at the state.
    pub(crate) fn now(&self) -> u32 {
        self.word.load(Ordering::SeqCst)
    }

    /// Sleeps while the epoch is `seen`. May return early.
    pub(crate) fn wait(&self, seen: u32) {
        // With the fence in `advance`: either that sees this waiter, or this sees the new word.
        self.waiters.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.sleep(seen);
        self.waiters.fetch_sub(1, Ordering::SeqCst);
    }

    /// Starts the next epoch and wakes all waiters.
    pub(crate) fn advance(&self) {
        self.word.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if self.waiters.load(Ordering::SeqCst) > 0 {
            self.wake();
        }
    }

    /// How many threads sleep or are about to.
    pub(crate) fn waiters(&self) -> u32 {
        self.waiters.load(Ordering::Relaxed)
    }
}

#[cfg(not(loom))]
impl Epoch {
    fn sleep(&self, seen: u32) {
        atomic_wait::wait(&self.word, seen);
    }

    fn wake(&self) {
        atomic_wait::wake_all(&self.word);
    }
}

/// Simulates the futex of the kernel: compares the word and sleeps in one step, under a lock.
#[cfg(loom)]
#[derive(Debug, Default)]
struct Futex {
    queue: trunkline_types::sync::Mutex<()>,
    woken: trunkline_types::sync::Condvar,
}

#[cfg(loom)]
impl Epoch {
    fn sleep(&self, seen: u32) {
        let queue = trunkline_types::sync::lock(&self.futex.queue);
        if self.word.load(Ordering::SeqCst) == seen {
            drop(self.futex.woken.wait(queue));
        }
    }

    fn wake(&self) {
        let _queue = trunkline_types::sync::lock(&self.futex.queue);
        self.futex.woken.notify_all();
    }
}

/// `make test-loom` runs a bounded form, `make test-loom-all` all of it.
#[cfg(all(test, loom))]
mod tests {
    use super::*;
    use trunkline_types::sync::atomic::AtomicU64;
    use trunkline_types::sync::{Arc, Mutex, try_lock};

    /// The protocol of a commit: check, lead if there is no leader, sleep otherwise. Loom reports a
    /// waiter that is never woken as a deadlock.
    fn commit(lead: &Mutex<()>, settled: &AtomicU64, epoch: &Epoch, ticket: u64) {
        loop {
            let seen = epoch.now();
            if settled.load(Ordering::SeqCst) >= ticket {
                return;
            }
            match try_lock(lead) {
                Some(leader) => {
                    settled.fetch_max(ticket, Ordering::SeqCst);
                    drop(leader);
                    epoch.advance();
                }
                None => epoch.wait(seen),
            }
        }
    }

    #[test]
    fn loom_no_committer_sleeps_for_ever() {
        let mut model = loom::model::Builder::new();
        // `LOOM_MAX_PREEMPTIONS` may lower the bound.
        model.preemption_bound = Some(model.preemption_bound.map_or(3, |bound| bound.min(3)));
        model.check(|| {
            let shared = Arc::new((Mutex::new(()), AtomicU64::new(0), Epoch::new()));
            let threads: Vec<_> = (1..=2)
                .map(|ticket| {
                    let shared = Arc::clone(&shared);
                    loom::thread::spawn(move || commit(&shared.0, &shared.1, &shared.2, ticket))
                })
                .collect();
            commit(&shared.0, &shared.1, &shared.2, 3);
            threads.into_iter().for_each(|thread| thread.join().expect("returned"));
        });
    }
}
