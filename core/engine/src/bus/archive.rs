//! Archives: events of a bus that are kept, in the order in which they came, to be replayed.
//!
//! An archive is a retained log whose entries are whole events; their time is that of the put. A
//! replayed event is not archived again.

use std::fmt;
use std::sync::Arc;

use trunkline_host::{Also, Append, Host, Location, Log, Logs, TimerKey};
use trunkline_journal::Ticket;
use trunkline_pattern::{Event as PatternEvent, Pattern};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Millis, ResourceId, Result};

use super::event::{Envelope, Event, invalid};
use super::record::{ArchiveRecord, Record, Subject};
use super::rules::compile;
use super::{BUSES, Bus, check_name};
use crate::archive::{self, Expiry};

/// Longest name of an archive: EventBridge's.
const NAME_MAX: usize = 48;
/// More bytes than the record of an entry has beside the event.
const ENTRY_HEAD_BYTES: usize = 32;

/// An archive of an event bus.
pub struct Archive {
    host: Arc<Host>,
    id: ResourceId,
    bus: ResourceId,
    name: String,
    pattern: Option<(String, Pattern)>,
    retention: Option<Millis>,
    created: Millis,
    document: Vec<u8>,
    pub(super) log: Arc<Log>,
    pub(super) location: Mutex<Option<Location>>,
    size: Mutex<Size>,
}

/// How many bytes the entries of a range of the log have.
#[derive(Default, Clone, Copy)]
struct Size {
    first: u64,
    next: u64,
    bytes: u64,
}

impl Archive {
    pub(super) fn new(host: &Arc<Host>, record: &ArchiveRecord<'_>, log: Arc<Log>) -> Result<Self> {
        let ready = |text: &str| -> Result<_> { Ok((text.to_owned(), compile(text)?)) };
        Ok(Self {
            host: host.clone(),
            id: record.id,
            bus: record.bus,
            name: record.name.to_owned(),
            pattern: record.pattern.map(ready).transpose()?,
            retention: record.retention,
            created: record.created,
            document: record.document.to_vec(),
            log,
            location: Mutex::new(None),
            size: Mutex::default(),
        })
    }

    pub(super) fn record(&self) -> ArchiveRecord<'_> {
        ArchiveRecord {
            id: self.id,
            bus: self.bus,
            log: self.log.id(),
            name: &self.name,
            pattern: self.pattern(),
            retention: self.retention,
            created: self.created,
            document: &self.document,
        }
    }

    /// Its id in the engine.
    pub fn id(&self) -> ResourceId {
        self.id
    }

    /// The bus whose events it keeps.
    pub fn bus(&self) -> ResourceId {
        self.bus
    }

    /// Its name, unique in its bus.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which events it keeps; `None` for all.
    pub fn pattern(&self) -> Option<&str> {
        self.pattern.as_ref().map(|(text, _)| text.as_str())
    }

    /// How long it keeps them; `None` for ever.
    pub fn retention(&self) -> Option<Millis> {
        self.retention
    }

    /// When it was created.
    pub fn created(&self) -> Millis {
        self.created
    }

    /// How many events it has.
    pub fn events(&self) -> u64 {
        let (first, next) = self.log.range();
        next - first
    }

    /// How many bytes its events have together, as EventBridge counts them: what PutEvents counts,
    /// and the account. Only what came since the last call is read.
    pub fn bytes(&self) -> Result<u64> {
        let (first, end) = self.log.range();
        let mut size = lock(&self.size);
        if size.first != first || size.next < first {
            *size = Size { first, next: first, bytes: 0 };
        }
        let mut counted = *size;
        self.log.read(size.next, &mut |entry| {
            if entry.sequence >= end {
                return false;
            }
            let event = Envelope::read(entry.payload);
            counted.bytes += event.map_or(entry.payload.len(), |event| event.size_kept()) as u64;
            counted.next = entry.sequence + 1;
            true
        })?;
        *size = counted;
        Ok(counted.bytes)
    }

    /// What the surfaces keep with the archive.
    pub fn document(&self) -> &[u8] {
        &self.document
    }

    /// Whether it keeps this event.
    pub(super) fn takes(&self, event: &Event) -> Result<bool> {
        let Some((_, pattern)) = &self.pattern else { return Ok(true) };
        let matches = pattern.matches(PatternEvent::trusted(&event.text));
        matches.map_err(|problem| invalid(format!("The event is not valid: {problem}")))
    }

    /// What the archive keeps of an event, to be appended in the step of its deliveries.
    pub(super) fn entry<'a>(&'a self, event: &'a Event, now: Millis) -> ArchiveEntry<'a> {
        ArchiveEntry { archive: self, event, now }
    }

    /// When its events expire.
    pub(super) fn expiry(&self) -> Expiry<'_> {
        let timer = TimerKey { owner: BUSES.owner(), slot: self.id.0 };
        Expiry { host: &self.host, log: &self.log, retention: self.retention, timer }
    }
}

/// An event on its way into an archive.
pub(super) struct ArchiveEntry<'a> {
    archive: &'a Archive,
    event: &'a Event,
    now: Millis,
}

impl fmt::Debug for ArchiveEntry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an entry of archive {}", self.archive.name)
    }
}

