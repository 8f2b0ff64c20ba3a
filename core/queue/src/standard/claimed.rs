//! A message that one thread owns for a moment.
//!
//! A claim is a handful of words that are copied, never borrowed, by whatever is not inlined: so on
//! the hot path it lives in registers, and costs nothing beside its two compare-and-swaps. Whole
//! words: where two paths meet it passes through memory after all, and a processor that loads a
//! word of which parts were just stored waits for the stores.

use trunkline_types::{Millis, Seq};

use super::body::read_heap;
use super::counts::BatchCount;
use super::directory::INDEX_BITS;
use super::lease::Leased;
use super::log::StandardLog;
use super::packed::{DELIVERIES_MAX, State, Status};
use super::page::Page;
use super::shared_body::read_shared;
use super::slot::{BodyLocation, Slot};
use super::types::{BodyRef, Gone, SlotRef};

/// A visible or leased message, owned: no other receiver gets it, and its body may be read.
/// Dropped, it is put back.
#[derive(Debug)]
pub struct Claim<'a>(Hold<'a>);

#[derive(Debug, Clone, Copy)]
struct Hold<'a> {
    log: &'a StandardLog,
    page: &'a Page,
    slot: &'a Slot,
    /// Which slot of the page it is.
    index: usize,
    state: State,
}

impl<'a> Claim<'a> {
    #[inline]
    pub(super) fn new(
        log: &'a StandardLog,
        page: &'a Page,
        slot: &'a Slot,
        index: u32,
        state: State,
    ) -> Self {
        Self(Hold { log, page, slot, index: index as usize, state })
    }

    /// The sequence number.
    #[inline]
    pub fn seq(&self) -> Seq {
        let Hold { page, index, state, .. } = self.0;
        if state.has_explicit_seq() {
            return page.explicit_seq(index as u32);
        }
        page.base() + index as u64
    }

    /// Where it lies.
    #[inline]
    pub fn place(&self) -> SlotRef {
        self.0.place()
    }

    /// When it was sent.
    #[inline]
    pub fn sent(&self) -> Millis {
        self.0.slot.sent()
    }

    /// The caller's own bits.
    #[inline]
    pub fn flags(&self) -> u8 {
        self.0.slot.flags()
    }

    /// How often it was delivered before.
    #[inline]
    pub fn deliveries(&self) -> u32 {
        self.0.state.deliveries()
    }

    /// When it was delivered first.
    #[inline]
    pub fn first_received(&self) -> Option<Millis> {
        (self.0.state.deliveries() > 0).then(|| self.0.slot.first_received())
    }

    /// The end of its lease, if it is in flight.
    #[inline]
    pub fn due(&self) -> Millis {
        self.0.slot.due()
    }

    /// Its body.
    #[inline]
    pub fn body(&self) -> BodyRef<'_> {
        match self.0.slot.offset() {
            Some(offset) => BodyRef::Bytes(self.0.page.region.read(offset, self.0.slot.len())),
            None => self.0.body_elsewhere(),
        }
    }

    /// Where in the journal its body lies, if it lies there.
    #[inline]
    pub fn lsn(&self) -> Option<u64> {
        match self.0.slot.location() {
            BodyLocation::Journal(lsn) => Some(lsn),
            _ => None,
        }
    }

    /// Says where in the journal the body lies now. Only for bodies that lie there.
    pub fn set_body(&mut self, lsn: u64) {
        assert!(
            matches!(self.0.slot.location(), BodyLocation::Journal(_)),
            "the body lies in memory"
        );
        self.0.slot.set_location(BodyLocation::Journal(lsn));
    }

    /// Delivers the message until `due`.
    #[inline]
    pub fn lease(self, due: Millis, now: Millis) -> Result<Leased<'a>, Gone> {
        let mut counted = self.0.log.batch_count();
        self.lease_in(&mut counted, due, now)
    }

    /// The same, counted with others when `counted` ends.
    #[inline]
    pub fn lease_in(
        self,
        counted: &mut BatchCount<'_>,
        due: Millis,
        now: Millis,
    ) -> Result<Leased<'a>, Gone> {
        let hold = self.into_hold();
        let deliveries = hold.state.deliveries().saturating_add(1).min(DELIVERIES_MAX);
        if deliveries == 1 {
            hold.slot.set_first_lease(due, now);
        } else {
            hold.slot.move_due(due);
        }
        hold.change(Status::Leased, deliveries)?;
        counted.shift(hold.from(), Status::Leased);
        Ok(Leased { deliveries, slot: hold.slot })
    }

    /// Leaves the message in flight until another time. Only for a message that is in flight.
    pub(super) fn keep(self, due: Millis) -> Result<(), Gone> {
        let hold = self.into_hold();
        hold.slot.move_due(due);
        hold.release(Status::Leased).map(|_| ())
    }

    /// Ends the lease. The message is visible: to receivers behind all others, or to the fair
    /// scheduler.
    pub fn make_visible(self) -> Result<(), Gone> {
        self.into_hold().show()
    }

    /// Leaves the message as it was: visible, or in flight. One of the fair scheduler has to be
    /// pushed there again by the caller.
    pub fn put_back(self) {
        self.into_hold().restore();
    }

    /// Removes the message.
    pub fn finish(self) {
        let hold = self.into_hold();
        finish(hold.log, hold.page, hold.slot, hold.from(), hold.state);
    }

    /// Takes the claim over from the guard.
    #[inline]
    fn into_hold(self) -> Hold<'a> {
        let hold = self.0;
        std::mem::forget(self);
        hold
    }
}

