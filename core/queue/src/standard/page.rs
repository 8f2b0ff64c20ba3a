//! One page: a run of slots, a region for their bodies, and the words that let it be reused.
//!
//! A page is recycled when nothing can need it: `remaining` counts what stands in the way, and the
//! thread that takes it to zero recycles. In the way are
//! - every reserved slot until it is over (its sender or the thread that ends it gives it back),
//! - the open end (the thread that closes the page gives it back, less the slots that were used),
//! - the log's tail and the log's head, until each has moved on to the next page.

use trunkline_types::Seq;
use trunkline_types::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use super::body::{Region, fresh_slots};
use super::once_box::OnceBox;
use super::packed::{Link, State, Tail};
use super::slot::Slot;

/// Sizes a page may have: slots, and bytes of bodies. A queue starts small.
#[cfg(not(loom))]
pub(super) const CLASSES: [(u32, u32); 4] =
    [(16, 2_048), (64, 8_192), (256, 65_536), (1_024, 262_144)];
/// Small enough for every interleaving, and reused at once.
#[cfg(loom)]
pub(super) const CLASSES: [(u32, u32); 1] = [(2, 64)];

/// A body above this share of a region goes into a box of its own, so that no page is closed for
/// one large body.
pub(super) const REGION_SHARE_MAX: usize = 4;

/// Bytes that the system lays beneath addresses at once, on most machines.
const MEMORY_PAGE: usize = 4_096;

const OPEN: u32 = 1 << 20;
const TAIL_AND_HEAD: u32 = 2;

/// Words written by different verbs lie on different cache lines.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Apart<T>(pub(super) T);

#[derive(Debug)]
pub(super) struct Page {
    pub(super) id: u32,
    pub(super) class: u8,
    slots: Box<[Slot]>,
    pub(super) region: Region,
    /// Sequence numbers that are not positions, for pages that hold restored messages.
    explicit_seq: OnceBox<Box<[AtomicU64]>>,
    /// The sequence number of slot 0.
    base: AtomicU64,
    /// The page after this one: `[own generation | page]`, or `Link::NONE`.
    next: AtomicU64,
    /// The page below in the pool of free pages, plus one.
    pub(super) below: AtomicU32,
    tail: Apart<AtomicU64>,
    /// `[generation | index]`: slots before it are behind the head. A store of an earlier
    /// generation reads as zero, so a thread that slept cannot make receivers skip messages.
    hint: Apart<AtomicU64>,
    remaining: Apart<AtomicU32>,
}

impl Page {
    pub(super) fn new(id: u32, class: u8) -> Self {
        let (slots, bytes) = CLASSES[usize::from(class)];
        Self {
            id,
            class,
            slots: fresh_slots(slots),
            region: Region::new(bytes),
            explicit_seq: OnceBox::empty(),
            base: AtomicU64::new(0),
            next: AtomicU64::new(0),
            below: AtomicU32::new(0),
            tail: Apart(AtomicU64::new(Tail::open(1).closed().0)),
            hint: Apart(AtomicU64::new(0)),
            remaining: Apart(AtomicU32::new(0)),
        }
    }

    #[inline]
    pub(super) fn capacity(&self) -> u32 {
        self.slots.len() as u32
    }

    #[inline]
    pub(super) fn slot(&self, index: u32) -> Option<&Slot> {
        self.slots.get(index as usize)
    }

    /// Has the system lay memory beneath the slots of a page that was never used.
    pub(super) fn touch(&self) {
        let apart = MEMORY_PAGE / size_of::<Slot>();
        self.slots.iter().step_by(apart).for_each(|slot| slot.restore(State(0)));
    }

    /// Whether a body of `len` bytes may lie in the region.
    #[inline]
    pub(super) fn takes(&self, len: usize) -> bool {
        len <= self.region.len() / REGION_SHARE_MAX
    }

    #[inline]
    pub(super) fn tail(&self) -> Tail {
        Tail(self.tail.0.load(Ordering::Acquire))
    }

    /// Whether the region has that many bytes behind `tail`.
    #[inline]
    pub(super) fn has_bytes(&self, tail: Tail, bytes: u32) -> bool {
        (tail.bytes() + bytes) as usize <= self.region.len()
    }

    /// Takes `slots` and `bytes` at once, or tells that the page is at its end.
    #[inline]
    pub(super) fn try_grow(&self, seen: Tail, slots: u32, bytes: u32) -> Grow {
        let fits = seen.index() + slots <= self.capacity() && self.has_bytes(seen, bytes);
        if seen.is_closed() || !fits {
            return Grow::Full;
        }
        let grown = seen.grown(slots, bytes);
        match self.tail.0.compare_exchange(seen.0, grown.0, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Grow::Taken,
            Err(_) => Grow::Lost,
        }
    }

    /// Ends the page at `seen`. True when this call did it or it was done before.
    pub(super) fn close(&self, seen: Tail) -> Close {
        if seen.is_closed() {
            return Close::Already;
        }
        let closed = seen.closed().0;
        match self.tail.0.compare_exchange(seen.0, closed, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Close::Closed { give_back: OPEN - seen.index() },
            Err(_) => Close::Lost,
        }
    }

