//! Receiving from a standard queue: claim, read, lease, deliver.
//!
//! A claimed message belongs to this thread, so its body may be read without a lock; if anything
//! fails before the lease it is put back, and nothing is lost.

use trunkline_host::{Location, What};
use trunkline_journal::Lsn;
use trunkline_queue::{BodyRef, Claim, SlotRef};
use trunkline_types::{Code, Durability, Error, Millis, Receipt, Result};

use super::StandardQueue;
use super::message::Message;
use crate::queue::Queue;
use crate::queue::envelope::Envelope;
use crate::queue::message::{Delivery, Receive};
use crate::queue::record::Record;
use crate::queue::shared::with_envelope;
use crate::queue::transfer::{self, Exhausted};

impl StandardQueue {
    #[inline]
    pub fn receive(
        &self,
        queue: &Queue,
        request: &Receive<'_>,
        now: Millis,
        sink: &mut impl FnMut(Delivery<'_>),
    ) -> Result<usize> {
        let counts = self.log.counts();
        if counts.visible == 0 {
            return Ok(0);
        }
        let limit = queue.host.limits.standard_in_flight_max;
        if counts.in_flight >= limit {
            return at_the_limit(queue, request, limit);
        }
        let max = request.max.min((limit - counts.in_flight) as usize);
        let due = now + request.visibility.unwrap_or_else(|| queue.rules.visibility());
        let mut unleased = Vec::new();
        let delivered = if queue.host.is_journaled() {
            self.receive_journaled(queue, max, due, now, &mut unleased, sink)
        } else {
            self.receive_in_memory(queue, max, due, now, &mut unleased, sink)
        };
        if !unleased.is_empty() {
            self.end_leases(queue, unleased);
        }
        delivered
    }

    /// Leases of no length: visible again, but only now, or one receive would see them twice.
    #[cold]
    fn end_leases(&self, queue: &Queue, unleased: Vec<(SlotRef, u32)>) {
        for (place, delivery) in unleased {
            self.end_lease(queue, place, delivery);
        }
    }

    #[inline]
    fn receive_in_memory(
        &self,
        queue: &Queue,
        max: usize,
        due: Millis,
        now: Millis,
        unleased: &mut Vec<(SlotRef, u32)>,
        sink: &mut impl FnMut(Delivery<'_>),
    ) -> Result<usize> {
        let retention = queue.rules.retention();
        let mut delivered = 0;
        // A message counts as in flight when all are: one step for a batch.
        let mut counted = self.log.batch_count();
        while delivered < max {
            let Some(claimed) = self.next(queue, now)? else { break };
            let BodyRef::Bytes(payload) = claimed.body() else { return Err(not_in_memory()) };
            let place = claimed.place();
            let expiry = claimed.sent() + retention;
            if !Message::of(&claimed).deliver(queue, payload, now, sink)? {
                claimed.finish();
                continue;
            }
            // Gone: deleted through an older receipt while it was claimed. It was delivered once
            // too often then, which a standard queue allows.
            if let Ok(leased) = claimed.lease_in(&mut counted, due, now) {
                if due <= now {
                    unleased.push((place, leased.deliveries));
                } else if leased.arm(due.min(expiry)) {
                    queue.arm(place.slot, due.min(expiry));
                }
            }
            delivered += 1;
        }
        Ok(delivered)
    }

    #[inline(never)]
    fn receive_journaled(
        &self,
        queue: &Queue,
        max: usize,
        due: Millis,
        now: Millis,
        unleased: &mut Vec<(SlotRef, u32)>,
        sink: &mut dyn FnMut(Delivery<'_>),
    ) -> Result<usize> {
        let mut taken = Vec::new();
        if let Err(error) = self.gather(queue, max, now, &mut taken) {
            taken.into_iter().for_each(|(claimed, _)| self.give_back(queue, claimed));
            return Err(error);
        }
        if taken.is_empty() {
            return Ok(0);
        }
        let retention = queue.rules.retention();
        let mut leased = Vec::with_capacity(taken.len());
        {
            let mut log = match queue.host.append_at(now) {
                Ok(log) => log,
                Err(error) => {
                    taken.into_iter().for_each(|(claimed, _)| self.give_back(queue, claimed));
                    return Err(error);
                }
            };
            for (claimed, record) in taken {
                let message = Message::of(&claimed);
                // Gone: deleted through an older receipt while it was claimed.
                let Ok(lease) = claimed.lease(due, now) else { continue };
                let (seq, delivery) = (message.seq, lease.deliveries);
                log.append_delay(&Record::Leased { queue: queue.id, seq, delivery, due, at: now });
                leased.push((message, record));
            }
        }
        // The receiver does not wait until the lease is written, but it is written soon: it should
        // survive the process.
        queue.host.flush_in_background(Durability::Os)?;
        let mut delivered = 0;
        for (message, record) in &leased {
            if due <= now {
                unleased.push((message.place, message.deliveries + 1));
            } else {
                self.arm(queue, message.place.slot, due.min(message.sent + retention));
            }
            let held = crate::queue::record::payload_of(record)?;
            delivered += usize::from(message.deliver(queue, held, now, sink)?);
        }
        Ok(delivered)
    }

    /// Takes up to `max` messages and reads their records. After an error the caller gives back
    /// what was taken so far: a claim alone does not know the fair scheduler.
    fn gather<'a>(
        &'a self,
        queue: &Queue,
        max: usize,
        now: Millis,
        taken: &mut Vec<(Claim<'a>, Vec<u8>)>,
    ) -> Result<()> {
        while taken.len() < max {
            let Some(claimed) = self.next(queue, now)? else { break };
            taken.extend(self.read(queue, claimed)?);
        }
        Ok(())
    }

    /// The next message to deliver, owned. On the way messages that are too old are removed, and
    /// messages that were delivered too often go to the dead-letter queue.
    #[inline(always)] // A call would move the claim through memory.
    fn next(&self, queue: &Queue, now: Millis) -> Result<Option<Claim<'_>>> {
        loop {
            let Some(claimed) = self.pick(queue) else { return Ok(None) };
            if claimed.sent() + queue.rules.retention() <= now {
                self.expire_claimed(queue, claimed)?;
                continue;
            }
            let Some(dead) = queue.rules.dead_letter() else { return Ok(Some(claimed)) };
            if claimed.deliveries() < dead.max_receive_count {
                return Ok(Some(claimed));
            }
            if let Some(kept) = self.dead_letter(queue, claimed, now)? {
                return Ok(Some(kept));
            }
        }
    }

    #[cold]
    fn expire_claimed(&self, queue: &Queue, claimed: Claim<'_>) -> Result<()> {
        let mut log = match queue.host.append() {
            Ok(log) => log,
            Err(error) => {
                self.give_back(queue, claimed);
                return Err(error);
            }
        };
        if let Some(info) = self.log.info(claimed.place()) {
            claimed.finish();
            self.forget(queue, &mut log, &info);
            if queue.host.trace.is_on() {
                queue.trace_gone(info.seq, What::Expired);
            }
        }
        Ok(())
    }

    /// Gives a claimed message to the dead-letter queue; hands it back when there is none.
    #[cold]
    pub(super) fn dead_letter<'a>(
        &'a self,
        queue: &Queue,
        claimed: Claim<'a>,
        now: Millis,
    ) -> Result<Option<Claim<'a>>> {
        let mut kept = None;
        self.hand_over(queue, claimed, &mut kept, |message, envelope| {
            let exhausted = Exhausted {
                seq: message.seq,
                envelope: *envelope,
                sent: message.sent,
                deliveries: message.deliveries,
                first_received: message.first_received.unwrap_or(0),
            };
            transfer::dead_letter(queue, &exhausted, now)
        })?;
        Ok(kept)
    }

