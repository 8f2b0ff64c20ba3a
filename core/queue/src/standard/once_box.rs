//! A box that is filled at most once, by the first thread that tries, and never makes one wait.
//!
//! `OnceLock` lets later callers sleep until the first has finished. Here every caller that finds
//! nothing makes a value of its own; one wins, the others drop theirs.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ptr;

use trunkline_types::sync::atomic::{AtomicPtr, Ordering};

/// Empty, or the owner of one boxed value that stays until the owner is dropped.
#[derive(Debug)]
pub(super) struct OnceBox<T> {
    pointer: AtomicPtr<T>,
    owns: PhantomData<Box<T>>,
}

impl<T> OnceBox<T> {
    pub(super) fn empty() -> Self {
        Self { pointer: AtomicPtr::new(ptr::null_mut()), owns: PhantomData }
    }

    /// The value, if there is one.
    #[inline]
    pub(super) fn get(&self) -> Option<&T> {
        let pointer = self.pointer.load(Ordering::Acquire);
        // SAFETY: the pointer is null or came from `Box::into_raw` in `get_or_make`, was published
        // with Release, is never replaced, and is freed only by `drop`, which needs `&mut self`.
        unsafe { pointer.as_ref() }
    }

    /// The value; made by `make` when there is none.
    pub(super) fn get_or_make(&self, make: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let made = Box::into_raw(Box::new(make()));
        let first = self.pointer.compare_exchange(
            ptr::null_mut(),
            made,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        let pointer = match first {
            Ok(_) => made,
            Err(winner) => {
                // SAFETY: `made` was never shared.
                drop(unsafe { Box::from_raw(made) });
                winner
            }
        };
        // SAFETY: as in `get`; not null on both paths.
        unsafe { &*pointer }
    }
}

impl<T> Drop for OnceBox<T> {
    fn drop(&mut self) {
        let pointer = self.pointer.load(Ordering::Acquire);
        if !pointer.is_null() {
            // SAFETY: it came from `Box::into_raw`, and `&mut self` proves that no other
            // reference exists.
            drop(unsafe { Box::from_raw(pointer) });
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn racing_makers_agree_on_one_value() {
        let cell = &OnceBox::empty();
        let seen: Vec<usize> = std::thread::scope(|scope| {
            let makers: Vec<_> =
                (0..4).map(|number| scope.spawn(move || *cell.get_or_make(|| number))).collect();
            makers.into_iter().map(|maker| maker.join().expect("no panic")).collect()
        });
        assert!(seen.iter().all(|value| Some(value) == cell.get()));
    }
}
