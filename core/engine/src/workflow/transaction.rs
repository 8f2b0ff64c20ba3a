//! What one verb changes: copies of the executions that it touches, until all of it is appended.

use std::collections::{BTreeMap, HashMap, VecDeque};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use trunkline_host::Host;
use trunkline_types::{Millis, ResourceId};
use trunkline_workflow::{
    ChildPolicy, Command, Context, Effect, Event, Execution, ExecutionId, External, Fault, Limits,
    Origin, Outcome, Started, apply,
};

use super::table::Table;

/// An execution as it will stand, and what is added to its history.
pub(super) struct Change {
    pub execution: Execution,
    pub events: Vec<Event>,
}

/// What a verb changes, by the number of the execution.
pub(super) type Changes = BTreeMap<u32, Change>;

pub(super) struct Transaction<'a> {
    pub table: &'a Table,
    pub now: Millis,
    host: &'a Host,
    domain: ResourceId,
    limits: Limits,
    /// Open executions that the domain may have.
    open_max: usize,
    changes: Changes,
    next: u32,
    /// Workflow ids whose open execution differs from the table's.
    open: HashMap<String, Option<u32>>,
    effects: VecDeque<(u32, Effect)>,
}

impl<'a> Transaction<'a> {
    pub fn new(table: &'a Table, domain: ResourceId, host: &'a Host, now: Millis) -> Self {
        let given = &host.limits;
        let open_lambda_functions = given.workflow_functions_max as usize;
        Self {
            table,
            now,
            host,
            domain,
            limits: Limits { open_lambda_functions, ..Limits::default() },
            open_max: given.workflow_executions_max as usize,
            changes: Changes::new(),
            next: table.next_execution,
            open: HashMap::new(),
            effects: VecDeque::new(),
        }
    }

    /// Carries out what executions ask of each other, and hands over what has changed.
    pub fn finish(mut self) -> Changes {
        while let Some((from, effect)) = self.effects.pop_front() {
            self.carry_out(from, effect);
        }
        self.changes
    }

    /// The open execution of a workflow id, and of a run if that is given.
    pub fn find_open(&self, workflow_id: &str, run_id: Option<&str>) -> Option<u32> {
        let number = match self.open.get(workflow_id) {
            Some(changed) => (*changed)?,
            None => *self.table.open.get(workflow_id)?,
        };
        let id = &self.execution(number)?.id;
        run_id.is_none_or(|run_id| run_id == id.run_id).then_some(number)
    }

    fn execution(&self, number: u32) -> Option<&Execution> {
        match self.changes.get(&number) {
            Some(change) => Some(&change.execution),
            None => self.table.executions.get(&number).map(|kept| &kept.execution),
        }
    }

    /// Whether the domain may have another open execution.
    pub fn has_space(&self) -> bool {
        let before = &self.table.open;
        let begun =
            |(id, now): &(&String, &Option<u32>)| now.is_some() && !before.contains_key(*id);
        before.len() + self.open.iter().filter(begun).count() < self.open_max
    }

    /// The id of a run: no other run has it.
    pub fn run_id(&self, number: u32, what: &[u8]) -> String {
        let numbers = [self.domain.0.to_le_bytes(), number.to_le_bytes()].concat();
        BASE64_URL_SAFE_NO_PAD.encode(self.host.key.digest(&[b"run", what, &numbers]).to_le_bytes())
    }

    /// Starts an execution; its number.
    pub fn start(&mut self, started: &Started, run_id: Option<String>) -> u32 {
        let number = self.next;
        self.next += 1;
        let run_id = run_id.unwrap_or_else(|| self.run_id(number, b"first"));
        let (now, types, limits) = (self.now, self.table, &self.limits);
        let context = Context { now, types, limits };
        let (execution, outcome) = Execution::start(started, run_id, &context);
        self.open.insert(execution.id.workflow_id.clone(), Some(number));
        let Outcome { events, effects } = outcome;
        self.effects.extend(effects.into_iter().map(|effect| (number, effect)));
        self.changes.insert(number, Change { execution, events });
        number
    }

