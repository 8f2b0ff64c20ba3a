//! Polls of deciders and workers: the first task of a list is started.

use std::sync::Arc;

use trunkline_host::LongPoll;
use trunkline_journal::Ticket;
use trunkline_types::Millis;
use trunkline_types::sync::lock;
use trunkline_workflow::{
    Command, DecisionTask as State, Execution, ExecutionId, TaskKind, TypeId,
};

use super::lists::{TaskList, Wakes};
use super::table::Table;
use super::token::TaskToken;
use super::visibility::HistoryRange;
use super::{Domain, Outcome};

/// A decision task that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionTask {
    /// What its decider answers with.
    pub token: String,
    /// The event that scheduled the task.
    pub scheduled: u64,
    /// The execution.
    pub execution: ExecutionId,
    /// Its type.
    pub workflow_type: TypeId,
    /// The event that started the task.
    pub started: u64,
    /// The event that started the one before it; 0 if there was none.
    pub previous_started: u64,
    /// The history up to its start.
    pub history: HistoryRange,
}

/// An activity task that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityTask {
    /// What its worker answers with.
    pub token: String,
    /// The id of the activity.
    pub id: String,
    /// Its type.
    pub activity_type: TypeId,
    /// The execution.
    pub execution: ExecutionId,
    /// The event that started it.
    pub started: u64,
    /// Its input.
    pub input: Option<String>,
}

impl Domain {
    /// A task list, and the long poll of one who waits for its tasks.
    pub fn task_list(&self, kind: TaskKind, name: &str) -> Arc<TaskList> {
        lock(&self.table).lists.list(kind, name)
    }

    /// A wait for a task of a list, of up to `wait`.
    pub fn task_wait(&self, kind: TaskKind, name: &str, wait: Millis) -> LongPoll {
        LongPoll::new(self.task_list(kind, name), wait)
    }

    /// How many tasks wait in a list.
    pub fn pending_tasks(&self, kind: TaskKind, name: &str) -> Outcome<usize> {
        self.check_readable()?;
        Ok(lock(&self.table).lists.len(kind, name))
    }

    /// Starts the first decision task of a list, if one waits.
    pub fn poll_decision(
        &self,
        list: &str,
        identity: Option<&str>,
    ) -> Outcome<Option<(DecisionTask, Option<Ticket>)>> {
        let start = |_: u64| Command::StartDecision { identity: identity.map(str::to_owned) };
        self.poll(TaskKind::Decision, list, start, |table, number, event, _| {
            let kept = table.executions.get(&number)?;
            let execution = &kept.execution;
            let State::Started { event: started, .. } = execution.decision else { return None };
            Some(DecisionTask {
                token: self.token(TaskKind::Decision, number, event),
                scheduled: event,
                execution: execution.id.clone(),
                workflow_type: execution.workflow_type.clone(),
                started,
                previous_started: execution.previous_started,
                history: HistoryRange { number, newest: kept.newest, last: started },
            })
        })
    }

    /// Starts the first activity task of a list, if one waits.
    pub fn poll_activity(
        &self,
        list: &str,
        identity: Option<&str>,
    ) -> Outcome<Option<(ActivityTask, Option<Ticket>)>> {
        let start = |scheduled: u64| {
            let identity = identity.map(str::to_owned);
            Command::StartActivity { scheduled, identity }
        };
        self.poll(TaskKind::Activity, list, start, |table, number, event, before| {
            let execution = &table.executions.get(&number)?.execution;
            let one = execution.activities.get(&event)?;
            let input = before.activities.get(&event).and_then(|one| one.input.clone());
            Some(ActivityTask {
                token: self.token(TaskKind::Activity, number, event),
                id: one.id.clone(),
                activity_type: one.activity_type.clone(),
                execution: execution.id.clone(),
                started: one.started,
                input,
            })
        })
    }

    pub(super) fn token(&self, kind: TaskKind, execution: u32, event: u64) -> String {
        TaskToken { domain: self.id, execution, kind, event }.encode(self.host.key)
    }

    /// Starts the first task of a list by the command that `start` makes; `told` makes the answer
    /// of it and of the execution as it stood before.
    pub(super) fn poll<T>(
        &self,
        kind: TaskKind,
        list: &str,
        start: impl Fn(u64) -> Command,
        told: impl Fn(&Table, u32, u64, &Execution) -> Option<T>,
    ) -> Outcome<Option<(T, Option<Ticket>)>> {
        self.check_writable()?;
        let now = self.host.now();
        self.host.sweep_if_due(now);
        let mut wakes = Wakes::new();
        let found = {
            let mut table = lock(&self.table);
            loop {
                let Some((number, event)) = table.lists.first(kind, list) else { break None };
                let Some(before) = table.executions.get(&number) else { break None };
                let before = before.standing(&self.host);
                // What is due comes first: it may take the task out of the list.
                let is_late = before.due().is_some_and(|due| due <= now);
                let command = if is_late { Command::Due } else { start(event) };
                let (_, ticket) = self.change_in(&mut table, now, &mut wakes, |transaction| {
                    Ok(transaction.apply(number, command)?)
                })?;
                if !is_late {
                    break told(&table, number, event, &before).map(|task| (task, ticket));
                }
            }
        };
        self.wake(wakes);
        Ok(found)
    }
}
