//! Lambda functions that deciders asked for: what calls them takes them from here.

use trunkline_journal::Ticket;
use trunkline_types::sync::lock;
use trunkline_workflow::{Command, ExecutionId, TaskKind};

use super::component::Domains;
use super::{Domain, Outcome};

/// A Lambda function that is to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LambdaTask {
    /// What its end is reported with.
    pub token: String,
    /// The id that the decider gave.
    pub id: String,
    /// The name of the function.
    pub name: String,
    /// Its input.
    pub input: Option<String>,
    /// The execution.
    pub execution: ExecutionId,
    /// The role that the execution has for it.
    pub role: Option<String>,
}

impl Domain {
    /// Takes the next function that is to be called. One that was called before the engine was
    /// opened, and whose end is not known, is handed out once more.
    pub fn take_lambda(&self) -> Outcome<Option<(LambdaTask, Option<Ticket>)>> {
        if let Some(again) = self.take_unanswered()? {
            return Ok(Some((again, None)));
        }
        let start = |scheduled: u64| Command::StartLambda { scheduled };
        self.poll(TaskKind::Lambda, "", start, |_, number, event, before| {
            self.lambda_task(before, number, event)
        })
    }

    fn take_unanswered(&self) -> Outcome<Option<LambdaTask>> {
        self.check_writable()?;
        let mut table = lock(&self.table);
        while let Some((number, event)) = table.unanswered.pop_first() {
            let kept = table.executions.get(&number);
            if let Some(task) =
                kept.and_then(|kept| self.lambda_task(&kept.execution, number, event))
            {
                return Ok(Some(task));
            }
        }
        Ok(None)
    }

    /// Whether a function is to be called.
    pub fn has_lambdas(&self) -> bool {
        let table = lock(&self.table);
        table.lists.len(TaskKind::Lambda, "") > 0 || !table.unanswered.is_empty()
    }

    fn lambda_task(
        &self,
        execution: &trunkline_workflow::Execution,
        number: u32,
        event: u64,
    ) -> Option<LambdaTask> {
        let one = execution.lambdas.get(&event)?;
        Some(LambdaTask {
            token: self.token(TaskKind::Lambda, number, event),
            id: one.id.clone(),
            name: one.name.clone(),
            input: one.input.clone(),
            execution: execution.id.clone(),
            role: execution.configuration.lambda_role.clone(),
        })
    }
}

impl Domains {
    /// Reports the end of the function of a token: its result, or why it failed.
    pub fn respond_lambda(
        &self,
        token: &str,
        end: Result<Option<String>, (Option<String>, Option<String>)>,
    ) -> Outcome<Option<Ticket>> {
        let (domain, token) = self.task(token, TaskKind::Lambda)?;
        let scheduled = token.event;
        domain.report(
            token.execution,
            match end {
                Ok(result) => Command::CompleteLambda { scheduled, result },
                Err((reason, details)) => Command::FailLambda { scheduled, reason, details },
            },
        )
    }
}
