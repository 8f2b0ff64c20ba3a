//! Durable executions: the machines of an engine and what they run.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use trunkline_engine::{
    Engine as CoreEngine, ExecutionState, ExecutionStatus, MACHINE, Machine as Core, ResourceName,
    StartRequest, TaskEnd, TaskEnded, Ticket,
};
use trunkline_types::{Millis, Result};

use super::stimulus::{PlainIdentity, task_end};
use super::waiting::{EndWait, end_ticket};
use crate::engine::Engine;
use crate::error::{guard, invalid, raise};
use crate::queue::waiting::park;

fn full_name((account, region, name): (String, String, String)) -> ResourceName {
    ResourceName::new(MACHINE, account, region, name)
}

/// Calls a verb without the interpreter, and waits until what it wrote is durable.
fn settled<T: Send>(
    py: Python<'_>,
    engine: &CoreEngine,
    verb: impl FnOnce() -> Result<(T, Option<Ticket>)> + Send,
) -> PyResult<T> {
    let done = py.detach(|| {
        let (value, ticket) = verb()?;
        if let Some(ticket) = ticket {
            engine.wait(ticket, engine.durability())?;
        }
        Ok(value)
    });
    done.map_err(raise)
}

/// The state machines of an open engine.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Machines(pub Arc<CoreEngine>);

#[pymethods]
impl Machines {
    #[new]
    fn new(engine: &Engine) -> Self {
        Self(engine.shared().clone())
    }

    /// The machine of this name, which is created if there is none.
    fn machine(&self, py: Python<'_>, name: (String, String, String)) -> PyResult<Machine> {
        guard(|| {
            let found = py.detach(|| self.0.machines().get_or_create(full_name(name)));
            Ok(self.wrap(found.map_err(raise)?))
        })
    }

    fn find(&self, name: (String, String, String)) -> PyResult<Option<Machine>> {
        guard(|| {
            let found = self.0.find_machine(&full_name(name)).map_err(raise)?;
            Ok(found.map(|core| self.wrap(core)))
        })
    }

    #[pyo3(signature = (account, region, prefix=""))]
    fn list(&self, account: Option<&str>, region: Option<&str>, prefix: &str) -> Vec<Machine> {
        let found = self.0.machines().list(account, region, prefix);
        found.into_iter().map(|core| self.wrap(core)).collect()
    }

    /// Reports something of the task of a token: True if it was taken, False if the task has ended,
    /// None if its execution is gone.
    ///
    /// It returns when that is durable, unless `is_settled` is false.
    #[pyo3(signature = (token, kind, first=None, second=None, is_settled=true))]
    fn report(
        &self,
        py: Python<'_>,
        token: &str,
        kind: &str,
        first: Option<&str>,
        second: Option<&str>,
        is_settled: bool,
    ) -> PyResult<Option<bool>> {
        guard(|| {
            let end = task_end(kind, first, second)?;
            // What is lost of these with a crash is told again when the task is carried out again.
            let waits = is_settled && !matches!(end, TaskEnd::Started(_) | TaskEnd::Heartbeat);
            if !waits {
                let reported = self.0.machines().report(token, &end).map_err(raise)?;
                return Ok(reported.map(|(ended, _)| ended == TaskEnded::Taken));
            }
            settled(py, &self.0, || {
                Ok(match self.0.machines().report(token, &end)? {
                    Some((ended, ticket)) => (Some(ended == TaskEnded::Taken), ticket),
                    None => (None, None),
                })
            })
        })
    }
}

impl Machines {
    fn wrap(&self, core: Arc<Core>) -> Machine {
        Machine { engine: self.0.clone(), core }
    }
}

/// One state machine.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Machine {
    engine: Arc<CoreEngine>,
    core: Arc<Core>,
}

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Start {
    name: String,
    program: u32,
    input: String,
    identity: PlainIdentity,
    document: Vec<u8>,
    tells_end: bool,
    tells_events: bool,
    parent: Option<String>,
    scope: Option<u32>,
    /// Whether the call returns when the start is durable.
    is_settled: bool,
}

#[pymethods]
impl Machine {
    /// Account, region and name.
    #[getter]
    fn name(&self) -> (String, String, String) {
        let ResourceName { account, region, name, .. } = self.core.name().clone();
        (account, region, name)
    }

    /// The number of the program with this definition and this document.
    fn add_program(
        &self,
        py: Python<'_>,
        text: &str,
        express: bool,
        document: &[u8],
    ) -> PyResult<u32> {
        guard(|| py.detach(|| self.core.add_program(text, express, document)).map_err(raise))
    }

