//! Commands, and which function carries out each.

use crate::decision::Decision;
use crate::effect::{ChildEnd, External, Origin, Outcome};
use crate::execution::{Execution, ExecutionId};
use crate::fault::Fault;
use crate::registry::{ChildPolicy, TaskList};
use crate::step::{Context, Step};

/// What an execution is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A signal, from outside or from another execution.
    Signal {
        /// Its name.
        name: String,
        /// Its input.
        input: Option<String>,
        /// Who sends it.
        origin: Option<Origin>,
    },
    /// It is asked to cancel.
    RequestCancel {
        /// Who asks.
        origin: Option<Origin>,
        /// Whether it is asked because of the child policy of its parent.
        by_policy: bool,
    },
    /// It is terminated.
    Terminate {
        /// Why.
        reason: Option<String>,
        /// More about it.
        details: Option<String>,
        /// What becomes of its children, if not what its configuration says.
        child_policy: Option<ChildPolicy>,
        /// The cause that its history names.
        cause: &'static str,
    },
    /// A decider takes the decision task that waits.
    StartDecision {
        /// Who it is.
        identity: Option<String>,
    },
    /// A decider has decided.
    CompleteDecision {
        /// The event that scheduled the task.
        scheduled: u64,
        /// What it decided.
        decisions: Vec<Decision>,
        /// What it wants to be shown with the execution.
        context: Option<String>,
        /// Where it wants to get the next tasks.
        task_list: Option<TaskList>,
        /// For how long one may wait there.
        schedule_to_start: Option<String>,
        /// The id of the next run, if it decided to continue as new.
        next_run: String,
    },
    /// A worker takes an activity task that waits.
    StartActivity {
        /// The event that scheduled it.
        scheduled: u64,
        /// Who it is.
        identity: Option<String>,
    },
    /// An activity task is done.
    CompleteActivity {
        /// The event that scheduled it.
        scheduled: u64,
        /// Its result.
        result: Option<String>,
    },
    /// An activity task has failed.
    FailActivity {
        /// The event that scheduled it.
        scheduled: u64,
        /// Why.
        reason: Option<String>,
        /// More about it.
        details: Option<String>,
    },
    /// An activity task was canceled.
    CancelActivity {
        /// The event that scheduled it.
        scheduled: u64,
        /// More about it.
        details: Option<String>,
    },
    /// A worker is still at an activity task.
    Heartbeat {
        /// The event that scheduled it.
        scheduled: u64,
        /// How far it is.
        details: Option<String>,
    },
    /// A Lambda function is called.
    StartLambda {
        /// The event that scheduled it.
        scheduled: u64,
    },
    /// A Lambda function has returned.
    CompleteLambda {
        /// The event that scheduled it.
        scheduled: u64,
        /// What.
        result: Option<String>,
    },
    /// A Lambda function has failed.
    FailLambda {
        /// The event that scheduled it.
        scheduled: u64,
        /// Why.
        reason: Option<String>,
        /// More about it.
        details: Option<String>,
    },
    /// A child that was asked for has started.
    ChildStarted {
        /// The event that asked for it.
        initiated: u64,
        /// The child.
        child: ExecutionId,
    },
    /// A child that was asked for did not start.
    ChildNotStarted {
        /// The event that asked for it.
        initiated: u64,
        /// Why.
        cause: &'static str,
        /// What the decider wants to be told.
        control: Option<String>,
    },
    /// A child has ended.
    ChildClosed {
        /// The event that asked for it.
        initiated: u64,
        /// The child.
        child: ExecutionId,
        /// How.
        end: ChildEnd,
    },
    /// A signal to another execution has arrived there, or not.
    Signaled {
        /// Whom it was for.
        external: External,
        /// The execution that got it; `None` if there is none.
        target: Option<ExecutionId>,
    },
    /// Another execution was asked to cancel, or not.
    CancelRequested {
        /// Whom it was for.
        external: External,
        /// The execution that was asked; `None` if there is none.
        target: Option<ExecutionId>,
    },
    /// Time has passed.
    Due,
}

/// Carries out a command. A fault means that nothing changed.
pub fn apply(
    execution: &mut Execution,
    command: Command,
    context: &Context<'_>,
) -> Result<Outcome, Fault> {
    if !execution.is_open() {
        return Err(execution.unknown());
    }
    let mut step = Step::new(execution, context);
    match command {
        Command::Signal { name, input, origin } => step.signal(&name, input, origin),
        Command::RequestCancel { origin, by_policy } => step.request_cancel(origin, by_policy),
        Command::Terminate { reason, details, child_policy, cause } => {
            step.terminate(reason, details, child_policy, cause);
        }
        Command::StartDecision { identity } => step.start_decision(identity)?,
        Command::CompleteDecision {
            scheduled,
            decisions,
            context,
            task_list,
            schedule_to_start,
            next_run,
        } => {
            let completed = step.complete_decision(
                scheduled,
                context,
                task_list.map(|list| (list, schedule_to_start)),
            )?;
            step.decide(decisions, completed, next_run);
        }
        Command::StartActivity { scheduled, identity } => {
            step.start_activity(scheduled, identity)?;
        }
        Command::CompleteActivity { scheduled, result } => {
            step.complete_activity(scheduled, result)?;
        }
        Command::FailActivity { scheduled, reason, details } => {
            step.fail_activity(scheduled, reason, details)?;
        }
        Command::CancelActivity { scheduled, details } => {
            step.cancel_activity(scheduled, details)?;
        }
        Command::Heartbeat { scheduled, details } => step.heartbeat(scheduled, details)?,
        Command::StartLambda { scheduled } => step.start_lambda(scheduled)?,
        Command::CompleteLambda { scheduled, result } => step.complete_lambda(scheduled, result)?,
        Command::FailLambda { scheduled, reason, details } => {
            step.fail_lambda(scheduled, reason, details)?;
        }
        Command::ChildStarted { initiated, child } => step.child_started(initiated, &child),
        Command::ChildNotStarted { initiated, cause, control } => {
            step.child_not_started(initiated, cause, control);
        }
        Command::ChildClosed { initiated, child, end } => {
            step.child_closed(initiated, &child, end);
        }
        Command::Signaled { external, target } => step.signaled(&external, target),
        Command::CancelRequested { external, target } => step.cancel_requested(&external, target),
        Command::Due => step.due(),
    }
    Ok(step.finish())
}
