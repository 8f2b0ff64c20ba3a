//! Event buses as a kind of resource: how they are created, relocated, copied and removed as a
//! whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use trunkline_host::{CheckpointSink, Component, Encode, Host, Jobs, ResourceReport};
use trunkline_journal::Ticket;
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Millis, ResourceId, ResourceName, Result};

use super::archive::Archive;
use super::delivery::{EventDelivery, Slot};
use super::record::{BusRecord, Record};
use super::replay::Replays;
use super::rules::Rule;
use super::target::TargetDefinition;
use super::{Bus, Stored, check_bus_name};

/// All event buses of an engine.
pub(crate) struct Buses {
    host: Arc<Host>,
    delivery: Arc<Slot>,
    creating: Mutex<()>,
    replays: Replays,
}

impl Buses {
    pub(super) fn new(host: Arc<Host>) -> Self {
        Self {
            host,
            delivery: Arc::default(),
            creating: Mutex::new(()),
            replays: Replays::default(),
        }
    }

    pub(super) fn slot(&self) -> Arc<Slot> {
        self.delivery.clone()
    }

    /// Gives the buses the router to deliver through.
    pub(crate) fn attach(&self, delivery: Arc<dyn EventDelivery>) {
        self.delivery.set(delivery);
    }

    /// The bus of this name, and whether it was created just now.
    pub(crate) fn get_or_create(
        &self,
        name: ResourceName,
        document: &[u8],
    ) -> Result<(Arc<Bus>, bool)> {
        let host = &self.host;
        host.check_readable()?;
        if let Some(bus) = host.directory.find(&name) {
            return Ok((bus, false));
        }
        host.check_writable()?;
        host.refuse_if_full()?;
        check_bus_name(&name.name)?;
        // Creation is rare, and must not race with itself for a name.
        let _creating = lock(&self.creating);
        if let Some(bus) = host.directory.find(&name) {
            return Ok((bus, false));
        }
        let (id, created) = (host.next_id(), host.now());
        let record = BusRecord {
            id,
            account: &name.account,
            region: &name.region,
            name: &name.name,
            created,
            document,
        };
        // In one step: a checkpoint behind the record finds the bus in the directory.
        let mut log = host.append_at(created)?;
        let location = log.append_live(&Record::Bus(record.clone()), None);
        let bus = Arc::new(Bus::new(host.clone(), self.slot(), &record, location));
        host.directory.add(bus.clone());
        drop(log);
        Ok((bus, true))
    }

    /// The resources that belong to targets of all rules.
    pub(crate) fn owned(&self) -> BTreeSet<ResourceId> {
        let rules = self.all().into_iter().flat_map(|bus| bus.rules.all());
        let targets = rules.flat_map(|rule| rule.record().targets);
        targets.filter(|target| target.is_owned).map(|target| target.resource).collect()
    }

    /// Removes a bus with everything that belongs to it; returns the targets of its rules.
    pub(crate) fn remove(&self, bus: &Bus) -> Result<(Vec<TargetDefinition>, Option<Ticket>)> {
        let archives = bus.archives();
        let removed = bus.remove()?;
        archives.iter().try_for_each(|archive| self.replays.forget(&self.host, archive.id()))?;
        Ok(removed)
    }

    /// Removes an archive with its replays.
    pub(crate) fn remove_archive(&self, bus: &Bus, name: &str) -> Result<Option<Ticket>> {
        if let Some(archive) = bus.archives().iter().find(|archive| archive.name() == name) {
            self.replays.forget(&self.host, archive.id())?;
        }
        bus.remove_archive(name)
    }

    /// The replays of all archives.
    pub(crate) fn replays(&self) -> &Replays {
        &self.replays
    }

    /// The archive of this id, and its bus.
    fn archive(&self, id: ResourceId) -> Option<(Arc<Bus>, Arc<Archive>)> {
        self.all().into_iter().find_map(|bus| {
            let archive = bus.archives().iter().find(|archive| archive.id() == id).cloned();
            Some((bus, archive?))
        })
    }

    pub(crate) fn all(&self) -> Vec<Arc<Bus>> {
        self.host.directory.all()
    }
}

/// How a bus stands, for people.
pub(super) fn report(name: ResourceName, rules: usize, targets: usize) -> ResourceReport {
    ResourceReport { name, counters: vec![("rules", rules as u64), ("targets", targets as u64)] }
}

