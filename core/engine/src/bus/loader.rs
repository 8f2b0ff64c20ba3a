//! What the records of event buses add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_host::{Component, Host, Loader, Location, ResourceReport};
use trunkline_types::sync::lock;
use trunkline_types::{Millis, ResourceId, ResourceName, Result};

use super::archive::Archive;
use super::component::{Buses, report};
use super::record::{ArchiveRecord, BusRecord, Record, RuleRecord, Subject};
use super::replay::Replay;
use super::rules::{Rule, compile};
use super::target::TargetDefinition;
use super::{BUS, Bus};

/// Buses and rules as they are read.
#[derive(Default)]
pub(super) struct BusLoader {
    buses: BTreeMap<ResourceId, StoredBus>,
    rules: BTreeMap<ResourceId, StoredRule>,
    archives: BTreeMap<ResourceId, StoredArchive>,
    replays: BTreeMap<ResourceId, Replay>,
    last: u32,
}

struct StoredBus {
    at: Location,
    account: String,
    region: String,
    name: String,
    created: Millis,
    document: Vec<u8>,
}

struct StoredArchive {
    at: Location,
    bus: ResourceId,
    log: ResourceId,
    name: String,
    pattern: Option<String>,
    retention: Option<Millis>,
    created: Millis,
    document: Vec<u8>,
}

struct StoredRule {
    at: Location,
    bus: ResourceId,
    name: String,
    pattern: String,
    is_enabled: bool,
    targets: Vec<TargetDefinition>,
    document: Vec<u8>,
}

impl StoredBus {
    fn of(bus: &BusRecord<'_>, at: Location) -> Self {
        Self {
            at,
            account: bus.account.to_owned(),
            region: bus.region.to_owned(),
            name: bus.name.to_owned(),
            created: bus.created,
            document: bus.document.to_vec(),
        }
    }

    fn record(&self, id: ResourceId) -> BusRecord<'_> {
        BusRecord {
            id,
            account: &self.account,
            region: &self.region,
            name: &self.name,
            created: self.created,
            document: &self.document,
        }
    }
}

impl StoredArchive {
    fn of(archive: &ArchiveRecord<'_>, at: Location) -> Self {
        Self {
            at,
            bus: archive.bus,
            log: archive.log,
            name: archive.name.to_owned(),
            pattern: archive.pattern.map(str::to_owned),
            retention: archive.retention,
            created: archive.created,
            document: archive.document.to_vec(),
        }
    }

    fn record(&self, id: ResourceId) -> ArchiveRecord<'_> {
        ArchiveRecord {
            id,
            bus: self.bus,
            log: self.log,
            name: &self.name,
            pattern: self.pattern.as_deref(),
            retention: self.retention,
            created: self.created,
            document: &self.document,
        }
    }
}

impl StoredRule {
    fn of(rule: RuleRecord<'_>, at: Location) -> Self {
        Self {
            at,
            bus: rule.bus,
            name: rule.name.to_owned(),
            pattern: rule.pattern.to_owned(),
            is_enabled: rule.is_enabled,
            document: rule.document.to_vec(),
            targets: rule.targets,
        }
    }

    fn record(&self, id: ResourceId) -> RuleRecord<'_> {
        RuleRecord {
            id,
            bus: self.bus,
            name: &self.name,
            pattern: &self.pattern,
            is_enabled: self.is_enabled,
            targets: self.targets.clone(),
            document: &self.document,
        }
    }
}

impl BusLoader {
    fn rules_of(
        &self,
        bus: ResourceId,
    ) -> impl Iterator<Item = (&ResourceId, &StoredRule)> + Clone {
        self.rules.iter().filter(move |(_, rule)| rule.bus == bus)
    }

