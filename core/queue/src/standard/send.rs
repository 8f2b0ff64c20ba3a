//! Sending: reserve a slot, write the message, publish.

use std::slice;

use trunkline_types::sync::atomic::{Ordering, fence};
use trunkline_types::{Millis, Seq};

use super::body::store_heap;
use super::log::{RUN_MAX, StandardLog, Taken};
use super::packed::{State, Status};
use super::slot::{BodyLocation, Fields, Slot};
use super::types::{MessageState, NewBody, Restored, SlotRef, Visibility};

/// A slot that waits for its message. Dropped without publishing, it counts as over.
#[derive(Debug)]
pub struct Reserved<'a> {
    log: &'a StandardLog,
    taken: Option<Taken<'a>>,
    body_len: usize,
    inline: bool,
}

impl StandardLog {
    /// Reserves the next place, with room for `body_len` bytes if the body is to be kept inline.
    #[inline]
    pub fn reserve(&self, body_len: usize, inline: bool) -> Reserved<'_> {
        let taken = Some(self.take_slot(inline.then_some(body_len)));
        Reserved { log: self, taken, body_len, inline }
    }

    /// Stores a message that has a past: its sequence number and its history are kept.
    pub fn restore(&self, message: Restored<'_>) -> SlotRef {
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

    /// Adds a ready message whose body is kept here: the usual case of reserving and publishing.
    #[inline]
    pub fn append(&self, sent: Millis, flags: u8, body: &[u8]) -> Seq {
        let taken = self.take_slot(Some(body.len()));
        let seq = taken.seq();
        let news = News::fresh(sent, flags, &body);
        self.put(taken, seq, &news, State::new(0, Status::Ready));
        seq
    }

    /// Adds several such messages in order, and tells their sequence numbers. Slots are taken and
    /// messages counted for a run of them at once.
    pub fn append_all<'b>(
        &self,
        sent: Millis,
        flags: u8,
        mut bodies: impl Iterator<Item = &'b [u8]>,
        mut each: impl FnMut(Seq),
    ) {
        let mut run: [&[u8]; RUN_MAX] = [&[]; RUN_MAX];
        loop {
            // The caller's iterator and `each` run while no slot is taken: they may panic.
            let mut count = 0;
            while count < RUN_MAX
                && let Some(body) = bodies.next()
            {
                run[count] = body;
                count += 1;
            }
            let mut rest = &run[..count];
            while let Some(body) = rest.first() {
                let Some((first, taken)) = self.take_run(rest) else {
                    each(self.append(sent, flags, body));
                    rest = &rest[1..];
                    continue;
                };
                let (now, later) = rest.split_at(taken);
                let seq = self.put_run(first, now, sent, flags);
                (seq..).take(taken).for_each(&mut each);
                rest = later;
            }
            if count < RUN_MAX {
                return;
            }
        }
    }

    /// Writes and publishes `bodies` in the run of slots that starts with `first`.
    fn put_run(&self, first: Taken<'_>, bodies: &[&[u8]], sent: Millis, flags: u8) -> Seq {
        let (seq, shape) = (first.seq(), State::new(0, Status::Ready));
        let mut taken = first;
        for (body, seq) in bodies.iter().zip(seq..) {
            self.store(taken, seq, &News::fresh(sent, flags, body), shape);
            taken.index += 1;
            taken.offset = taken.offset.map(|offset| offset + body.len() as u32);
        }
        self.tally.0.enter_ready(bodies.len() as u32);
        seq
    }

    /// Writes, publishes and counts a message.
    #[inline]
    fn put<'a>(&'a self, taken: Taken<'a>, seq: Seq, news: &News<'_>, shape: State) -> SlotRef {
        let place = self.store(taken, seq, news, shape);
        if let Some(status) = shape.status() {
            self.tally.0.enter(status);
        }
        place
    }

    /// Writes and publishes a message in `taken`, or in a later slot if receivers went past it.
    #[inline]
    fn store<'a>(&'a self, taken: Taken<'a>, seq: Seq, news: &News<'_>, shape: State) -> SlotRef {
        if self.try_store(taken, seq, news, shape) {
            return taken.place();
        }
        self.store_later(seq, news, shape)
    }

    #[cold]
    fn store_later(&self, seq: Seq, news: &News<'_>, shape: State) -> SlotRef {
        let len = match news.body {
            NewBody::Inline(pieces) => Some(pieces.iter().map(|piece| piece.len()).sum()),
            NewBody::At { .. } => None,
        };
        loop {
            let taken = self.take_slot(len);
            if self.try_store(taken, seq, news, shape) {
                return taken.place();
            }
        }
    }

    /// False: receivers went past the slot, and it is given back.
    #[inline]
    fn try_store(&self, taken: Taken<'_>, seq: Seq, news: &News<'_>, shape: State) -> bool {
        let slot = taken.slot();
        // A look without claim that sees the new fields sees that the old message is over.
        fence(Ordering::Release);
        let (location, len) = self.write_body(&taken, news.body);
        let (sent, flags, first_received) = (news.sent, news.flags, news.first_received);
        slot.set_fields(&Fields { sent, flags, first_received, due: news.due, location, len });
        let restated = taken.seq() != seq;
        if restated {
            taken.page.restate(taken.index, seq);
        }
        let published = publish(slot, shape.of(taken.generation).with_restated(restated));
        if !published {
            if let BodyLocation::Heap(address) = location {
                self.drop_heap(address, len);
            }
            self.give_back(taken.page, 1);
        }
        published
    }

    #[inline]
    fn write_body(&self, taken: &Taken<'_>, body: NewBody<'_>) -> (BodyLocation, u32) {
        let pieces = match body {
            NewBody::At { lsn, len } => return (BodyLocation::Journal(lsn), len),
            NewBody::Inline(pieces) => pieces,
        };
        let len: usize = pieces.iter().map(|piece| piece.len()).sum();
        assert!(len <= u32::MAX as usize, "a body is larger than any limit allows");
        if let Some(offset) = taken.offset {
            taken.page.region.write(offset, pieces);
            return (BodyLocation::Region(offset), len as u32);
        }
        self.heap_bytes.fetch_add(len, Ordering::Relaxed);
        (BodyLocation::Heap(store_heap(pieces)), len as u32)
    }

    /// Appends the word that `target` is visible again. The target is ready before this is called,
    /// so whoever finds the reference finds the message, or somebody who had it since.
    pub(super) fn refer(&self, target: SlotRef) {
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

impl<'a> News<'a> {
    /// Never delivered, ready at once, and kept here.
    #[inline]
    fn fresh(sent: Millis, flags: u8, body: &'a &'a [u8]) -> Self {
        let body = NewBody::Inline(slice::from_ref(body));
        Self { sent, flags, first_received: sent, due: 0, body }
    }
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
    pub fn place(&self) -> Option<SlotRef> {
        self.taken.as_ref().map(Taken::place)
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
    ) -> SlotRef {
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
        let shape = State::new(0, status).with_lane(lane);
        let news = News { sent, flags, first_received: sent, due, body };
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
