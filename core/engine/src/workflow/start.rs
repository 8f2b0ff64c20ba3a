//! Verbs of clients: executions start, are signaled, asked to cancel, terminated.

use trunkline_journal::Ticket;
use trunkline_workflow::{ChildPolicy, Command, Fault, FaultKind, Limits, StartRequest, TypeId};

use super::transaction::Transaction;
use super::{Domain, Outcome};

/// Which execution is meant: that of a workflow id that is open, and of this run if one is given.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The workflow id.
    pub workflow_id: &'a str,
    /// The run.
    pub run_id: Option<&'a str>,
}

impl Target<'_> {
    fn find(self, transaction: &Transaction<'_>) -> Result<u32, Fault> {
        let Self { workflow_id, run_id } = self;
        let run_id = run_id.filter(|run_id| !run_id.is_empty());
        transaction.find_open(workflow_id, run_id).ok_or_else(|| match run_id {
            Some(run_id) => unknown_execution(workflow_id, run_id),
            None => Fault::unknown(format!("execution, workflowId = {workflow_id}")),
        })
    }
}

#[cold]
pub(super) fn unknown_execution(workflow_id: &str, run_id: &str) -> Fault {
    let named = format!("WorkflowExecution=[workflowId={workflow_id}, runId={run_id}]");
    Fault::unknown(format!("execution: {named}"))
}

impl Domain {
    /// Starts an execution; the id of its run.
    pub fn start(&self, request: StartRequest) -> Outcome<(String, Option<Ticket>)> {
        request.check("", &Limits::default())?;
        self.host.refuse_if_full()?;
        self.change(|transaction| {
            transaction.table.check_registered(&self.name.name)?;
            let id: TypeId = request.workflow_type.clone();
            let workflow_id = request.workflow_id.clone();
            let started =
                request.resolve(transaction.table).map_err(|undefined| undefined.fault(&id))?;
            if transaction.find_open(&workflow_id, None).is_some() {
                return Err(Fault::new(FaultKind::AlreadyStarted, "Already Started").into());
            }
            if !transaction.has_space() {
                let text = "The domain has as many open executions as it may have";
                return Err(Fault::new(FaultKind::LimitExceeded, text).into());
            }
            let number = transaction.start(&started, None);
            Ok(transaction.run_id(number, b"first"))
        })
    }

    /// Signals an execution.
    pub fn signal(
        &self,
        target: Target<'_>,
        name: &str,
        input: Option<String>,
    ) -> Outcome<Option<Ticket>> {
        self.host.refuse_if_full()?;
        let command = Command::Signal { name: name.to_owned(), input, origin: None };
        self.tell(target, command)
    }

    /// Asks an execution to cancel.
    pub fn request_cancel(&self, target: Target<'_>) -> Outcome<Option<Ticket>> {
        self.tell(target, Command::RequestCancel { origin: None, by_policy: false })
    }

    /// Terminates an execution.
    pub fn terminate(
        &self,
        target: Target<'_>,
        reason: Option<String>,
        details: Option<String>,
        child_policy: Option<ChildPolicy>,
    ) -> Outcome<Option<Ticket>> {
        let cause = "OPERATOR_INITIATED";
        self.tell(target, Command::Terminate { reason, details, child_policy, cause })
    }

    fn tell(&self, target: Target<'_>, command: Command) -> Outcome<Option<Ticket>> {
        let told = self.change(|transaction| {
            let number = target.find(transaction)?;
            Ok(transaction.apply(number, command)?)
        })?;
        Ok(told.1)
    }
}
