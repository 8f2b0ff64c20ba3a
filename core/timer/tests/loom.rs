//! Every interleaving of arming and sweeping, by loom.
//! `make test-loom` runs a bounded form, `make test-loom-all` all of it.
#![cfg(loom)]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use trunkline_timer::Timers;

/// Sweeps until nothing is due; returns how many fired.
fn sweep(timers: &Timers<u32>, fired: &[AtomicUsize; 2]) {
    timers.sweep(10, usize::MAX, |key, _| {
        fired[key as usize].fetch_add(1, Ordering::Relaxed);
        None
    });
}

fn check(run: impl Fn(Arc<Timers<u32>>, Arc<[AtomicUsize; 2]>) + Sync + Send + 'static) {
    loom::model(move || {
        let timers = Arc::new(Timers::new(0));
        let fired = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        run(Arc::clone(&timers), Arc::clone(&fired));
        // IMPORTANT: guarded as verbs guard it, so a lost lower bound of `next_due` is found.
        while timers.is_due(10) {
            sweep(&timers, &fired);
        }
        assert_eq!(fired[0].load(Ordering::Relaxed), 1, "entry 0");
        assert_eq!(fired[1].load(Ordering::Relaxed), 1, "entry 1");
        assert_eq!(timers.next_due(), None);
    });
}

#[test]
fn two_pushes_and_a_sweep_lose_nothing_and_double_nothing() {
    check(|timers, fired| {
        let first = thread::spawn({
            let timers = Arc::clone(&timers);
            move || timers.arm(0, 5)
        });
        let second = thread::spawn({
            let timers = Arc::clone(&timers);
            move || timers.arm(1, 3)
        });
        sweep(&timers, &fired);
        first.join().expect("no panic");
        second.join().expect("no panic");
    });
}

#[test]
fn two_sweeps_and_a_push_fire_each_entry_once() {
    check(|timers, fired| {
        timers.arm(0, 5);
        let sweeper = thread::spawn({
            let (timers, fired) = (Arc::clone(&timers), Arc::clone(&fired));
            move || sweep(&timers, &fired)
        });
        let pusher = thread::spawn({
            let timers = Arc::clone(&timers);
            move || timers.arm(1, 6)
        });
        sweep(&timers, &fired);
        sweeper.join().expect("no panic");
        pusher.join().expect("no panic");
    });
}

#[test]
fn asking_for_the_next_time_during_a_push_never_hides_the_entry() {
    check(|timers, _| {
        let pusher = thread::spawn({
            let timers = Arc::clone(&timers);
            move || {
                timers.arm(0, 5);
                timers.arm(1, 4);
            }
        });
        let seen = timers.next_due();
        assert!(matches!(seen, None | Some(4 | 5)), "{seen:?}");
        pusher.join().expect("no panic");
        assert_eq!(timers.next_due(), Some(4));
    });
}
