//! Which executions a domain has, how they stand, and their histories.

use trunkline_types::Millis;
use trunkline_types::sync::lock;
use trunkline_workflow::{CloseStatus, DecisionTask, Execution, TaskKind};

use super::start::unknown_execution;
use super::table::Table;
use super::{Domain, Outcome, history};

/// The part of a history that something shows: that of an execution up to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRange {
    /// The number of the execution.
    pub number: u32,
    /// One more than the number of the newest entry.
    pub newest: u64,
    /// The last event.
    pub last: u64,
}

/// The time that a list is ordered by and filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderedBy {
    /// That of the start.
    Start,
    /// That of the end.
    Close,
}

/// Which executions are wanted.
#[derive(Debug, Clone)]
pub struct Filter<'a> {
    /// Open ones, or closed ones.
    pub open: bool,
    /// Which time counts.
    pub by: OrderedBy,
    /// Not before this time.
    pub oldest: Millis,
    /// Not after this time.
    pub latest: Millis,
    /// Of this workflow id.
    pub workflow_id: Option<&'a str>,
    /// Of a type of this name, and of this version if one is given.
    pub workflow_type: Option<(&'a str, Option<&'a str>)>,
    /// With this tag.
    pub tag: Option<&'a str>,
    /// Closed so.
    pub close_status: Option<CloseStatus>,
    /// The oldest first.
    pub reverse: bool,
}

/// An execution as lists and descriptions show it.
#[derive(Debug, Clone)]
pub struct Visible {
    /// Its number.
    pub number: u32,
    /// Its state.
    pub execution: Execution,
}

/// A part of a list of executions.
#[derive(Debug, Clone)]
pub struct VisiblePage {
    /// The executions.
    pub executions: Vec<Visible>,
    /// Where the next part begins.
    pub next: Option<(Millis, u32)>,
}

impl Filter<'_> {
    fn time(&self, execution: &Execution) -> Millis {
        match (self.by, execution.closed) {
            (OrderedBy::Close, Some(closed)) => closed.at,
            _ => execution.started,
        }
    }

    fn takes(&self, execution: &Execution) -> bool {
        let id = &execution.workflow_type;
        let is_type = |(name, version): (&str, Option<&str>)| {
            id.name == name && version.is_none_or(|version| id.version == version)
        };
        let status = execution.closed.map(|closed| closed.status);
        execution.is_open() == self.open
            && (self.oldest..=self.latest).contains(&self.time(execution))
            && self.workflow_id.is_none_or(|wanted| execution.id.workflow_id == wanted)
            && self.workflow_type.is_none_or(is_type)
            && self.tag.is_none_or(|wanted| execution.tags.iter().any(|tag| tag == wanted))
            && self.close_status.is_none_or(|wanted| status == Some(wanted))
    }

    /// The numbers of all that may be wanted, the oldest first.
    fn ordered(&self, table: &Table) -> Vec<(Millis, u32)> {
        let by_close = self.by == OrderedBy::Close && !self.open;
        match (by_close, self.workflow_id.filter(|_| self.open)) {
            (true, _) if self.oldest > self.latest => Vec::new(),
            (true, _) => {
                table.closed.range((self.oldest, 0)..=(self.latest, u32::MAX)).copied().collect()
            }
            // Of a workflow id, one is open at most.
            (_, Some(workflow_id)) => {
                let number = table.open.get(workflow_id).copied();
                number.into_iter().map(|number| (self.started(table, number), number)).collect()
            }
            // Numbers grow with the time of the start.
            _ => table
                .executions
                .iter()
                .map(|(number, kept)| (kept.execution.started, *number))
                .collect(),
        }
    }

    fn started(&self, table: &Table, number: u32) -> Millis {
        table.executions.get(&number).map_or(0, |kept| kept.execution.started)
    }
}

