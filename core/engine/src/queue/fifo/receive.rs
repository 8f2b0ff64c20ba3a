//! Receiving from a FIFO queue: decide, journal, apply, then read the bodies without the lock.

use trunkline_journal::Lsn;
use trunkline_queue::{
    FifoInfo, FifoMessageState, FifoSlotRef, FifoState, Payload, Pick, ReceiveDecision,
};
use trunkline_types::{Durability, Millis, Receipt, Result};

use super::{FifoQueue, location_of};
use crate::queue::Queue;
use crate::queue::envelope::Envelope;
use crate::queue::message::{Delivery, Receive};
use crate::queue::record::Record;
use crate::queue::shared::{Shown, with_envelope, with_rendering};
use crate::queue::transfer::{self, Exhausted};

/// How long a message is held apart while it changes queues, unless that fails.
const HELD_APART: Millis = 30_000;

/// A message that was taken out of the state, to be read without the lock.
pub(super) struct Copied {
    pub pick: Pick,
    pub payload: Payload,
    pub flags: u8,
    pub sent: Millis,
}

impl FifoQueue {
    // Apart, so that it does not weigh on the other kind of queue.
    #[inline(never)]
    pub fn receive(
        &self,
        queue: &Queue,
        request: &Receive<'_>,
        now: Millis,
        sink: &mut dyn FnMut(Delivery<'_>),
    ) -> Result<usize> {
        let mut delivered = 0;
        loop {
            let (picked, copied) = self.lease(queue, request, request.max - delivered, now)?;
            for message in &copied {
                self.deliver(queue, message, sink)?;
            }
            delivered += copied.len();
            if picked.dead.is_empty() {
                return Ok(delivered);
            }
            let moved = self.dead_letter(queue, &picked.dead, now)?;
            // Behind dead letters there may be messages to deliver. Look only with empty hands:
            // what was delivered without a lease is visible again, and must not be met twice.
            if delivered > 0 || moved == 0 && !picked.more {
                return Ok(delivered);
            }
        }
    }

    /// Decides, journals and applies the next deliveries.
    fn lease(
        &self,
        queue: &Queue,
        request: &Receive<'_>,
        max: usize,
        now: Millis,
    ) -> Result<(ReceiveDecision, Vec<Copied>)> {
        let mut state = self.lock();
        if max == 0 || !state.has_deliverable() && request.attempt_id.is_none() {
            return Ok((ReceiveDecision::default(), Vec::new()));
        }
        let picked = state.decide_receive(max, request.visibility, request.attempt_id, now);
        if picked.messages.is_empty() {
            return Ok((picked, Vec::new()));
        }
        {
            let mut log = queue.host.append_at(now)?;
            for pick in &picked.messages {
                let Pick { seq, delivery, due, .. } = *pick;
                log.append_delay(&Record::Leased { queue: queue.id, seq, delivery, due, at: now });
                state.apply_leased(pick.place.slot, delivery, due, now);
                if due > now && state.arm(pick.place.slot, due) {
                    queue.arm(pick.place.slot, due);
                }
            }
        }
        if let Some(id) = request.attempt_id.filter(|_| !picked.repeated) {
            state.apply_attempt(id, now, &picked.messages);
        }
        let copied = picked.messages.iter().filter_map(|pick| copy(&state, pick)).collect();
        drop(state);
        // The receiver does not wait until the lease is written, but it is written soon: it should
        // survive the process.
        queue.host.flush_in_background(Durability::Os)?;
        Ok((picked, copied))
    }

    fn deliver(
        &self,
        queue: &Queue,
        message: &Copied,
        sink: &mut dyn FnMut(Delivery<'_>),
    ) -> Result<()> {
        let mut record = Vec::new();
        match self.read(queue, message, &mut record)? {
            Some(payload) => message.show(queue, payload, false, sink),
            // Deleted since, by the receipt of this very delivery: it cannot have been handed out.
            None => Ok(()),
        }
    }

    /// The payload of a message; `None` when the message is gone.
    pub(super) fn read<'a>(
        &self,
        queue: &Queue,
        message: &'a Copied,
        record: &'a mut Vec<u8>,
    ) -> Result<Option<&'a [u8]>> {
        let mut location = match &message.payload {
            Payload::Bytes(payload) => return Ok(Some(payload)),
            at @ Payload::At { .. } => location_of(at),
        };
        // When compaction has moved the body, the state says where to.
        while let Some(at) = location {
            record.clear();
            if queue.host.read(at, record)? {
                return crate::queue::record::payload_of(record).map(Some);
            }
            let state = self.lock();
            location = state.message(message.pick.place).and_then(|info| location_of(info.payload));
        }
        Ok(None)
    }

