//! Replay: what the records of queues add up to. Opening a folder collects them here and builds the
//! queues from it; inspecting a folder stops here.
//!
//! This is a second implementation of the transitions, beside the live queues: plain tables, so
//! that ten million messages are replayed in about a second. The crash simulation keeps both equal.
//!
//! Applying a record twice, or an older copy before a newer one, gives the same: compaction appends
//! messages again in their whole state, and a crash may leave both copies.

use std::any::Any;
use std::collections::{BTreeMap, HashMap, HashSet};

use trunkline_host::mutant::{self, Mutant};
use trunkline_host::{Loader, Location, PayloadLoader, ResourceReport};
use trunkline_journal::Lsn;
use trunkline_types::{Millis, QueueConfig, QueueKind, ResourceId, ResourceName, Result, Seq};

use crate::queue::QUEUE;
use crate::queue::block::{BLOCK, PackedBlock};
use crate::queue::envelope::{Envelope, Reference, SHARED};
use crate::queue::purge::Purge;
use crate::queue::record::{Definition, FanOutRecord, MessageRecord, Record};
use crate::queue::stored::StoredMessage;
use crate::queue::table::Table;

/// What the records of queues add up to.
#[derive(Default)]
pub(crate) struct QueueLoader {
    pub queues: BTreeMap<ResourceId, QueueImage>,
    last_id: u32,
    /// The largest number of a shared payload that a message spoke of.
    pub last_payload: u64,
}

/// One queue.
#[derive(Default)]
pub(crate) struct QueueImage {
    /// Absent while only messages were seen, and for ever when the queue is gone.
    pub definition: Option<StoredDefinition>,
    pub removed_at: Option<Millis>,
    pub purged: Purge,
    pub next_seq: Seq,
    pub messages: Table,
    /// The shared payloads of messages, by the message's number.
    pub shared: HashMap<Seq, u64>,
    /// The dedup window, by key.
    pub remembered: HashMap<u128, Remembered>,
    groups: Groups,
}

/// The names of the groups of a queue's messages.
#[derive(Default)]
pub(crate) struct Groups {
    indexes: HashMap<Box<str>, u32>,
    names: Vec<Box<str>>,
}

/// A deduplication key that stands for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub seq: Seq,
    /// When the message was first sent: the window counts from here.
    pub at: Millis,
    /// Where the newest record that says so lies.
    pub lsn: Lsn,
}

/// The definition of a queue and where it lies.
#[derive(Clone)]
pub(crate) struct StoredDefinition {
    pub account: String,
    pub region: String,
    pub name: String,
    pub config: QueueConfig,
    /// The name of the dead-letter queue: it may be removed and made again.
    pub dead_letter_name: Option<ResourceName>,
    pub document: Vec<u8>,
    pub created: Millis,
    pub modified: Millis,
    pub location: Option<Location>,
}

impl Groups {
    /// The name of a message's group.
    pub fn name(&self, message: &StoredMessage) -> Option<&str> {
        let index = (message.group as usize).checked_sub(1)?;
        self.names.get(index).map(|name| &**name)
    }

    fn intern(&mut self, group: &str) -> u32 {
        if let Some(index) = self.indexes.get(group) {
            return *index;
        }
        self.names.push(group.into());
        let index = self.names.len() as u32;
        self.indexes.insert(group.into(), index);
        index
    }
}

impl QueueImage {
    fn remove(&mut self, seq: Seq) {
        self.messages.remove(seq);
        if !self.shared.is_empty() {
            self.shared.remove(&seq);
        }
    }

    /// Drops the messages whose payload was not committed, and the deduplication ids that stand for
    /// them: their publish did not happen.
    fn drop_uncommitted(&mut self, is_committed: impl Fn(u64) -> bool) {
        let mut dropped = HashSet::new();
        for (seq, payload) in &self.shared {
            let is_shared = |message: &mut StoredMessage| message.flags & SHARED != 0;
            if !is_committed(*payload) && self.messages.get_mut(*seq).is_some_and(is_shared) {
                self.messages.remove(*seq);
                dropped.insert(*seq);
            }
        }
        if !dropped.is_empty() && !mutant::has(Mutant::KeepUncommittedDedup) {
            self.remembered.retain(|_, remembered| !dropped.contains(&remembered.seq));
        }
    }

    /// The messages and the names of their groups.
    pub fn into_messages(self) -> (Table, Groups) {
        (self.messages, self.groups)
    }

    /// Remembers a deduplication key. A record about an older message may come after one about a
    /// newer.
    fn remember(&mut self, key: u128, new: Remembered) {
        let known = self.remembered.entry(key).or_insert(new);
        if new.seq >= known.seq {
            *known = new;
        }
    }
}