    /// Makes the page ready to be linked. Only for the thread that took it from the pool.
    pub(super) fn open(&self, base: Seq) -> Link {
        let generation = self.tail().generation();
        // A reader that sees the new base sees, behind its own fence, that the old use is over.
        fence(Ordering::Release);
        self.base.store(base, Ordering::Relaxed);
        self.remaining.0.store(OPEN + TAIL_AND_HEAD, Ordering::Relaxed);
        let none = Link { generation, page: Link::NONE };
        self.next.store(none.pack(), Ordering::Relaxed);
        self.hint.0.store(u64::from(generation) << 32, Ordering::Relaxed);
        self.tail.0.store(Tail::open(generation).0, Ordering::Release);
        Link { generation, page: self.id }
    }

    /// Ends this use of the page: whatever still carries its generation is stale from here on.
    pub(super) fn retire(&self) {
        // Zero is what fresh memory carries, so no page ever has it.
        let generation = self.tail().generation().wrapping_add(1).max(1);
        self.tail.0.store(Tail::open(generation).closed().0, Ordering::Release);
    }

    /// Gives back `count` of what stands in the way. True: nothing is left, retire the page.
    #[inline]
    pub(super) fn give_back(&self, count: u32) -> bool {
        self.remaining.0.fetch_sub(count, Ordering::AcqRel) == count
    }

    /// Only the log's head stands in the way: no slot of the page can be received.
    pub(super) fn is_spent(&self) -> bool {
        self.remaining.0.load(Ordering::Acquire) == 1
    }

    /// The first slot that may not be behind the head yet, in that use of the page.
    #[inline]
    pub(super) fn hint(&self, generation: u32) -> u32 {
        let word = self.hint.0.load(Ordering::Acquire);
        if (word >> 32) as u32 == generation { word as u32 } else { 0 }
    }

    #[inline]
    pub(super) fn set_hint(&self, generation: u32, index: u32) {
        self.hint.0.store(u64::from(generation) << 32 | u64::from(index), Ordering::Release);
    }

    /// The following page. `None`: none yet, or this is another use of the page already.
    pub(super) fn next(&self, generation: u32) -> Option<u32> {
        let link = Link::unpack(self.next.load(Ordering::Acquire));
        (link.generation == generation && link.page != Link::NONE).then_some(link.page)
    }

    /// Sets the following page unless another thread did.
    pub(super) fn link(&self, generation: u32, page: u32) -> bool {
        let none = Link { generation, page: Link::NONE }.pack();
        let link = Link { generation, page }.pack();
        self.next.compare_exchange(none, link, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    #[inline]
    pub(super) fn base(&self) -> Seq {
        self.base.load(Ordering::Relaxed)
    }

    /// Gives the page another base. Only for who has the log alone, and before a slot is taken.
    pub(super) fn rebase(&self, base: Seq) {
        self.base.store(base, Ordering::Relaxed);
    }

    /// Writes down that the message of slot `index` keeps `seq`. Owner of the slot only.
    pub(super) fn restate(&self, index: u32, seq: Seq) {
        let table = self
            .explicit_seq
            .get_or_make(|| (0..self.capacity()).map(|_| AtomicU64::new(0)).collect());
        table[index as usize].store(seq, Ordering::Relaxed);
    }

    pub(super) fn explicit_seq(&self, index: u32) -> Seq {
        self.explicit_seq.get().map_or(0, |table| table[index as usize].load(Ordering::Relaxed))
    }

    pub(super) fn memory(&self) -> usize {
        let table = if self.explicit_seq.get().is_some() { self.slots.len() * 8 } else { 0 };
        size_of::<Self>() + size_of_val(&*self.slots) + self.region.allocated() + table
    }
}

/// What became of taking a slot.
pub(super) enum Grow {
    Taken,
    Lost,
    Full,
}

/// What became of closing a page.
pub(super) enum Close {
    Closed { give_back: u32 },
    Already,
    Lost,
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn words_of_an_earlier_use_have_no_effect_on_a_later_one() {
        let page = Page::new(0, 0);
        let old = page.open(1);
        let old_tail = page.tail();
        page.set_hint(old.generation, 3);
        assert_eq!(page.hint(old.generation), 3);
        page.retire();
        let new = page.open(100);
        assert_ne!(old.generation, new.generation);
        // A receiver, a sender and a turner of pages that slept through the reuse.
        page.set_hint(old.generation, 9);
        assert_eq!(page.hint(new.generation), 0);
        assert!(matches!(page.try_grow(old_tail, 1, 8), Grow::Lost));
        assert!(matches!(page.close(old_tail), Close::Lost));
        assert!(!page.link(old.generation, 5) && page.next(old.generation).is_none());
        assert!(page.link(new.generation, 6) && !page.link(new.generation, 7));
        assert_eq!((page.next(new.generation), page.next(old.generation)), (Some(6), None));
    }

    #[test]
    fn a_page_is_free_when_its_slots_its_end_and_both_ends_of_the_log_have_left_it() {
        let page = Page::new(0, 0);
        page.open(1);
        for _ in 0..2 {
            assert!(matches!(page.try_grow(page.tail(), 1, 8), Grow::Taken));
        }
        assert!(!page.give_back(1), "one slot is over");
        let Close::Closed { give_back } = page.close(page.tail()) else { panic!("it was open") };
        assert!(!page.give_back(give_back));
        assert!(matches!(page.try_grow(page.tail(), 1, 8), Grow::Full));
        assert!(!page.give_back(1), "the other slot is over");
        assert!(!page.give_back(1), "the tail has left");
        assert!(page.is_spent() && page.give_back(1), "the head has left");
    }
}
