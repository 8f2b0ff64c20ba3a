//! Sending: reserve a slot, write the message, publish.

use trunkline_vocabulary::sync::atomic::{Ordering, fence};
use trunkline_vocabulary::{Millis, Seq};

use super::body::store_heap;
use super::log::{StandardLog, Taken};
use super::slot::{Fields, Home, Slot};
use super::types::{MessageState, NewBody, Place, Restored, Visibility};
use super::word::{State, Status};

/// A slot that waits for its message. Dropped without publishing, it counts as over.
#[derive(Debug)]
pub struct Reserved<'a> {
    log: &'a StandardLog,
    taken: Option<Taken<'a>>,
    body_len: usize,
    inline: bool,
    deliveries: u32,
    first_received: Option<Millis>,
}

impl StandardLog {
    /// Reserves the next place, with room for `body_len` bytes if the body is to be kept inline.
    #[inline]
    pub fn reserve(&self, body_len: usize, inline: bool) -> Reserved<'_> {
        let taken = Some(self.take_slot(inline.then_some(body_len)));
        Reserved { log: self, taken, body_len, inline, deliveries: 0, first_received: None }
    }

    /// Stores a message that has a past: its sequence number and its history are kept.
    pub fn restore(&self, message: Restored<'_>) -> Place {
        let body = message.body;
        let len = match body {
            NewBody::Inline(pieces) => Some(pieces.iter().map(|piece| piece.len()).sum()),
            NewBody::At { .. } => None,
        };
        let (status, due) = match message.state {
            MessageState::Ready => (Status::Ready, 0),
            MessageState::Held => (Status::Held, 0),
            MessageState::Delayed(due) => (Status::Delayed, due),
            MessageState::Leased(due) => (Status::Leased, due),
        };
        let first_received = message.first_received.unwrap_or(message.sent);
        let (sent, flags) = (message.sent, message.flags);
        let news = News { sent, flags, first_received, due, body };
        let shape = State::new(0, status)
            .with_deliveries(message.deliveries)
            .with_lane(message.lane || status == Status::Held);
        self.put(self.take_slot(len), message.seq, &news, shape)
    }

    /// Writes and publishes a message in `taken`, or in a later slot if receivers went past it.
    fn put<'a>(&'a self, mut taken: Taken<'a>, seq: Seq, news: &News<'_>, shape: State) -> Place {
        loop {
            let slot = taken.slot();
            // A look without claim that sees the new fields sees that the old message is over.
            fence(Ordering::Release);
            let (home, len) = self.write_body(&taken, news.body);
            let (sent, flags, first_received) = (news.sent, news.flags, news.first_received);
            slot.set_fields(&Fields { sent, flags, first_received, due: news.due, home, len });
            let restated = taken.seq() != seq;
            if restated {
                taken.page.restate(taken.index, seq);
            }
            let state = shape.of(taken.generation).with_restated(restated);
            if publish(slot, state) {
                if let Some(status) = shape.status() {
                    self.tally.0.enter(status);
                }
                return taken.place();
            }
            if let Home::Heap(address) = home {
                self.drop_heap(address, len);
            }
            self.give_back(taken.page, 1);
            taken = self.take_slot(match news.body {
                NewBody::Inline(_) => Some(len as usize),
                NewBody::At { .. } => None,
            });
        }
    }

    #[inline]
    fn write_body(&self, taken: &Taken<'_>, body: NewBody<'_>) -> (Home, u32) {
        let pieces = match body {
            NewBody::At { lsn, len } => return (Home::Journal(lsn), len),
            NewBody::Inline(pieces) => pieces,
        };
        let len: usize = pieces.iter().map(|piece| piece.len()).sum();
        assert!(len <= u32::MAX as usize, "a body is larger than any limit allows");
        if let Some(offset) = taken.offset {
            taken.page.region.write(offset, pieces);
            return (Home::Region(offset), len as u32);
        }
        self.heap_bytes.fetch_add(len, Ordering::Relaxed);
        (Home::Heap(store_heap(pieces)), len as u32)
    }

    /// Appends the word that `target` is visible again. The target is ready before this is called,
    /// so whoever finds the reference finds the message, or somebody who had it since.
    pub(super) fn refer(&self, target: Place) {
        loop {
            let taken = self.take_slot(None);
            let slot = taken.slot();
            slot.set_target(target);
            let state = State::new(taken.generation, Status::Ready).as_reference();
            if publish(slot, state) {
                return;
            }
            self.give_back(taken.page, 1);
        }
    }
}

