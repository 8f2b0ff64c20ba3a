//! What happens to a message by its place: deleted, its lease changed, its timer fired.

use trunkline_types::Millis;
use trunkline_types::sync::atomic::Ordering;

use super::log::{StandardLog, holds_message};
use super::packed::{State, Status};
use super::page::Page;
use super::slot::Slot;
use super::types::{Extend, Fire, SlotRef};

/// After how long a timer looks again at a message that a thread owned at that moment.
const RETRY: Millis = 10;
/// Entries further ahead are not remembered, so that 32 bits tell earlier from later.
const HORIZON: Millis = 1 << 30;

impl StandardLog {
    /// Deletes the message wherever it stands. False: it is deleted already.
    #[inline]
    pub fn delete(&self, place: SlotRef) -> bool {
        let Some((page, slot, _)) = self.locate(place.slot) else { return false };
        let state = slot.state();
        // The usual case, apart from all that may be: in flight, and no other thread looks at it.
        let in_flight = state.generation() == place.generation && state.is(Status::Leased);
        if in_flight && slot.change(state, state.with(Status::Done)).is_ok() {
            self.ended(page, slot, Status::Leased);
            return true;
        }
        self.delete_from(place, page, slot)
    }

    #[inline(never)]
    fn delete_from(&self, place: SlotRef, page: &Page, slot: &Slot) -> bool {
        let mut state = slot.state();
        loop {
            if state.generation() != place.generation || !holds_message(state) {
                return false;
            }
            let (from, to) = match state.status() {
                Some(Status::Claim | Status::Holding | Status::HoldingDelay) => {
                    (None, Status::DeletedWhileClaimed)
                }
                Some(Status::DeletedWhileClaimed) | None => return false,
                from => (from, Status::Done),
            };
            match slot.change(state, state.with(to)) {
                Ok(()) => {
                    // The thread that owns a message finishes it if it was deleted meanwhile.
                    if let Some(from) = from {
                        self.ended(page, slot, from);
                    }
                    return true;
                }
                Err(found) => state = found,
            }
        }
    }

    /// Changes the end of the message's lease, whichever delivery it belongs to: on AWS an older
    /// receipt of a standard queue does that as well. A time not after `now` ends the lease.
    ///
    /// The one verb that may wait: while another thread owns the leased message for a moment.
    pub fn extend(&self, place: SlotRef, due: Millis, now: Millis) -> Extend {
        loop {
            let Some((_, slot, _)) = self.locate(place.slot) else { return Extend::Gone };
            let state = slot.state();
            if state.generation() != place.generation || !holds_message(state) {
                return Extend::Gone;
            }
            match state.status() {
                Some(Status::DeletedWhileClaimed) => return Extend::Gone,
                Some(Status::Leased | Status::Holding) => {}
                _ => return Extend::NotInFlight,
            }
            if let Some(claimed) = self.claim_leased(place) {
                if claimed.due() <= now {
                    // The lease has ended and waits for its timer.
                    return Extend::NotInFlight;
                }
                let changed = if due <= now {
                    claimed.make_visible().map(|()| Extend::Visible)
                } else {
                    claimed.keep(due).map(|()| Extend::Changed)
                };
                return changed.unwrap_or(Extend::Gone);
            }
            relax();
        }
    }

    /// Says that the body at `place`, which lay at `from` in the journal, lies at `to` now and has
    /// `len` bytes there. False: it did not lie there. Unlike `Claim::set_body` it needs no claim;
    /// the caller sees to it that the slot is not reused meanwhile.
    pub fn relocate(&self, place: SlotRef, from: u64, to: u64, len: u32) -> bool {
        let Some((_, slot, _)) = self.locate(place.slot) else { return false };
        slot.state().generation() == place.generation && slot.relocate(from, to, len)
    }

    /// Whether the caller has to push a timer entry for `slot` at `at`; the entry is remembered.
    /// False: an entry that is not later exists. Call it after the slot's due time was set.
    #[inline]
    pub fn arm(&self, slot: u32, at: Millis) -> bool {
        self.locate(slot).is_some_and(|(_, slot, _)| slot.arm(at))
    }

