//! The archive of a FIFO topic: what it publishes is kept for a time, in the order of its sequence
//! numbers, so that subscriptions can have it again.
//!
//! An archive is a retained log. A publish appends its entry in the step of its deliveries, so a
//! message is delivered and archived, or neither.
//!
//! ```text
//! entry := context | group | attributes | body (the rest)
//! (all but the body are length-prefixed; the context is that of the envelope)
//! ```

use std::fmt;
use std::sync::Arc;

use trunkline_host::{Also, Append, Location, Log, Put, Take, TimerKey};
use trunkline_journal::Ticket;
use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, Millis, ResourceId, Result};

use super::envelope::Context;
use super::message::Notification;
use super::record::{ArchiveRecord, Record, Subject};
use super::{TOPICS, Topic, invalid};
use crate::archive::{self, Expiry};

/// More bytes than the record of an entry has beside the message.
const ENTRY_HEAD_BYTES: usize = 64;
/// Longest retention of an archive: SNS's, 365 days.
const RETENTION_MAX: Millis = 365 * 86_400_000;

/// The archive of a topic.
#[derive(Clone)]
pub(super) struct Archive {
    pub log: Arc<Log>,
    pub retention: Millis,
    /// When it was switched on.
    pub since: Millis,
    pub location: Option<Location>,
}

/// How the archive of a topic stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveStatus {
    /// How long messages are kept.
    pub retention: Millis,
    /// The time of the oldest messages that may be replayed.
    pub beginning: Millis,
    /// How many messages it has.
    pub messages: u64,
}

impl Archive {
    pub fn new(record: &ArchiveRecord, log: Arc<Log>, location: Option<Location>) -> Self {
        Self { log, retention: record.retention, since: record.since, location }
    }

    pub fn record(&self, topic: ResourceId) -> ArchiveRecord {
        let Self { log, retention, since, .. } = self;
        ArchiveRecord { topic, log: log.id(), retention: *retention, since: *since }
    }

    /// The time of the oldest messages that may be replayed.
    pub fn beginning(&self, now: Millis) -> Millis {
        self.since.max(now.saturating_sub(self.retention))
    }
}

/// A message on its way into an archive.
pub(super) struct ArchiveEntry<'a> {
    archive: Archive,
    head: Vec<u8>,
    body: &'a [u8],
    at: Millis,
}

impl<'a> ArchiveEntry<'a> {
    /// The entry of a message. Entries are found by their time, so `at` never goes back.
    pub fn new(archive: Archive, message: &Notification<'a>, context: &[u8], at: Millis) -> Self {
        let mut head = Vec::with_capacity(context.len() + message.attributes.len() + 64);
        head.put_bytes(context);
        head.put_bytes(message.group.unwrap_or_default().as_bytes());
        head.put_bytes(message.attributes);
        Self { archive, head, body: message.body, at }
    }

    pub fn log(&self) -> &Log {
        &self.archive.log
    }
}

impl fmt::Debug for ArchiveEntry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an entry of the archive with the log {}", self.archive.log.id().0)
    }
}

impl Also for ArchiveEntry<'_> {
    fn bytes(&self) -> usize {
        ENTRY_HEAD_BYTES + self.head.len() + self.body.len()
    }

    fn append(&self, log: &mut Append<'_>) {
        // Refused only when the log was removed in the middle: it keeps nothing more.
        let _refused = self.archive.log.append(log, self.at, &[&self.head, self.body]);
    }
}

/// A message of an archive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Archived<'a> {
    pub(super) context: Context<'a>,
    pub group: &'a str,
    pub attributes: &'a [u8],
    pub body: &'a [u8],
}

impl<'a> Archived<'a> {
    pub fn decode(entry: &'a [u8]) -> Result<Self> {
        let mut take = Take(entry);
        let context = Context::decode(take.bytes()?)?;
        let (group, attributes) = (take.text()?, take.bytes()?);
        Ok(Self { context, group, attributes, body: take.rest() })
    }
}

