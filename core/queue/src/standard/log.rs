//! The log itself: its ends, and how pages enter and leave it.

use trunkline_types::Seq;
use trunkline_types::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};

use super::body::free_heap;
use super::counts::{BatchCount, Counters};
use super::directory::{Directory, INDEX_BITS};
use super::packed::{Link, State, Status, Tail};
use super::page::{Apart, CLASSES, Close, Grow, Page};
use super::shared_body::release_one;
use super::slot::{BodyLocation, Slot};
use super::types::{Counts, SlotRef};

/// How many slots one step takes at most: fewer than a receiver looks past before it gives up a
/// slot that its sender has not reached yet.
#[cfg(not(loom))]
pub(super) const RUN_MAX: usize = 16;
#[cfg(loom)]
pub(super) const RUN_MAX: usize = 2;

/// The messages of one standard queue. Every method may be called from any thread.
#[derive(Debug)]
pub struct StandardLog {
    pub(super) directory: Directory,
    /// Bytes of bodies outside the pages: those in boxes, and this log's share of shared ones.
    pub(super) heap_bytes: AtomicUsize,
    /// The place `[generation | slot]` of the message that was the oldest when last asked.
    pub(super) oldest: AtomicU64,
    tail: Apart<AtomicU64>,
    pub(super) head: Apart<AtomicU64>,
    pub(super) counters: Apart<Counters>,
}

impl StandardLog {
    /// An empty log whose first message gets sequence number `base`.
    pub fn new(base: Seq) -> Self {
        let directory = Directory::new();
        let first = directory.take(0).open(base).pack();
        Self {
            directory,
            heap_bytes: AtomicUsize::new(0),
            oldest: AtomicU64::new(0),
            tail: Apart(AtomicU64::new(first)),
            head: Apart(AtomicU64::new(first)),
            counters: Apart(Counters::new()),
        }
    }

    /// How many messages stand where.
    pub fn counts(&self) -> Counts {
        self.counters.0.read()
    }

