//! Asks the processor for memory that will be read soon, so that the waits for several places
//! overlap. It is a hint: nothing is read, and processors without one ignore it.
//!
//! `unsafe` is needed because the instruction takes an address.

/// Asks for the cache line of `bytes[at]`; for nothing if `at` lies behind the end.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
#[inline(always)]
pub(super) fn prefetch<T>(items: &[T], at: usize) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    if let Some(item) = items.get(at) {
        // SAFETY: a prefetch accesses no memory as far as the program can tell, whatever the
        // address; this one is that of an element.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(item).cast()) };
    }
}

/// Does nothing: there is no such hint in stable Rust for this processor.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(super) fn prefetch<T>(_items: &[T], _at: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_taken_for_any_place() {
        let items = [1_u64, 2, 3];
        [0, 2, 3, usize::MAX].into_iter().for_each(|at| prefetch(&items, at));
        prefetch::<u64>(&[], 0);
        assert_eq!(items, [1, 2, 3]);
    }
}
