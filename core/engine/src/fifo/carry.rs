//! The messages of a FIFO queue as a whole: restored at opening, carried by cleaning, copied,
//! peeked at.

use std::sync::atomic::Ordering;

use trunkline_journal::Lsn;
use trunkline_queue::{Admitted, DedupEntry, FifoInfo, FifoMessageState, FifoPlace, Payload, Pick};
use trunkline_types::sync::lock;
use trunkline_types::{Millis, Result};

use super::receive::{Copied, copy};
use super::{FifoRoom, arm_front, home_of};
use crate::image::QueueImage;
use crate::log::{Home, Log};
use crate::message::Delivery;
use crate::queue::Queue;
use crate::record::{Held, Record};

/// Messages carried in one step of the journal: senders get their turn in between.
const CARRIED_AT_ONCE: usize = 64;

impl FifoRoom {
    /// Takes over the messages and the dedup window of an image.
    pub fn restore(&self, queue: &Queue, mut image: QueueImage) {
        let now = queue.core.now();
        // The last change may have been one of the scope.
        queue.rules.keep_other_scope(queue.modified() + queue.core.limits.dedup_window);
        let mut state = self.lock();
        state.raise_next_seq(image.next_seq);
        state.begin_recovery();
        let messages = std::mem::take(&mut image.messages);
        for (seq, message) in messages.drain() {
            let home = Home { lsn: message.lsn, len: message.len };
            lock(&queue.core.space).add(home.lsn, u64::from(home.len), message.sent);
            state.apply_sent(Admitted {
                seq,
                group: image.group(&message).unwrap_or_default(),
                dedup_key: None,
                sent: message.sent,
                flags: message.flags,
                payload: Payload::At { lsn: home.lsn.to_u64(), len: home.len },
                deliveries: message.deliveries,
                first_received: message.first_received,
                due: message.due,
            });
        }
        for (key, remembered) in image.remembered {
            let (seq, at, home) = (remembered.seq, remembered.at, remembered.lsn.to_u64());
            state.apply_dedup(DedupEntry { key, seq, at, home });
        }
        self.next.store(state.next_seq(), Ordering::Release);
        state.end_recovery(now, |slot, at| queue.arm(slot, at));
        arm_front(queue, &mut state);
    }

    /// Writes every message and dedup entry whose home is in `segment` again at the tail.
    pub fn carry(&self, queue: &Queue, segment: u32) -> Result<()> {
        let mut there = Vec::new();
        self.lock().scan(|info| {
            if home_of(info.payload).is_some_and(|home| home.lsn.segment() == segment) {
                there.push(info.place);
            }
            true
        });
        for places in there.chunks(CARRIED_AT_ONCE) {
            let mut records = Vec::with_capacity(places.len());
            for place in places {
                let home = self.lock().message(*place).and_then(|info| home_of(info.payload));
                let Some(home) = home else { continue };
                let mut record = Vec::new();
                if queue.core.read(home, &mut record)? {
                    records.push((*place, home, record));
                }
            }
            let _no_message_changes_queues = queue.core.cleaner.hold_still();
            let mut state = self.lock();
            let mut log = queue.core.log()?;
            for (place, old, record) in records {
                let Some(info) = state.message(place) else { continue };
                if home_of(info.payload) != Some(old) {
                    continue;
                }
                let held = held(queue, &info, crate::record::payload_of(&record)?);
                if let Some(home) = log.hold(&held, &[held.payload]) {
                    let payload = Payload::At { lsn: home.lsn.to_u64(), len: home.len };
                    state.set_payload(place.slot, payload);
                    log.leave(old);
                }
            }
        }
        self.carry_window(queue, segment)
    }

    fn carry_window(&self, queue: &Queue, segment: u32) -> Result<()> {
        let mut state = self.lock();
        let mut log = queue.core.log()?;
        state.for_each_dedup(|entry| {
            (Lsn::from_u64(entry.home).segment() == segment).then(|| {
                let home = remember(queue, &mut log, entry);
                home.map_or(entry.home, |lsn| lsn.to_u64())
            })
        });
        Ok(())
    }

    /// Hands every message and dedup entry to `each` as a record.
    pub fn export(
        &self,
        queue: &Queue,
        each: &mut dyn FnMut(&Record<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut state = self.lock();
        let mut result = Ok(());
        state.scan(|info| {
            if let Payload::Bytes(payload) = info.payload {
                result = each(&Record::Held(held(queue, &info, payload)));
            }
            result.is_ok()
        });
        state.for_each_dedup(|entry| {
            if result.is_ok() {
                result = each(&remembered(queue, entry));
            }
            None
        });
        result
    }

    /// Shows up to `max` messages to `sink`, oldest first.
    pub fn peek(
        &self,
        queue: &Queue,
        max: usize,
        include_in_flight: bool,
        sink: &mut dyn FnMut(Delivery<'_>),
    ) -> Result<()> {
        let mut shown: Vec<(Copied, bool)> = Vec::new();
        {
            let state = self.lock();
            let mut picks: Vec<(Pick, bool)> = Vec::new();
            state.peek(max, include_in_flight, |info| {
                picks.push((seen(&info), info.state == FifoMessageState::Leased));
            });
            let copies =
                picks.iter().filter_map(|(pick, leased)| Some((copy(&state, pick)?, *leased)));
            shown.extend(copies);
        }
        for (message, leased) in &shown {
            let mut record = Vec::new();
            if let Some(payload) = self.read(queue, message, &mut record)? {
                message.show(queue, payload, *leased, sink)?;
            }
        }
        Ok(())
    }
}

/// A look is no delivery: the receipt shows the last one.
fn seen(info: &FifoInfo<'_>) -> Pick {
    let first_received = info.first_received.unwrap_or(0);
    let place: FifoPlace = info.place;
    let (seq, delivery) = (info.seq, info.deliveries);
    let due: Millis = info.due.unwrap_or(0);
    Pick { place, seq, delivery, due, received: first_received, first_received }
}

fn held<'a>(queue: &Queue, info: &FifoInfo<'_>, payload: &'a [u8]) -> Held<'a> {
    Held {
        queue: queue.id,
        seq: info.seq,
        flags: info.flags,
        sent: info.sent,
        due: info.due.unwrap_or(0),
        deliveries: info.deliveries,
        first_received: info.first_received.unwrap_or(0),
        // The window keeps entries of its own; a copy of the message must not open it again.
        dedup: None,
        moved_from: None,
        payload,
    }
}

fn remembered<'a>(queue: &Queue, entry: &DedupEntry) -> Record<'a> {
    Record::Remembered { queue: queue.id, key: entry.key, seq: entry.seq, at: entry.at }
}

fn remember(queue: &Queue, log: &mut Log<'_>, entry: &DedupEntry) -> Option<Lsn> {
    log.note(&remembered(queue, entry))
}
