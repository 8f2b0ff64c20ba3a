//! The run queue: work that fired timers ask for, done with no lock of the host held.
//!
//! A timer only pushes a [`Job`]. Jobs run one at a time, in order: on the ticker's thread, or on
//! the thread that moves a virtual clock. Without background threads the thread that swept runs
//! them, after the sweep.

use std::collections::VecDeque;

use trunkline_types::ResourceId;
use trunkline_types::sync::atomic::{AtomicUsize, Ordering, fence};
use trunkline_types::sync::{Mutex, MutexGuard, lock, try_lock};

/// Something to do: the number means what its owner says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// The resource, or the component, whose job it is.
    pub owner: ResourceId,
    /// Which of its jobs.
    pub task: u64,
}

/// Where the callback of one fired timer puts its jobs.
pub struct Jobs<'a> {
    pub(crate) owner: ResourceId,
    pub(crate) run_queue: &'a RunQueue,
}

impl Jobs<'_> {
    /// Has `task` run soon, for the owner of the timer.
    pub fn push(&self, task: u64) {
        self.run_queue.push(Job { owner: self.owner, task });
    }
}

#[derive(Default)]
pub(crate) struct RunQueue {
    waiting: AtomicUsize,
    jobs: Mutex<VecDeque<Job>>,
    /// Held by the thread that runs jobs, from the first to the last.
    runner: Mutex<()>,
}

impl RunQueue {
    pub fn push(&self, job: Job) {
        lock(&self.jobs).push_back(job);
        self.waiting.fetch_add(1, Ordering::Release);
        fence(Ordering::SeqCst);
    }

    /// The right to run jobs was given back. The caller looks at [`RunQueue::has_jobs`] afterwards:
    /// of a thread that pushed and found the right taken, and the one that had it, one sees the
    /// job.
    pub fn released(&self) {
        fence(Ordering::SeqCst);
    }

    /// Whether jobs wait. One load.
    #[inline]
    pub fn has_jobs(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    pub fn pop(&self) -> Option<Job> {
        let job = lock(&self.jobs).pop_front()?;
        self.waiting.fetch_sub(1, Ordering::Release);
        Some(job)
    }

    /// The right to run jobs, after the thread that has it is done.
    pub fn runner(&self) -> MutexGuard<'_, ()> {
        lock(&self.runner)
    }

    /// The same, unless another thread has it, or this one from inside a job.
    pub fn try_runner(&self) -> Option<MutexGuard<'_, ()>> {
        try_lock(&self.runner)
    }
}