impl Bus {
    /// Replaces what the surfaces keep with the bus. Applied when this returns, and durable with
    /// the ticket.
    pub fn configure(&self, document: &[u8]) -> Result<Option<Ticket>> {
        self.check_writable()?;
        self.host.refuse_if_full()?;
        let _unchanged = self.rules.change();
        let mut definition = lock(&self.definition);
        // A bus that is being removed leaves its definition under the same lock.
        self.check_writable()?;
        let mut log = self.host.append()?;
        let location = log.append_live(&self.record(document), definition.location);
        *definition = Stored { document: document.to_vec(), location };
        Ok(log.ticket())
    }

    fn record<'a>(&'a self, document: &'a [u8]) -> Record<'a> {
        Record::Bus(BusRecord {
            id: self.id,
            account: &self.name.account,
            region: &self.name.region,
            name: &self.name.name,
            created: self.created,
            document,
        })
    }

    /// Writes what lies in `segment` again. Lock order, as in changes: the rules, the definition,
    /// the append lock.
    fn relocate(&self, segment: u32) -> Result<()> {
        {
            let _unchanged = self.rules.change();
            let mut definition = lock(&self.definition);
            let old = definition.location.filter(|location| location.segment() == segment);
            if old.is_some() {
                let mut log = self.host.append()?;
                let location = log.append_live(&self.record(&definition.document), old);
                definition.location = location;
            }
        }
        self.rules.all().iter().try_for_each(|rule| self.relocate_rule(rule, segment))?;
        self.relocate_archives(segment)
    }

    fn relocate_rule(&self, rule: &Rule, segment: u32) -> Result<()> {
        let _unchanged = self.rules.change();
        // A rule that was replaced or removed meanwhile has no location to leave.
        let is_current = self.rules.get(rule.id).is_some_and(|now| std::ptr::eq(&*now, rule));
        let mut location = lock(&rule.location);
        let old = location.filter(|location| is_current && location.segment() == segment);
        if old.is_some() {
            let mut log = self.host.append()?;
            *location = log.append_live(&Record::Rule(rule.record()), old);
        }
        Ok(())
    }
}

impl Component for Buses {
    fn relocate(&self, segment: u32) -> Result<()> {
        self.all().iter().try_for_each(|bus| bus.relocate(segment))?;
        self.replays.relocate(&self.host, segment)
    }

    fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut each = |record: Record<'_>| {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            sink(&bytes)
        };
        for bus in self.all() {
            each(bus.record(&bus.document()))?;
            bus.rules.all().iter().try_for_each(|rule| each(Record::Rule(rule.record())))?;
            let archives = bus.archives();
            archives.iter().try_for_each(|archive| each(Record::Archive(archive.record())))?;
        }
        self.replays.export(&mut each)
    }

    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<bool> {
        for bus in self.all() {
            let (document, location) = {
                let definition = lock(&bus.definition);
                (definition.document.clone(), definition.location)
            };
            let Some(location) = location else { continue };
            sink.record(location, &bus.record(&document))?;
            // Rules change under the lock that this takes, so those of before are complete.
            for rule in bus.rules.all() {
                let location = *lock(&rule.location);
                if let Some(location) = location {
                    sink.record(location, &Record::Rule(rule.record()))?;
                }
            }
            for archive in bus.archives().iter() {
                let location = *lock(&archive.location);
                if let Some(location) = location {
                    sink.record(location, &Record::Archive(archive.record()))?;
                }
            }
        }
        self.replays.each(&mut |location, record| sink.record(location, &record))?;
        Ok(true)
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let report = |bus: &Arc<Bus>| {
            let targets = bus.rules.all().iter().map(|rule| rule.targets.len()).sum();
            report(bus.name.clone(), bus.rules.len(), targets)
        };
        self.all().iter().map(report).collect()
    }

    fn reset(&self) -> Result<()> {
        self.all().iter().try_for_each(|bus| self.remove(bus).map(drop))
    }

    fn fire(&self, slot: u32, _: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        jobs.push(u64::from(slot));
        None
    }

    /// The job of an archive, whose events may have expired, or of a replay.
    fn run(&self, task: u64, now: Millis) -> Result<()> {
        let id = ResourceId(u32::try_from(task).unwrap_or(u32::MAX));
        if let Some((_, archive)) = self.archive(id) {
            return archive.expiry().run(now);
        }
        let Ok(status) = self.replays.status(id) else { return Ok(()) };
        if let Some((bus, archive)) = self.archive(status.archive) {
            self.replays.run(&bus, &archive, id, now);
        }
        Ok(())
    }
}
