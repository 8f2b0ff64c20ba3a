//! The messages of a standard queue from one opening to the next: handed to a checkpoint, and put
//! back.

use trunkline_host::{Host, LiveCount, Location, TimerKey};
use trunkline_queue::{
    FairScheduler, Info, MessageState, NewBody, Restored, Restoring, SeqMap, SlotRef,
};
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::sync::lock;
use trunkline_types::{Millis, Receipt, ResourceId, Result, Seq};

use super::retention::Order;
use super::{StandardQueue, location_of};
use crate::queue::checkpoint::BlockSink;
use crate::queue::envelope::{Envelope, GROUPED, SHARED};
use crate::queue::record::payload_of;
use crate::queue::replay::QueueImage;
use crate::queue::stored::StoredMessage;
use crate::queue::{Queue, SLOT_RETENTION};

impl StandardQueue {
    /// Where the message of a receipt lies now, if it is there at all.
    #[inline]
    pub(super) fn place(&self, queue: &Queue, receipt: &Receipt) -> Option<SlotRef> {
        if receipt.incarnation == queue.host.incarnation {
            return Some(SlotRef { slot: receipt.slot, generation: receipt.generation });
        }
        self.place_of_earlier_run(receipt)
    }

    #[cold]
    fn place_of_earlier_run(&self, receipt: &Receipt) -> Option<SlotRef> {
        let slot = lock(&self.recovered).get(receipt.seq)?;
        let place = self.log.slot_of(slot)?;
        self.log.info(place).filter(|info| info.seq == receipt.seq).map(|info| info.place)
    }

    /// Takes over the messages of an image. No other thread has the queue yet. Returns the numbers
    /// of the messages whose payload is shared.
    pub fn restore(
        &mut self,
        host: &Host,
        id: ResourceId,
        retention: Millis,
        image: QueueImage,
    ) -> Vec<Seq> {
        let now = host.now();
        let (messages, groups) = image.into_messages();
        let (mut oldest, mut order) = (None, Order::default());
        let (mut recovered, mut scheduler) = (SeqMap::default(), FairScheduler::default());
        let (mut live, mut shared) = (LiveCount::default(), Vec::new());
        let arm = |slot, at| host.arm(TimerKey { owner: id, slot }, at);
        let mut put_back = |log: &mut Restoring<'_>, seq, message: StoredMessage| {
            let message = message.bounded(now, &host.limits);
            live.add(Location { lsn: message.lsn, len: message.len }, message.sent);
            if message.flags & SHARED != 0 {
                shared.push(seq);
            }
            let place = log.push(restored(seq, &message, now));
            if message.deliveries > 0 {
                // Receipts of earlier runs name the message by its number.
                recovered.insert(seq, place.slot);
            }
            if message.due > now {
                let at = message.due.min(message.sent + retention);
                if log.arm(place.slot, at) {
                    arm(place.slot, at);
                }
            }
            if order.is_out_of_order(message.sent) {
                arm(place.slot, message.sent + retention);
            }
            if message.flags & GROUPED != 0 {
                let group = groups.name(&message).unwrap_or_default();
                match (message.due > now, message.deliveries) {
                    (false, _) => scheduler.push(group, place),
                    (true, 0) => {}
                    (true, _) => scheduler.leased(group, place),
                }
                self.has_tenants.store(true, Ordering::Release);
            }
            oldest = Some(oldest.unwrap_or(message.sent).min(message.sent));
        };
        self.log.restore(messages.len(), |log| {
            messages.drain(|seq, message| put_back(log, seq, message));
        });
        host.live_bytes().add_count(live);
        *lock(&self.recovered) = recovered;
        self.with_scheduler(|empty| *empty = scheduler);
        if let Some(oldest) = oldest {
            let at = oldest + retention;
            self.front.store(at, Ordering::Release);
            arm(SLOT_RETENTION, at);
        }
        shared
    }

    /// Hands every message to a checkpoint, without a lock that a verb needs.
    pub fn checkpoint(&self, queue: &Queue, sink: &mut BlockSink<'_, '_>) -> Result<()> {
        let mut written = Ok(());
        self.log.scan(|info| {
            written = self.checkpoint_one(queue, &info, sink);
            written.is_ok()
        });
        written
    }

    fn checkpoint_one(
        &self,
        queue: &Queue,
        info: &Info,
        sink: &mut BlockSink<'_, '_>,
    ) -> Result<()> {
        if info.flags & GROUPED == 0 {
            let Some(message) = stored(info) else { return Ok(()) };
            return sink.push(queue, info.seq, message, None);
        }
        // The tenant's name lies with the body.
        let (mut info, mut record) = (*info, Vec::new());
        while let Some(location) = location_of(&info) {
            record.clear();
            if queue.host.read(location, &mut record)? {
                break;
            }
            // It was relocated meanwhile, or is gone.
            let Some(again) = self.log.info(info.place) else { return Ok(()) };
            info = again;
        }
        let Some(message) = stored(&info) else { return Ok(()) };
        let envelope = Envelope::read(info.flags, payload_of(&record)?)?;
        sink.push(queue, info.seq, message, envelope.group)
    }
}

/// A message as a checkpoint has it.
fn stored(info: &Info) -> Option<StoredMessage> {
    let location = location_of(info)?;
    Some(StoredMessage {
        lsn: location.lsn,
        len: location.len,
        sent: info.sent,
        due: match info.state {
            MessageState::Delayed(due) | MessageState::Leased(due) => due,
            MessageState::Ready | MessageState::Held => 0,
        },
        first_received: info.first_received.unwrap_or(0),
        deliveries: info.deliveries,
        group: 0,
        flags: info.flags,
    })
}

fn restored<'a>(seq: u64, message: &StoredMessage, now: Millis) -> Restored<'a> {
    let fair = message.flags & GROUPED != 0;
    let state = match (message.due > now, message.deliveries) {
        (true, 0) => MessageState::Delayed(message.due),
        (true, _) => MessageState::Leased(message.due),
        (false, _) if fair => MessageState::Held,
        (false, _) => MessageState::Ready,
    };
    Restored {
        seq,
        sent: message.sent,
        flags: message.flags,
        body: NewBody::At { lsn: message.lsn.to_u64(), len: message.len },
        deliveries: message.deliveries,
        first_received: (message.deliveries > 0).then_some(message.first_received),
        state,
        fair,
    }
}
