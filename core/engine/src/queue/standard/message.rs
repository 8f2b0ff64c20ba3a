//! A message of a standard queue as it is handed to receivers.

use trunkline_journal::Lsn;
use trunkline_queue::{Claim, SlotRef};
use trunkline_types::{Millis, Receipt, Result};

use crate::queue::Queue;
use crate::queue::envelope::Envelope;
use crate::queue::message::Delivery;
use crate::queue::shared::{Shown, with_rendering};

/// What is known of a message without its payload.
#[derive(Clone, Copy)]
pub(super) struct Message {
    pub place: SlotRef,
    pub seq: u64,
    pub sent: Millis,
    pub flags: u8,
    pub deliveries: u32,
    pub first_received: Option<Millis>,
    /// Where its record lies; zero without a journal.
    pub lsn: Lsn,
}

impl Message {
    #[inline]
    pub fn of(claimed: &Claim<'_>) -> Self {
        Self {
            place: claimed.place(),
            seq: claimed.seq(),
            sent: claimed.sent(),
            flags: claimed.flags(),
            deliveries: claimed.deliveries(),
            first_received: claimed.first_received(),
            lsn: claimed.lsn().map_or_else(Lsn::default, Lsn::from_u64),
        }
    }

    /// Hands the message to `sink` as its next delivery; false when it is gone.
    #[inline]
    pub fn deliver(
        &self,
        queue: &Queue,
        payload: &[u8],
        now: Millis,
        sink: &mut (impl FnMut(Delivery<'_>) + ?Sized),
    ) -> Result<bool> {
        let delivered = Message {
            deliveries: self.deliveries + 1,
            first_received: self.first_received.or(Some(now)),
            ..*self
        };
        delivered.show(queue, payload, now, false, sink)
    }

    /// Hands the message to `sink` as it stands; false when it is gone.
    #[inline]
    pub fn show(
        &self,
        queue: &Queue,
        payload: &[u8],
        received: Millis,
        in_flight: bool,
        sink: &mut (impl FnMut(Delivery<'_>) + ?Sized),
    ) -> Result<bool> {
        if self.flags == 0 {
            // A body and nothing else, the usual case: no envelope is read, so none is moved about.
            let envelope = Envelope { body: payload, ..Envelope::default() };
            sink(self.delivery(queue, &envelope, received, in_flight));
            return Ok(true);
        }
        self.show_enveloped(queue, payload, received, in_flight, sink)
    }

    // By value, or a message without an envelope would be put into memory for it.
    #[inline(never)]
    fn show_enveloped(
        self,
        queue: &Queue,
        payload: &[u8],
        received: Millis,
        in_flight: bool,
        sink: &mut (impl FnMut(Delivery<'_>) + ?Sized),
    ) -> Result<bool> {
        let Self { seq, flags, sent, deliveries: attempt, .. } = self;
        let message = Shown { seq, flags, payload, sent, attempt };
        let shown = with_rendering(queue, &message, |envelope| {
            sink(self.delivery(queue, envelope, received, in_flight));
            Ok(())
        });
        Ok(shown?.is_some())
    }

    #[inline]
    fn delivery<'a>(
        self,
        queue: &Queue,
        envelope: &Envelope<'a>,
        received: Millis,
        in_flight: bool,
    ) -> Delivery<'a> {
        let (receive_count, first_received) =
            envelope.receive_count(self.deliveries, self.first_received.unwrap_or(0));
        Delivery {
            body: envelope.body,
            receipt: Receipt {
                queue: queue.id,
                incarnation: queue.host.incarnation,
                slot: self.place.slot,
                generation: self.place.generation,
                seq: self.seq,
                delivery: self.deliveries,
                received,
            },
            receive_count,
            sent: self.sent,
            first_received,
            origin: envelope.origin.unwrap_or((queue.id, self.seq)),
            seq: self.seq,
            group: envelope.group,
            dedup_id: envelope.dedup_id,
            attributes: envelope.attributes,
            context: envelope.shared.map_or(&[], |shared| shared.context),
            dead_letter_source: envelope.source,
            lsn: self.lsn,
            in_flight,
        }
    }
}
