//! What a domain has: its types and its executions, by number, by workflow id and by run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use trunkline_host::{Host, Location};
use trunkline_types::{Millis, ResourceId};
use trunkline_workflow::{Execution, Fault, FaultKind, TypeId};

use super::lists::{TaskLists, Wakes};
use super::rows::{DomainSettings, KeptType, TypeKind};

/// An execution with its records.
pub(super) struct Kept {
    pub execution: Execution,
    /// One more than the number of the newest entry of its history; 0 without one.
    pub newest: u64,
    pub at: Option<Location>,
    /// The time for which the host's timers have an entry.
    pub armed: Option<Millis>,
    /// Whether it stands as it was read at the opening.
    pub is_restored: bool,
}

impl Kept {
    /// The execution by the clock of this opening: another one may have written its times.
    pub fn standing(&self, host: &Host) -> Execution {
        let mut execution = self.execution.clone();
        execution.set_back(self.lag(host));
        execution
    }

    /// When something happens without a command, by the clock of this opening.
    pub fn due(&self, host: &Host) -> Option<Millis> {
        Some(self.execution.due()?.saturating_sub(self.lag(host)))
    }

    fn lag(&self, host: &Host) -> Millis {
        if self.is_restored { host.lag(self.execution.stepped) } else { 0 }
    }
}

pub(super) struct Table {
    pub log: ResourceId,
    pub settings: DomainSettings,
    pub defined_at: Option<Location>,
    pub types: BTreeMap<(TypeKind, TypeId), KeptType>,
    pub next_type: u32,
    pub executions: BTreeMap<u32, Kept>,
    pub next_execution: u32,
    /// The open execution of a workflow id.
    pub open: HashMap<String, u32>,
    /// The execution of a run id.
    pub runs: HashMap<String, u32>,
    /// Closed executions by the time of their end.
    pub closed: BTreeSet<(Millis, u32)>,
    pub lists: TaskLists,
    /// Lambda functions that were called before the last opening, and whose end is not known.
    pub unanswered: BTreeSet<(u32, u64)>,
}

impl Table {
    pub fn new(
        host: &Arc<Host>,
        id: ResourceId,
        log: ResourceId,
        settings: DomainSettings,
    ) -> Self {
        Self {
            log,
            settings,
            defined_at: None,
            types: BTreeMap::new(),
            next_type: 1,
            executions: BTreeMap::new(),
            next_execution: 1,
            open: HashMap::new(),
            runs: HashMap::new(),
            closed: BTreeSet::new(),
            lists: TaskLists::new(host.clone(), id),
            unanswered: BTreeSet::new(),
        }
    }

    /// Fails if the domain is deprecated.
    pub fn check_registered(&self, name: &str) -> Result<(), Fault> {
        match self.settings.deprecated {
            Some(_) => Err(Fault::new(FaultKind::DomainDeprecated, name)),
            None => Ok(()),
        }
    }

    /// Puts an execution in the place of what stood under its number.
    pub fn install(&mut self, number: u32, kept: Kept, wakes: &mut Wakes) {
        let before = self.executions.get(&number);
        self.lists.change(
            number,
            before.map(|before| &before.execution),
            Some(&kept.execution),
            wakes,
        );
        let id = &kept.execution.id;
        match kept.execution.closed {
            None => {
                self.open.insert(id.workflow_id.clone(), number);
            }
            Some(closed) => {
                if self.open.get(&id.workflow_id) == Some(&number) {
                    self.open.remove(&id.workflow_id);
                }
                self.closed.insert((closed.at, number));
            }
        }
        if before.is_none() {
            self.runs.insert(id.run_id.clone(), number);
        }
        self.next_execution = self.next_execution.max(number + 1);
        self.executions.insert(number, kept);
    }

    /// Takes an execution out.
    pub fn take(&mut self, number: u32) -> Option<Kept> {
        let kept = self.executions.remove(&number)?;
        self.lists.change(number, Some(&kept.execution), None, &mut Vec::new());
        let id = &kept.execution.id;
        if self.open.get(&id.workflow_id) == Some(&number) {
            self.open.remove(&id.workflow_id);
        }
        self.runs.remove(&id.run_id);
        if let Some(closed) = kept.execution.closed {
            self.closed.remove(&(closed.at, number));
        }
        Some(kept)
    }

    /// When an execution has something to do without a command: what is due, or the end of its
    /// retention.
    pub fn due(&self, number: u32, host: &Host) -> Option<Millis> {
        let kept = self.executions.get(&number)?;
        match kept.execution.closed {
            Some(closed) => Some(host.came(closed.at).saturating_add(self.settings.retention())),
            None => kept.due(host),
        }
    }

    /// The execution of a workflow id and a run.
    pub fn find(&self, workflow_id: &str, run_id: &str) -> Option<(u32, &Kept)> {
        let number = self.runs.get(run_id)?;
        let kept = self.executions.get(number)?;
        (kept.execution.id.workflow_id == workflow_id).then_some((*number, kept))
    }
}
