//! Sending: reserve a slot, write the message, publish.

use std::slice;

use trunkline_types::sync::atomic::{Ordering, fence};
use trunkline_types::{Millis, Seq};

use super::body::store_heap;
use super::log::{RUN_MAX, ReservedSlot, StandardLog};
use super::packed::{State, Status};
use super::shared_body::SharedBody;
use super::slot::{BodyLocation, Fields, Slot};
use super::types::{NewBody, SlotRef, Visibility};

/// A slot that waits for its message. Dropped without publishing, it counts as over.
#[derive(Debug)]
pub struct Reserved<'a> {
    log: &'a StandardLog,
    reserved: Option<ReservedSlot<'a>>,
    body_len: usize,
    inline: bool,
}

impl StandardLog {
    /// Reserves the next slot, and `body_len` bytes beside it if the body is to be kept inline.
    #[inline]
    pub fn reserve(&self, body_len: usize, inline: bool) -> Reserved<'_> {
        let reserved = Some(self.take_slot(inline.then_some(body_len)));
        Reserved { log: self, reserved, body_len, inline }
    }

    /// Adds a ready message whose body is kept here: the usual case of reserving and publishing.
    #[inline]
    pub fn append(&self, sent: Millis, flags: u8, body: &[u8]) -> Seq {
        let reserved = self.take_slot(Some(body.len()));
        let (seq, shape) = (reserved.seq, State::new(0, Status::Ready));
        if !self.try_store(reserved, seq, NewMessage::fresh(sent, flags, &body), shape) {
            self.append_later(seq, sent, flags, body);
        }
        self.counters.0.enter(Status::Ready);
        seq
    }

    // Takes words, or the message would be put into memory for the case that it is called.
    #[cold]
    fn append_later(&self, seq: Seq, sent: Millis, flags: u8, body: &[u8]) {
        let message = NewMessage::fresh(sent, flags, &body);
        self.store_later(seq, message, State::new(0, Status::Ready));
    }

    /// Adds a ready message whose body messages of other logs share.
    #[inline]
    pub fn append_shared(&self, sent: Millis, flags: u8, body: &SharedBody) -> Seq {
        let reserved = self.take_slot(None);
        let seq = reserved.seq;
        let body = NewBody::Shared(body);
        let message = NewMessage { sent, flags, first_received: sent, due: 0, body };
        self.put(reserved, seq, message, State::new(0, Status::Ready));
        seq
    }

    /// Adds several such messages in order, and tells their sequence numbers. Slots are reserved
    /// and messages counted for a run of them at once.
    pub fn append_all<'b>(
        &self,
        sent: Millis,
        flags: u8,
        mut bodies: impl Iterator<Item = &'b [u8]>,
        mut each: impl FnMut(Seq),
    ) {
        let mut run: [&[u8]; RUN_MAX] = [&[]; RUN_MAX];
        loop {
            // The caller's iterator and `each` run while no slot is reserved: they may panic.
            let mut count = 0;
            while count < RUN_MAX
                && let Some(body) = bodies.next()
            {
                run[count] = body;
                count += 1;
            }
            let mut rest = &run[..count];
            while let Some(body) = rest.first() {
                let Some((first, reserved)) = self.take_run(rest) else {
                    each(self.append(sent, flags, body));
                    rest = &rest[1..];
                    continue;
                };
                let (now, later) = rest.split_at(reserved);
                let seq = self.put_run(first, now, sent, flags);
                (seq..).take(reserved).for_each(&mut each);
                rest = later;
            }
            if count < RUN_MAX {
                return;
            }
        }
    }

    /// Writes and publishes `bodies` in the run of slots that starts with `first`.
    fn put_run(&self, first: ReservedSlot<'_>, bodies: &[&[u8]], sent: Millis, flags: u8) -> Seq {
        let (seq, shape) = (first.seq, State::new(0, Status::Ready));
        let mut reserved = first;
        for (body, seq) in bodies.iter().zip(seq..) {
            self.store(reserved, seq, NewMessage::fresh(sent, flags, body), shape);
            (reserved.index, reserved.seq) = (reserved.index + 1, reserved.seq + 1);
            reserved.offset = reserved.offset.map(|offset| offset + body.len() as u32);
        }
        self.counters.0.enter_ready(bodies.len() as u32);
        seq
    }

    /// Writes, publishes and counts a message.
    #[inline]
    fn put<'a>(
        &'a self,
        reserved: ReservedSlot<'a>,
        seq: Seq,
        message: NewMessage<'_>,
        shape: State,
    ) -> SlotRef {
        let place = self.store(reserved, seq, message, shape);
        if let Some(status) = shape.status() {
            self.counters.0.enter(status);
        }
        place
    }

    /// Writes and publishes a message in `reserved`, or in a later slot if receivers went past it.
    #[inline]
    fn store<'a>(
        &'a self,
        reserved: ReservedSlot<'a>,
        seq: Seq,
        message: NewMessage<'_>,
        shape: State,
    ) -> SlotRef {
        if self.try_store(reserved, seq, message, shape) {
            return reserved.place();
        }
        self.store_later(seq, message, shape)
    }

    #[cold]
    fn store_later(&self, seq: Seq, message: NewMessage<'_>, shape: State) -> SlotRef {
        let len = match message.body {
            NewBody::Inline(pieces) => Some(pieces.iter().map(|piece| piece.len()).sum()),
            NewBody::At { .. } | NewBody::Shared(_) => None,
        };
        loop {
            let reserved = self.take_slot(len);
            if self.try_store(reserved, seq, message, shape) {
                return reserved.place();
            }
        }
    }

    /// False: receivers went past the slot, and it is given back.
    #[inline]
    fn try_store(
        &self,
        reserved: ReservedSlot<'_>,
        seq: Seq,
        message: NewMessage<'_>,
        shape: State,
    ) -> bool {
        let slot = reserved.slot();
        // A look without claim that sees the new fields sees that the old message is over.
        fence(Ordering::Release);
        let (location, len) = self.write_body(&reserved, message.body);
        let (sent, flags, first_received) = (message.sent, message.flags, message.first_received);
        slot.set_fields(&Fields { sent, flags, first_received, due: message.due, location, len });
        let explicit_seq = reserved.seq != seq;
        if explicit_seq {
            reserved.page.restate(reserved.index, seq);
        }
        let published =
            publish(slot, shape.of(reserved.generation).with_explicit_seq(explicit_seq));
        if !published {
            let shared = match message.body {
                NewBody::Shared(shared) => Some(shared),
                NewBody::Inline(_) | NewBody::At { .. } => None,
            };
            self.take_back(shared, location, len);
            self.give_back(reserved.page, 1);
        }
        published
    }

    #[inline]
    pub(super) fn write_body(
        &self,
        reserved: &ReservedSlot<'_>,
        body: NewBody<'_>,
    ) -> (BodyLocation, u32) {
        let pieces = match body {
            NewBody::At { lsn, len } => return (BodyLocation::Journal(lsn), len),
            NewBody::Shared(shared) => return self.write_shared(shared),
            NewBody::Inline(pieces) => pieces,
        };
        let len: usize = pieces.iter().map(|piece| piece.len()).sum();
        assert!(len <= u32::MAX as usize, "a body is larger than any limit allows");
        if let Some(offset) = reserved.offset {
            reserved.page.region.write(offset, pieces);
            return (BodyLocation::Region(offset), len as u32);
        }
        self.heap_bytes.fetch_add(len, Ordering::Relaxed);
        (BodyLocation::Heap(store_heap(pieces)), len as u32)
    }

    /// Undoes [`Self::write_body`], of a body that is `shared` or not: the message will lie in
    /// another slot.
    #[cold]
    fn take_back(&self, shared: Option<&SharedBody>, location: BodyLocation, len: u32) {
        match shared {
            Some(shared) => {
                self.uncount_outside(shared.share());
                shared.take_back();
            }
            None => self.drop_outside(location, len),
        }
    }

    #[inline]
    fn write_shared(&self, shared: &SharedBody) -> (BodyLocation, u32) {
        let share = shared.share();
        if share > 0 {
            self.heap_bytes.fetch_add(share, Ordering::Relaxed);
        }
        (BodyLocation::Shared(shared.refer()), shared.bytes().len() as u32)
    }

    /// Appends the word that `target` is visible again. The target is ready before this is called,
    /// so a receiver that finds the reference finds the message, or sees that another had it since.
    pub(super) fn refer(&self, target: SlotRef) {
        loop {
            let reserved = self.take_slot(None);
            let slot = reserved.slot();
            slot.set_target(target);
            let state = State::new(reserved.generation, Status::Ready).as_reference();
            if publish(slot, state) {
                return;
            }
            self.give_back(reserved.page, 1);
        }
    }
}