    fn archives_of(&self, id: ResourceId, bus: &Bus, now: Millis) -> Result<Vec<Arc<Archive>>> {
        let logs = bus.logs()?;
        let mut archives = Vec::new();
        for (archive_id, stored) in self.archives.iter().filter(|(_, stored)| stored.bus == id) {
            bus.host.live_bytes().add(stored.at, now);
            let log = logs.get_or_create(stored.log);
            let archive = Archive::new(&bus.host, &stored.record(*archive_id), log)?;
            *lock(&archive.location) = Some(stored.at);
            archive.expiry().plan(now);
            archives.push(Arc::new(archive));
        }
        Ok(archives)
    }

    fn know(&mut self, id: ResourceId) {
        self.last = self.last.max(id.0);
    }
}

impl Loader for BusLoader {
    fn apply(&mut self, at: Location, record: &[u8]) -> Result<()> {
        match Record::decode(record)? {
            Record::Bus(bus) => {
                self.know(bus.id);
                self.buses.insert(bus.id, StoredBus::of(&bus, at));
            }
            Record::Rule(rule) => {
                self.know(rule.id);
                rule.targets.iter().for_each(|target| self.know(target.number));
                self.rules.insert(rule.id, StoredRule::of(rule, at));
            }
            Record::Archive(archive) => {
                self.know(archive.id);
                self.know(archive.log);
                self.archives.insert(archive.id, StoredArchive::of(&archive, at));
            }
            Record::Replay(replay) => {
                self.know(replay.id);
                self.replays.insert(replay.id, Replay::of(&replay, Some(at)));
            }
            Record::Gone(Subject::Bus, id) => {
                self.know(id);
                self.buses.remove(&id);
                self.rules.retain(|_, rule| rule.bus != id);
                self.archives.retain(|_, archive| archive.bus != id);
            }
            Record::Gone(Subject::Archive, id) => {
                self.know(id);
                self.archives.remove(&id);
            }
            Record::Gone(Subject::Replay, id) => {
                self.know(id);
                self.replays.remove(&id);
            }
            Record::Gone(Subject::Rule, id) => {
                self.know(id);
                self.rules.remove(&id);
            }
        }
        Ok(())
    }

    fn last_id(&self) -> Option<ResourceId> {
        (self.last > 0).then_some(ResourceId(self.last))
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let report = |(id, bus): (&ResourceId, &StoredBus)| {
            let name = ResourceName::new(BUS, &*bus.account, &*bus.region, &*bus.name);
            let rules = self.rules_of(*id);
            let targets = rules.clone().map(|(_, rule)| rule.targets.len()).sum();
            report(name, rules.count(), targets)
        };
        self.buses.iter().map(report).collect()
    }

    fn finish(mut self: Box<Self>, host: &Arc<Host>) -> Result<Arc<dyn Component>> {
        let now = host.now();
        let component = Buses::new(host.clone());
        let mut ready: BTreeMap<ResourceId, Vec<Arc<Rule>>> = BTreeMap::new();
        for (id, stored) in &self.rules {
            host.live_bytes().add(stored.at, now);
            let compiled = compile(&stored.pattern)?;
            let rule = Rule::new(&stored.record(*id), compiled, Arc::default())?;
            *lock(&rule.location) = Some(stored.at);
            ready.entry(stored.bus).or_default().push(Arc::new(rule));
        }
        for (id, stored) in &self.buses {
            host.live_bytes().add(stored.at, now);
            let slot = component.slot();
            let bus = Bus::new(host.clone(), slot, &stored.record(*id), Some(stored.at));
            bus.rules.put(&mut bus.rules.change(), ready.remove(id).unwrap_or_default());
            *lock(&bus.archives) = Arc::new(self.archives_of(*id, &bus, now)?);
            host.directory.add(Arc::new(bus));
        }
        // Those of archives that are gone went with them.
        let mut replays: Vec<Replay> = std::mem::take(&mut self.replays).into_values().collect();
        replays.retain(|replay| self.archives.contains_key(&replay.status.archive));
        for at in replays.iter().filter_map(|replay| replay.location) {
            host.live_bytes().add(at, now);
        }
        component.replays().restore(replays);
        Ok(Arc::new(component))
    }
}
