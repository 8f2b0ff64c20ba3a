//! Bytes of bodies: the region of a page, and boxes of their own for large ones.
//!
//! The bytes are plain memory, so the protocol of the slots has to keep readers and writers apart:
//! - a span of the region is written only by the sender that reserved it, before it publishes;
//! - it is read only by the thread that holds the slot claimed, which acquired the publishing;
//! - it is reserved again only after the page was recycled, which happens after every slot of it
//!   is over, and each step to that point releases what the thread before did.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr;
use std::slice;

use trunkline_types::sync::atomic::{AtomicPtr, Ordering};

use super::slot::Slot;

/// The region of a page: allocated when the first body comes, and not zeroed, so that memory is
/// touched only as far as it is used. What was not written is not read.
#[derive(Debug)]
pub(super) struct Region {
    start: AtomicPtr<u8>,
    bytes: usize,
}

impl Region {
    pub(super) fn new(bytes: u32) -> Self {
        Self { start: AtomicPtr::new(ptr::null_mut()), bytes: bytes as usize }
    }

    /// How many bytes it can hold.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.bytes
    }

    pub(super) fn allocated(&self) -> usize {
        if self.start.load(Ordering::Relaxed).is_null() { 0 } else { self.bytes }
    }

    /// Writes `pieces` from `offset` on. Only for the sender that reserved that span.
    #[inline]
    pub(super) fn write(&self, offset: u32, pieces: &[&[u8]]) {
        let mut at = offset as usize;
        let start = self.start();
        for piece in pieces {
            assert!(piece.len() <= self.bytes - at, "a body outgrew its region");
            // SAFETY: the target lies inside the allocation by the assertion; the span belongs to
            // this sender alone (see the head of the file), so nothing else touches or overlaps it.
            unsafe { ptr::copy_nonoverlapping(piece.as_ptr(), start.add(at), piece.len()) };
            at += piece.len();
        }
    }

    /// The bytes from `offset` on. Only for the thread that holds the slot of that span claimed,
    /// and only as long as it does.
    #[inline]
    pub(super) fn read(&self, offset: u32, len: u32) -> &[u8] {
        let (offset, len) = (offset as usize, len as usize);
        assert!(offset + len <= self.bytes, "a body lies outside its region");
        let start = self.start.load(Ordering::Acquire);
        if start.is_null() {
            return &[];
        }
        // SAFETY: inside the allocation by the assertion; the sender wrote all `len` bytes before
        // it published the slot; the claim keeps the page from being recycled and so the span from
        // writers.
        unsafe { slice::from_raw_parts(start.add(offset), len) }
    }

    #[inline]
    fn start(&self) -> *mut u8 {
        let start = self.start.load(Ordering::Acquire);
        if start.is_null() { self.allocate() } else { start }
    }

    #[cold]
    fn allocate(&self) -> *mut u8 {
        let layout = self.layout();
        // SAFETY: the layout has a size above zero: regions are sized by the table of page classes.
        let made = unsafe { alloc(layout) };
        if made.is_null() {
            handle_alloc_error(layout);
        }
        let (null, order) = (ptr::null_mut(), Ordering::AcqRel);
        match self.start.compare_exchange(null, made, order, Ordering::Acquire) {
            Ok(_) => made,
            Err(winner) => {
                // SAFETY: made above with this layout and never shared.
                unsafe { dealloc(made, layout) };
                winner
            }
        }
    }

    fn layout(&self) -> Layout {
        // IMPORTANT: no stricter than the allocator's own alignment. Above it zeroed memory is had
        // by writing zeros, which touches what may never be used.
        Layout::from_size_align(self.bytes, 8).unwrap_or_else(|_| Layout::new::<u64>())
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        let start = self.start.load(Ordering::Acquire);
        if !start.is_null() {
            // SAFETY: allocated by `allocate` with this layout; `&mut self` proves that no other
            // reference exists.
            unsafe { dealloc(start, self.layout()) };
        }
    }
}

/// Moves `pieces` into a box of its own; the address is to be given to [`free_heap`] once.
pub(super) fn store_heap(pieces: &[&[u8]]) -> usize {
    let bytes: Box<[u8]> = pieces.concat().into_boxed_slice();
    Box::into_raw(bytes).cast::<u8>().expose_provenance()
}

/// The bytes of a box. Only for the thread that holds the slot claimed, and as long as it does;
/// `owner` bounds the borrow.
pub(super) fn read_heap<T: ?Sized>(_owner: &T, address: usize, len: u32) -> &[u8] {
    let start = ptr::with_exposed_provenance::<u8>(address);
    // SAFETY: the address came from `store_heap` with this length (both are written together by
    // the sender), and the box is freed only by the thread that ends the slot, which is the
    // claiming one as long as the slot is claimed.
    unsafe { slice::from_raw_parts(start, len as usize) }
}

/// Frees a box. Only for the thread whose compare-and-swap ended the slot.
pub(super) fn free_heap(address: usize, len: u32) {
    let start = ptr::with_exposed_provenance_mut::<u8>(address);
    // SAFETY: made by `store_heap` with this length; a slot ends once, so it is freed once.
    drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(start, len as usize)) });
}

/// `count` slots that were never used. Fresh pages of memory stay untouched.
#[cfg(not(loom))]
pub(super) fn fresh_slots(count: u32) -> Box<[Slot]> {
    let fresh = Box::<[Slot]>::new_zeroed_slice(count as usize);
    // SAFETY: a slot is made of atomic integers, for which all-zero bytes are a valid value.
    unsafe { fresh.assume_init() }
}

/// `count` slots that were never used.
#[cfg(loom)]
pub(super) fn fresh_slots(count: u32) -> Box<[Slot]> {
    (0..count).map(|_| Slot::new()).collect()
}
