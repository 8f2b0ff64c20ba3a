//! Receiving: find the next visible message and own it for a moment.
//!
//! The head is a page and, in that page, a hint. Everything before the hint is *behind the
//! head*: it was taken, or the thread that makes it visible later appends a reference. So no
//! message can be left behind:
//! - ready: the receiver claims it, already marked as behind the head;
//! - claimed where it stands (by a peek): marked as behind the head, so that putting it back
//!   appends;
//! - delayed, held, leased: becoming visible always appends (or goes to the fair scheduler);
//! - reserved but not published: left for later as long as it is near. When the head would have to
//!   go too far beyond it, it is *poisoned*, and its sender takes another slot.

use trunkline_types::Millis;
use trunkline_types::sync::atomic::Ordering;

use super::claimed::Claim;
use super::log::StandardLog;
use super::packed::{Link, State, Status};
use super::page::Page;
use super::slot::Slot;
use super::types::SlotRef;

/// How far the head may look past a slot that is reserved but not published, before it gives the
/// slot up: far enough that a sender at work is hardly ever hit, near enough to be searched again
/// by every receive.
#[cfg(not(loom))]
const GAP_MAX: u32 = 32;
#[cfg(loom)]
const GAP_MAX: u32 = 1;

/// Later than every message.
const ANY: Millis = Millis::MAX;

enum Step<'a> {
    Claim(Claim<'a>),
    /// Another thread was faster: look at the same slot again.
    Again,
    /// Nothing to receive here, now or later.
    Pass,
    /// What is here is too young for the caller.
    Stop,
}

