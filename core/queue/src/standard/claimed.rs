//! A message that one thread owns for a moment.

use trunkline_vocabulary::{Millis, Seq};

use super::body::read_heap;
use super::log::StandardLog;
use super::page::Page;
use super::slot::{Fields, Home, Slot};
use super::types::{BodyRef, Gone, Leased, Place};
use super::word::{DELIVERIES_MAX, State, Status};

/// A visible or leased message, owned: nobody else receives it, and its body may be read. Dropped,
/// it is put back.
#[derive(Debug)]
pub struct Claimed<'a> {
    log: &'a StandardLog,
    page: &'a Page,
    slot: &'a Slot,
    place: Place,
    state: State,
    fields: Fields,
    /// Where the message stood before it was claimed.
    from: Status,
    open: bool,
}

impl<'a> Claimed<'a> {
    #[inline]
    pub(super) fn new(
        log: &'a StandardLog,
        page: &'a Page,
        slot: &'a Slot,
        place: Place,
        state: State,
    ) -> Self {
        let from = if state.is(Status::Holding) { Status::Leased } else { state.visible_status() };
        Self { log, page, slot, place, state, fields: slot.fields(), from, open: true }
    }

    /// The same for a message whose delay has not ended.
    pub(super) fn was_delayed(mut self) -> Self {
        self.from = Status::Delayed;
        self
    }

    /// The sequence number.
    #[inline]
    pub fn seq(&self) -> Seq {
        let index = self.place.slot & ((1 << super::directory::INDEX_BITS) - 1);
        if self.state.is_restated() {
            return self.page.restated(index);
        }
        self.page.base() + u64::from(index)
    }

    /// Where it lies.
    #[inline]
    pub fn place(&self) -> Place {
        self.place
    }

    /// When it was sent.
    #[inline]
    pub fn sent(&self) -> Millis {
        self.fields.sent
    }

    /// The caller's own bits.
    #[inline]
    pub fn flags(&self) -> u8 {
        self.fields.flags
    }

    /// How often it was delivered before.
    #[inline]
    pub fn deliveries(&self) -> u32 {
        self.state.deliveries()
    }

    /// When it was delivered first.
    #[inline]
    pub fn first_received(&self) -> Option<Millis> {
        (self.state.deliveries() > 0).then_some(self.fields.first_received)
    }

    /// The end of its lease, if it is in flight.
    #[inline]
    pub fn due(&self) -> Millis {
        self.fields.due
    }

    /// Its body.
    #[inline]
    pub fn body(&self) -> BodyRef<'_> {
        let len = self.fields.len;
        match self.fields.home {
            Home::Region(offset) => BodyRef::Bytes(self.page.region.read(offset, len)),
            Home::Heap(address) => BodyRef::Bytes(read_heap(self, address, len)),
            Home::Journal(lsn) => BodyRef::At { lsn, len },
        }
    }

    /// Says where in the journal the body lies now. Only for bodies that lie there.
    pub fn set_body(&mut self, lsn: u64) {
        assert!(matches!(self.fields.home, Home::Journal(_)), "the body lies in memory");
        self.fields.home = Home::Journal(lsn);
        self.slot.set_home(self.fields.home);
    }

    /// Delivers the message until `due`.
    #[inline]
    pub fn lease(mut self, due: Millis, now: Millis) -> Result<Leased, Gone> {
        let deliveries = self.state.deliveries().saturating_add(1).min(DELIVERIES_MAX);
        let Fields { sent, flags, first_received, .. } = self.fields;
        if deliveries == 1 {
            self.slot.set_times(sent, flags, now);
            self.slot.set_due(due, sent, now);
        } else {
            self.slot.set_due(due, sent, first_received);
        }
        self.release(Status::Leased, deliveries).map(|_| Leased { deliveries })
    }

    /// Leaves the message in flight until another time. Only for a message that is in flight.
    pub(super) fn keep(mut self, due: Millis) -> Result<(), Gone> {
        self.slot.move_due(due);
        let deliveries = self.state.deliveries();
        self.release(Status::Leased, deliveries).map(|_| ())
    }

    /// Ends the lease. The message is visible: to receivers behind all others, or to the lane.
    pub fn make_visible(mut self) -> Result<(), Gone> {
        self.show().map(|_| ())
    }

    /// Leaves the message as it was: visible, or in flight. One of the fair lane has to be pushed
    /// there again by the caller.
    #[inline]
    pub fn put_back(mut self) {
        self.restore();
    }

    /// Removes the message.
    pub fn finish(mut self) {
        self.end();
    }

    fn show(&mut self) -> Result<State, Gone> {
        let status = self.state.visible_status();
        let was_hidden = matches!(self.from, Status::Leased | Status::Delayed);
        let deliveries = self.state.deliveries();
        let state = self.release(status, deliveries)?;
        if status == Status::Ready && (was_hidden || state.is_passed()) {
            self.log.refer(self.place);
        }
        Ok(state)
    }

    fn restore(&mut self) {
        // Deleted meanwhile is as good as put back: the claim is over either way.
        let _gone = match self.from {
            from @ (Status::Leased | Status::Delayed) => {
                self.release(from, self.state.deliveries()).map(|_| ())
            }
            _ => self.show().map(|_| ()),
        };
    }

    /// Gives ownership up: the message stands at `to`. Returns the state it had before, or finishes
    /// a message that was deleted meanwhile.
    #[inline]
    fn release(&mut self, to: Status, deliveries: u32) -> Result<State, Gone> {
        self.open = false;
        let from = self.from;
        let mut state = self.state;
        loop {
            let next = state.with(to).with_deliveries(deliveries).with_passed(false);
            match self.slot.change(state, next) {
                Ok(()) => break,
                Err(found) if found.is(Status::Doomed) => {
                    self.finish_doomed(found, from);
                    return Err(Gone);
                }
                // Receivers went past it.
                Err(found) => state = found,
            }
        }
        self.log.tally.0.shift(Some(from), Some(to));
        Ok(state)
    }

    #[cold]
    fn finish_doomed(&self, mut state: State, from: Status) {
        while let Err(found) = self.slot.change(state, state.with(Status::Done)) {
            state = found;
        }
        self.log.ended(self.page, self.slot, from);
    }

    fn end(&mut self) {
        self.open = false;
        let from = self.from;
        self.finish_doomed(self.state, from);
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        if self.open {
            self.restore();
        }
    }
}
