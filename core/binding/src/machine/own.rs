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
use trunkline_engine::states::{Payload, Value};
use trunkline_engine::{Engine as CoreEngine, TaskEnd};
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

/// What a delivery asks for.
struct Asked<'py> {
    token: String,
    resource: Arc<str>,
    function: Bound<'py, PyAny>,
    input: Value,
    is_timed: bool,
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
            let Some(asked) = self.read(py, delivery.bytes())? else { return Ok(None) };
            let machines = self.engine.machines();
            if !machines.awaits(&asked.token).map_err(raise)? {
                // It has ended before a crash, or while the delivery waited.
                return Ok(Some(true));
            }
            let since = self.engine.host().now();
            let is_told = {
                let mut running = lock(&self.running);
                if running.contains_key(&asked.token) {
                    return Ok(Some(false));
                }
                let is_told = asked.is_timed || running.len() + 1 >= self.threads;
                let long = Deadline::after(LONG);
                running.insert(asked.token.clone(), Call { long, is_told });
                is_told
            };
            let told = if is_told { self.tell(&asked.token).map_err(raise) } else { Ok(()) };
            let done = told.and_then(|()| self.call(py, &asked, since));
            lock(&self.running).remove(&asked.token);
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
    fn read<'py>(&self, py: Python<'py>, body: &[u8]) -> PyResult<Option<Asked<'py>>> {
        let told = std::str::from_utf8(body).ok().and_then(|text| Payload::parse(text).ok());
        let Some(told) = told else { return Ok(None) };
        let told = told.value();
        let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("kind") != "task" || text("resource").contains(":states:::") {
            return Ok(None);
        }
        // The children of map runs have the functions of the state machine.
        let machine = text("machine").split('/').next();
        let functions = self.functions.bind(py);
        let own = functions.get_item((text("account"), text("region"), machine))?;
        let Some(own) = own else { return Ok(None) };
        let function = own.cast::<PyDict>()?.get_item(function_name(text("resource")))?;
        let Some(function) = function else { return Ok(None) };
        let is_given = |name: &str| !matches!(told.get(name), None | Some(Value::Null));
        Ok(Some(Asked {
            token: text("token").to_owned(),
            resource: text("resource").into(),
            function,
            input: told.get("input").cloned().unwrap_or(Value::Null),
            is_timed: is_given("timeout_seconds") || is_given("heartbeat_seconds"),
        }))
    }

    fn tell(&self, token: &str) -> Result<()> {
        self.engine.machines().report(token, &TaskEnd::Started(None)).map(drop)
    }

    fn call(&self, py: Python<'_>, asked: &Asked<'_>, since: Millis) -> PyResult<()> {
        let given = json::to_python(py, &asked.input);
        let settled = match given.and_then(|given| asked.function.run((given,))) {
            Ok(result) => match json::from_python(&result) {
                Some(output) => {
                    let output = Payload::from(output);
                    return self.end(&asked.token, since, &TaskEnd::Returned(&output));
                }
                None => self.settle.bind(py).run((&*asked.resource, result, py.None()))?,
            },
            // SystemExit too: the thread works for all executions.
            Err(error) => {
                self.settle.bind(py).run((&*asked.resource, py.None(), error.into_value(py)))?
            }
        };
        let (kind, first, second): (String, Option<String>, Option<String>) = settled.extract()?;
        self.end(&asked.token, since, &task_end(&kind, first.as_deref(), second.as_deref())?)
    }

    fn end(&self, token: &str, since: Millis, end: &TaskEnd<'_>) -> PyResult<()> {
        self.engine.machines().report_since(token, Some(since), end).map(drop).map_err(raise)
    }
}
