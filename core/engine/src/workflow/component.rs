//! Domains as a kind of resource: how they are registered, relocated, copied and removed.

use std::sync::Arc;

use trunkline_host::{
    CheckpointSink, Component, Encode, Host, Location, Logs, ResourceReport, Ticker,
};
use trunkline_journal::Ticket;
use trunkline_types::sync::atomic::{AtomicBool, Ordering};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Millis, ResourceId, ResourceName, Result};
use trunkline_workflow::{Fault, FaultKind};

use super::domain::closed;
use super::record::{Record, What, body};
use super::rows::DomainSettings;
use super::table::Table;
use super::{DOMAIN, Domain, Outcome};

/// What all domains of an engine share.
#[derive(Default)]
pub(super) struct Shared {
    /// Whether time passes for executions although no verb is called.
    ticking: AtomicBool,
}

/// All domains of an engine.
pub struct Domains {
    host: Arc<Host>,
    shared: Arc<Shared>,
    /// Held while a domain is registered, so that a name is given once.
    registering: Mutex<()>,
}

impl Domains {
    pub(super) fn new(host: Arc<Host>, shared: Arc<Shared>) -> Self {
        Self { host, shared, registering: Mutex::new(()) }
    }

    /// Registers a domain.
    pub fn register(
        &self,
        name: ResourceName,
        settings: DomainSettings,
    ) -> Outcome<(Arc<Domain>, Option<Ticket>)> {
        let host = &self.host;
        host.check_writable()?;
        let _registering = lock(&self.registering);
        if host.directory.id_of(&name).is_some() {
            return Err(Fault::new(FaultKind::DomainAlreadyExists, &*name.name).into());
        }
        host.refuse_if_full()?;
        let logs = host.component::<Logs>().ok_or_else(closed)?;
        let history = logs.create()?.id();
        let id = host.next_id();
        let table = Table::new(host, id, history, settings);
        let domain = Arc::new(Domain::new(host.clone(), self.shared.clone(), id, name, table));
        let mut log = host.append()?;
        {
            let mut table = lock(&domain.table);
            let body = body(&table.settings);
            table.defined_at = log.append_live(&domain.definition(table.log, &body), None);
        }
        let ticket = log.ticket();
        host.directory.add(domain.clone());
        drop(log);
        Ok((domain, ticket))
    }

    /// The domain of this name.
    pub fn find(&self, name: &ResourceName) -> Outcome<Arc<Domain>> {
        self.host.check_readable()?;
        let found = self.host.directory.find(name);
        Ok(found.ok_or_else(|| Fault::unknown(format!("domain: {}", name.name)))?)
    }

    /// The domain of this id.
    pub(super) fn get(&self, id: ResourceId) -> Option<Arc<Domain>> {
        self.host.directory.get(id)
    }

    pub(super) fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// The domains of an account and region, by name.
    pub fn list(&self, account: Option<&str>, region: Option<&str>) -> Outcome<Vec<Arc<Domain>>> {
        self.host.check_readable()?;
        Ok(self.host.directory.list(DOMAIN, account, region, ""))
    }

    /// Has time pass for executions without verbs, if there are any.
    pub(crate) fn start(&self) {
        let has_executions = |domain: &&Arc<Domain>| !lock(&domain.table).executions.is_empty();
        if let Some(domain) = self.all().iter().find(has_executions) {
            domain.tick();
        }
    }

    fn all(&self) -> Vec<Arc<Domain>> {
        self.host.directory.all()
    }
}

impl Domain {
    pub(super) fn new(
        host: Arc<Host>,
        shared: Arc<Shared>,
        id: ResourceId,
        name: ResourceName,
        table: Table,
    ) -> Self {
        let (table, removed) = (Mutex::new(table), AtomicBool::new(false));
        Self { host, id, name, shared, table, removed }
    }

    pub(super) fn tick(&self) {
        if !self.shared.ticking.swap(true, Ordering::AcqRel) {
            Ticker::enter(&self.host);
        }
    }

    pub(super) fn definition<'a>(&'a self, log: ResourceId, body: &'a [u8]) -> Record<'a> {
        Record::Defined { id: self.id, name: &self.name, log, body }
    }

