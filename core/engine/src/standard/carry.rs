//! The messages of a standard queue as a whole: restored at opening, carried by cleaning, copied,
//! peeked at.

use std::sync::atomic::Ordering;

use trunkline_queue::{Claimed, Info, MessageState, NewBody, Place, Restored};
use trunkline_types::sync::lock;
use trunkline_types::{Millis, Result};

use super::age::Order;
use super::receive::{Message, payload};
use super::{StandardRoom, home_of};
use crate::envelope::GROUPED;
use crate::image::{QueueImage, StoredMessage};
use crate::log::{Home, Log};
use crate::message::Delivery;
use crate::queue::Queue;
use crate::record::{Held, Record};

/// Messages carried in one step of the journal: senders get their turn in between.
const CARRIED_AT_ONCE: usize = 64;

impl StandardRoom {
    /// Takes over the messages of an image.
    pub fn restore(&self, queue: &Queue, mut image: QueueImage) {
        let (now, retention) = (queue.core.now(), queue.rules.retention());
        let messages = std::mem::take(&mut image.messages);
        let (mut oldest, mut order) = (None, Order::default());
        for (seq, message) in messages.drain() {
            let home = Home { lsn: message.lsn, len: message.len };
            lock(&queue.core.space).add(home.lsn, u64::from(home.len), message.sent);
            let place = self.log.restore(restored(seq, &message, now));
            if message.deliveries > 0 {
                // Receipts of earlier runs name the message by its number.
                lock(&self.recovered).insert(seq, place.slot);
            }
            let expiry = message.sent + retention;
            if message.due > now {
                self.arm(queue, place.slot, message.due.min(expiry));
            }
            if order.is_stranger(message.sent) {
                self.watch_stranger(queue, place.slot, message.sent);
            }
            if message.flags & GROUPED != 0 {
                self.has_tenants.store(true, Ordering::Release);
                let group = image.group(&message).unwrap_or_default();
                match (message.due > now, message.deliveries) {
                    (false, _) => self.enter_lane(Some(group), place),
                    (true, 0) => {}
                    (true, _) => self.with_lane(|lane| lane.leased(group, place)),
                }
            }
            oldest = Some(oldest.unwrap_or(message.sent).min(message.sent));
        }
        if let Some(oldest) = oldest {
            self.plan_retention(queue, oldest);
        }
    }

    /// Writes every message whose home is in `segment` again at the tail.
    pub fn carry(&self, queue: &Queue, segment: u32) -> Result<()> {
        let mut there = Vec::new();
        self.log.scan(|info| {
            if home_of(&info).is_some_and(|home| home.lsn.segment() == segment) {
                there.push(info.place);
            }
            true
        });
        for places in there.chunks(CARRIED_AT_ONCE) {
            let mut records = Vec::with_capacity(places.len());
            for place in places {
                let Some(home) = self.log.info(*place).as_ref().and_then(home_of) else { continue };
                let mut record = Vec::new();
                if queue.core.read(home, &mut record)? {
                    records.push((*place, home, record));
                }
            }
            let _no_message_changes_queues = queue.core.cleaner.hold_still();
            let mut log = queue.core.log()?;
            for (place, home, record) in records {
                self.carry_one(queue, &mut log, place, home, &record)?;
            }
        }
        Ok(())
    }

    /// Transitions that are journaled happen under the append lock, which `log` holds. So what is
    /// read here and written to the log is the state at that record, or an earlier claim of it that
    /// will be journaled after it.
    fn carry_one(
        &self,
        queue: &Queue,
        log: &mut Log<'_>,
        place: Place,
        old: Home,
        record: &[u8],
    ) -> Result<()> {
        let Some(info) = self.log.info(place).filter(|info| home_of(info) == Some(old)) else {
            return Ok(());
        };
        let held = held(queue, &info, crate::record::payload_of(record)?);
        if let Some(home) = log.hold(&held, &[held.payload]) {
            if self.log.relocate(place, old.lsn.to_u64(), home.lsn.to_u64()) {
                log.leave(old);
            } else {
                log.leave(home);
            }
        }
        Ok(())
    }

