//! What the outside reports to an execution: the end of a task, heartbeats, a stop, a redrive.

use trunkline_journal::Ticket;
use trunkline_states::{FailedAt, Payload, Stimulus, TaskId};
use trunkline_types::sync::lock;
use trunkline_types::{Code, Error, Millis, Result};

use super::kept::Execution;
use super::{Machine, Status};

/// Between several parents of an execution.
const PARENTS: char = '\n';

/// What is reported of a task.
#[derive(Debug, Clone)]
pub enum TaskEnd<'a> {
    /// It was taken over, by a worker that may have a name.
    Started(Option<&'a str>),
    /// It was submitted: what the service answered, a JSON text.
    Submitted(&'a str),
    /// A worker is still at it.
    Heartbeat,
    /// It ended well, with a JSON text.
    Succeeded(&'a str),
    /// It ended well, with a document.
    Returned(&'a Payload),
    /// It failed: where, the error, the cause.
    Failed(FailedAt, Option<&'a str>, Option<&'a str>),
    /// A map run ended well, with a JSON text.
    MapRunSucceeded(&'a str),
    /// A map run failed.
    MapRunFailed(&'a str, Option<&'a str>),
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The execution took it.
    Taken,
    /// The task has ended before: it timed out, or its end was reported already.
    TooLate,
}

impl TaskEnd<'_> {
    fn stimulus(&self, task: TaskId) -> Result<Stimulus> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Ok(match *self {
            Self::Started(worker) => Stimulus::TaskStarted { task, worker: text(worker) },
            Self::Submitted(output) => Stimulus::TaskSubmitted { task, output: parse(output)? },
            Self::Heartbeat => Stimulus::TaskHeartbeat { task },
            Self::Succeeded(output) => Stimulus::TaskSucceeded { task, output: parse(output)? },
            Self::Returned(output) => Stimulus::TaskSucceeded { task, output: output.clone() },
            Self::Failed(at, error, cause) => {
                Stimulus::TaskFailed { task, at, error: text(error), cause: text(cause) }
            }
            Self::MapRunSucceeded(output) => {
                Stimulus::MapRunSucceeded { task, output: parse(output)? }
            }
            Self::MapRunFailed(error, cause) => {
                Stimulus::MapRunFailed { task, error: error.to_owned(), cause: text(cause) }
            }
        })
    }
}

fn parse(text: &str) -> Result<Payload> {
    Payload::parse(text)
        .map_err(|problem| Error::new(Code::ValidationException, problem.to_string()))
}

impl Machine {
    /// Reports something of a task, which was taken over at the time `begun` if that was not
    /// reported yet: then both are one step. The ticket stands for what followed.
    pub(super) fn report(
        &self,
        number: u32,
        task: u64,
        begun: Option<Millis>,
        end: &TaskEnd<'_>,
    ) -> Result<(Ended, Option<Ticket>)> {
        self.check_writable()?;
        let now = self.host.now();
        self.host.sweep_if_due(now);
        let stimulus = end.stimulus(TaskId(task))?;
        let Some(execution) = self.find_number(number) else { return Ok((Ended::TooLate, None)) };
        let advanced = {
            let mut kept = lock(&execution.kept);
            if !kept.row.tasks.contains(&task) {
                return Ok((Ended::TooLate, self.host.unwritten()));
            }
            let started = begun.map(|at| {
                // Events are told in the order of their times.
                let stepped = if kept.is_restored { 0 } else { kept.row.stepped };
                let at = at.clamp(stepped.min(now), now);
                (at, Stimulus::TaskStarted { task: TaskId(task), worker: None })
            });
            let stimuli = started.into_iter().chain([(now, stimulus)]).collect();
            self.advance(&execution, &mut kept, stimuli, now)?
        };
        execution.wake(&advanced);
        Ok((Ended::Taken, advanced.ticket))
    }

    /// Whether an execution waits for the end of a task.
    pub(super) fn awaits(&self, number: u32, task: u64) -> bool {
        let execution = self.find_number(number);
        execution.is_some_and(|execution| lock(&execution.kept).row.tasks.contains(&task))
    }

    /// What stands for all that was written of an execution.
    pub fn ticket(&self, name: &str) -> Option<Ticket> {
        let execution = self.find(name).ok()?;
        let newest = lock(&execution.kept).locations().map(|at| at.lsn).max();
        newest.map(Ticket::of)
    }

    /// Ends an execution now. One that has ended stays as it is.
    pub fn stop(
        &self,
        name: &str,
        error: Option<&str>,
        cause: Option<&str>,
    ) -> Result<Option<Ticket>> {
        self.check_writable()?;
        let execution = self.find(name)?;
        self.stop_execution(&execution, error, cause)
    }

    pub(super) fn stop_execution(
        &self,
        execution: &Execution,
        error: Option<&str>,
        cause: Option<&str>,
    ) -> Result<Option<Ticket>> {
        let now = self.host.now();
        self.host.sweep_if_due(now);
        let advanced = {
            let mut kept = lock(&execution.kept);
            if !kept.row.status.is_running() {
                return Ok(self.host.unwritten());
            }
            let (error, cause) = (error.map(str::to_owned), cause.map(str::to_owned));
            self.advance(execution, &mut kept, vec![(now, Stimulus::Stop { error, cause })], now)?
        };
        execution.wake(&advanced);
        Ok(advanced.ticket)
    }

    /// Has one more task be told of the end of an execution that runs. False: it has ended.
    pub fn add_parent(&self, name: &str, parent: &str) -> Result<bool> {
        self.check_writable()?;
        let execution = self.find(name)?;
        let mut kept = lock(&execution.kept);
        if !kept.row.status.is_running() {
            return Ok(false);
        }
        let known = kept.row.options.parent.as_deref().unwrap_or_default();
        if known.split(PARENTS).any(|one| one == parent) {
            return Ok(true);
        }
        let both =
            if known.is_empty() { parent.into() } else { format!("{known}{PARENTS}{parent}") };
        let mut row = kept.whole(&execution.program)?;
        row.options.parent = Some(both.into());
        let mut log = self.host.append()?;
        kept.append_whole(&mut log, (self.id, execution.number), row, None);
        Ok(true)
    }

    /// Lets an execution that failed, was stopped or timed out go on at what failed.
    pub fn redrive(&self, name: &str) -> Result<Option<Ticket>> {
        self.check_writable()?;
        let execution = self.find(name)?;
        let now = self.host.now();
        let advanced = {
            let mut kept = lock(&execution.kept);
            if matches!(kept.row.status, Status::Running | Status::Succeeded) {
                let text = format!("Execution {name} has not failed, so it cannot be redriven.");
                return Err(Error::new(Code::UnsupportedOperation, text));
            }
            self.advance(&execution, &mut kept, vec![(now, Stimulus::Redrive)], now)?
        };
        self.tick();
        execution.wake(&advanced);
        Ok(advanced.ticket)
    }
}
