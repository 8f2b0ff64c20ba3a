//! Tasks of durable executions that call a function of the program, from their delivery to the
//! report of their end.
//!
//! That a task was taken over is told with its end, as one step of the execution. Of a call that
//! takes long it is told before, by a thread that has nothing else to do. It is told at once where
//! no such thread may be left, and of a task with a time-out: its history would lack it otherwise.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use trunkline_engine::states::Payload;
use trunkline_engine::{AskedTask, Engine as CoreEngine, TaskEnd};
use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Deadline, Millis, Result};

use super::inline::function_name;
use super::json;
use super::stimulus::task_end;
use crate::engine::Engine;
use crate::error::{guard, raise};
use crate::outbox::LeasedDelivery;
use crate::python_call::PythonCall as _;

/// A call that takes longer is told of.
const LONG: Duration = Duration::from_millis(100);

/// A call that is under way.
struct Call {
    /// From then on it is a long one: in the world, whatever the engine's clock says.
    long: Deadline,
    is_told: bool,
}

/// Calls the functions that state machines were given.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct OwnCalls {
    engine: Arc<CoreEngine>,
    /// The functions by their names, by the account, region and name of their state machine.
    functions: Py<PyDict>,
    /// What becomes of a result of another type or of an exception.
    settle: Py<PyAny>,
    /// How many threads carry out tasks.
    threads: usize,
    /// By the token of their task.
    running: Mutex<HashMap<String, Call>>,
}

#[pymethods]
impl OwnCalls {
    #[new]
    fn new(engine: &Engine, functions: Py<PyDict>, settle: Py<PyAny>, threads: usize) -> Self {
        let engine = engine.shared().clone();
        Self { engine, functions, settle, threads, running: Mutex::default() }
    }

    /// Carries out the task of a delivery. False: it is still carried out since an earlier one;
    /// None: it calls no function that a state machine was given.
    fn carry_out(&self, py: Python<'_>, delivery: &LeasedDelivery) -> PyResult<Option<bool>> {
        guard(|| {
            let Some(task) = AskedTask::read(delivery.bytes()) else { return Ok(None) };
            let Some(function) = self.function(py, &task)? else { return Ok(None) };
            let machines = self.engine.machines();
            if !machines.awaits(task.token).map_err(raise)? {
                // It has ended before a crash, or while the delivery waited.
                return Ok(Some(true));
            }
            let since = self.engine.host().now();
            let is_told = {
                let mut running = lock(&self.running);
                if running.contains_key(task.token) {
                    return Ok(Some(false));
                }
                let is_told = task.is_timed() || running.len() + 1 >= self.threads;
                let long = Deadline::after(LONG);
                running.insert(task.token.to_owned(), Call { long, is_told });
                is_told
            };
            let told = if is_told { self.tell(task.token).map_err(raise) } else { Ok(()) };
            let done = told.and_then(|()| self.call(&function, &task, since));
            lock(&self.running).remove(task.token);
            done.map(|()| Some(true))
        })
    }

    /// Tells of the calls that take long that they were taken over.
    fn tell_long(&self) -> PyResult<()> {
        guard(|| {
            let mut untold = Vec::new();
            for (token, call) in lock(&self.running).iter_mut() {
                if call.long.left().is_zero() && !std::mem::replace(&mut call.is_told, true) {
                    untold.push(token.clone());
                }
            }
            untold.iter().try_for_each(|token| self.tell(token)).map_err(raise)
        })
    }
}

impl OwnCalls {
    /// The function that a task calls, if the program gave it to the state machine.
    fn function<'py>(
        &self,
        py: Python<'py>,
        task: &AskedTask<'_>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if task.resource.contains(":states:::") {
            return Ok(None);
        }
        // The children of map runs have the functions of the state machine.
        let machine = task.machine.split('/').next();
        let functions = self.functions.bind(py);
        let own = functions.get_item((&*task.account, &*task.region, machine))?;
        let Some(own) = own else { return Ok(None) };
        own.cast::<PyDict>()?.get_item(function_name(&task.resource))
    }

    fn tell(&self, token: &str) -> Result<()> {
        self.engine.machines().report(token, &TaskEnd::Started(None)).map(drop)
    }

    fn call(
        &self,
        function: &Bound<'_, PyAny>,
        task: &AskedTask<'_>,
        since: Millis,
    ) -> PyResult<()> {
        let py = function.py();
        let given = task.input().map_err(raise).and_then(|input| json::to_python(py, &input));
        let settled = match given.and_then(|given| function.run((given,))) {
            Ok(result) => match json::from_python(&result) {
                Some(output) => {
                    let output = Payload::from(output);
                    return self.end(task.token, since, &TaskEnd::Returned(&output));
                }
                None => self.settle.bind(py).run((&*task.resource, result, py.None()))?,
            },
            // SystemExit too: the thread works for all executions.
            Err(error) => {
                self.settle.bind(py).run((&*task.resource, py.None(), error.into_value(py)))?
            }
        };
        let (kind, first, second): (String, Option<String>, Option<String>) = settled.extract()?;
        self.end(task.token, since, &task_end(&kind, first.as_deref(), second.as_deref())?)
    }

    fn end(&self, token: &str, since: Millis, end: &TaskEnd<'_>) -> PyResult<()> {
        self.engine.machines().report_since(token, Some(since), end).map(drop).map_err(raise)
    }
}