    /// The definition of a program, and its document.
    fn program<'py>(
        &self,
        py: Python<'py>,
        number: u32,
    ) -> PyResult<(String, Bound<'py, PyBytes>)> {
        guard(|| {
            let (text, document) = self.core.program(number).map_err(raise)?;
            Ok((text.to_string(), PyBytes::new(py, &document)))
        })
    }

    /// Starts an execution; whether it was there already.
    fn start(&self, py: Python<'_>, start: Start) -> PyResult<(Execution, bool)> {
        guard(|| {
            let identity = start.identity.into();
            let request = StartRequest {
                name: &start.name,
                program: start.program,
                input: &start.input,
                identity,
                document: &start.document,
                tells_end: start.tells_end,
                tells_events: start.tells_events,
                parent: start.parent.as_deref(),
                scope: start.scope,
            };
            settled(py, &self.engine, || {
                let started = self.core.start(&request)?;
                let ticket = started.ticket.filter(|_| start.is_settled);
                Ok(((Execution(started.status), started.existed), ticket))
            })
        })
    }

    fn status(&self, py: Python<'_>, name: &str) -> PyResult<Execution> {
        guard(|| py.detach(|| self.core.status(name)).map(Execution).map_err(raise))
    }

    /// The executions below a number, the newest first.
    #[pyo3(signature = (status=None, before=None, limit=1000))]
    fn executions(
        &self,
        py: Python<'_>,
        status: Option<&str>,
        before: Option<u32>,
        limit: usize,
    ) -> PyResult<Vec<Execution>> {
        guard(|| {
            let Some(status) = status.map(state_of).transpose()? else {
                let found = py.detach(|| self.core.executions(None, before, limit));
                return Ok(found.map_err(raise)?.into_iter().map(Execution).collect());
            };
            let found = py.detach(|| self.core.executions(Some(status), before, limit));
            Ok(found.map_err(raise)?.into_iter().map(Execution).collect())
        })
    }

    /// Up to `most` events as JSON texts, the newest first.
    fn history(&self, py: Python<'_>, name: &str, most: usize) -> PyResult<Vec<String>> {
        guard(|| py.detach(|| self.core.history(name, most)).map_err(raise))
    }

    /// The events from a number on as JSON texts, in order.
    fn history_page(
        &self,
        py: Python<'_>,
        name: &str,
        first: u64,
        most: usize,
    ) -> PyResult<Vec<String>> {
        guard(|| py.detach(|| self.core.history_page(name, first, most)).map_err(raise))
    }

    /// Forgets an execution that has ended, with its history. Whether there was one.
    fn forget(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        guard(|| py.detach(|| self.core.forget_ended(name)).map_err(raise))
    }

    /// The events of the first step as JSON texts, the newest first.
    fn first_events(&self, py: Python<'_>, name: &str) -> PyResult<Vec<String>> {
        guard(|| py.detach(|| self.core.first_events(name)).map_err(raise))
    }

    /// Waits until an execution has ended, up to `wait` milliseconds; how it stands.
    fn wait(&self, py: Python<'_>, name: &str, wait: Millis) -> PyResult<Execution> {
        guard(|| {
            let ended = || {
                let status = self.core.status(name).map_err(raise)?;
                Ok((status.status != ExecutionState::Running).then_some(status))
            };
            let poll = self.core.end_wait(name, wait).map_err(raise)?;
            let found = poll.block_with(ended, |parker, left| park(py, parker, left).map(drop))?;
            match found {
                Some(status) => {
                    // A caller that knows of the end may act on it, so no crash may undo it.
                    let ticket = end_ticket(&self.engine, &self.core, name);
                    settled(py, &self.engine, || Ok((Execution(status), ticket)))
                }
                None => self.core.status(name).map(Execution).map_err(raise),
            }
        })
    }

    /// A wait for the end of an execution, for an event loop.
    fn end_wait(&self, name: String, wait: Millis) -> PyResult<EndWait> {
        guard(|| EndWait::new(self.engine.clone(), self.core.clone(), name, wait).map_err(raise))
    }

    #[pyo3(signature = (name, error=None, cause=None))]
    fn stop(
        &self,
        py: Python<'_>,
        name: &str,
        error: Option<&str>,
        cause: Option<&str>,
    ) -> PyResult<()> {
        guard(|| settled(py, &self.engine, || Ok(((), self.core.stop(name, error, cause)?))))
    }

    /// Has one more task be told of the end of an execution; False if it has ended.
    fn add_parent(&self, py: Python<'_>, name: &str, parent: &str) -> PyResult<bool> {
        guard(|| py.detach(|| self.core.add_parent(name, parent)).map_err(raise))
    }

    fn redrive(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        guard(|| settled(py, &self.engine, || Ok(((), self.core.redrive(name)?))))
    }

    fn remove(&self, py: Python<'_>) -> PyResult<()> {
        guard(|| settled(py, &self.engine, || Ok(((), self.core.remove()?))))
    }
}

fn state_of(status: &str) -> PyResult<ExecutionState> {
    use ExecutionState::{Aborted, Failed, Running, Succeeded, TimedOut};
    [Running, Succeeded, Failed, TimedOut, Aborted]
        .into_iter()
        .find(|state| state.as_str() == status)
        .ok_or_else(|| invalid(format!("status: there is no {status:?}.")))
}

/// How an execution stands.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Execution(ExecutionStatus);

#[pymethods]
impl Execution {
    #[getter]
    fn number(&self) -> u32 {
        self.0.number
    }

    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    #[getter]
    fn status(&self) -> &'static str {
        self.0.status.as_str()
    }

    /// Milliseconds since the epoch, as all times here.
    #[getter]
    fn started(&self) -> Millis {
        self.0.started
    }

    #[getter]
    fn stopped(&self) -> Option<Millis> {
        self.0.stopped
    }

    #[getter]
    fn redrives(&self) -> u32 {
        self.0.redrives
    }

    #[getter]
    fn redriven(&self) -> Option<Millis> {
        self.0.redriven
    }

    #[getter]
    fn program(&self) -> u32 {
        self.0.program
    }

    #[getter]
    fn events(&self) -> u64 {
        self.0.events
    }

    #[getter]
    fn document<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.document)
    }
}