    /// A timer entry of `slot` fell due: ends a delay or a lease that is over.
    pub fn fire(&self, slot: u32, now: Millis) -> Fire {
        let Some((_, physical, _)) = self.locate(slot) else { return Fire::Gone };
        let armed = read_ordered(&physical.armed);
        if armed != 0 && is_later(armed, now) {
            // This entry was left over. The one that is remembered fires before anything falls due,
            // unless time jumped so far that 32 bits mislead: so look, but add no entry.
            let Some(place) = self.slot_of(slot) else { return Fire::Gone };
            return match self.fire_at(place, physical, now) {
                Fire::Later(_) => Fire::Gone,
                other => other,
            };
        }
        // Forgotten first and looked at second: a thread that sets a due time after we looked
        // sees that no entry exists, and pushes one.
        physical.armed.swap(0, Ordering::SeqCst);
        let Some(place) = self.slot_of(slot) else { return Fire::Gone };
        match self.fire_at(place, physical, now) {
            // An earlier entry that was pushed meanwhile does it as well.
            Fire::Later(at) if !self.arm(slot, at) => Fire::Gone,
            other => other,
        }
    }

    fn fire_at(&self, place: SlotRef, slot: &Slot, now: Millis) -> Fire {
        let mut state = slot.state();
        loop {
            if state.generation() != place.generation {
                return Fire::Gone;
            }
            match state.status() {
                Some(Status::Ready | Status::Held) => return Fire::Visible(place),
                Some(Status::Claim | Status::Holding | Status::HoldingDelay) => {
                    return Fire::Later(now + RETRY);
                }
                Some(Status::Leased) => {
                    let due = slot.due();
                    if due > now {
                        return Fire::Later(due);
                    }
                    return self.end_lease(place, now);
                }
                Some(Status::Delayed) => {
                    let due = slot.due();
                    if due > now {
                        return Fire::Later(due);
                    }
                    // A delay is never changed, so the state alone tells that it is still this one.
                    match slot.change(state, state.with(state.visible_status())) {
                        Ok(()) => return self.delay_ended(place, state),
                        Err(found) => state = found,
                    }
                }
                _ => return Fire::Gone,
            }
        }
    }

    fn end_lease(&self, place: SlotRef, now: Millis) -> Fire {
        let Some(claimed) = self.claim_leased(place) else { return Fire::Later(now + RETRY) };
        let due = claimed.due();
        if due > now {
            claimed.put_back();
            return Fire::Later(due);
        }
        match claimed.make_visible() {
            Ok(()) => Fire::BecameVisible(place),
            Err(_) => Fire::Gone,
        }
    }

    fn delay_ended(&self, place: SlotRef, before: State) -> Fire {
        let status = before.visible_status();
        self.counters.0.shift(Some(Status::Delayed), Some(status));
        if status == Status::Ready {
            self.refer(place);
        }
        Fire::BecameVisible(place)
    }
}

/// A lease that was granted.
#[derive(Debug, Clone, Copy)]
pub struct Leased<'a> {
    /// How often the message was delivered, this time included.
    pub deliveries: u32,
    pub(super) slot: &'a Slot,
}

impl Leased<'_> {
    /// What [`StandardLog::arm`] does, of the message that was leased.
    #[inline]
    pub fn arm(&self, at: Millis) -> bool {
        self.slot.arm(at)
    }
}

impl Slot {
    #[inline]
    fn arm(&self, at: Millis) -> bool {
        let mut armed = read_ordered(&self.armed);
        loop {
            if armed != 0 && !is_later(armed, at) {
                return false;
            }
            if at.saturating_sub(self.sent()) > HORIZON {
                return true;
            }
            // Zero means "none": one millisecond later errs towards a needless entry.
            let new = (at as u32).max(1);
            let order = Ordering::SeqCst;
            match self.armed.compare_exchange(armed, new, order, order) {
                Ok(_) => return true,
                Err(found) => armed = found,
            }
        }
    }
}

/// Whether the time with these low bits is after `time`. Times further than the horizon apart are
/// not compared.
#[inline]
fn is_later(low_bits: u32, time: Millis) -> bool {
    (low_bits.wrapping_sub(time as u32) as i32) > 0
}

#[cfg(not(loom))]
fn read_ordered(word: &trunkline_types::sync::atomic::AtomicU32) -> u32 {
    word.load(Ordering::SeqCst)
}

/// Loom knows no single order of all `SeqCst` accesses; a change that changes nothing stands in.
#[cfg(loom)]
fn read_ordered(word: &trunkline_types::sync::atomic::AtomicU32) -> u32 {
    word.fetch_add(0, Ordering::SeqCst)
}

#[cfg(not(loom))]
fn relax() {
    std::thread::yield_now();
}

#[cfg(loom)]
fn relax() {
    loom::thread::yield_now();
}