/// Makes a reserved slot visible as `state`. False: receivers went past it.
#[inline]
fn publish(slot: &Slot, state: State) -> bool {
    let before = slot.state();
    // Nobody but a receiver that gives up on the slot touches it before it is published.
    before.generation() != state.generation() && slot.change(before, state).is_ok()
}

/// What a message brings along.
struct News<'a> {
    sent: Millis,
    flags: u8,
    first_received: Millis,
    due: Millis,
    body: NewBody<'a>,
}

impl State {
    #[inline]
    fn of(self, generation: u32) -> Self {
        Self(self.0 & u64::from(u32::MAX) | u64::from(generation) << 32)
    }
}

impl<'a> Taken<'a> {
    #[inline]
    fn slot(&self) -> &'a Slot {
        match self.page.slot(self.index) {
            Some(slot) => slot,
            None => unreachable!("a reserved index lies inside its page"),
        }
    }

    #[inline]
    fn seq(&self) -> Seq {
        self.page.base() + u64::from(self.index)
    }
}

impl std::fmt::Debug for Taken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Taken").field(&self.place()).finish()
    }
}

impl Reserved<'_> {
    /// The sequence number of the message. It stays, whatever happens.
    #[inline]
    pub fn seq(&self) -> Seq {
        self.taken.as_ref().map_or(0, Taken::seq)
    }

    /// Where the message will lie, unless receivers have to go past the slot.
    pub fn place(&self) -> Option<Place> {
        self.taken.as_ref().map(Taken::place)
    }

    /// Gives the message deliveries that it had elsewhere.
    pub fn with_history(mut self, deliveries: u32, first_received: Option<Millis>) -> Self {
        self.deliveries = deliveries;
        self.first_received = first_received;
        self
    }

    /// Writes the message and makes it count. The place is final only now: if receivers had to go
    /// past this slot, the message lies in a later one.
    #[inline]
    pub fn publish(
        mut self,
        sent: Millis,
        flags: u8,
        body: NewBody<'_>,
        visibility: Visibility,
    ) -> Place {
        if let NewBody::Inline(pieces) = body {
            let len: usize = pieces.iter().map(|piece| piece.len()).sum();
            assert!(self.inline && len == self.body_len, "not the body the place was made for");
        }
        let (status, due) = match visibility {
            Visibility::Ready => (Status::Ready, 0),
            Visibility::Held => (Status::Held, 0),
            Visibility::Delayed(due) | Visibility::HeldAfter(due) => (Status::Delayed, due),
        };
        let lane = matches!(visibility, Visibility::Held | Visibility::HeldAfter(_));
        let shape = State::new(0, status).with_lane(lane).with_deliveries(self.deliveries);
        let first_received = self.first_received.unwrap_or(sent);
        let news = News { sent, flags, first_received, due, body };
        let seq = self.seq();
        match self.taken.take() {
            Some(taken) => self.log.put(taken, seq, &news, shape),
            None => unreachable!("a reservation is used up only by publishing"),
        }
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if let Some(taken) = self.taken.take() {
            // Poisoned or not, the slot is over, and this thread is the one to say so.
            publish(taken.slot(), State::new(taken.generation, Status::Done));
            self.log.give_back(taken.page, 1);
        }
    }
}
