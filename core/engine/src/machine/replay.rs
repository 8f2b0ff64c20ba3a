//! What the records of state machines add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_host::{Component, Host, Loader, Location, ResourceReport};
use trunkline_types::sync::lock;
use trunkline_types::{Millis, ResourceId, ResourceName, Result};

use super::Machine;
use super::component::{Machines, Shared, counters};
use super::execution::Compiled;
use super::kept::{Execution, Kept};
use super::record::{Change, MACHINE_ITSELF, Stored, StoredProgram};
use super::table::Table;

/// Collects state machines while a journal is replayed.
#[derive(Default)]
pub(super) struct MachineLoader {
    machines: BTreeMap<ResourceId, Image>,
    last: u32,
}

#[derive(Default)]
struct Image {
    defined: Option<(ResourceName, ResourceId, Location)>,
    programs: BTreeMap<u32, (StoredProgram, Location)>,
    executions: BTreeMap<u32, Kept>,
    /// The largest number of an execution, also of one that is gone.
    last_execution: u32,
}

impl Loader for MachineLoader {
    fn apply(&mut self, at: Location, record: &[u8]) -> Result<()> {
        match Stored::decode(record)? {
            Stored::Defined(id, name, log) => {
                self.image(id).defined = Some((name, log, at));
                self.last = self.last.max(log.0);
            }
            Stored::Program(id, number, program) => {
                self.image(id).programs.insert(number, (program, at));
            }
            Stored::Execution(id, number, row) => {
                let image = self.image(id);
                image.last_execution = image.last_execution.max(number);
                image.executions.insert(number, Kept::new(*row, Some(at)));
            }
            Stored::Changed(id, number, row, (place, bytes)) => {
                // Without the whole, it is of one that was written again behind it.
                if let Some(kept) = self.image(id).executions.get_mut(&number) {
                    kept.read_change(*row, &Change { place, bytes: &bytes }, at);
                }
            }
            Stored::Gone(id, MACHINE_ITSELF) => {
                self.machines.remove(&id);
                self.last = self.last.max(id.0);
            }
            Stored::Gone(id, number) => {
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
            let (name, ..) = image.defined.clone()?;
            let statuses = image.executions.values().map(|kept| kept.row.status);
            Some(ResourceReport { name, counters: counters(image.programs.len(), statuses) })
        };
        self.machines.values().filter_map(report).collect()
    }

    fn finish(self: Box<Self>, host: &Arc<Host>) -> Result<Arc<dyn Component>> {
        let shared = Arc::<Shared>::default();
        for (id, image) in self.machines {
            // What is there without a definition is of a machine that was removed.
            let Some((name, log, at)) = image.defined.clone() else { continue };
            let now = host.now();
            host.live_bytes().add(at, now);
            let mut table = Table::new(log);
            table.defined_at = Some(at);
            image.fill(&mut table, host);
            let machine = Machine::new(host.clone(), shared.clone(), id, name, table);
            if host.check_writable().is_ok() {
                machine.all().iter().for_each(|one| machine.arm(one, &mut lock(&one.kept)));
            }
            host.directory.add(Arc::new(machine));
        }
        Ok(Arc::new(Machines::new(host.clone(), shared)))
    }
}

impl MachineLoader {
    fn image(&mut self, id: ResourceId) -> &mut Image {
        self.last = self.last.max(id.0);
        self.machines.entry(id).or_default()
    }
}

impl Image {
    fn fill(self, table: &mut Table, host: &Arc<Host>) {
        let now = host.now();
        for (number, (stored, at)) in self.programs {
            host.live_bytes().add(at, now);
            table.next_program = number + 1;
            table.programs.insert(number, Arc::new(Compiled::new(number, stored, Some(at))));
        }
        table.next_execution = self.last_execution + 1;
        for (number, kept) in self.executions {
            let Some(program) = table.programs.get(&kept.row.program).cloned() else { continue };
            kept.locations().for_each(|at| host.live_bytes().add(at, now));
            table.names.insert(kept.row.name.clone(), number);
            let execution = Execution::new(number, program, kept);
            table.executions.insert(number, Arc::new(execution));
        }
    }
}
