//! The thread that fires timers and runs jobs while no verb is called. It starts with the first
//! waiter, or the first job, on a system clock; without either nothing needs it, because every verb
//! looks at the timers itself.
//!
//! Invariant: `arm` publishes its entry, then reads `asleep_until`; the ticker publishes
//! `asleep_until`, then reads the next due time. So an entry that is due earlier is never slept
//! over.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

use trunkline_journal::Signal;
use trunkline_types::Millis;
use trunkline_types::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::Host;
use crate::waiters::Parker;

const AWAKE: Millis = 0;
// A sleeper looks again at least this often, to notice that the engine is gone.
const NAP_MAX: Millis = 10_000;
/// So that a timer that panics again and again does not take a whole processor.
const NAP_AFTER_PANIC: Millis = 100;
/// A job may wait for so long, so that the verb which fired its timer need not wake the ticker.
const SOON: Millis = 2;

/// The thread that fires timers, and whether a thread waits for it.
#[derive(Default)]
pub struct Ticker {
    started: AtomicBool,
    asleep_until: AtomicU64,
    waiting: AtomicUsize,
    parker: Arc<Parker>,
}

impl Ticker {
    /// Has timers fire in time until [`Ticker::leave`]. Starts the thread at the first need. A
    /// virtual clock needs none: who moves it fires the timers.
    pub fn enter(host: &Arc<Host>) {
        if host.clock.is_virtual() || host.ticker.waiting.fetch_add(1, Ordering::SeqCst) > 0 {
            return;
        }
        // When no thread can be started, waiters still see what is sent; what falls due is seen at
        // the next verb.
        let _started = Self::request(host);
    }

    /// Whether the thread wakes by itself in a moment. A signal to a sleeper is a system call.
    pub(crate) fn wakes_soon(&self, now: Millis) -> bool {
        let until = self.asleep_until.load(Ordering::SeqCst);
        until != AWAKE && until <= now + SOON
    }

    /// Wakes the thread, and starts it at the first need; whether there is one.
    pub(crate) fn request(host: &Arc<Host>) -> bool {
        let ticker = &host.ticker;
        if ticker.started.swap(true, Ordering::SeqCst) {
            ticker.parker.signal();
            return true;
        }
        let (weak, parker) = (Arc::downgrade(host), ticker.parker.clone());
        let thread = std::thread::Builder::new().name("trunkline-ticker".into());
        let started = thread.spawn(move || run(&weak, &parker)).is_ok();
        if !started {
            ticker.started.store(false, Ordering::SeqCst);
        }
        started
    }

    /// Ends what [`Ticker::enter`] began.
    pub fn leave(host: &Host) {
        if !host.clock.is_virtual() {
            host.ticker.waiting.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// A timer entry for `at` was added.
    #[inline]
    pub(crate) fn armed(&self, at: Millis) {
        if at < self.asleep_until.load(Ordering::SeqCst) {
            self.parker.signal();
        }
    }

    /// What wakes the thread.
    pub(crate) fn parker(&self) -> Arc<Parker> {
        self.parker.clone()
    }

    pub(crate) fn stop(&self) {
        self.parker.signal();
    }
}

fn run(host: &Weak<Host>, parker: &Parker) {
    loop {
        let nap = {
            let Some(host) = host.upgrade() else { return };
            if host.gate.is_closed() || host.gate.is_forked() {
                return;
            }
            // A panic of a timer or a job ends that one and not the thread, which others wait for.
            let round = AssertUnwindSafe(|| {
                host.fire_due(host.now());
                host.run_jobs();
                if host.bodies().take_removal_due() {
                    // What cannot be removed is tried again by the next verb that gives one up.
                    let _removed = host.remove_unused_bodies();
                }
            });
            match catch_unwind(round) {
                Ok(()) => nap(&host),
                Err(_) => NAP_AFTER_PANIC,
            }
        };
        // The engine is not held while asleep, so that dropping it closes it.
        parker.park(Duration::from_millis(nap));
        if let Some(host) = host.upgrade() {
            host.ticker.asleep_until.store(AWAKE, Ordering::SeqCst);
        }
    }
}

fn nap(host: &Host) -> Millis {
    let ticker = &host.ticker;
    if ticker.waiting.load(Ordering::SeqCst) == 0 {
        return NAP_MAX;
    }
    let now = host.clock.now();
    ticker.asleep_until.store(now + NAP_MAX, Ordering::SeqCst);
    let nap = match host.timers.next_due() {
        // The clock is coarse: one millisecond more, or the ticker would look too early and spin.
        Some(due) => (due.saturating_sub(now) + 1).min(NAP_MAX),
        None => NAP_MAX,
    };
    // Lowered behind the look: an entry that is due later than this needs no signal.
    ticker.asleep_until.store(now + nap, Ordering::SeqCst);
    nap
}