    /// Offers the first visible message to `give`; it leaves this queue when `give` says so.
    pub fn take(
        &self,
        queue: &Queue,
        give: &mut dyn FnMut(u64, &Envelope<'_>) -> Result<bool>,
    ) -> Result<()> {
        let Some(claimed) = self.pick(queue) else { return Ok(()) };
        let mut kept = None;
        self.hand_over(queue, claimed, &mut kept, |message, envelope| give(message.seq, envelope))?;
        if let Some(kept) = kept {
            self.give_back(queue, kept);
        }
        Ok(())
    }

    /// Offers the message of a receipt to `give`, leased or not; it leaves this queue when `give`
    /// says so. `None` when it is gone, or stays in other hands.
    pub fn take_leased(
        &self,
        queue: &Queue,
        receipt: &Receipt,
        give: &mut dyn FnMut(u64, &Envelope<'_>) -> Result<bool>,
    ) -> Result<Option<bool>> {
        let claim = |place| self.log.claim_leased(place).or_else(|| self.log.claim_at(place));
        self.take_claimed(queue, receipt, &claim, give)
    }

    /// Offers the message of a receipt to `give` if it is visible; it leaves this queue when `give`
    /// says so. `None` when it is gone, or a receiver has it.
    pub fn take_visible(
        &self,
        queue: &Queue,
        receipt: &Receipt,
        give: &mut dyn FnMut(u64, &Envelope<'_>) -> Result<bool>,
    ) -> Result<Option<bool>> {
        self.take_claimed(queue, receipt, &|place| self.log.claim_at(place), give)
    }

    fn take_claimed<'a>(
        &'a self,
        queue: &Queue,
        receipt: &Receipt,
        claim: &dyn Fn(SlotRef) -> Option<Claim<'a>>,
        give: &mut dyn FnMut(u64, &Envelope<'_>) -> Result<bool>,
    ) -> Result<Option<bool>> {
        // Another thread owns the message for a moment, or its body was relocated meanwhile.
        const TRIES: usize = 1_000;
        let Some(place) = self.place(queue, receipt) else { return Ok(None) };
        for _ in 0..TRIES {
            let Some(claimed) = claim(place) else {
                if self.log.info(place).is_none() {
                    return Ok(None);
                }
                std::thread::yield_now();
                continue;
            };
            let (mut kept, mut given) = (None, None);
            self.hand_over(queue, claimed, &mut kept, |message, envelope| {
                let took = give(message.seq, envelope)?;
                given = Some(took);
                Ok(took)
            })?;
            kept.into_iter().for_each(|kept| self.give_back(queue, kept));
            if given.is_some() {
                return Ok(given);
            }
        }
        Ok(None)
    }

    /// Reads a claimed message and offers it to `give`, which journals the change of queues. If it
    /// took the message, it is removed here; otherwise it is handed back in `kept`.
    fn hand_over<'a>(
        &'a self,
        queue: &Queue,
        claimed: Claim<'a>,
        kept: &mut Option<Claim<'a>>,
        give: impl FnOnce(&Message, &Envelope<'_>) -> Result<bool>,
    ) -> Result<()> {
        // Read first: compaction waits while a message changes queues, and so do other such
        // messages.
        let Some((claimed, record)) = self.read(queue, claimed)? else { return Ok(()) };
        let (mut nothing_is_relocated, message) = (None, Message::of(&claimed));
        let given = payload(&claimed, &record).and_then(|payload| {
            with_envelope(queue, message.seq, message.flags, payload, |envelope| {
                nothing_is_relocated = Some(queue.host.compactor().pause_relocation());
                give(&message, envelope)
            })
        });
        match given {
            Ok(Some(true)) => {
                let mut log = queue.host.append()?;
                if let Some(info) = self.log.info(message.place) {
                    claimed.finish();
                    // The record that added it elsewhere took it away here.
                    self.let_go(queue, &mut log, &info);
                }
                Ok(())
            }
            Ok(Some(false)) => {
                *kept = Some(claimed);
                Ok(())
            }
            Ok(None) => {
                // It was deleted through an older receipt.
                claimed.finish();
                Ok(())
            }
            Err(error) => {
                self.give_back(queue, claimed);
                Err(error)
            }
        }
    }

    /// Reads the record of a claimed message; nothing for a body in memory. `None` when the message
    /// was deleted while its place changed.
    pub(super) fn read<'a>(
        &'a self,
        queue: &Queue,
        mut claimed: Claim<'a>,
    ) -> Result<Option<(Claim<'a>, Vec<u8>)>> {
        loop {
            let BodyRef::At { lsn, len } = claimed.body() else {
                return Ok(Some((claimed, Vec::new())));
            };
            let location = Location { lsn: Lsn::from_u64(lsn), len };
            let mut record = Vec::new();
            match queue.read_record(claimed.seq(), location, &mut record) {
                Ok(true) => return Ok(Some((claimed, record))),
                // Compaction moved the body: claim again, and see where it is now.
                Ok(false) => {
                    let place = claimed.place();
                    self.give_back(queue, claimed);
                    match self.log.claim_at(place) {
                        Some(again) => claimed = again,
                        None => return Ok(None),
                    }
                }
                Err(error) => {
                    self.give_back(queue, claimed);
                    return Err(error);
                }
            }
        }
    }
}

/// The payload of a claimed message: in memory, or in the record that was read for it.
pub(super) fn payload<'a>(claimed: &'a Claim<'_>, record: &'a [u8]) -> Result<&'a [u8]> {
    match claimed.body() {
        BodyRef::Bytes(payload) => Ok(payload),
        BodyRef::At { .. } => crate::queue::record::payload_of(record),
    }
}

#[cold]
fn not_in_memory() -> Error {
    Error::new(Code::InternalError, "The body of a message in memory lies elsewhere.")
}

#[cold]
fn at_the_limit(queue: &Queue, request: &Receive<'_>, limit: u32) -> Result<usize> {
    match request.wait.unwrap_or_else(|| queue.config().receive_wait) {
        0 => Err(too_many_in_flight(limit)),
        _ => Ok(0),
    }
}

#[cold]
fn too_many_in_flight(limit: u32) -> Error {
    Error::new(
        Code::OverLimit,
        format!(
            "There are {limit} messages in flight, the most this queue allows. Delete messages \
             that were handled, or raise limits.standard_in_flight_max."
        ),
    )
}