// By value throughout: see the head of the file.
impl<'a> Hold<'a> {
    /// The caller sees to it that the claim outlives what is returned.
    #[inline(never)]
    fn body_elsewhere(self) -> BodyRef<'a> {
        let len = self.slot.len();
        match self.slot.location() {
            BodyLocation::Region(offset) => BodyRef::Bytes(self.page.region.read(offset, len)),
            BodyLocation::Heap(address) => BodyRef::Bytes(read_heap(self.slot, address, len)),
            BodyLocation::Journal(lsn) => BodyRef::At { lsn, len },
            BodyLocation::Shared(address) => BodyRef::Bytes(read_shared(self.slot, address)),
        }
    }

    #[inline]
    fn place(self) -> SlotRef {
        let slot = self.page.id << INDEX_BITS | self.index as u32;
        SlotRef { slot, generation: self.state.generation() }
    }

    /// Where the message stood before it was claimed.
    #[inline]
    fn from(self) -> Status {
        if self.state.is(Status::Holding) {
            Status::Leased
        } else if self.state.is(Status::HoldingDelay) {
            Status::Delayed
        } else {
            self.state.visible_status()
        }
    }

    fn show(self) -> Result<(), Gone> {
        let status = self.state.visible_status();
        let was_hidden = matches!(self.from(), Status::Leased | Status::Delayed);
        let state = self.release(status)?;
        if status == Status::Ready && (was_hidden || state.is_behind_head()) {
            self.log.refer(self.place());
        }
        Ok(())
    }

    fn restore(self) {
        // Deleted meanwhile is as good as put back: the claim is over either way.
        let _gone = match self.from() {
            from @ (Status::Leased | Status::Delayed) => self.release(from).map(|_| ()),
            _ => self.show(),
        };
    }

    /// Gives ownership up, delivered as often as before, and counts it.
    fn release(self, to: Status) -> Result<State, Gone> {
        let state = self.change(to, self.state.deliveries())?;
        self.log.counters.0.shift(Some(self.from()), Some(to));
        Ok(state)
    }

    /// Gives ownership up: the message stands at `to`, which the caller counts. Returns the state
    /// it had before, or finishes a message that was deleted meanwhile.
    #[inline]
    fn change(self, to: Status, deliveries: u32) -> Result<State, Gone> {
        let mut state = self.state;
        loop {
            let next = state.with(to).with_deliveries(deliveries).with_behind_head(false);
            match self.slot.change(state, next) {
                Ok(()) => return Ok(state),
                Err(found) if found.is(Status::DeletedWhileClaimed) => {
                    finish(self.log, self.page, self.slot, self.from(), found);
                    return Err(Gone);
                }
                // Receivers went past it.
                Err(found) => state = found,
            }
        }
    }
}

impl Drop for Claim<'_> {
    #[inline]
    fn drop(&mut self) {
        let Hold { log, page, slot, index, state } = self.0;
        restore(log, page, slot, index, state);
    }
}

// Words, not a `Hold`: for a call that takes it through memory, a claim would live there.

#[cold]
fn restore(log: &StandardLog, page: &Page, slot: &Slot, index: usize, state: State) {
    Hold { log, page, slot, index, state }.restore();
}

/// Removes a message that stood at `from` before it was claimed.
#[cold]
fn finish(log: &StandardLog, page: &Page, slot: &Slot, from: Status, mut state: State) {
    while let Err(found) = slot.change(state, state.with(Status::Done)) {
        state = found;
    }
    log.ended(page, slot, from);
}
