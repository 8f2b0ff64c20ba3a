//! Ending and moving a lease: delete, extend, release; and why a receipt is refused.

use trunkline_types::{Error, Millis, Problem};

use super::send::generation;
use super::slot::{FifoMessageState, Slot};
use super::{FifoSlotRef, FifoState, Removed};

/// What becomes of a delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteDecision {
    /// The message is there and the receipt is good.
    Delete,
    /// The message was deleted or is too old: a success that changes nothing.
    AlreadyGone,
}

/// Why a receipt does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its lease has ended, so another consumer may be working on the message.
    Expired,
    /// There is no lease of it that could be changed.
    NotInFlight,
    /// The lease would end later after the receive than allowed.
    BeyondMax {
        /// What was asked for.
        visibility: Millis,
        /// What is allowed.
        max: Millis,
    },
}

impl Refusal {
    /// The refusal as an error.
    pub fn into_error(self) -> Error {
        Error::from(match self {
            Self::Expired => Problem::ReceiptExpired,
            Self::NotInFlight => Problem::NotInFlight,
            Self::BeyondMax { visibility, max } => {
                Problem::LeaseBeyondMax { lease: visibility, max }
            }
        })
    }
}

impl FifoState {
    /// Whether the receipt of this delivery deletes its message.
    pub fn decide_delete(
        &self,
        place: FifoSlotRef,
        delivery: u32,
        now: Millis,
    ) -> Result<DeleteDecision, Refusal> {
        match self.find(place, now) {
            None => Ok(DeleteDecision::AlreadyGone),
            Some(message) if message.deliveries == delivery && self.is_leased(message, now) => {
                Ok(DeleteDecision::Delete)
            }
            Some(_) => Err(Refusal::Expired),
        }
    }

    /// When the lease of this delivery, made at `received`, ends if it lasts `visibility` from now.
    pub fn decide_extend(
        &self,
        place: FifoSlotRef,
        delivery: u32,
        received: Millis,
        visibility: Millis,
        now: Millis,
    ) -> Result<Millis, Refusal> {
        let max = self.rules.visibility_max;
        if now.saturating_sub(received).saturating_add(visibility) > max {
            return Err(Refusal::BeyondMax { visibility, max });
        }
        match self.find(place, now) {
            Some(message) if message.deliveries == delivery && self.is_leased(message, now) => {
                Ok(now + visibility)
            }
            _ => Err(Refusal::NotInFlight),
        }
    }

    /// A message is gone, for whatever reason.
    pub fn apply_deleted(&mut self, slot: u32) -> Removed {
        self.remove(slot)
    }

    /// The lease of a message ends at `due`; if that is not after `now`, the message is visible.
    /// True if its group can deliver now and could not before.
    pub fn apply_visibility(&mut self, slot: u32, due: Millis, now: Millis) -> bool {
        let message = &mut self.slots[slot];
        debug_assert!(message.is_occupied());
        message.due = due;
        message.set_changed(true);
        let state = if due > now { FifoMessageState::Leased } else { FifoMessageState::Visible };
        self.set_state(slot, state)
    }

    /// The message at `place`, if it is still there and not too old.
    fn find(&self, place: FifoSlotRef, now: Millis) -> Option<&Slot> {
        self.at(place).filter(|message| !self.is_expired(message, now))
    }

    pub(super) fn at(&self, place: FifoSlotRef) -> Option<&Slot> {
        self.slots
            .get(place.slot)
            .filter(|slot| slot.is_occupied() && generation(slot.seq) == place.generation)
    }
}
