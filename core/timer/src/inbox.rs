//! The inbox: a list that any thread pushes to without waiting, and one thread empties at once.
//!
//! A push links a boxed node in front of the list with a compare-and-swap; emptying swaps the head
//! for null and so owns every node. Nodes are never unlinked one by one, so a pusher that saw an
//! old head can only fail its swap and try again: there is no ABA problem and nothing to reclaim.

// The one file of this crate that owns raw memory; see the SAFETY notes.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ptr;

use trunkline_types::Millis;
use trunkline_types::sync::atomic::{AtomicPtr, Ordering};

/// Entries a node holds, so that arming a batch costs one allocation and one swap for each seven.
const NODE_ENTRIES: usize = 7;

pub(crate) struct Inbox<K> {
    head: AtomicPtr<Node<K>>,
    // The list owns its nodes and with them the keys.
    owns: PhantomData<Box<Node<K>>>,
}

struct Node<K> {
    next: *mut Node<K>,
    len: usize,
    // The first `len` mean something, the rest repeat the first.
    entries: [(K, Millis); NODE_ENTRIES],
}

impl<K: Copy> Inbox<K> {
    pub fn new() -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()), owns: PhantomData }
    }

    /// Adds `entries`, in any number of steps. Never waits for another thread.
    pub fn push(&self, entries: &[(K, Millis)]) {
        for part in entries.chunks(NODE_ENTRIES) {
            let mut node = Box::new(Node {
                next: ptr::null_mut(),
                len: part.len(),
                entries: [part[0]; NODE_ENTRIES],
            });
            node.entries[..part.len()].copy_from_slice(part);
            self.link(Box::into_raw(node));
        }
    }

    fn link(&self, node: *mut Node<K>) {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // SAFETY: `node` came from `Box::into_raw` and is not in the list yet: it is ours
            // alone.
            unsafe { (*node).next = head };
            // Release: who takes the list sees the node's content.
            match self.head.compare_exchange_weak(head, node, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return,
                Err(current) => head = current,
            }
        }
    }

    /// Takes everything, oldest push first.
    pub fn drain(&self, mut each: impl FnMut(K, Millis)) {
        if self.head.load(Ordering::Relaxed).is_null() {
            return;
        }
        let mut newest = self.head.swap(ptr::null_mut(), Ordering::AcqRel);
        let mut oldest = ptr::null_mut();
        while !newest.is_null() {
            // SAFETY: the swap made the whole list ours; each node came from `Box::into_raw`, is
            // visited once, and stays allocated until the loop below frees it.
            unsafe {
                let next = (*newest).next;
                (*newest).next = oldest;
                oldest = newest;
                newest = next;
            }
        }
        let mut rest = Rest(oldest);
        while let Some(node) = rest.pop() {
            for (key, at) in &node.entries[..node.len] {
                each(*key, *at);
            }
        }
    }
}

impl<K> Drop for Inbox<K> {
    fn drop(&mut self) {
        drop(Rest(self.head.swap(ptr::null_mut(), Ordering::AcqRel)));
    }
}

/// A list that one thread owns; what is not popped is freed, also when a callback panics.
struct Rest<K>(*mut Node<K>);

impl<K> Rest<K> {
    fn pop(&mut self) -> Option<Box<Node<K>>> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: a `Rest` is built only from a list that a swap made ours; the node came from
        // `Box::into_raw` and leaves the list here, so it is turned back exactly once.
        let node = unsafe { Box::from_raw(self.0) };
        self.0 = node.next;
        Some(node)
    }
}

impl<K> Drop for Rest<K> {
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

// SAFETY: the inbox hands keys from the thread that pushes to the thread that drains, by value; it
// never lets two threads see one key, so `Send` keys are enough for both.
unsafe impl<K: Send> Send for Inbox<K> {}
// SAFETY: as above; all shared state is the atomic head.
unsafe impl<K: Send> Sync for Inbox<K> {}

impl<K> std::fmt::Debug for Inbox<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inbox(..)")
    }
}
