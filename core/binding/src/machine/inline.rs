//! Tasks that an execution in memory carries out itself: calls of Python functions, on the thread
//! that runs the execution.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use trunkline_engine::Engine as CoreEngine;
use trunkline_engine::states::{Effect, Payload, Resource, Stimulus, TaskId, TaskRequest};
use trunkline_types::{Code, Error, Millis};

use super::json;
use super::stimulus::stimulus;
use crate::engine::Engine;
use crate::error::raise;
use crate::python_call::PythonCall as _;

/// What an execution has open: its tasks and its timers.
#[derive(Default)]
pub(super) struct Waits {
    tasks: Vec<u64>,
    timers: Vec<u64>,
}

impl Waits {
    /// What a stimulus ends.
    pub fn meet(&mut self, stimulus: &Stimulus) {
        match stimulus {
            Stimulus::TimerFired { timer } => self.timers.retain(|id| *id != timer.0),
            Stimulus::TaskSucceeded { task, .. }
            | Stimulus::TaskFailed { task, .. }
            | Stimulus::MapRunSucceeded { task, .. }
            | Stimulus::MapRunFailed { task, .. } => self.end(*task),
            _ => {}
        }
    }

    /// What an effect opens or ends.
    pub fn note(&mut self, effect: &Effect) {
        match effect {
            Effect::StartTask(request) => self.tasks.push(request.task.0),
            Effect::StartMapRun(request) => self.tasks.push(request.task.0),
            Effect::CancelTask { task } | Effect::CancelMapRun { task } => self.end(*task),
            Effect::ArmTimer { timer, .. } => self.timers.push(timer.0),
            Effect::CancelTimer { timer } => self.timers.retain(|id| *id != timer.0),
            Effect::History(_) | Effect::Finish(_) => {}
        }
    }

    fn end(&mut self, task: TaskId) {
        self.tasks.retain(|id| *id != task.0);
    }

    /// The task that is all that the execution waits for.
    fn only_task(&self) -> Option<u64> {
        match (&*self.tasks, &*self.timers) {
            ([task], []) => Some(*task),
            _ => None,
        }
    }
}

/// The engine, the functions by their names, and what becomes of a result of another type or of an
/// exception: `settle(resource, result, error)`.
pub(super) type PlainInline = (Py<Engine>, Py<PyDict>, Py<PyAny>);

/// The functions that are called where the execution runs.
pub(super) struct Inline {
    engine: Arc<CoreEngine>,
    functions: Py<PyDict>,
    settle: Py<PyAny>,
    is_closed: AtomicBool,
}

/// A call of a function.
pub(super) struct InlineCall {
    request: Box<TaskRequest>,
    function: Py<PyAny>,
}

impl Inline {
    pub fn new((engine, functions, settle): PlainInline) -> Self {
        let engine = engine.get().shared().clone();
        Self { engine, functions, settle, is_closed: AtomicBool::new(false) }
    }

    pub fn now(&self) -> Millis {
        self.engine.host().now()
    }

    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    /// Takes the call out of the effects of a step if nothing else is open: a time-out, another
    /// branch or a map needs a thread that waits while the function runs.
    pub fn take(
        &self,
        py: Python<'_>,
        waits: &Waits,
        effects: &mut Vec<Effect>,
    ) -> PyResult<Option<InlineCall>> {
        let Some(only) = waits.only_task() else { return Ok(None) };
        let place = effects.iter().position(
            |effect| matches!(effect, Effect::StartTask(request) if request.task.0 == only),
        );
        let Some(place) = place else { return Ok(None) };
        let Effect::StartTask(request) = &effects[place] else { return Ok(None) };
        let Resource::Lambda { arn } = &request.resource else { return Ok(None) };
        let Some(function) = self.functions.bind(py).get_item(function_name(arn))? else {
            return Ok(None);
        };
        let function = function.unbind();
        match effects.remove(place) {
            Effect::StartTask(request) => Ok(Some(InlineCall { request, function })),
            _ => Ok(None),
        }
    }

    /// Calls the function: the stimulus that its end is.
    pub fn carry_out(&self, py: Python<'_>, call: &InlineCall) -> PyResult<Stimulus> {
        let given = json::to_python(py, call.request.input.value());
        let result = given.and_then(|given| call.function.bind(py).run((given,)));
        if self.is_closed.load(Ordering::Acquire) {
            let text = "The engine was closed while an execution ran in memory.";
            return Err(raise(Error::new(Code::EngineClosed, text)));
        }
        let task = call.request.task;
        let arn = &**call.request.resource.arn();
        let settled = match result {
            Ok(result) => {
                if let Some(output) = json::from_python(&result) {
                    let output = Payload::from(output);
                    return Ok(Stimulus::TaskSucceeded { task, output });
                }
                self.settle.bind(py).run((arn, result, py.None()))?
            }
            // It is the caller who is interrupted, not the task.
            Err(error) if error.is_instance_of::<PyKeyboardInterrupt>(py) => return Err(error),
            Err(error) => self.settle.bind(py).run((arn, py.None(), error.into_value(py)))?,
        };
        let (kind, first, second): (String, Option<String>, Option<String>) = settled.extract()?;
        stimulus(&kind, task.0, first.as_deref(), second.as_deref())
    }
}

impl InlineCall {
    /// That the task was taken over.
    pub fn started(&self) -> Stimulus {
        Stimulus::TaskStarted { task: self.request.task, worker: None }
    }
}

/// The name of the function in an ARN, without a version or an alias.
pub(super) fn function_name(arn: &str) -> &str {
    let rest = arn.split_once(":function:").map_or(arn, |(_, rest)| rest);
    rest.split(':').next().unwrap_or(rest)
}