    /// Gives dead letters to the dead-letter queue; how many it took.
    fn dead_letter(&self, queue: &Queue, dead: &[Pick], now: Millis) -> Result<usize> {
        let mut moved = 0;
        for pick in dead {
            let took = self.hand_over(queue, pick, now, |message, envelope| {
                let exhausted = Exhausted {
                    seq: pick.seq,
                    envelope: *envelope,
                    sent: message.sent,
                    deliveries: pick.delivery,
                    first_received: pick.first_received,
                };
                transfer::dead_letter(queue, &exhausted, now)
            })?;
            moved += usize::from(took);
        }
        Ok(moved)
    }

    /// Offers the first visible message to `give`; it leaves this queue when `give` says so.
    pub fn take(
        &self,
        queue: &Queue,
        now: Millis,
        give: &mut dyn FnMut(u64, &Envelope<'_>) -> Result<bool>,
    ) -> Result<()> {
        let mut offered = false;
        // Again when a receiver was faster: behind its message there may be others.
        while !offered {
            let Some(pick) = self.lock().decide_take(1, now).pop() else { break };
            self.hand_over(queue, &pick, now, |_, envelope| {
                offered = true;
                give(pick.seq, envelope)
            })?;
        }
        Ok(())
    }

    /// Offers the message of a receipt to `give` if it is visible; it leaves this queue when `give`
    /// says so. `None` when it is gone, or a receiver has it.
    pub fn take_visible(
        &self,
        queue: &Queue,
        receipt: &Receipt,
        now: Millis,
        give: &mut dyn FnMut(u64, &Envelope<'_>) -> Result<bool>,
    ) -> Result<Option<bool>> {
        let place = FifoSlotRef { slot: receipt.slot, generation: receipt.generation };
        let visible = |info: &FifoInfo<'_>| info.state == FifoMessageState::Visible;
        let Some(pick) = self.lock().message(place).filter(visible).map(|info| seen(&info)) else {
            return Ok(None);
        };
        let mut given = None;
        self.hand_over(queue, &pick, now, |_, envelope| {
            let took = give(pick.seq, envelope)?;
            given = Some(took);
            Ok(took)
        })?;
        Ok(given)
    }

    /// Holds a message apart and offers it to `give`, which journals the change of queues. If it
    /// took the message, the message is removed here; otherwise it stays as it was.
    fn hand_over(
        &self,
        queue: &Queue,
        pick: &Pick,
        now: Millis,
        give: impl FnOnce(&Copied, &Envelope<'_>) -> Result<bool>,
    ) -> Result<bool> {
        // Read first: compaction waits while a message changes queues, and so do other such
        // messages.
        let Some((copied, deliveries)) = self.copy_for_move(pick) else { return Ok(false) };
        let mut record = Vec::new();
        let Some(payload) = self.read(queue, &copied, &mut record)? else { return Ok(false) };
        let mut nothing_is_relocated = None;
        let given = with_envelope(queue, pick.seq, copied.flags, payload, |envelope| {
            nothing_is_relocated = Some(queue.host.compactor().pause_relocation());
            match self.hold_apart(pick, deliveries, now) {
                true => Ok(Some(give(&copied, envelope))),
                false => Ok(None),
            }
        })?;
        // None: another receiver was faster, or it was deleted.
        let Some(given) = given.flatten() else { return Ok(false) };
        let mut state = self.lock();
        if state.message(pick.place).is_none_or(|info| info.deliveries != deliveries) {
            return given;
        }
        match given {
            Ok(true) => {
                let mut log = queue.host.append_at(now)?;
                // The record that added it elsewhere took it away here.
                let removed = state.apply_deleted(pick.place.slot);
                queue.references.release(pick.seq, &mut log);
                location_of(&removed.payload)
                    .into_iter()
                    .for_each(|location| log.release(location));
                Ok(true)
            }
            other => {
                state.apply_visibility(pick.place.slot, now, now);
                other
            }
        }
    }

    fn copy_for_move(&self, pick: &Pick) -> Option<(Copied, u32)> {
        let state = self.lock();
        let deliveries = state.message(pick.place)?.deliveries;
        Some((copy(&state, pick)?, deliveries))
    }

    /// Hides a message while it changes queues; false when another thread was at it meanwhile.
    fn hold_apart(&self, pick: &Pick, deliveries: u32, now: Millis) -> bool {
        let mut state = self.lock();
        let as_it_was = state.message(pick.place).is_some_and(|info| {
            info.deliveries == deliveries && info.due.is_none_or(|due| due <= now)
        });
        if as_it_was {
            // Not journaled: until the move is, the message is where it was.
            state.apply_visibility(pick.place.slot, now + HELD_APART, now);
        }
        as_it_was
    }
}

/// A look is no delivery: the receipt shows the last one.
pub(super) fn seen(info: &FifoInfo<'_>) -> Pick {
    let first_received = info.first_received.unwrap_or(0);
    let place: FifoSlotRef = info.place;
    let (seq, delivery) = (info.seq, info.deliveries);
    let due: Millis = info.due.unwrap_or(0);
    Pick { place, seq, delivery, due, received: first_received, first_received }
}

pub(super) fn copy(state: &FifoState, pick: &Pick) -> Option<Copied> {
    let info = state.message(pick.place)?;
    let (payload, flags, sent) = (info.payload.clone(), info.flags, info.sent);
    Some(Copied { pick: *pick, payload, flags, sent })
}

impl Copied {
    /// Hands the message to `sink`.
    pub fn show(
        &self,
        queue: &Queue,
        payload: &[u8],
        in_flight: bool,
        sink: &mut dyn FnMut(Delivery<'_>),
    ) -> Result<()> {
        let (Pick { seq, delivery: attempt, .. }, flags, sent) = (self.pick, self.flags, self.sent);
        let message = Shown { seq, flags, payload, sent, attempt };
        let shown = with_rendering(queue, &message, |envelope| {
            sink(self.delivery(queue, envelope, in_flight));
            Ok(())
        });
        // None: it was deleted meanwhile.
        shown.map(drop)
    }

    fn delivery<'a>(
        &self,
        queue: &Queue,
        envelope: &Envelope<'a>,
        in_flight: bool,
    ) -> Delivery<'a> {
        let Pick { place, seq, delivery, received, first_received, .. } = self.pick;
        let (receive_count, first_received) = envelope.receive_count(delivery, first_received);
        Delivery {
            body: envelope.body,
            receipt: Receipt {
                queue: queue.id,
                incarnation: queue.host.incarnation,
                slot: place.slot,
                generation: place.generation,
                seq,
                delivery,
                received,
            },
            receive_count,
            sent: envelope.sent.unwrap_or(self.sent),
            first_received,
            origin: envelope.origin.unwrap_or((queue.id, seq)),
            seq,
            group: envelope.group,
            dedup_id: envelope.dedup_id,
            attributes: envelope.attributes,
            context: envelope.shared.map_or(&[], |shared| shared.context),
            dead_letter_source: envelope.source,
            lsn: location_of(&self.payload).map_or(Lsn::default(), |at| at.lsn),
            in_flight,
        }
    }
}
