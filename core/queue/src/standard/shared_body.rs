//! A body in memory that messages of several queues share.
//!
//! A fan-out to a thousand queues writes its body once: each slot keeps the address, and the block
//! counts those that are not over. The count is set for all of them at once, before the first slot
//! is written, so a send costs no step of its own on it.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::fmt;
use std::ptr;

use trunkline_types::sync::atomic::{AtomicU32, Ordering, fence};

/// Each log counts its share of the bytes as its own, but for a share that is smaller than this:
/// to count it would cost a send as much as the rest of its bookkeeping.
const SHARE_BYTES_MIN: usize = 16;

/// What the addresses of a shared body lead to.
struct Block {
    /// Messages that are not over, references that are not used up, and one for the
    /// [`SharedBody`].
    references: AtomicU32,
    /// What each log counts of the bytes as its own; see [`SHARE_BYTES_MIN`].
    share: usize,
    bytes: Box<[u8]>,
}

/// A body for up to a number of messages. Dropped, it gives back what they did not use.
pub struct SharedBody {
    address: usize,
    unused: Cell<u32>,
}

impl SharedBody {
    /// A body for up to `messages` messages.
    pub fn new(body: &[u8], messages: u32) -> Self {
        let share = body.len().div_ceil(messages.max(1) as usize);
        let block = Box::new(Block {
            references: AtomicU32::new(messages + 1),
            share: if share < SHARE_BYTES_MIN { 0 } else { share },
            bytes: body.into(),
        });
        Self { address: Box::into_raw(block).expose_provenance(), unused: Cell::new(messages) }
    }

    /// The body.
    pub fn bytes(&self) -> &[u8] {
        &block(self, self.address).bytes
    }

    /// One reference, for a slot: it is to be given to [`release`] once.
    #[inline]
    pub(super) fn refer(&self) -> usize {
        let unused = self.unused.get();
        assert!(unused > 0, "more messages share a body than it was made for");
        self.unused.set(unused - 1);
        self.address
    }

    /// The slot did not take the reference that [`Self::refer`] returned.
    pub(super) fn take_back(&self) {
        self.unused.set(self.unused.get() + 1);
    }

    /// What a log counts of the bytes as its own.
    #[inline]
    pub(super) fn share(&self) -> usize {
        block(self, self.address).share
    }
}

impl Drop for SharedBody {
    fn drop(&mut self) {
        let left = self.unused.get() + 1;
        release(self.address, left);
    }
}

impl fmt::Debug for SharedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBody").field("len", &self.bytes().len()).finish_non_exhaustive()
    }
}

/// The bytes at an address. Only for the thread that holds the slot claimed, and as long as it
/// does; `owner` bounds the borrow.
pub(super) fn read_shared<T: ?Sized>(owner: &T, address: usize) -> &[u8] {
    &block(owner, address).bytes
}

/// Gives one reference back; returns what the log counted of the bytes. Only for the thread whose
/// compare-and-swap ended the slot.
pub(super) fn release_one(address: usize) -> usize {
    let share = block(&address, address).share;
    release(address, 1);
    share
}

fn release(address: usize, count: u32) {
    if block(&address, address).references.fetch_sub(count, Ordering::Release) != count {
        return;
    }
    // What the other holders did with the bytes comes before their end.
    fence(Ordering::Acquire);
    let block = ptr::with_exposed_provenance_mut::<Block>(address);
    // SAFETY: made by `SharedBody::new`; these were the last references, so no other thread has
    // the address any more, and the count reaches zero once.
    drop(unsafe { Box::from_raw(block) });
}

fn block<T: ?Sized>(_owner: &T, address: usize) -> &Block {
    // SAFETY: the address came from `SharedBody::new`, and the caller holds one of the references
    // that keep the block: its own, or that of the slot it has claimed or ended.
    unsafe { &*ptr::with_exposed_provenance::<Block>(address) }
}
