//! The messages of a standard queue as a whole: relocated by compaction, copied, peeked at.

use trunkline_host::{Append, Location};
use trunkline_journal::Lsn;
use trunkline_queue::{Claim, Info, MessageState, SlotRef};
use trunkline_types::Result;

use super::message::Message;
use super::receive::payload;
use super::{StandardQueue, location_of};
use crate::queue::Queue;
use crate::queue::message::Delivery;
use crate::queue::record::{FanOutRecord, MessageRecord, Record};

/// Messages relocated in one step of the journal: senders get their turn in between.
const RELOCATED_AT_ONCE: usize = 64;

impl StandardQueue {
    /// Writes every message whose location is in `segment` again at the tail.
    pub fn relocate(&self, queue: &Queue, segment: u32) -> Result<()> {
        let mut there = Vec::new();
        self.log.scan(|info| {
            if location_of(&info).is_some_and(|location| location.segment() == segment) {
                there.push(info.place);
            }
            true
        });
        for places in there.chunks(RELOCATED_AT_ONCE) {
            let mut records = Vec::with_capacity(places.len());
            for place in places {
                let Some(info) = self.log.info(*place) else { continue };
                let Some(location) = location_of(&info) else { continue };
                let mut record = Vec::new();
                if queue.read_record(info.seq, location, &mut record)? {
                    records.push((*place, location, record));
                }
            }
            let _no_message_changes_queues = queue.host.compactor().pause_relocation();
            let mut log = queue.host.append()?;
            for (place, location, record) in records {
                self.relocate_one(queue, &mut log, place, location, &record)?;
            }
        }
        Ok(())
    }

    /// Transitions that are journaled happen under the append lock, which `log` holds. So what is
    /// read here and written to the log is the state at that record, or an earlier claim of it that
    /// will be journaled after it.
    fn relocate_one(
        &self,
        queue: &Queue,
        log: &mut Append<'_>,
        place: SlotRef,
        old: Location,
        record: &[u8],
    ) -> Result<()> {
        let Some(info) = self.log.info(place).filter(|info| location_of(info) == Some(old)) else {
            return Ok(());
        };
        let held = held(queue, &info, crate::queue::record::payload_of(record)?);
        let appended = match FanOutRecord::of_one(&held)? {
            Some(short) => log.append_live(&short, None),
            None => log.append_live(&held, None),
        };
        if let Some(location) = appended {
            if self.log.relocate(place, old.lsn.to_u64(), location.lsn.to_u64(), location.len) {
                log.release(old);
            } else {
                log.release(location);
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
                each(&Record::Message(held(queue, info, payload)))
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
                    lsn: info.at.map_or(Lsn::default(), |(lsn, _)| Lsn::from_u64(lsn)),
                };
                let received = info.first_received.unwrap_or(0);
                message.show(queue, payload, received, in_flight, sink).map(drop)
            })?;
        }
        Ok(())
    }

    /// Reads one message where it lies, without changing it. Skips one that is gone.
    fn look(
        &self,
        queue: &Queue,
        place: SlotRef,
        see: impl FnOnce(&Info, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let Some(info) = self.log.info(place) else { return Ok(()) };
        if let Some(location) = location_of(&info) {
            let mut record = Vec::new();
            return match queue.read_record(info.seq, location, &mut record)? {
                true => see(&info, crate::queue::record::payload_of(&record)?),
                false => Ok(()),
            };
        }
        let claim: Option<Claim<'_>> = match info.state {
            MessageState::Leased(_) => self.log.claim_leased(place),
            MessageState::Delayed(_) => self.log.claim_delayed(place),
            MessageState::Ready | MessageState::Held => self.log.claim_at(place),
        };
        let Some(claimed) = claim else { return Ok(()) };
        let seen = payload(&claimed, &[]).and_then(|payload| see(&info, payload));
        // As it was, for a message of a tenant too: the fair scheduler still lists its slot.
        claimed.put_back();
        seen
    }
}

fn held<'a>(queue: &Queue, info: &Info, payload: &'a [u8]) -> MessageRecord<'a> {
    MessageRecord {
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