impl QueueLoader {
    /// Adds the record that lies at `location`.
    pub fn add(&mut self, location: Location, bytes: &[u8]) -> Result<()> {
        match Record::decode(bytes)? {
            Record::Defined(definition) => self.define(location, &definition),
            Record::Removed { queue, at } => {
                let image = self.queue(queue);
                image.removed_at = Some(at);
                image.messages = Table::default();
                image.remembered = HashMap::new();
                image.shared = HashMap::new();
            }
            Record::Message(held) => self.hold(location, &held)?,
            Record::FanOut(fan_out) => self.fan_out(location, &fan_out),
            Record::Leased { queue, seq, delivery, due, at } => {
                if let Some(message) = self.queue(queue).messages.get_mut(seq) {
                    (message.deliveries, message.due) = (delivery, due);
                    if message.first_received == 0 {
                        message.first_received = at;
                    }
                }
            }
            Record::Extended { queue, seq, due } => {
                if let Some(message) = self.queue(queue).messages.get_mut(seq) {
                    message.due = due;
                }
            }
            Record::Deleted { queue, seq } => {
                self.queue(queue).remove(seq);
            }
            Record::Purged { queue, before, at } => {
                let image = self.queue(queue);
                image.purged = Purge { at, location: Some(location).filter(|at| at.len > 0) };
                // One that compaction wrote again tells only of the time.
                if before > 0 {
                    image.messages.remove_before(before);
                    image.shared.retain(|seq, _| *seq >= before);
                    image.remembered.clear();
                }
            }
            Record::Remembered { queue, key, seq, at } => {
                self.queue(queue).remember(key, Remembered { seq, at, lsn: location.lsn });
            }
        }
        Ok(())
    }

    /// Drops what a crash left of publishes that were not committed.
    pub fn drop_uncommitted(&mut self, earlier: &[Box<dyn Loader>]) {
        let payloads = earlier.iter().find_map(|loader| {
            let any: &dyn Any = &**loader;
            any.downcast_ref::<PayloadLoader>()
        });
        if mutant::has(Mutant::KeepUncommitted) {
            return;
        }
        let is_committed = |id| payloads.is_some_and(|payloads| payloads.holds(id));
        self.queues.values_mut().for_each(|image| image.drop_uncommitted(is_committed));
    }

    /// Adds a block of a checkpoint.
    pub fn add_block(&mut self, section: &[u8]) -> Result<()> {
        let head = PackedBlock::read(section)?;
        if let Some(last) = head.shared.iter().map(|(_, id)| *id).max() {
            self.last_payload = self.last_payload.max(last);
        }
        let image = self.queue(head.queue);
        let seq = |index: u8| head.number * BLOCK + u64::from(index);
        image.shared.extend(head.shared.iter().map(|(index, id)| (seq(*index), *id)));
        if head.groups.is_empty() {
            image.messages.insert_block(head.number, head.block);
            return Ok(());
        }
        let groups: Vec<u32> = head.groups.iter().map(|name| image.groups.intern(name)).collect();
        head.block.unpack(|index, message| {
            let named = (message.group as usize).checked_sub(1);
            let group = named.and_then(|named| groups.get(named)).copied().unwrap_or(0);
            image.messages.insert(seq(index), StoredMessage { group, ..message });
        });
        Ok(())
    }

    /// The queues that exist, by id. To be asked when everything was replayed.
    pub fn existing(self) -> impl Iterator<Item = (ResourceId, StoredDefinition, QueueImage)> {
        let gone = |image: &QueueImage| image.removed_at.is_some();
        self.queues.into_iter().filter(move |(_, image)| !gone(image)).filter_map(
            |(id, mut image)| {
                let definition = image.definition.take()?;
                Some((id, definition, image))
            },
        )
    }

    /// The largest id that a record spoke of.
    pub fn last_id(&self) -> Option<ResourceId> {
        (self.last_id > 0).then_some(ResourceId(self.last_id))
    }

    pub fn queue(&mut self, id: ResourceId) -> &mut QueueImage {
        self.last_id = self.last_id.max(id.0);
        self.queues.entry(id).or_default()
    }

    fn define(&mut self, location: Location, definition: &Definition<'_>) {
        let image = self.queue(definition.queue);
        image.next_seq = image.next_seq.max(definition.next_seq);
        image.definition = Some(StoredDefinition {
            account: definition.account.to_owned(),
            region: definition.region.to_owned(),
            name: definition.name.to_owned(),
            config: definition.config.clone(),
            dead_letter_name: definition
                .dead_letter_name
                .map(|[account, region, name]| ResourceName::new(QUEUE, account, region, name)),
            document: definition.document.to_vec(),
            created: definition.created,
            modified: definition.modified,
            location: Some(location),
        });
    }

    fn hold(&mut self, location: Location, held: &MessageRecord<'_>) -> Result<()> {
        if let Some((queue, seq)) = held.moved_from {
            self.queue(queue).remove(seq);
        }
        let reference = Reference::read(held.flags, held.payload)?;
        let group = Envelope::read(held.flags, held.payload)?.group;
        self.put(location, held, reference, group);
        Ok(())
    }

    fn fan_out(&mut self, location: Location, fan_out: &FanOutRecord) {
        let lost = usize::from(mutant::has(Mutant::LoseTarget));
        for target in fan_out.targets.iter().skip(lost) {
            let reference = Some(fan_out.reference(target));
            self.put(location, &fan_out.own_record(target), reference, None);
        }
    }