impl Also for ArchiveEntry<'_> {
    fn bytes(&self) -> usize {
        ENTRY_HEAD_BYTES + self.event.text.len()
    }

    fn append(&self, log: &mut Append<'_>) {
        // Refused only when the archive was removed in the middle: it keeps nothing more.
        let _refused = self.archive.log.append(log, self.now, &[&self.event.text]);
    }
}

impl Bus {
    /// The archive of this name.
    pub fn archive(&self, name: &str) -> Result<Arc<Archive>> {
        self.check_readable()?;
        let found = self.archives().iter().find(|archive| archive.name == name).cloned();
        found.ok_or_else(|| no_such_archive(name))
    }

    /// The archives, in the order of their creation.
    pub fn archives(&self) -> Arc<Vec<Arc<Archive>>> {
        lock(&self.archives).clone()
    }

    /// The archive of this name, which is created if there is none; whether it was. It keeps what
    /// matches `pattern` for `retention`.
    pub fn get_or_create_archive(
        &self,
        name: &str,
        pattern: Option<&str>,
        retention: Option<Millis>,
        document: &[u8],
    ) -> Result<(Arc<Archive>, bool)> {
        self.check_writable()?;
        self.host.refuse_if_full()?;
        check_name("archive", name, NAME_MAX)?;
        check_retention(retention)?;
        let mut archives = lock(&self.archives);
        self.check_writable()?;
        if let Some(archive) = archives.iter().find(|archive| archive.name == name) {
            return Ok((archive.clone(), false));
        }
        let logs = self.logs()?;
        pattern.map(compile).transpose()?;
        let (id, now) = (self.host.next_id(), self.host.now());
        let log = logs.create()?;
        let (bus, log_id) = (self.id, log.id());
        let record = ArchiveRecord {
            id,
            bus,
            log: log_id,
            name,
            pattern,
            retention,
            created: now,
            document,
        };
        let archive = Archive::new(&self.host, &record, log)?;
        let location = self.host.append_at(now)?.append_live(&Record::Archive(record), None);
        *lock(&archive.location) = location;
        archive.expiry().plan(now);
        let archive = Arc::new(archive);
        *archives = Arc::new(archives.iter().cloned().chain([archive.clone()]).collect());
        Ok((archive, true))
    }

    /// Replaces what an archive keeps and for how long; its events stay. Applied when this returns,
    /// and durable with the ticket.
    pub fn configure_archive(
        &self,
        name: &str,
        pattern: Option<&str>,
        retention: Option<Millis>,
        document: &[u8],
    ) -> Result<Option<Ticket>> {
        self.check_writable()?;
        self.host.refuse_if_full()?;
        check_retention(retention)?;
        let mut archives = lock(&self.archives);
        let old = archives.iter().find(|archive| archive.name == name).cloned();
        let old = old.ok_or_else(|| no_such_archive(name))?;
        let record = ArchiveRecord { pattern, retention, document, ..old.record() };
        let archive = Archive::new(&self.host, &record, old.log.clone())?;
        let now = self.host.now();
        let mut log = self.host.append_at(now)?;
        let replaced = lock(&old.location).take();
        *lock(&archive.location) = log.append_live(&Record::Archive(record), replaced);
        let ticket = log.ticket();
        drop(log);
        archive.expiry().plan(now);
        let new = Arc::new(archive);
        let replace = |one: &Arc<Archive>| if one.id == new.id { new.clone() } else { one.clone() };
        *archives = Arc::new(archives.iter().map(replace).collect());
        Ok(ticket)
    }

    /// Removes an archive with its events. One that is gone is a success.
    pub fn remove_archive(&self, name: &str) -> Result<Option<Ticket>> {
        self.check_writable()?;
        let mut archives = lock(&self.archives);
        let Some(archive) = archives.iter().find(|archive| archive.name == name).cloned() else {
            return Ok(self.host.append()?.ticket());
        };
        *archives = Arc::new(archives.iter().filter(|one| one.id != archive.id).cloned().collect());
        // The events first: a crash in between leaves an archive that is empty, and can be removed.
        self.logs()?.remove(archive.log.id())?;
        let mut log = self.host.append()?;
        log.append(&Record::Gone(Subject::Archive, archive.id));
        lock(&archive.location).take().into_iter().for_each(|location| log.release(location));
        Ok(log.ticket())
    }

    pub(super) fn logs(&self) -> Result<Arc<Logs>> {
        archive::logs(&self.host)
    }

    /// Writes archives that lie in `segment` again.
    pub(super) fn relocate_archives(&self, segment: u32) -> Result<()> {
        let archives = lock(&self.archives);
        for archive in archives.iter() {
            let mut location = lock(&archive.location);
            let old = location.filter(|location| location.segment() == segment);
            if old.is_some() {
                let mut log = self.host.append()?;
                *location = log.append_live(&Record::Archive(archive.record()), old);
            }
        }
        Ok(())
    }
}

fn check_retention(retention: Option<Millis>) -> Result<()> {
    match retention {
        Some(0) => Err(invalid("retention is 0: leave it out to keep events for ever.")),
        _ => Ok(()),
    }
}

#[cold]
pub(super) fn no_such_archive(name: &str) -> Error {
    Error::new(Code::ResourceNotFoundException, format!("Archive {name} does not exist."))
}
