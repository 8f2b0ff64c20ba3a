//! Looking without claiming.

use trunkline_types::sync::atomic::{Ordering, fence};
use trunkline_types::{Millis, Seq};

use super::directory::INDEX_BITS;
use super::log::{StandardLog, holds_message};
use super::packed::{Link, State, Status, Tail};
use super::page::Page;
use super::slot::BodyLocation;
use super::types::{Info, MessageState, SlotRef};

impl StandardLog {
    /// What is known of the message at `place`; `None` when it is over.
    pub fn info(&self, place: SlotRef) -> Option<Info> {
        let (page, _, index) = self.locate(place.slot)?;
        self.info_in(page, index).filter(|info| info.place == place)
    }

    /// The message that lies in a physical slot now.
    #[inline]
    pub fn slot_of(&self, slot: u32) -> Option<SlotRef> {
        let (page, physical, _) = self.locate(slot)?;
        let (state, generation) = (physical.state(), page.tail().generation());
        let there = state.generation() == generation
            && holds_message(state)
            && !state.is(Status::DeletedWhileClaimed);
        there.then_some(SlotRef { slot, generation })
    }

    /// Every message that is not over, oldest page first; ends when `f` returns false.
    ///
    /// Messages that come or go meanwhile may be missed or shown; no message is shown twice.
    pub fn scan(&self, mut f: impl FnMut(Info) -> bool) {
        for (_, page, _) in self.used_pages() {
            for index in 0..page.tail().index() {
                if let Some(info) = self.info_in(page, index)
                    && !f(info)
                {
                    return;
                }
            }
        }
    }

    /// When the message at the oldest place was sent.
    ///
    /// At once while that message is still the one of the last call; otherwise every page's end is
    /// looked at, and the oldest pages are searched until one has a message.
    pub fn oldest_sent(&self) -> Option<Millis> {
        let last = Link::unpack(self.oldest.load(Ordering::Relaxed));
        // New messages are behind old ones, so it is the oldest as long as it is there.
        if let Some(info) = self.info(SlotRef { slot: last.page, generation: last.generation }) {
            return Some(info.sent);
        }
        let oldest = self.used_pages().into_iter().find_map(|(_, page, tail)| {
            (0..tail.index()).find_map(|index| self.info_in(page, index))
        })?;
        let SlotRef { slot, generation } = oldest.place;
        self.oldest.store(Link { generation, page: slot }.pack(), Ordering::Relaxed);
        Some(oldest.sent)
    }

    /// Bytes of memory held, bodies included.
    pub fn memory(&self) -> usize {
        let pages: usize = self.directory.pages().map(Page::memory).sum();
        size_of::<Self>() + pages + self.heap_bytes.load(Ordering::Relaxed)
    }

    fn used_pages(&self) -> Vec<(Seq, &Page, Tail)> {
        let mut pages: Vec<_> = self
            .directory
            .pages()
            .map(|page| (page.base(), page, page.tail()))
            .filter(|(_, _, tail)| tail.index() > 0)
            .collect();
        pages.sort_unstable_by_key(|(base, _, _)| *base);
        pages
    }

    fn info_in(&self, page: &Page, index: u32) -> Option<Info> {
        let slot = page.slot(index)?;
        loop {
            let state = slot.state();
            let generation = state.generation();
            if generation != page.tail().generation() || !holds_message(state) {
                return None;
            }
            let (fields, base) = (slot.fields(), page.base());
            let seq = if state.has_explicit_seq() {
                page.explicit_seq(index)
            } else {
                base + u64::from(index)
            };
            fence(Ordering::Acquire);
            if slot.state() != state {
                continue;
            }
            let place = SlotRef { slot: page.id << INDEX_BITS | index, generation };
            return Some(Info {
                place,
                seq,
                sent: fields.sent,
                flags: fields.flags,
                deliveries: state.deliveries(),
                first_received: (state.deliveries() > 0).then_some(fields.first_received),
                state: message_state(state, fields.due)?,
                fair: state.is_fair(),
                at: match fields.location {
                    BodyLocation::Journal(lsn) => Some((lsn, fields.len)),
                    _ => None,
                },
                len: fields.len,
            });
        }
    }
}

fn message_state(state: State, due: Millis) -> Option<MessageState> {
    match state.status()? {
        Status::Ready => Some(MessageState::Ready),
        Status::Held => Some(MessageState::Held),
        Status::Delayed | Status::HoldingDelay => Some(MessageState::Delayed(due)),
        Status::Leased | Status::Holding => Some(MessageState::Leased(due)),
        Status::Claim if state.is_fair() => Some(MessageState::Held),
        Status::Claim => Some(MessageState::Ready),
        Status::Poisoned | Status::DeletedWhileClaimed | Status::Done => None,
    }
}