    /// Hands every message to `each` as a record.
    pub fn export(
        &self,
        queue: &Queue,
        each: &mut dyn FnMut(&Record<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut places = Vec::new();
        self.log.scan(|info| {
            places.push(info.place);
            true
        });
        for place in places {
            self.look(queue, place, |info, payload| {
                each(&Record::Held(held(queue, info, payload)))
            })?;
        }
        Ok(())
    }

    /// Shows up to `max` messages to `sink`, oldest first.
    pub fn peek(
        &self,
        queue: &Queue,
        max: usize,
        include_in_flight: bool,
        sink: &mut dyn FnMut(Delivery<'_>),
    ) -> Result<()> {
        let mut places = Vec::new();
        self.log.scan(|info| {
            let shown = match info.state {
                MessageState::Ready | MessageState::Held => true,
                MessageState::Leased(_) => include_in_flight,
                MessageState::Delayed(_) => false,
            };
            if shown {
                places.push((info.seq, info.place));
            }
            // Recovered messages may lie behind younger ones; those of one page are near each
            // other.
            places.len() < max.saturating_add(1_024)
        });
        places.sort_unstable_by_key(|(seq, _)| *seq);
        for (_, place) in places.into_iter().take(max) {
            self.look(queue, place, |info, payload| {
                let in_flight = matches!(info.state, MessageState::Leased(_));
                let message = Message {
                    place,
                    seq: info.seq,
                    sent: info.sent,
                    flags: info.flags,
                    // A look is no delivery: the receipt shows the last one.
                    deliveries: info.deliveries,
                    first_received: info.first_received,
                };
                message.show(queue, payload, info.first_received.unwrap_or(0), in_flight, sink)
            })?;
        }
        Ok(())
    }

    /// Reads one message where it lies, without changing it. Skips one that is gone.
    fn look(
        &self,
        queue: &Queue,
        place: Place,
        see: impl FnOnce(&Info, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let Some(info) = self.log.info(place) else { return Ok(()) };
        if let Some(home) = home_of(&info) {
            let mut record = Vec::new();
            return match queue.core.read(home, &mut record)? {
                true => see(&info, crate::record::payload_of(&record)?),
                false => Ok(()),
            };
        }
        let claim: Option<Claimed<'_>> = match info.state {
            MessageState::Leased(_) => self.log.claim_leased(place),
            MessageState::Delayed(_) => self.log.claim_delayed(place),
            MessageState::Ready | MessageState::Held => self.log.claim_at(place),
        };
        let Some(claimed) = claim else { return Ok(()) };
        let seen = payload(&claimed, &[]).and_then(|payload| see(&info, payload));
        // As it was, for a message of the lane too: the lane's list still names its place.
        claimed.put_back();
        seen
    }
}

fn restored<'a>(seq: u64, message: &StoredMessage, now: Millis) -> Restored<'a> {
    let lane = message.flags & GROUPED != 0;
    let state = match (message.due > now, message.deliveries) {
        (true, 0) => MessageState::Delayed(message.due),
        (true, _) => MessageState::Leased(message.due),
        (false, _) if lane => MessageState::Held,
        (false, _) => MessageState::Ready,
    };
    Restored {
        seq,
        sent: message.sent,
        flags: message.flags,
        body: NewBody::At { lsn: message.lsn.to_u64(), len: message.len },
        deliveries: message.deliveries,
        first_received: (message.first_received > 0).then_some(message.first_received),
        state,
        lane,
    }
}

fn held<'a>(queue: &Queue, info: &Info, payload: &'a [u8]) -> Held<'a> {
    Held {
        queue: queue.id,
        seq: info.seq,
        flags: info.flags,
        sent: info.sent,
        due: match info.state {
            MessageState::Delayed(due) | MessageState::Leased(due) => due,
            MessageState::Ready | MessageState::Held => 0,
        },
        deliveries: info.deliveries,
        first_received: info.first_received.unwrap_or(0),
        dedup: None,
        moved_from: None,
        payload,
    }
}