    /// Adds a message, whatever record it lies in.
    fn put(
        &mut self,
        location: Location,
        held: &MessageRecord<'_>,
        reference: Option<Reference>,
        group: Option<&str>,
    ) {
        if let Some(Reference { id, .. }) = reference {
            self.last_payload = self.last_payload.max(id);
        }
        let image = self.queue(held.queue);
        if image.removed_at.is_some() {
            return;
        }
        image.next_seq = image.next_seq.max(held.seq + 1);
        if let Some(key) = held.dedup {
            let (seq, at) = (held.seq, held.sent);
            image.remember(key, Remembered { seq, at, lsn: location.lsn });
        }
        if let Some(Reference { id, .. }) = reference {
            image.shared.insert(held.seq, id);
        }
        let group = group.map_or(0, |group| image.groups.intern(group));
        let message = StoredMessage {
            lsn: location.lsn,
            sent: held.sent,
            due: held.due,
            first_received: held.first_received,
            len: location.len,
            deliveries: held.deliveries,
            group,
            flags: held.flags,
        };
        image.messages.insert(held.seq, message);
    }
}

impl QueueImage {
    /// What the records of an existing queue add up to at `now`, for people.
    pub fn report(&self, now: Millis) -> Option<ResourceReport> {
        let definition = self.definition.as_ref()?;
        let (mut messages, mut in_flight, mut delayed, mut bytes) = (0, 0, 0, 0);
        let mut oldest = Millis::MAX;
        self.messages.for_each(|_, message| {
            messages += 1;
            bytes += u64::from(message.len);
            oldest = oldest.min(message.sent);
            match (message.due > now, message.deliveries) {
                (true, 0) => delayed += 1,
                (true, _) => in_flight += 1,
                (false, _) => {}
            }
        });
        let counters = vec![
            ("fifo", u64::from(definition.config.kind == QueueKind::Fifo)),
            ("messages", messages),
            ("in_flight", in_flight),
            ("delayed", delayed),
            ("bytes", bytes),
            ("oldest_sent", if messages == 0 { 0 } else { oldest }),
            ("remembered", self.remembered.len() as u64),
        ];
        Some(ResourceReport { name: definition.name(), counters })
    }
}

#[cfg(test)]
mod tests {
    use trunkline_host::Encode;

    use super::*;

    fn held(seq: Seq) -> MessageRecord<'static> {
        MessageRecord {
            queue: ResourceId(1),
            seq,
            flags: 0,
            sent: 10,
            due: 0,
            deliveries: 0,
            first_received: 0,
            dedup: Some(u128::from(seq)),
            moved_from: None,
            payload: b"body",
        }
    }

    fn replay(records: &[Record<'_>]) -> QueueLoader {
        let mut image = QueueLoader::default();
        for (lsn, record) in records.iter().enumerate() {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            let (lsn, len) = (Lsn::from_u64(lsn as u64), bytes.len() as u32);
            image.add(Location { lsn, len }, &bytes).expect("a record we wrote");
        }
        image
    }

    #[test]
    fn a_relocated_copy_replaces_the_older_one() {
        let queue = ResourceId(1);
        let relocated = MessageRecord { deliveries: 1, due: 50, first_received: 40, ..held(3) };
        let mut image = replay(&[
            Record::Message(held(3)),
            Record::Leased { queue, seq: 3, delivery: 1, due: 50, at: 40 },
            Record::Message(relocated),
        ]);
        let message = *image.queue(queue).messages.get_mut(3).expect("it lives");
        assert_eq!((message.lsn, message.deliveries, message.due), (Lsn::from_u64(2), 1, 50));
    }

    #[test]
    fn a_move_takes_one_away_and_adds_the_other() {
        let moved = MessageRecord {
            queue: ResourceId(2),
            seq: 8,
            moved_from: Some((ResourceId(1), 3)),
            ..held(8)
        };
        let mut image = replay(&[Record::Message(held(3)), Record::Message(moved)]);
        assert!(image.queue(ResourceId(1)).messages.get_mut(3).is_none());
        assert!(image.queue(ResourceId(2)).messages.get_mut(8).is_some());
        // The first send is remembered although its message is gone.
        let remembered = Remembered { seq: 3, at: 10, lsn: Lsn::from_u64(0) };
        assert_eq!(image.queue(ResourceId(1)).remembered.get(&3), Some(&remembered));
    }

    #[test]
    fn a_purge_takes_what_came_before_it_and_the_window() {
        let queue = ResourceId(1);
        let purge = Record::Purged { queue, before: 4, at: 20 };
        // The other one was written again by compaction.
        let again = Record::Purged { queue, before: 0, at: 20 };
        let mut image = replay(&[Record::Message(held(3)), purge, Record::Message(held(5)), again]);
        let image = image.queue(queue);
        assert_eq!(image.purged.at, 20);
        assert!(image.messages.get_mut(3).is_none() && image.messages.get_mut(5).is_some());
        assert_eq!(image.remembered.len(), 1);
    }
}