/// Makes a reserved slot visible as `state`. False: receivers went past it.
#[inline]
fn publish(slot: &Slot, state: State) -> bool {
    let before = slot.state();
    // Only a receiver that gives up on the slot touches it before it is published.
    before.generation() != state.generation() && slot.change(before, state).is_ok()
}

/// What a message brings along. Copied, never borrowed, so that it stays in registers.
#[derive(Clone, Copy)]
struct NewMessage<'a> {
    sent: Millis,
    flags: u8,
    first_received: Millis,
    due: Millis,
    body: NewBody<'a>,
}

impl<'a> NewMessage<'a> {
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

impl<'a> ReservedSlot<'a> {
    #[inline]
    pub(super) fn slot(&self) -> &'a Slot {
        match self.page.slot(self.index) {
            Some(slot) => slot,
            None => unreachable!("a reserved index lies inside its page"),
        }
    }
}

impl std::fmt::Debug for ReservedSlot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ReservedSlot").field(&self.place()).finish()
    }
}

impl Reserved<'_> {
    /// The sequence number of the message. It stays, whatever happens.
    #[inline]
    pub fn seq(&self) -> Seq {
        self.reserved.as_ref().map_or(0, |reserved| reserved.seq)
    }

    /// Where the message will lie, unless receivers have to go past the slot.
    pub fn place(&self) -> Option<SlotRef> {
        self.reserved.as_ref().map(ReservedSlot::place)
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
        let fair = matches!(visibility, Visibility::Held | Visibility::HeldAfter(_));
        let shape = State::new(0, status).with_fair(fair);
        let message = NewMessage { sent, flags, first_received: sent, due, body };
        let seq = self.seq();
        match self.reserved.take() {
            Some(reserved) => self.log.put(reserved, seq, message, shape),
            None => unreachable!("a reservation is used up only by publishing"),
        }
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if let Some(reserved) = self.reserved.take() {
            // Poisoned or not, the slot is over, and this thread is the one to say so.
            publish(reserved.slot(), State::new(reserved.generation, Status::Done));
            self.log.give_back(reserved.page, 1);
        }
    }
}