    fn remove(&self) -> Result<()> {
        if self.removed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let history = lock(&self.table).log;
        self.logs()?.remove(history)?;
        let now = self.host.now();
        let lists = {
            let mut table = lock(&self.table);
            let mut log = self.host.append_at(now)?;
            log.append(&Record::Gone { id: self.id, what: What::Domain, number: 0 });
            let executions = std::mem::take(&mut table.executions);
            let types = std::mem::take(&mut table.types);
            let of_types = types.into_values().filter_map(|kept| kept.at);
            let of_executions = executions.into_values().filter_map(|kept| kept.at);
            let all = of_types.chain(of_executions).chain(table.defined_at.take());
            all.for_each(|at| log.release(at));
            self.host.directory.remove(self, now);
            table.lists.all()
        };
        // Their polls learn that the domain is gone.
        lists.iter().for_each(|list| trunkline_host::Awaited::waiters(&**list).wake_all());
        Ok(())
    }

    /// The numbers of its types and of its executions.
    fn numbers(&self) -> (Vec<u32>, Vec<u32>) {
        let table = lock(&self.table);
        let types = table.types.values().map(|kept| kept.number).collect();
        (types, table.executions.keys().copied().collect())
    }

    /// Calls `each` with the records of everything, and where they lie. The lock of the table is
    /// taken for each of them anew.
    fn records(
        &self,
        each: &mut dyn FnMut(Option<Location>, &Record<'_>) -> Result<()>,
    ) -> Result<()> {
        let (defined_at, history, settings) = {
            let table = lock(&self.table);
            (table.defined_at, table.log, body(&table.settings))
        };
        each(defined_at, &self.definition(history, &settings))?;
        let (types, executions) = self.numbers();
        for number in types {
            let found = {
                let table = lock(&self.table);
                let kept = table.types.values().find(|kept| kept.number == number);
                kept.map(|kept| (kept.at, body(&kept.row)))
            };
            if let Some((at, body)) = found {
                each(at, &Record::Type { id: self.id, number, body: &body })?;
            }
        }
        for number in executions {
            let found = {
                let table = lock(&self.table);
                let kept = table.executions.get(&number);
                kept.map(|kept| (kept.at, kept.newest, body(&kept.execution)))
            };
            if let Some((at, newest, body)) = found {
                each(at, &Record::Execution { id: self.id, number, newest, body: &body })?;
            }
        }
        Ok(())
    }

    /// Appends again what lies in `segment`.
    fn relocate(&self, segment: u32) -> Result<()> {
        let lies = |at: Option<Location>| at.is_some_and(|at| at.segment() == segment);
        {
            let mut table = lock(&self.table);
            if lies(table.defined_at) {
                let settings = body(&table.settings);
                let record = self.definition(table.log, &settings);
                table.defined_at = self.host.append()?.append_live(&record, table.defined_at);
            }
            for kept in table.types.values_mut().filter(|kept| lies(kept.at)) {
                let body = body(&kept.row);
                let record = Record::Type { id: self.id, number: kept.number, body: &body };
                kept.at = self.host.append()?.append_live(&record, kept.at);
            }
        }
        for number in self.numbers().1 {
            let mut table = lock(&self.table);
            let Some(kept) = table.executions.get_mut(&number) else { continue };
            if lies(kept.at) {
                let (newest, body) = (kept.newest, body(&kept.execution));
                let record = Record::Execution { id: self.id, number, newest, body: &body };
                kept.at = self.host.append()?.append_live(&record, kept.at);
            }
        }
        Ok(())
    }
}

/// The counters of a report.
pub(super) fn counters(types: usize, open: usize, all: usize) -> Vec<(&'static str, u64)> {
    let count = |number: usize| number as u64;
    vec![("types", count(types)), ("open", count(open)), ("closed", count(all - open))]
}

impl Component for Domains {
    fn relocate(&self, segment: u32) -> Result<()> {
        self.all().iter().try_for_each(|domain| domain.relocate(segment))
    }

    fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut write = |_: Option<Location>, record: &Record<'_>| {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            sink(&bytes)
        };
        self.all().iter().try_for_each(|domain| domain.records(&mut write))
    }

    fn checkpoint(&self, sink: &mut CheckpointSink<'_>) -> Result<bool> {
        // What has no location is being made, by a record behind the checkpoint.
        let mut write = |at: Option<Location>, record: &Record<'_>| {
            at.map_or(Ok(()), |at| sink.record(at, record))
        };
        self.all().iter().try_for_each(|domain| domain.records(&mut write))?;
        Ok(true)
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let report = |domain: Arc<Domain>| {
            let table = lock(&domain.table);
            let (types, open, all) = (table.types.len(), table.open.len(), table.executions.len());
            ResourceReport { name: domain.name.clone(), counters: counters(types, open, all) }
        };
        self.all().into_iter().map(report).collect()
    }

    fn reset(&self) -> Result<()> {
        self.all().iter().try_for_each(|domain| domain.remove())
    }
}