impl StandardLog {
    /// The next visible message; `None` at once when there is none.
    #[inline(always)] // A call would move the claim through memory.
    pub fn claim(&self) -> Option<Claim<'_>> {
        if self.counters.0.none_visible() {
            return None;
        }
        match self.claim_front() {
            Some(claimed) => Some(claimed),
            None => self.search(ANY),
        }
    }

    /// The next visible message, if it was sent before `limit`.
    pub fn claim_sent_before(&self, limit: Millis) -> Option<Claim<'_>> {
        if self.counters.0.none_visible() {
            return None;
        }
        self.search(limit)
    }

    /// The message at the hint, if it is ready: the first step of a search, and mostly the last.
    #[inline]
    fn claim_front(&self) -> Option<Claim<'_>> {
        let link = Link::unpack(self.head.0.load(Ordering::Acquire));
        let page = self.page(link.page);
        let index = page.hint(link.generation);
        let slot = page.slot(index)?;
        let state = slot.state();
        let there = state.generation() == link.generation && state.is(Status::Ready);
        if !there || state.is_reference() {
            return None;
        }
        let claimed = self.claim_slot(page, slot, index, state)?;
        page.set_hint(link.generation, index + 1);
        Some(claimed)
    }

    /// Claims the ready message of a slot and marks it as behind the head; `None` if another thread
    /// was faster.
    #[inline]
    fn claim_slot<'a>(
        &'a self,
        page: &'a Page,
        slot: &'a Slot,
        index: u32,
        state: State,
    ) -> Option<Claim<'a>> {
        let claimed = state.with(Status::Claim).with_behind_head(true);
        slot.change(state, claimed).ok()?;
        Some(Claim::new(self, page, slot, index, claimed))
    }

    /// Removes messages at the front that were sent before `limit`; returns how many.
    pub fn expire_front(&self, limit: Millis) -> usize {
        let mut count = 0;
        while let Some(claimed) = self.claim_sent_before(limit) {
            claimed.finish();
            count += 1;
        }
        count
    }

    /// The message at `place`, if it is visible: ready or held.
    pub fn claim_at(&self, place: SlotRef) -> Option<Claim<'_>> {
        let (page, slot, index) = self.locate(place.slot)?;
        let mut state = slot.state();
        loop {
            let visible = state.is(Status::Ready) || state.is(Status::Held);
            if state.generation() != place.generation || !visible || state.is_reference() {
                return None;
            }
            let claimed = state.with(Status::Claim);
            match slot.change(state, claimed) {
                Ok(()) => return Some(Claim::new(self, page, slot, index, claimed)),
                Err(found) => state = found,
            }
        }
    }

    /// The message at `place`, if it is in flight.
    pub fn claim_leased(&self, place: SlotRef) -> Option<Claim<'_>> {
        self.hold(place, Status::Leased, Status::Holding)
    }

    /// The message at `place`, if its delay has not ended. To be read and put back, not to be
    /// leased.
    pub fn claim_delayed(&self, place: SlotRef) -> Option<Claim<'_>> {
        self.hold(place, Status::Delayed, Status::HoldingDelay)
    }

    fn hold(&self, place: SlotRef, from: Status, to: Status) -> Option<Claim<'_>> {
        let (page, slot, index) = self.locate(place.slot)?;
        let mut state = slot.state();
        loop {
            if state.generation() != place.generation || !state.is(from) {
                return None;
            }
            let holding = state.with(to);
            match slot.change(state, holding) {
                Ok(()) => return Some(Claim::new(self, page, slot, index, holding)),
                Err(found) => state = found,
            }
        }
    }

    #[inline(never)]
    fn search(&self, limit: Millis) -> Option<Claim<'_>> {
        loop {
            let link = Link::unpack(self.head.0.load(Ordering::Acquire));
            let page = self.page(link.page);
            match self.search_page(link, page, limit) {
                Lookup::Claim(claimed) => return Some(claimed),
                Lookup::Nothing => return None,
                Lookup::Stale => {}
                Lookup::End => {
                    if self.step(&self.head.0, link, page) {
                        self.give_back(page, 1);
                    }
                }
            }
        }
    }

    fn search_page<'a>(&'a self, link: Link, page: &'a Page, limit: Millis) -> Lookup<'a> {
        let start = page.hint(link.generation);
        if start == 0 && page.is_spent() {
            // A page whose messages were all deleted is not searched. The count may belong to a
            // later use; then stepping fails.
            return Lookup::End;
        }
        let (mut index, mut gap) = (start, None);
        loop {
            let slot = page.slot(index);
            let state = slot.map_or(State(0), Slot::state);
            if let (Some(slot), true) = (slot, state.generation() == link.generation) {
                match self.examine(page, slot, index, state, limit) {
                    Step::Again => continue,
                    Step::Pass => index += 1,
                    Step::Stop => return Lookup::Nothing,
                    Step::Claim(claimed) => {
                        page.set_hint(link.generation, gap.unwrap_or(index + 1));
                        return Lookup::Claim(claimed);
                    }
                }
                continue;
            }
            let tail = page.tail();
            if tail.generation() != link.generation {
                return Lookup::Stale;
            }
            let first_gap = gap.unwrap_or(index);
            if index < tail.index() {
                gap = Some(first_gap);
                index += 1;
                if index - first_gap <= GAP_MAX {
                    continue;
                }
            } else {
                if start != first_gap {
                    page.set_hint(link.generation, first_gap);
                }
                if !tail.is_closed() || page.next(link.generation).is_none() {
                    return Lookup::Nothing;
                }
                if gap.is_none() {
                    return Lookup::End;
                }
            }
            // The head has to go on: the oldest unpublished slot is given up, or was published.
            give_up(page, first_gap, link.generation);
            (index, gap) = (first_gap, None);
        }
    }

    /// One published slot at the head.
    #[inline]
    fn examine<'a>(
        &'a self,
        page: &'a Page,
        slot: &'a Slot,
        index: u32,
        state: State,
        limit: Millis,
    ) -> Step<'a> {
        match state.status() {
            Some(Status::Ready) if state.is_reference() => self.follow(page, slot, state, limit),
            Some(Status::Ready) => {
                if limit != ANY && slot.sent() >= limit {
                    return Step::Stop;
                }
                match self.claim_slot(page, slot, index, state) {
                    Some(claimed) => Step::Claim(claimed),
                    None => Step::Again,
                }
            }
            Some(Status::Claim) if !state.is_behind_head() => {
                match slot.change(state, state.with_behind_head(true)) {
                    Ok(()) => Step::Pass,
                    Err(_) => Step::Again,
                }
            }
            _ => Step::Pass,
        }
    }

    /// Uses a reference up and claims what it names, if that is still to be had.
    fn follow<'a>(
        &'a self,
        page: &'a Page,
        slot: &'a Slot,
        state: State,
        limit: Millis,
    ) -> Step<'a> {
        let target = slot.target();
        if limit != ANY {
            let young = self.info(target).is_some_and(|info| info.sent >= limit);
            if young && slot.state() == state {
                return Step::Stop;
            }
        }
        if slot.change(state, state.with(Status::Done)).is_err() {
            return Step::Again;
        }
        self.give_back(page, 1);
        match self.claim_ready(target) {
            Some(claimed) => Step::Claim(claimed),
            None => Step::Pass,
        }
    }

    /// The message at `place`, if it is ready; the reference to it is used up.
    fn claim_ready(&self, place: SlotRef) -> Option<Claim<'_>> {
        let (page, slot, index) = self.locate(place.slot)?;
        let mut state = slot.state();
        loop {
            if state.generation() != place.generation || state.is_reference() {
                return None;
            }
            let (next, ours) = match state.status() {
                Some(Status::Ready) => (state.with(Status::Claim).with_behind_head(true), true),
                // The thread that has it now must append another reference when putting it back.
                Some(Status::Claim) if !state.is_behind_head() => {
                    (state.with_behind_head(true), false)
                }
                _ => return None,
            };
            match slot.change(state, next) {
                Ok(()) if ours => return Some(Claim::new(self, page, slot, index, next)),
                Ok(()) => return None,
                Err(found) => state = found,
            }
        }
    }
}

enum Lookup<'a> {
    Claim(Claim<'a>),
    /// Nothing visible in the whole log.
    Nothing,
    /// The head moved on meanwhile.
    Stale,
    /// The whole page is behind the head.
    End,
}

/// Poisons a slot that was not published in this use of the page.
#[cold]
fn give_up(page: &Page, index: u32, generation: u32) {
    let Some(slot) = page.slot(index) else { return };
    let state = slot.state();
    if state.generation() != generation && page.tail().generation() == generation {
        // A page that was recycled in between has published or poisoned the slot, or its state is
        // untouched: then the poison carries an old generation and means "not published".
        let _ = slot.change(state, State::new(generation, Status::Poisoned));
    }
}
