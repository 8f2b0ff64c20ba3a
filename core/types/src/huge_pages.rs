//! Asks the system for huge pages below memory that will be filled from its start to its end. A
//! page fault costs about as much as filling the page, and a huge page takes one instead of 512.

use std::mem::MaybeUninit;

/// The size of a huge page on the machines that have them by default.
pub const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Asks for huge pages in that part of `memory` which holds whole ones. A wish: a system that does
/// not follow it gives small pages, as always.
pub fn wish_huge_pages(memory: &mut [MaybeUninit<u8>]) {
    #[cfg(target_os = "linux")]
    {
        let start = memory.as_mut_ptr();
        let skipped = start.align_offset(HUGE_PAGE_BYTES);
        let Some(rest) = memory.len().checked_sub(skipped) else { return };
        let whole = rest / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
        if whole == 0 {
            return;
        }
        // SAFETY: the range lies within `memory`, which is borrowed exclusively, and the advice
        // changes none of its bytes.
        #[allow(unsafe_code)]
        unsafe {
            libc::madvise(start.add(skipped).cast(), whole, libc::MADV_HUGEPAGE)
        };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_any_size_and_place_may_be_wished_for_and_is_usable() {
        for bytes in [0, 1, HUGE_PAGE_BYTES - 1, HUGE_PAGE_BYTES, 3 * HUGE_PAGE_BYTES] {
            let mut memory: Vec<u8> = Vec::with_capacity(bytes);
            wish_huge_pages(memory.spare_capacity_mut());
            memory.resize(bytes, 7);
            assert!(memory.iter().all(|byte| *byte == 7));
        }
    }
}