impl Domain {
    /// Up to `limit` executions that `filter` takes, from `after` on.
    pub fn executions(
        &self,
        filter: &Filter<'_>,
        after: Option<(Millis, u32)>,
        limit: usize,
    ) -> Outcome<VisiblePage> {
        self.check_readable()?;
        self.host.sweep_if_due(self.host.now());
        let table = lock(&self.table);
        let mut places = filter.ordered(&table);
        if !filter.reverse {
            places.reverse();
        }
        let is_behind = |place: &(Millis, u32)| match after {
            Some(after) if filter.reverse => *place > after,
            Some(after) => *place < after,
            None => true,
        };
        let mut page = VisiblePage { executions: Vec::new(), next: None };
        let mut last = None;
        for place in places.into_iter().filter(is_behind) {
            let Some(kept) = table.executions.get(&place.1) else { continue };
            if !filter.takes(&kept.execution) {
                continue;
            }
            if page.executions.len() == limit {
                page.next = last;
                break;
            }
            let execution = kept.execution.clone();
            page.executions.push(Visible { number: place.1, execution });
            last = Some(place);
        }
        Ok(page)
    }

    /// How many executions `filter` takes.
    pub fn count(&self, filter: &Filter<'_>) -> Outcome<usize> {
        self.check_readable()?;
        self.host.sweep_if_due(self.host.now());
        let table = lock(&self.table);
        let takes = |(_, number): &(Millis, u32)| {
            table.executions.get(number).is_some_and(|kept| filter.takes(&kept.execution))
        };
        Ok(filter.ordered(&table).iter().filter(|place| takes(place)).count())
    }

    /// The run of a workflow id that is open.
    pub fn open_run(&self, workflow_id: &str) -> Outcome<Option<String>> {
        self.check_readable()?;
        let table = lock(&self.table);
        let kept = table.open.get(workflow_id).and_then(|number| table.executions.get(number));
        Ok(kept.map(|kept| kept.execution.id.run_id.clone()))
    }

    /// The token of the decision task that a decider of an open execution has, for what answers in
    /// its stead.
    pub fn decision_token(&self, workflow_id: &str) -> Outcome<Option<String>> {
        self.check_readable()?;
        let table = lock(&self.table);
        let Some(number) = table.open.get(workflow_id) else { return Ok(None) };
        let decision = table.executions.get(number).map(|kept| &kept.execution.decision);
        Ok(match decision {
            Some(DecisionTask::Started { scheduled, .. }) => {
                Some(self.token(TaskKind::Decision, *number, *scheduled))
            }
            _ => None,
        })
    }

    /// How a run stands.
    pub fn describe(&self, workflow_id: &str, run_id: &str) -> Outcome<Execution> {
        self.check_readable()?;
        self.host.sweep_if_due(self.host.now());
        let table = lock(&self.table);
        let found = table.find(workflow_id, run_id).map(|(_, kept)| kept.execution.clone());
        Ok(found.ok_or_else(|| unknown_execution(workflow_id, run_id))?)
    }

    /// The whole history of a run.
    pub fn history_of(&self, workflow_id: &str, run_id: &str) -> Outcome<HistoryRange> {
        self.check_readable()?;
        self.host.sweep_if_due(self.host.now());
        let table = lock(&self.table);
        let found = table.find(workflow_id, run_id);
        let (number, kept) = found.ok_or_else(|| unknown_execution(workflow_id, run_id))?;
        Ok(HistoryRange { number, newest: kept.newest, last: kept.execution.events })
    }

    /// The events from `first` to `last` of a history, as JSON texts, the newest first.
    pub fn events(&self, range: HistoryRange, (first, last): (u64, u64)) -> Outcome<Vec<String>> {
        self.check_readable()?;
        let log = lock(&self.table).log;
        let log = self.logs()?.get_or_create(log);
        let last = last.min(range.last);
        Ok(history::read(&log, range.number, range.newest, (first, last))?)
    }
}

/// How many tasks an execution has open: activities, decisions, timers, children, Lambda functions.
pub fn open_counts(execution: &Execution) -> [usize; 5] {
    [
        execution.activities.len(),
        usize::from(execution.decision != DecisionTask::Idle),
        execution.timers.len(),
        execution.children.len(),
        execution.lambdas.len(),
    ]
}