    /// Tells an execution something, after what was due before. A fault means that it was not told.
    pub fn apply(&mut self, number: u32, command: Command) -> Result<(), Fault> {
        let due = match self.changes.get(&number) {
            Some(change) => change.execution.due(),
            None => self.table.executions.get(&number).and_then(|kept| kept.due(self.host)),
        };
        if due.is_some_and(|due| due <= self.now) && command != Command::Due {
            self.apply(number, Command::Due)?;
        }
        let changed = self.changes.remove(&number);
        let is_changed = changed.is_some();
        let stored = || {
            let kept = self.table.executions.get(&number)?;
            Some(Change { execution: kept.standing(self.host), events: Vec::new() })
        };
        let Some(mut change) = changed.or_else(stored) else {
            return Err(Fault::unknown("execution"));
        };
        let (now, types, limits) = (self.now, self.table, &self.limits);
        let context = Context { now, types, limits };
        let applied = apply(&mut change.execution, command, &context);
        if let Ok(outcome) = &applied {
            change.events.extend(outcome.events.iter().cloned());
            let effects = outcome.effects.iter().cloned();
            self.effects.extend(effects.map(|effect| (number, effect)));
            let workflow_id = &change.execution.id.workflow_id;
            if !change.execution.is_open() && self.find_number(workflow_id) == Some(number) {
                self.open.insert(workflow_id.clone(), None);
            }
        }
        if is_changed || applied.is_ok() {
            self.changes.insert(number, change);
        }
        applied.map(drop)
    }

    fn find_number(&self, workflow_id: &str) -> Option<u32> {
        match self.open.get(workflow_id) {
            Some(changed) => *changed,
            None => self.table.open.get(workflow_id).copied(),
        }
    }

    fn carry_out(&mut self, from: u32, effect: Effect) {
        let Some(asking) = self.execution(from).map(|execution| execution.id.clone()) else {
            return;
        };
        match effect {
            Effect::StartChild { initiated, child, control } => {
                let command = self.start_child(initiated, &child, control);
                self.tell(from, command);
            }
            Effect::ContinueAsNew { run_id, next } => {
                self.start(&next, Some(run_id));
            }
            Effect::Signal { external, name, input } => {
                let origin = Some(Origin { execution: asking, initiated: external.initiated });
                let command = Command::Signal { name, input, origin };
                let target = self.reach(&external, command);
                self.tell(from, Command::Signaled { external, target });
            }
            Effect::RequestCancel { external } => {
                let origin = Some(Origin { execution: asking, initiated: external.initiated });
                let command = Command::RequestCancel { origin, by_policy: false };
                let target = self.reach(&external, command);
                self.tell(from, Command::CancelRequested { external, target });
            }
            Effect::ApplyChildPolicy { policy, children } => {
                self.apply_child_policy(&asking, policy, &children);
            }
            Effect::TellParent { parent, end } => {
                let (id, initiated) = (&parent.execution, parent.initiated);
                if let Some(number) = self.find_open(&id.workflow_id, Some(&id.run_id)) {
                    self.tell(number, Command::ChildClosed { initiated, child: asking, end });
                }
            }
        }
    }

    /// Tells an execution something that it does not learn of when it is closed.
    fn tell(&mut self, number: u32, command: Command) -> bool {
        self.apply(number, command).is_ok()
    }

    fn start_child(&mut self, initiated: u64, child: &Started, control: Option<String>) -> Command {
        let cause = if self.find_open(&child.request.workflow_id, None).is_some() {
            "WORKFLOW_ALREADY_RUNNING"
        } else if !self.has_space() {
            "OPEN_WORKFLOWS_LIMIT_EXCEEDED"
        } else {
            let number = self.start(child, None);
            if let Some(started) = self.execution(number) {
                return Command::ChildStarted { initiated, child: started.id.clone() };
            }
            "OPERATION_NOT_PERMITTED"
        };
        Command::ChildNotStarted { initiated, cause, control }
    }

    /// Tells something to the execution that another one names; which it was.
    fn reach(&mut self, external: &External, command: Command) -> Option<ExecutionId> {
        let number = self.find_open(&external.workflow_id, external.run_id.as_deref())?;
        let id = self.execution(number)?.id.clone();
        self.tell(number, command).then_some(id)
    }

    fn apply_child_policy(
        &mut self,
        parent: &ExecutionId,
        policy: ChildPolicy,
        children: &[(String, u64)],
    ) {
        for (workflow_id, initiated) in children {
            let Some(number) = self.find_open(workflow_id, None) else { continue };
            let is_child = self.execution(number).and_then(|child| child.parent.as_ref());
            let is_child =
                is_child.is_some_and(|own| own.execution == *parent && own.initiated == *initiated);
            if !is_child {
                continue;
            }
            let command = match policy {
                ChildPolicy::Abandon => continue,
                ChildPolicy::Terminate => Command::Terminate {
                    reason: None,
                    details: None,
                    child_policy: None,
                    cause: "CHILD_POLICY_APPLIED",
                },
                ChildPolicy::RequestCancel => {
                    let origin = Some(Origin { execution: parent.clone(), initiated: 0 });
                    Command::RequestCancel { origin, by_policy: true }
                }
            };
            self.tell(number, command);
        }
    }
}
