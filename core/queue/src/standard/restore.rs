//! Filling a log at opening with the messages that it had: without a step that another thread could
//! see, because ten million of them have to be back in a fraction of a second.
//!
//! A page that is filled as a whole takes the number of its first message for its base, so that
//! messages with consecutive numbers need no table of their numbers. The last page keeps the base
//! that the numbers of new messages count from.

use std::thread;

use trunkline_types::{Millis, Seq};

use super::log::{ReservedSlot, StandardLog};
use super::packed::{Link, State, Status};
use super::page::{CLASSES, Grow, Page};
use super::slot::Fields;
use super::types::{MessageState, Restored, SlotRef};

/// From so many messages on, another thread helps.
const AHEAD_FROM: usize = 100_000;
/// Slots of the pages that a deep log consists of.
const PAGE_SLOTS: usize = CLASSES[CLASSES.len() - 1].0 as usize;

/// Puts messages back into a log that no other thread has.
#[derive(Debug)]
pub struct Restoring<'a> {
    log: &'a StandardLog,
    /// The number of the first new message.
    next: Seq,
    /// Messages that are still to come.
    left: usize,
    link: Link,
    page: &'a Page,
    /// The first slot that was filled in the page, and the next one to be.
    first: u32,
    index: u32,
    /// Whether the page has the base of its first message.
    is_rebased: bool,
    /// Visible messages of the page.
    visible: u32,
}

impl StandardLog {
    /// Puts about `count` messages that have a past back: `fill` pushes them in the order in which
    /// they are to be received; their numbers and their histories are kept. Another thread has the
    /// system lay memory beneath many, which takes as long as filling it.
    pub fn restore<T>(&mut self, count: usize, fill: impl FnOnce(&mut Restoring<'_>) -> T) -> T {
        let log = &*self;
        let mut restoring = Restoring::new(log, count);
        if count < AHEAD_FROM {
            return fill(&mut restoring);
        }
        thread::scope(|scope| {
            let ahead = thread::Builder::new().name("trunkline-restorer".into());
            // Without that thread it only takes longer.
            drop(ahead.spawn_scoped(scope, || log.directory.make_ahead(count / PAGE_SLOTS)));
            fill(&mut restoring)
        })
    }
}

impl<'a> Restoring<'a> {
    fn new(log: &'a StandardLog, count: usize) -> Self {
        let next = log.next_seq();
        let (link, page, tail) = log.last_page();
        let first = tail.index();
        let mut restoring = Restoring {
            log,
            next,
            left: count,
            link,
            page,
            first,
            index: first,
            is_rebased: false,
            visible: 0,
        };
        restoring.begin_page();
        restoring
    }

    /// Adds a message.
    pub fn push(&mut self, message: Restored<'_>) -> SlotRef {
        if self.index == self.page.capacity() {
            self.turn_page();
        }
        if self.is_rebased && self.index == 0 {
            self.page.rebase(message.seq);
        }
        let reserved = self.reserved();
        let (status, due) = match message.state {
            MessageState::Ready => (Status::Ready, 0),
            MessageState::Held => (Status::Held, 0),
            MessageState::Delayed(due) => (Status::Delayed, due),
            MessageState::Leased(due) => (Status::Leased, due),
        };
        let (location, len) = self.log.write_body(&reserved, message.body);
        let (sent, flags) = (message.sent, message.flags);
        let first_received = message.first_received.unwrap_or(sent);
        let slot = reserved.slot();
        slot.set_fields(&Fields { sent, flags, first_received, due, location, len });
        let has_explicit_seq = reserved.seq != message.seq;
        if has_explicit_seq {
            self.page.restate(self.index, message.seq);
        }
        let state = State::new(self.link.generation, status)
            .with_deliveries(message.deliveries)
            .with_fair(message.fair || status == Status::Held)
            .with_explicit_seq(has_explicit_seq);
        slot.restore(state);
        match status {
            Status::Ready | Status::Held => self.visible += 1,
            other => self.log.counters.0.enter(other),
        }
        self.index += 1;
        self.left = self.left.saturating_sub(1);
        reserved.place()
    }

    /// See [`StandardLog::arm`].
    pub fn arm(&self, slot: u32, at: Millis) -> bool {
        self.log.arm(slot, at)
    }

    fn reserved(&self) -> ReservedSlot<'a> {
        ReservedSlot::new(self.page, self.link.generation, self.index, None)
    }

    fn begin_page(&mut self) {
        self.is_rebased = self.first == 0 && self.left >= self.page.capacity() as usize;
        if !self.is_rebased && self.first == 0 {
            self.page.rebase(self.next);
        }
    }

    fn end_page(&mut self) {
        let (tail, filled) = (self.page.tail(), self.index - self.first);
        let grown = self.page.try_grow(tail, filled, 0);
        assert!(matches!(grown, Grow::Taken), "no other thread has the log");
        self.log.counters.0.enter_ready(self.visible);
        (self.first, self.visible) = (self.index, 0);
    }

    fn turn_page(&mut self) {
        self.end_page();
        self.log.turn_page(self.link, self.page, self.page.tail());
        let (link, page, tail) = self.log.last_page();
        (self.link, self.page, self.first, self.index) = (link, page, tail.index(), tail.index());
        self.begin_page();
    }
}

impl Drop for Restoring<'_> {
    fn drop(&mut self) {
        self.end_page();
        if self.is_rebased {
            // Full, or fewer came than were announced: the numbers of new messages start anew.
            self.left = 0;
            self.turn_page();
        }
    }
}
