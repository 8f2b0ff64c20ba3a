//! Threads that arm and sweep at once: every entry fires, once, and never early.
#![cfg(not(loom))]

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use trunkline_timer::{Swept, Timers};

#[test]
fn every_entry_armed_by_any_thread_fires_once_and_not_early() {
    const THREADS: u64 = 4;
    const EACH: u64 = if cfg!(miri) { 60 } else { 20_000 };
    let timers = Timers::new(0);
    let clock = AtomicU64::new(0);
    let fired: Vec<AtomicUsize> = (0..THREADS * EACH).map(|_| AtomicUsize::new(0)).collect();
    let sweep = |timers: &Timers<u64>| {
        let now = clock.fetch_add(1, Ordering::Relaxed);
        if timers.is_due(now) {
            timers.sweep(now, 64, |key, now| {
                // Keys tell their time: 0 to 499 ms after they were armed.
                assert!(key % 500 <= now, "key {key} fired at {now}");
                fired[key as usize].fetch_add(1, Ordering::Relaxed);
                None
            });
        }
    };
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (timers, sweep) = (&timers, &sweep);
            scope.spawn(move || {
                for key in thread * EACH..(thread + 1) * EACH {
                    timers.arm(key, key % 500);
                    if key.is_multiple_of(3) {
                        sweep(timers);
                    }
                }
            });
        }
    });
    while timers.next_due().is_some() {
        sweep(&timers);
    }
    assert!(fired.iter().all(|count| count.load(Ordering::Relaxed) == 1));
}

#[test]
fn a_sweep_that_is_going_on_holds_up_no_push() {
    let timers = Timers::new(0);
    timers.arm((), 1);
    let swept = AtomicBool::new(false);
    timers.sweep(1, 10, |(), _| {
        // From inside a sweep: another thread finds the wheel taken and goes on.
        thread::scope(|scope| {
            let other = scope.spawn(|| timers.sweep(1, 10, |(), _| panic!("fired twice")));
            let result = other.join().expect("no panic");
            assert_eq!(result, Swept { fired: 0, more: true });
            scope.spawn(|| timers.arm((), 5));
        });
        swept.store(true, Ordering::Relaxed);
        None
    });
    assert!(swept.load(Ordering::Relaxed));
    assert!(!timers.is_due(4) && timers.is_due(5), "what was armed meanwhile is not forgotten");
}

#[test]
fn a_bounded_sweep_says_that_more_is_due() {
    let timers = Timers::new(0);
    timers.arm_many(&(0..20).map(|key| (key, 7)).collect::<Vec<_>>());
    let mut fired = Vec::new();
    let mut sweeps = 0;
    while timers.is_due(7) {
        timers.sweep(7, 8, |key, _| {
            fired.push(key);
            None
        });
        sweeps += 1;
    }
    assert_eq!(fired, (0..20).collect::<Vec<_>>());
    assert!(sweeps >= 3);
    assert_eq!(timers.next_due(), None);
}

#[test]
fn a_panic_in_a_callback_loses_only_its_own_entry() {
    let timers = Timers::new(0);
    timers.arm_many(&[(1, 5), (2, 5), (3, 6)]);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        timers.sweep_all(6, |key, _| {
            assert!(key != 1, "the callback of key 1 fails");
            None
        });
    }));
    assert!(result.is_err());
    assert!(timers.is_due(6), "what is left is still due");
    let mut fired = Vec::new();
    timers.sweep_all(6, |key, _| {
        fired.push(key);
        None
    });
    assert_eq!(fired, [2, 3]);
}

#[test]
fn what_was_never_swept_is_freed_with_the_timers() {
    let timers = Timers::new(0);
    for key in 0..100 {
        timers.arm(key, key);
    }
    drop(timers);
}
