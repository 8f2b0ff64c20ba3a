//! The messages of a FIFO queue as a whole: restored at opening, relocated by compaction, copied,
//! peeked at.

use trunkline_host::{Append, LiveCount, Location};
use trunkline_journal::Lsn;
use trunkline_queue::{Admitted, DedupEntry, FifoInfo, FifoMessageState, Payload, Pick};
use trunkline_types::sync::atomic::Ordering;
use trunkline_types::{Result, Seq};

use super::receive::{Copied, copy, seen};
use super::{FifoQueue, arm_front, location_of};
use crate::queue::Queue;
use crate::queue::checkpoint::BlockSink;
use crate::queue::message::Delivery;
use crate::queue::record::{MessageRecord, Record};
use crate::queue::replay::QueueImage;
use crate::queue::shared::Restoring;
use crate::queue::stored::StoredMessage;

/// Slots that a checkpoint looks at in one step: less than a millisecond.
const SLOTS_AT_ONCE: u32 = 1_024;
/// Messages relocated in one step of the journal: senders get their turn in between.
const RELOCATED_AT_ONCE: usize = 64;

impl FifoQueue {
    /// Takes over the messages and the dedup window of an image.
    pub fn restore(&self, queue: &Queue, mut image: QueueImage, shared: &Restoring<'_>) {
        let now = queue.host.now();
        // The last change may have been one of the scope.
        let modified = queue.modified().min(now);
        queue.rules.keep_other_scope(modified + queue.host.limits.dedup_window);
        let mut state = self.lock();
        state.raise_next_seq(image.next_seq);
        state.begin_recovery();
        let remembered = std::mem::take(&mut image.remembered);
        let (messages, groups) = image.into_messages();
        let mut live = LiveCount::default();
        messages.drain(|seq, message| {
            let message = message.bounded(now, &queue.host.limits);
            let location = Location { lsn: message.lsn, len: message.len };
            live.add(location, message.sent);
            shared.message(seq, message.flags);
            state.apply_sent(Admitted {
                seq,
                group: groups.name(&message).unwrap_or_default(),
                dedup_key: None,
                sent: message.sent,
                flags: message.flags,
                payload: Payload::At { lsn: location.lsn.to_u64(), len: location.len },
                deliveries: message.deliveries,
                first_received: message.first_received,
                due: message.due,
            });
        });
        queue.host.live_bytes().add_count(live);
        for (key, remembered) in remembered {
            let (seq, at, location) =
                (remembered.seq, remembered.at.min(now), remembered.lsn.to_u64());
            state.apply_dedup(DedupEntry { key, seq, at, location });
            queue.host.live_bytes().note(remembered.lsn.segment(), at);
        }
        self.next.store(state.next_seq(), Ordering::Release);
        state.end_recovery(now, |slot, at| queue.arm(slot, at));
        arm_front(queue, &mut state);
    }

    /// Hands every message and dedup entry to a checkpoint, in steps.
    pub fn checkpoint(&self, queue: &Queue, sink: &mut BlockSink<'_, '_>) -> Result<()> {
        let (mut messages, mut entries) = (Vec::new(), Vec::new());
        let mut next = Some(0);
        while let Some(from) = next {
            {
                // A message that changes queues is hidden for a moment.
                let _no_message_changes_queues = queue.host.compactor().pause_relocation();
                next = self.lock().scan_slots(from, SLOTS_AT_ONCE, |info| {
                    let stored = stored(&info).map(|stored| (info.seq, stored, info.group.into()));
                    messages.extend(stored);
                });
            }
            messages.sort_unstable_by_key(|(seq, _, _): &(Seq, StoredMessage, Box<str>)| *seq);
            for (seq, message, group) in messages.drain(..) {
                sink.push(queue, seq, message, Some(&group))?;
            }
        }
        next = Some(0);
        while let Some(from) = next {
            next = self.lock().scan_dedup(from, SLOTS_AT_ONCE, |entry| entries.push(*entry));
            for entry in entries.drain(..) {
                let (lsn, len) = (Lsn::from_u64(entry.location), 0);
                sink.record(Location { lsn, len }, &remembered(queue, &entry))?;
            }
        }
        Ok(())
    }

    /// Writes every message and dedup entry whose location is in `segment` again at the tail.
    pub fn relocate(&self, queue: &Queue, segment: u32) -> Result<()> {
        let mut there = Vec::new();
        self.lock().scan(|info| {
            if location_of(info.payload).is_some_and(|location| location.segment() == segment) {
                there.push(info.place);
            }
            true
        });
        for places in there.chunks(RELOCATED_AT_ONCE) {
            let mut records = Vec::with_capacity(places.len());
            for place in places {
                let location =
                    self.lock().message(*place).and_then(|info| location_of(info.payload));
                let Some(location) = location else { continue };
                let mut record = Vec::new();
                if queue.host.read(location, &mut record)? {
                    records.push((*place, location, record));
                }
            }
            let _no_message_changes_queues = queue.host.compactor().pause_relocation();
            let mut state = self.lock();
            let mut log = queue.host.append()?;
            for (place, old, record) in records {
                let Some(info) = state.message(place) else { continue };
                if location_of(info.payload) != Some(old) {
                    continue;
                }
                let held = held(queue, &info, crate::queue::record::payload_of(&record)?);
                if let Some(location) = log.append_live(&held, None) {
                    let payload = Payload::At { lsn: location.lsn.to_u64(), len: location.len };
                    state.set_payload(place.slot, payload);
                    log.release(old);
                }
            }
        }
        self.relocate_dedup(queue, segment)
    }

    fn relocate_dedup(&self, queue: &Queue, segment: u32) -> Result<()> {
        let mut state = self.lock();
        let mut log = queue.host.append()?;
        state.for_each_dedup(|entry| {
            (Lsn::from_u64(entry.location).segment() == segment).then(|| {
                let location = remember(queue, &mut log, entry);
                location.map_or(entry.location, |lsn| lsn.to_u64())
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
                result = each(&Record::Message(held(queue, &info, payload)));
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

/// A message as a checkpoint has it, without its group.
fn stored(info: &FifoInfo<'_>) -> Option<StoredMessage> {
    let location = location_of(info.payload)?;
    Some(StoredMessage {
        lsn: location.lsn,
        len: location.len,
        sent: info.sent,
        due: info.due.unwrap_or(0),
        first_received: info.first_received.unwrap_or(0),
        deliveries: info.deliveries,
        group: 0,
        flags: info.flags,
    })
}

fn held<'a>(queue: &Queue, info: &FifoInfo<'_>, payload: &'a [u8]) -> MessageRecord<'a> {
    MessageRecord {
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

fn remember(queue: &Queue, log: &mut Append<'_>, entry: &DedupEntry) -> Option<Lsn> {
    log.append_dated(&remembered(queue, entry), entry.at)
}