impl Topic {
    /// How the archive stands; `None` if there is none.
    pub fn archive(&self) -> Result<Option<ArchiveStatus>> {
        self.check_readable()?;
        let now = self.host.now();
        Ok(self.current_archive().map(|archive| {
            let (first, next) = archive.log.range();
            let (retention, beginning) = (archive.retention, archive.beginning(now));
            ArchiveStatus { retention, beginning, messages: next - first }
        }))
    }

    /// Keeps what is published from now on for `retention`, or changes how long it is kept. `None`
    /// switches the archive off: its messages are gone, and replays that run fail. Applied when
    /// this returns, and durable with the ticket.
    pub fn set_archive(&self, retention: Option<Millis>) -> Result<Option<Ticket>> {
        self.check_writable()?;
        self.host.refuse_if_full()?;
        if !self.config().is_fifo {
            return Err(invalid(format!(
                "The topic {} is no FIFO topic, so it has no archive.",
                self.name.name
            )));
        }
        let Some(retention) = retention else { return self.remove_archive() };
        if !(1..=RETENTION_MAX).contains(&retention) {
            return Err(invalid(format!(
                "The retention of an archive is {retention} ms; above 0, and at most 365 days."
            )));
        }
        let _changing = self.subscriptions.change();
        // Excludes publishes: each sees the archive of before, or the new one.
        let _window = lock(&self.window);
        self.check_present()?;
        let now = self.host.now();
        let mut archive = match self.current_archive() {
            Some(archive) => Archive { retention, ..archive },
            None => {
                let log = archive::logs(&self.host)?.create()?;
                Archive { log, retention, since: now, location: None }
            }
        };
        let mut log = self.host.append_at(now)?;
        let record = Record::Archive(archive.record(self.id));
        archive.location = log.append_live(&record, archive.location);
        let ticket = log.ticket();
        drop(log);
        self.expiry(&archive).plan(now);
        *lock(&self.archive) = Some(archive);
        Ok(ticket)
    }

    fn remove_archive(&self) -> Result<Option<Ticket>> {
        let _changing = self.subscriptions.change();
        let _window = lock(&self.window);
        self.check_present()?;
        let Some(archive) = lock(&self.archive).take() else {
            return Ok(self.host.append()?.ticket());
        };
        self.fail_replays("The archive of the topic was switched off.")?;
        // The messages first: a crash in between leaves an archive that is empty.
        archive::logs(&self.host)?.remove(archive.log.id())?;
        let mut log = self.host.append()?;
        log.append(&Record::Gone(Subject::Archive, self.id));
        archive.location.into_iter().for_each(|location| log.release(location));
        Ok(log.ticket())
    }

    pub(super) fn current_archive(&self) -> Option<Archive> {
        lock(&self.archive).clone()
    }

    /// When the messages of the archive expire.
    pub(super) fn expiry<'a>(&'a self, archive: &'a Archive) -> Expiry<'a> {
        let timer = TimerKey { owner: TOPICS.owner(), slot: self.id.0 };
        let retention = Some(archive.retention);
        Expiry { host: &self.host, log: &archive.log, retention, timer }
    }

    /// Refuses to remove a topic that has an archive: SNS's rule.
    pub(super) fn check_unarchived(&self) -> Result<()> {
        if lock(&self.archive).is_none() {
            return Ok(());
        }
        Err(Error::new(
            Code::ResourceInUseException,
            format!(
                "The topic {} has an archive. Switch it off with archive(None) first.",
                self.name.name
            ),
        ))
    }

    pub(super) fn relocate_archive(&self, segment: u32) -> Result<()> {
        let _window = lock(&self.window);
        let mut archive = lock(&self.archive);
        let Some(archive) = &mut *archive else { return Ok(()) };
        let old = archive.location.filter(|location| location.segment() == segment);
        if old.is_some() {
            let record = Record::Archive(archive.record(self.id));
            archive.location = self.host.append()?.append_live(&record, old);
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_an_entry_panics() {
        let mut entry = Vec::new();
        entry.put_bytes(&[0; 80]);
        entry.put_bytes(b"group");
        entry.put_bytes(b"");
        entry.extend_from_slice(b"body");
        for length in 0..entry.len() {
            let _ = Archived::decode(&entry[..length]);
        }
    }
}