    /// Counts what is done with it in one step at its end.
    #[inline]
    pub fn batch_count(&self) -> BatchCount<'_> {
        self.counters.0.batch()
    }

    /// A sequence number above those of all messages that were reserved so far.
    pub fn next_seq(&self) -> Seq {
        loop {
            let (link, page, tail) = self.last_page();
            let seq = page.base() + u64::from(tail.index());
            fence(Ordering::Acquire);
            // The base belongs to this use of the page only if the page is still in it.
            if page.tail().generation() == link.generation {
                return seq;
            }
        }
    }

    /// Reads what the next send will change, and returns a word that depends on all of it. A sender
    /// to many logs looks at some of them first: the processor then fetches their memory side by
    /// side, which it does not do across the locked steps of sends.
    #[inline]
    pub fn look_ahead(&self) -> u64 {
        let (_, page, tail) = self.last_page();
        let slot = page.slot(tail.index()).map_or(0, |slot| slot.state().0);
        slot ^ u64::from(self.counters.0.none_visible())
    }

    /// Takes a slot and `bytes` of its page's region; `None` bytes when the body lies elsewhere.
    #[inline]
    pub(super) fn take_slot(&self, body: Option<usize>) -> ReservedSlot<'_> {
        loop {
            let (link, page, tail) = self.last_page();
            let (bytes, offset) = match body {
                Some(len) if page.takes(len) => (len as u32, Some(tail.bytes())),
                _ => (0, None),
            };
            match page.try_grow(tail, 1, bytes) {
                Grow::Taken => {
                    return ReservedSlot::new(page, link.generation, tail.index(), offset);
                }
                Grow::Lost => {}
                Grow::Full => self.turn_page(link, page, tail),
            }
        }
    }

    /// Takes slots for as many of `bodies` as fit into the last page, with one step: the first
    /// slot, the others follow it. `None`: the first body does not fit there, or not beside others.
    pub(super) fn take_run(&self, bodies: &[&[u8]]) -> Option<(ReservedSlot<'_>, usize)> {
        loop {
            let (link, page, tail) = self.last_page();
            let (mut slots, mut bytes) = (0, 0);
            for body in bodies.iter().take((page.capacity() - tail.index()) as usize) {
                if !page.takes(body.len()) || !page.has_bytes(tail, bytes + body.len() as u32) {
                    break;
                }
                (slots, bytes) = (slots + 1, bytes + body.len() as u32);
            }
            if slots == 0 {
                return None;
            }
            match page.try_grow(tail, slots, bytes) {
                Grow::Taken => {
                    let offset = Some(tail.bytes());
                    let first = ReservedSlot::new(page, link.generation, tail.index(), offset);
                    return Some((first, slots as usize));
                }
                Grow::Lost => {}
                Grow::Full => return None,
            }
        }
    }

    #[inline]
    pub(super) fn last_page(&self) -> (Link, &Page, Tail) {
        loop {
            let link = Link::unpack(self.tail.0.load(Ordering::Acquire));
            let page = self.page(link.page);
            let tail = page.tail();
            if tail.generation() == link.generation {
                return (link, page, tail);
            }
        }
    }

    /// Closes `page`, links the next one and moves the tail there, as far as others have not.
    #[cold]
    pub(super) fn turn_page(&self, link: Link, page: &Page, seen: Tail) {
        match page.close(seen) {
            Close::Lost => return,
            Close::Already => {}
            Close::Closed { give_back } => self.give_back(page, give_back),
        }
        if page.next(link.generation).is_none() {
            let fresh = self.directory.take(self.class_after(page));
            // Unused sequence numbers are skipped, so the base is known without looking at slots.
            fresh.open(page.base() + u64::from(page.capacity()));
            if !page.link(link.generation, fresh.id) {
                self.directory.give(fresh);
            }
        }
        if self.step(&self.tail.0, link, page) {
            self.give_back(page, 1);
        }
    }

    /// Moves `end` from `page` to the page after it. True when this call did.
    pub(super) fn step(&self, end: &AtomicU64, link: Link, page: &Page) -> bool {
        let Some(next) = page.next(link.generation) else { return false };
        // If the swap succeeds, `end` had not moved on, so the next page was not recycled and this
        // is its generation.
        let generation = self.page(next).tail().generation();
        let to = Link { generation, page: next }.pack();
        end.compare_exchange(link.pack(), to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Pages grow with the backlog: half a page of messages asks for a larger one. A first page is
    /// followed by a larger one in any case, or a busy queue would turn pages all the time.
    fn class_after(&self, page: &Page) -> u8 {
        let counts = self.counts();
        let live = u64::from(counts.visible) + u64::from(counts.in_flight);
        let deep = live + u64::from(counts.delayed) >= u64::from(page.capacity() / 2);
        let larger = if deep || page.class == 0 { page.class + 1 } else { page.class };
        larger.min(CLASSES.len() as u8 - 1)
    }

    /// Takes away what stood in the way of recycling `page`; recycles it when that was all.
    #[inline]
    pub(super) fn give_back(&self, page: &Page, count: u32) {
        if page.give_back(count) {
            self.recycle(page);
        }
    }

    #[cold]
    fn recycle(&self, page: &Page) {
        page.retire();
        self.directory.give(page);
    }

    /// The page of a number that the log itself wrote down.
    #[inline]
    pub(super) fn page(&self, id: u32) -> &Page {
        match self.directory.find(id) {
            Some(page) => page,
            None => unreachable!("the log names a page that was never made"),
        }
    }

    /// The slot of a place, and its page. `None` for a number that no page covers.
    #[inline]
    pub(super) fn locate(&self, slot: u32) -> Option<(&Page, &Slot, u32)> {
        let page = self.directory.find(slot >> INDEX_BITS)?;
        let index = slot & ((1 << INDEX_BITS) - 1);
        Some((page, page.slot(index)?, index))
    }

    /// After the transition that ended a message which stood at `from`: counts it, frees its body
    /// and gives its slot back. Once for each message.
    #[inline]
    pub(super) fn ended(&self, page: &Page, slot: &Slot, from: Status) {
        if slot.is_outside() {
            self.drop_outside(slot.location(), slot.len());
        }
        self.counters.0.shift(Some(from), None);
        self.give_back(page, 1);
    }

    /// Lets go of a body, if it lies outside the pages. Once for each message.
    #[cold]
    pub(super) fn drop_outside(&self, location: BodyLocation, len: u32) {
        self.uncount_outside(free_outside(location, len));
    }

    /// Counts so many bytes outside the pages no more.
    pub(super) fn uncount_outside(&self, bytes: usize) {
        if bytes > 0 {
            self.heap_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for StandardLog {
    fn drop(&mut self) {
        for page in self.directory.pages() {
            let tail = page.tail();
            for slot in (0..tail.index()).filter_map(|index| page.slot(index)) {
                let state = slot.state();
                if state.generation() == tail.generation() && holds_message(state) {
                    free_outside(slot.location(), slot.len());
                }
            }
        }
    }
}

/// Frees a body that lies outside the pages, or this message's part in it; returns the bytes that
/// were counted of it.
fn free_outside(location: BodyLocation, len: u32) -> usize {
    match location {
        BodyLocation::Heap(address) => {
            free_heap(address, len);
            len as usize
        }
        BodyLocation::Shared(address) => release_one(address),
        BodyLocation::Region(_) | BodyLocation::Journal(_) => 0,
    }
}

/// Whether a slot in this state stores a message that is not over.
#[inline]
pub(super) fn holds_message(state: State) -> bool {
    let over = matches!(state.status(), None | Some(Status::Poisoned | Status::Done));
    !over && !state.is_reference()
}

/// A slot that was reserved.
#[derive(Clone, Copy)]
pub(super) struct ReservedSlot<'a> {
    pub(super) page: &'a Page,
    pub(super) generation: u32,
    pub(super) index: u32,
    pub(super) seq: Seq,
    /// Where the body goes in the region; `None` when it lies elsewhere.
    pub(super) offset: Option<u32>,
}

impl<'a> ReservedSlot<'a> {
    #[inline]
    pub(super) fn new(page: &'a Page, generation: u32, index: u32, offset: Option<u32>) -> Self {
        Self { page, generation, index, seq: page.base() + u64::from(index), offset }
    }

    pub(super) fn place(&self) -> SlotRef {
        let slot = self.page.id << INDEX_BITS | self.index;
        SlotRef { slot, generation: self.generation }
    }
}
