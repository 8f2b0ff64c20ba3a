//! The image of an engine: what its records add up to. Opening a folder replays the journal into an
//! image and builds the queues from it; looking into a folder offline stops at the image.
//!
//! Applying a record twice, or an older copy before a newer one, gives the same image: cleaning
//! carries messages to the tail of the log in their whole state, and a crash may leave both copies.

use std::collections::{BTreeMap, HashMap};

use trunkline_journal::Lsn;
use trunkline_types::{Millis, QueueConfig, ResourceId, Result, Seq};

use crate::append::Location;
use crate::envelope::Envelope;
use crate::record::{Definition, MessageRecord, Record};
use crate::table::Table;

/// What a journal adds up to.
#[derive(Default)]
pub(crate) struct Image {
    pub run: u32,
    pub next_queue: u32,
    /// Where the newest `Opened` record lies.
    pub opened: Option<Location>,
    pub queues: BTreeMap<ResourceId, QueueImage>,
    pub documents: BTreeMap<String, StoredDocument>,
    pub records: u64,
}

/// A document and where it lies.
pub(crate) struct StoredDocument {
    pub value: Vec<u8>,
    pub location: Option<Location>,
}

/// One queue of the image.
#[derive(Default)]
pub(crate) struct QueueImage {
    /// Absent while only messages were seen, and for ever when the queue is gone.
    pub definition: Option<StoredDefinition>,
    pub removed_at: Option<Millis>,
    pub purged_at: Option<Millis>,
    pub next_seq: Seq,
    pub messages: Table<StoredMessage>,
    /// The dedup window, by key.
    pub remembered: HashMap<u128, Remembered>,
    groups: HashMap<Box<str>, u32>,
    group_names: Vec<Box<str>>,
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
    pub document: Vec<u8>,
    pub created: Millis,
    pub modified: Millis,
    pub location: Option<Location>,
}

/// One message of the image: 56 bytes, because there may be tens of millions.
#[derive(Clone, Copy)]
pub(crate) struct StoredMessage {
    pub lsn: Lsn,
    pub sent: Millis,
    pub due: Millis,
    pub first_received: Millis,
    pub len: u32,
    pub deliveries: u32,
    /// Index into the group names, plus one; 0 for none.
    pub group: u32,
    pub flags: u8,
}

impl QueueImage {
    /// The name of a message's group.
    pub fn group(&self, message: &StoredMessage) -> Option<&str> {
        let index = (message.group as usize).checked_sub(1)?;
        self.group_names.get(index).map(|name| &**name)
    }

    fn intern(&mut self, group: &str) -> u32 {
        if let Some(index) = self.groups.get(group) {
            return *index;
        }
        self.group_names.push(group.into());
        let index = self.group_names.len() as u32;
        self.groups.insert(group.into(), index);
        index
    }
}

impl Image {
    /// Adds the record that lies at `lsn`.
    pub fn apply(&mut self, lsn: Lsn, bytes: &[u8]) -> Result<()> {
        self.records += 1;
        let location = Location { lsn, len: u32::try_from(bytes.len()).unwrap_or(u32::MAX) };
        match Record::decode(bytes)? {
            Record::Opened { run, next_queue } => {
                self.run = self.run.max(run);
                self.next_queue = self.next_queue.max(next_queue);
                self.opened = Some(location);
            }
            Record::Defined(definition) => self.define(location, &definition),
            Record::Removed { queue, at } => {
                let image = self.queue(queue);
                image.removed_at = Some(at);
                image.messages = Table::default();
                image.remembered = HashMap::new();
            }
            Record::Message(held) => self.hold(location, &held)?,
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
                self.queue(queue).messages.remove(seq);
            }
            Record::Purged { queue, before, at } => {
                let image = self.queue(queue);
                image.messages.remove_before(before);
                image.remembered.clear();
                image.purged_at = Some(at);
            }
            Record::Remembered { queue, key, seq, at } => {
                self.queue(queue).remembered.insert(key, Remembered { seq, at, lsn });
            }
            Record::Document { key, value: Some(value) } => {
                let document = StoredDocument { value: value.to_vec(), location: Some(location) };
                self.documents.insert(key.to_owned(), document);
            }
            Record::Document { key, value: None } => {
                self.documents.remove(key);
            }
        }
        Ok(())
    }

    /// Forgets queues that are gone, once everything was replayed.
    pub fn settle(&mut self) {
        self.queues.retain(|_, image| image.definition.is_some() && image.removed_at.is_none());
    }

    pub fn queue(&mut self, id: ResourceId) -> &mut QueueImage {
        self.next_queue = self.next_queue.max(id.0.saturating_add(1));
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
            document: definition.document.to_vec(),
            created: definition.created,
            modified: definition.modified,
            location: Some(location),
        });
    }

    fn hold(&mut self, location: Location, held: &MessageRecord<'_>) -> Result<()> {
        if let Some((queue, seq)) = held.moved_from {
            self.queue(queue).messages.remove(seq);
        }
        let image = self.queue(held.queue);
        if image.removed_at.is_some() {
            return Ok(());
        }
        image.next_seq = image.next_seq.max(held.seq + 1);
        if let Some(key) = held.dedup {
            let (seq, at) = (held.seq, held.sent);
            image.remembered.insert(key, Remembered { seq, at, lsn: location.lsn });
        }
        let group = match Envelope::read(held.flags, held.payload)?.group {
            Some(group) => image.intern(group),
            None => 0,
        };
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
        Ok(())
    }
}

/// What an image says about one of its queues, for people.
pub(crate) struct QueueSummary {
    pub messages: u64,
    pub in_flight: u64,
    pub delayed: u64,
    pub bytes: u64,
    pub oldest_sent: Option<Millis>,
}

impl QueueImage {
    /// Counts the messages as they stand at `now`.
    pub fn summary(&self, now: Millis) -> QueueSummary {
        let mut summary =
            QueueSummary { messages: 0, in_flight: 0, delayed: 0, bytes: 0, oldest_sent: None };
        for (_, message) in self.messages.iter() {
            summary.messages += 1;
            summary.bytes += u64::from(message.len);
            match (message.due > now, message.deliveries) {
                (true, 0) => summary.delayed += 1,
                (true, _) => summary.in_flight += 1,
                (false, _) => {}
            }
            let oldest = summary.oldest_sent.map_or(message.sent, |sent| sent.min(message.sent));
            summary.oldest_sent = Some(oldest);
        }
        summary
    }
}

#[cfg(test)]
mod tests {
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

    fn replay(records: &[Record<'_>]) -> Image {
        let mut image = Image::default();
        for (lsn, record) in records.iter().enumerate() {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            image.apply(Lsn::from_u64(lsn as u64), &bytes).expect("a record we wrote");
        }
        image
    }

    #[test]
    fn a_carried_copy_replaces_the_older_one() {
        let queue = ResourceId(1);
        let carried = MessageRecord { deliveries: 1, due: 50, first_received: 40, ..held(3) };
        let mut image = replay(&[
            Record::Message(held(3)),
            Record::Leased { queue, seq: 3, delivery: 1, due: 50, at: 40 },
            Record::Message(carried),
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
        let mut image = replay(&[Record::Message(held(3)), purge, Record::Message(held(5))]);
        let image = image.queue(queue);
        assert!(image.messages.get_mut(3).is_none() && image.messages.get_mut(5).is_some());
        assert_eq!(image.remembered.len(), 1);
    }
}
