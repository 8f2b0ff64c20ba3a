//! What the records of domains add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_host::{Component, Host, Loader, Location, ResourceReport};
use trunkline_types::sync::lock;
use trunkline_types::{Millis, ResourceId, ResourceName, Result};
use trunkline_workflow::Execution;

use super::Domain;
use super::component::{Domains, Shared, counters};
use super::lists::Wakes;
use super::record::{Stored, What, read};
use super::rows::{DomainSettings, KeptType, RegisteredType};
use super::table::{Kept, Table};

/// Collects domains while a journal is replayed.
#[derive(Default)]
pub(super) struct DomainLoader {
    domains: BTreeMap<ResourceId, Image>,
    last: u32,
}

#[derive(Default)]
struct Image {
    defined: Option<Defined>,
    types: BTreeMap<u32, (RegisteredType, Location)>,
    executions: BTreeMap<u32, (Execution, u64, Location)>,
    /// The largest number of a type, also of one that is gone.
    last_type: u32,
    /// The same of an execution.
    last_execution: u32,
}

struct Defined {
    name: ResourceName,
    log: ResourceId,
    settings: DomainSettings,
    at: Location,
}

impl Loader for DomainLoader {
    fn apply(&mut self, at: Location, record: &[u8]) -> Result<()> {
        match Stored::decode(record)? {
            Stored::Defined(id, name, log, body) => {
                let settings = read(body)?;
                self.image(id).defined = Some(Defined { name, log, settings, at });
                self.last = self.last.max(log.0);
            }
            Stored::Type(id, number, body) => {
                let image = self.image(id);
                image.last_type = image.last_type.max(number);
                image.types.insert(number, (read(body)?, at));
            }
            Stored::Execution(id, number, newest, body) => {
                let image = self.image(id);
                image.last_execution = image.last_execution.max(number);
                image.executions.insert(number, (read(body)?, newest, at));
            }
            Stored::Gone(id, What::Domain, _) => {
                self.domains.remove(&id);
                self.last = self.last.max(id.0);
            }
            Stored::Gone(id, What::Type, number) => {
                let image = self.image(id);
                image.last_type = image.last_type.max(number);
                image.types.remove(&number);
            }
            Stored::Gone(id, What::Execution, number) => {
                let image = self.image(id);
                image.last_execution = image.last_execution.max(number);
                image.executions.remove(&number);
            }
        }
        Ok(())
    }

    fn last_id(&self) -> Option<ResourceId> {
        (self.last > 0).then_some(ResourceId(self.last))
    }

    fn report(&self, _: Millis) -> Vec<ResourceReport> {
        let report = |image: &Image| {
            let name = image.defined.as_ref()?.name.clone();
            let is_open = |(execution, ..): &&(Execution, u64, Location)| execution.is_open();
            let open = image.executions.values().filter(is_open).count();
            let counters = counters(image.types.len(), open, image.executions.len());
            Some(ResourceReport { name, counters })
        };
        self.domains.values().filter_map(report).collect()
    }

    fn finish(self: Box<Self>, host: &Arc<Host>) -> Result<Arc<dyn Component>> {
        let shared = Arc::<Shared>::default();
        for (id, mut image) in self.domains {
            // What is there without a definition is of a domain that was removed.
            let Some(Defined { name, log, settings, at }) = image.defined.take() else { continue };
            host.live_bytes().add(at, host.now());
            let mut table = Table::new(host, id, log, settings);
            table.defined_at = Some(at);
            image.fill(&mut table, host);
            let domain = Domain::new(host.clone(), shared.clone(), id, name, table);
            if host.check_writable().is_ok() {
                let mut table = lock(&domain.table);
                let numbers: Vec<_> = table.executions.keys().copied().collect();
                numbers.into_iter().for_each(|number| domain.arm(&mut table, number));
            }
            host.directory.add(Arc::new(domain));
        }
        Ok(Arc::new(Domains::new(host.clone(), shared)))
    }
}

impl DomainLoader {
    fn image(&mut self, id: ResourceId) -> &mut Image {
        self.last = self.last.max(id.0);
        self.domains.entry(id).or_default()
    }
}

impl Image {
    fn fill(self, table: &mut Table, host: &Arc<Host>) {
        let now = host.now();
        for (number, (row, at)) in self.types {
            host.live_bytes().add(at, now);
            let key = (row.defaults.kind(), row.id.clone());
            table.types.insert(key, KeptType { number, row, at: Some(at) });
        }
        table.next_type = self.last_type + 1;
        for (number, (execution, newest, at)) in self.executions {
            host.live_bytes().add(at, now);
            let called = execution.lambdas.iter().filter(|(_, one)| one.started != 0);
            table.unanswered.extend(called.map(|(event, _)| (number, *event)));
            let at = Some(at);
            let kept = Kept { execution, newest, at, armed: None, is_restored: true };
            table.install(number, kept, &mut Wakes::new());
        }
        table.next_execution = self.last_execution + 1;
    }
}
