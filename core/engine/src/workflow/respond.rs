//! What deciders and workers answer.

use std::sync::Arc;

use trunkline_journal::Ticket;
use trunkline_types::sync::lock;
use trunkline_workflow::{Command, Decision, Fault, TaskKind};
use trunkline_workflow::{Limits, TaskList as ListName, read_decisions};

use super::component::Domains;
use super::token::TaskToken;
use super::{Domain, Outcome};

/// What a decider answers.
#[derive(Debug, Clone, Default)]
pub struct DecisionAnswer<'a> {
    /// What it decided: a JSON list in the form of RespondDecisionTaskCompleted.
    pub decisions: &'a str,
    /// What is to be shown with the execution.
    pub context: Option<String>,
    /// The task list of the decision tasks to come.
    pub task_list: Option<String>,
    /// For how long one may wait there before another decider may take it.
    pub schedule_to_start: Option<String>,
}

/// What a worker of activities answers.
#[derive(Debug, Clone)]
pub enum ActivityEnd {
    /// The task is done.
    Completed(Option<String>),
    /// It has failed: reason, details.
    Failed(Option<String>, Option<String>),
    /// It was canceled: details.
    Canceled(Option<String>),
}

impl Domains {
    /// Carries out the decisions of the decision task of a token.
    pub fn respond_decision(
        &self,
        token: &str,
        answer: &DecisionAnswer<'_>,
    ) -> Outcome<(Arc<Domain>, Option<Ticket>)> {
        let (domain, token) = self.task(token, TaskKind::Decision)?;
        let given: Vec<serde_json::Value> = serde_json::from_str(answer.decisions)
            .map_err(|problem| Fault::invalid(format!("Value at 'decisions': {problem}")))?;
        let decisions = read_decisions(&given, &Limits::default())?;
        domain.host.refuse_if_full()?;
        let ticket = domain.decide(token, decisions, answer)?;
        Ok((domain, ticket))
    }

    /// Ends the activity task of a token.
    pub fn respond_activity(&self, token: &str, end: ActivityEnd) -> Outcome<Option<Ticket>> {
        let (domain, token) = self.task(token, TaskKind::Activity)?;
        let scheduled = token.event;
        let command = match end {
            ActivityEnd::Completed(result) => Command::CompleteActivity { scheduled, result },
            ActivityEnd::Failed(reason, details) => {
                Command::FailActivity { scheduled, reason, details }
            }
            ActivityEnd::Canceled(details) => Command::CancelActivity { scheduled, details },
        };
        domain.report(token.execution, command)
    }

    /// A worker is still at the activity task of a token; whether it is asked to cancel.
    pub fn heartbeat(
        &self,
        token: &str,
        details: Option<String>,
    ) -> Outcome<(bool, Option<Ticket>)> {
        let (domain, token) = self.task(token, TaskKind::Activity)?;
        let scheduled = token.event;
        let ticket = domain.report(token.execution, Command::Heartbeat { scheduled, details })?;
        let table = lock(&domain.table);
        let kept = table.executions.get(&token.execution);
        let one = kept.and_then(|kept| kept.execution.activities.get(&scheduled));
        Ok((one.is_some_and(|one| one.cancel_requested != 0), ticket))
    }

    pub(super) fn task(&self, token: &str, kind: TaskKind) -> Outcome<(Arc<Domain>, TaskToken)> {
        self.host().check_writable()?;
        let token = TaskToken::decode(token, kind, self.host().key)?;
        let domain = self.get(token.domain).ok_or_else(|| Fault::unknown("domain"))?;
        Ok((domain, token))
    }
}

impl Domain {
    fn decide(
        &self,
        token: TaskToken,
        decisions: Vec<Decision>,
        answer: &DecisionAnswer<'_>,
    ) -> Outcome<Option<Ticket>> {
        let DecisionAnswer { context, task_list, schedule_to_start, .. } = answer;
        let decided = self.change(|transaction| {
            let number = token.execution;
            let command = Command::CompleteDecision {
                scheduled: token.event,
                decisions,
                context: context.clone(),
                task_list: task_list.clone().map(|name| ListName { name }),
                schedule_to_start: schedule_to_start.clone(),
                next_run: transaction.run_id(number, b"next"),
            };
            Ok(transaction.apply(number, command)?)
        })?;
        Ok(decided.1)
    }

    pub(super) fn report(&self, number: u32, command: Command) -> Outcome<Option<Ticket>> {
        let told = self.change(|transaction| Ok(transaction.apply(number, command)?))?;
        Ok(told.1)
    }
}
