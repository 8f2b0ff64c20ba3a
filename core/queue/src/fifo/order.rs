//! The two lists a message is in: its group's, by number, and the queue's, by the time sent. And
//! what follows from a change of state: the counts, and whether a group can deliver.

use trunkline_types::Millis;

use super::slab::NIL;
use super::slot::FifoMessageState;
use super::{FifoState, Removed};

impl FifoState {
    /// Puts a message, which is the newest of its group, into the lists and the counts. True if
    /// its group can deliver now and could not before.
    pub(super) fn link(&mut self, slot: u32) -> bool {
        self.link_by_group(slot);
        self.link_by_age(slot);
        let state = self.slots[slot].state();
        if state == FifoMessageState::Delayed {
            self.move_delayed_from(slot);
        }
        self.count(slot, state, 1);
        self.refresh(self.slots[slot].group)
    }

    /// Takes a message out of everything and frees its slot.
    pub(super) fn remove(&mut self, slot: u32) -> Removed {
        let seq = self.slots[slot].seq;
        let group = self.slots[slot].group;
        self.recovered.remove(seq);
        if !self.is_recovering {
            self.count(slot, self.slots[slot].state(), -1);
            self.unlink_by_age(slot);
            self.unlink_by_group(slot);
        }
        let payload = self.slots[slot].vacate();
        self.slots.release(slot);
        self.groups[group].messages -= 1;
        let freed = if self.groups[group].messages == 0 {
            self.groups.forget(group);
            false
        } else {
            self.refresh(group)
        };
        Removed { seq, payload, freed }
    }

    /// Changes a message's state. True if its group can deliver now and could not before.
    pub(super) fn set_state(&mut self, slot: u32, state: FifoMessageState) -> bool {
        let old = self.slots[slot].state();
        self.slots[slot].set_state(state);
        if self.is_recovering || old == state {
            return false;
        }
        self.count(slot, old, -1);
        self.count(slot, state, 1);
        self.refresh(self.slots[slot].group)
    }

    /// Lets a group into the rotation or takes it out, as its first message says.
    fn refresh(&mut self, group: u32) -> bool {
        if self.is_recovering {
            return false;
        }
        let first = self.groups[group].first;
        let ready = self.slots[first].state() == FifoMessageState::Visible;
        self.groups.set_ready(group, ready)
    }

    fn count(&mut self, slot: u32, state: FifoMessageState, by: i64) {
        let count = match state {
            FifoMessageState::Visible => &mut self.counts.visible,
            FifoMessageState::Delayed => &mut self.counts.delayed,
            FifoMessageState::Leased => &mut self.counts.in_flight,
        };
        *count = count.wrapping_add_signed(by);
        if state == FifoMessageState::Leased {
            let leased = &mut self.groups[self.slots[slot].group].leased;
            let before = *leased;
            *leased = before.wrapping_add_signed(by as i32);
            match (before, *leased) {
                (0, 1) => self.counts.groups_in_flight += 1,
                (1, 0) => self.counts.groups_in_flight -= 1,
                _ => {}
            }
        }
    }

    fn link_by_group(&mut self, slot: u32) {
        let group = self.slots[slot].group;
        let last = std::mem::replace(&mut self.groups[group].last, slot);
        match last {
            NIL => self.groups[group].first = slot,
            last => {
                let (earlier, seq) = (self.slots[last].seq, self.slots[slot].seq);
                assert!(earlier < seq, "message {seq} enters its group behind {earlier}");
                self.slots[last].after = slot;
            }
        }
        self.slots[slot].before = last;
        self.slots[slot].after = NIL;
    }

    fn unlink_by_group(&mut self, slot: u32) {
        let (group, before, after) = {
            let message = &self.slots[slot];
            (message.group, message.before, message.after)
        };
        match before {
            NIL => self.groups[group].first = after,
            before => self.slots[before].after = after,
        }
        match after {
            NIL => self.groups[group].last = before,
            after => self.slots[after].before = before,
        }
    }

    /// Nearly always an append. Only when the clock was set back between two runs does a message
    /// belong further to the front; the place of the last insertion is then where to start.
    fn link_by_age(&mut self, slot: u32) {
        let sent = self.slots[slot].sent();
        let mut older = self.newest;
        if older != NIL && self.slots[older].sent() > sent {
            older = self.inserted;
            while older != NIL && self.slots[older].sent() > sent {
                older = self.slots[older].older;
            }
            let mut newer = self.newer_than(older);
            while newer != NIL && self.slots[newer].sent() <= sent {
                older = newer;
                newer = self.slots[newer].newer;
            }
        }
        let newer = self.newer_than(older);
        (self.slots[slot].older, self.slots[slot].newer) = (older, newer);
        match older {
            NIL => self.oldest = slot,
            older => self.slots[older].newer = slot,
        }
        match newer {
            NIL => self.newest = slot,
            newer => self.slots[newer].older = slot,
        }
        self.inserted = slot;
    }

    fn unlink_by_age(&mut self, slot: u32) {
        let (older, newer) = (self.slots[slot].older, self.slots[slot].newer);
        match older {
            NIL => self.oldest = newer,
            older => self.slots[older].newer = newer,
        }
        match newer {
            NIL => self.newest = older,
            newer => self.slots[newer].older = older,
        }
        if self.inserted == slot {
            self.inserted = if older == NIL { newer } else { older };
        }
        if self.delayed_from == slot {
            self.delayed_from = newer;
        }
    }

    fn newer_than(&self, slot: u32) -> u32 {
        if slot == NIL { self.oldest } else { self.slots[slot].newer }
    }

    /// Keeps the promise that no delayed message lies before `delayed_from`.
    fn move_delayed_from(&mut self, slot: u32) {
        let sent = |slot: u32| -> Millis { self.slots[slot].sent() };
        // Of messages sent at the same time the one that was linked last lies last.
        if self.delayed_from == NIL || sent(slot) < sent(self.delayed_from) {
            self.delayed_from = slot;
        }
    }
}
