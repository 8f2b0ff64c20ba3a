//! Executions in memory: a program, a stimulus and a time give effects. For express machines, for
//! children of maps and for tests.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use trunkline_engine::states::{
    Effect, Execution, MapItems, MapRunRequest, Outcome, Payload, Program, ScopeId, SeededEntropy,
    Stimulus, TaskRequest, Value,
};
use trunkline_types::sync::lock;

use super::inline::{Inline, InlineCall, PlainInline, Waits};
use super::json;
use super::program::StatesProgram;
use super::stimulus::{PlainIdentity, stimulus};
use crate::error::guard;

/// An execution in memory.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct StatesRun {
    program: Arc<Program>,
    /// A step that is short need not let other threads of the interpreter run meanwhile.
    is_brief: bool,
    inline: Option<Inline>,
    tells_events: bool,
    run: Mutex<Run>,
}

struct Run {
    execution: Execution,
    chance: SeededEntropy,
    waits: Waits,
    output: Option<Payload>,
}

#[pymethods]
impl StatesRun {
    /// An execution of a program, or of the states of one of its scopes. Tokens of its tasks start
    /// with `prefix`. With `inline`, calls of those functions are carried out by the step itself
    /// while the execution waits for nothing else.
    #[new]
    #[pyo3(signature = (
        program, identity, *, seed, prefix, scope=None, inline=None, tells_events=true
    ))]
    fn new(
        program: &StatesProgram,
        identity: PlainIdentity,
        seed: u64,
        prefix: String,
        scope: Option<u32>,
        inline: Option<PlainInline>,
        tells_events: bool,
    ) -> Self {
        let is_brief = program.is_brief;
        let program = program.program.clone();
        let scope = scope.map_or_else(|| program.root(), ScopeId);
        let execution = Execution::child(&program, scope, identity.into());
        let chance = SeededEntropy::new(seed, prefix);
        let run = Run { execution, chance, waits: Waits::default(), output: None };
        let inline = inline.map(Inline::new);
        Self { program, is_brief, inline, tells_events, run: Mutex::new(run) }
    }

    /// What follows from a stimulus at a time, each effect as a dict.
    #[pyo3(signature = (kind, now, *, id=0, first=None, second=None))]
    fn step<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        now: u64,
        id: u64,
        first: Option<&str>,
        second: Option<&str>,
    ) -> PyResult<Bound<'py, PyList>> {
        guard(|| {
            let stimulus = stimulus(kind, id, first, second)?;
            self.advance(py, stimulus, now)
        })
    }

    /// Starts the execution with an object of plain types as its input, whose JSON text has at most
    /// `limit` bytes. None, and nothing is done, if it is another.
    fn start<'py>(
        &self,
        py: Python<'py>,
        input: &Bound<'py, PyAny>,
        limit: usize,
        now: u64,
    ) -> PyResult<Option<Bound<'py, PyList>>> {
        guard(|| {
            let input = json::from_python(input).map(Payload::from);
            match input.filter(|input| input.text().len() <= limit) {
                Some(input) => self.advance(py, Stimulus::Start { input }, now).map(Some),
                None => Ok(None),
            }
        })
    }

    /// The output of an execution that ended well, as a JSON text.
    #[getter]
    fn output_text(&self) -> Option<String> {
        lock(&self.run).output.as_ref().map(|output| output.text().to_string())
    }

    /// The output of an execution that ended well, as `json.loads` gives it.
    fn output<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let output = lock(&self.run).output.clone();
        guard(|| output.map(|output| json::to_python(py, output.value())).transpose())
    }

    /// Ends the execution without an end: a step that carries out tasks raises EngineClosed behind
    /// the one that it is at.
    fn close(&self) {
        if let Some(inline) = &self.inline {
            inline.close();
        }
    }
}

impl StatesRun {
    /// Takes a stimulus, and what becomes of the tasks that are carried out here.
    fn advance<'py>(
        &self,
        py: Python<'py>,
        first: Stimulus,
        now: u64,
    ) -> PyResult<Bound<'py, PyList>> {
        let shown = PyList::empty(py);
        let (mut stimulus, mut now) = (first, now);
        loop {
            let (effects, call) = self.effects(py, stimulus, now)?;
            self.show(&shown, effects)?;
            let (Some(inline), Some(call)) = (&self.inline, call) else { return Ok(shown) };
            let (effects, _) = self.effects(py, call.started(), inline.now())?;
            self.show(&shown, effects)?;
            stimulus = inline.carry_out(py, &call)?;
            now = inline.now();
        }
    }

    /// What follows from one stimulus; a call is taken out if it is to be carried out here.
    fn effects(
        &self,
        py: Python<'_>,
        stimulus: Stimulus,
        now: u64,
    ) -> PyResult<(Vec<Effect>, Option<InlineCall>)> {
        let step = || lock(&self.run).step(&self.program, stimulus, now);
        let mut effects = if self.is_brief { step() } else { py.detach(step) };
        let call = match &self.inline {
            Some(inline) => inline.take(py, &lock(&self.run).waits, &mut effects)?,
            None => None,
        };
        Ok((effects, call))
    }

    fn show(&self, shown: &Bound<'_, PyList>, effects: Vec<Effect>) -> PyResult<()> {
        for effect in effects {
            if self.tells_events || !matches!(effect, Effect::History(_)) {
                shown.append(show(shown.py(), effect)?)?;
            }
        }
        Ok(())
    }
}

impl Run {
    fn step(&mut self, program: &Program, stimulus: Stimulus, now: u64) -> Vec<Effect> {
        self.waits.meet(&stimulus);
        let effects = self.execution.step(program, stimulus, now, &mut self.chance);
        effects.iter().for_each(|effect| self.waits.note(effect));
        if let Some(Effect::Finish(Outcome::Succeeded { output })) = effects.last() {
            self.output = Some(output.clone());
        }
        effects
    }
}

pub(super) fn text_of(value: &Value) -> String {
    let mut text = String::new();
    value.write(&mut text);
    text
}

fn show<'py>(py: Python<'py>, effect: Effect) -> PyResult<Bound<'py, PyDict>> {
    let shown = PyDict::new(py);
    let kind = match effect {
        Effect::History(event) => {
            shown.set_item("event", event.to_text(true))?;
            "event"
        }
        Effect::StartTask(request) => {
            show_task(&shown, &request)?;
            "task"
        }
        Effect::CancelTask { task } | Effect::CancelMapRun { task } => {
            shown.set_item("id", task.0)?;
            "cancel-task"
        }
        Effect::ArmTimer { timer, at_ms, .. } => {
            shown.set_item("id", timer.0)?;
            shown.set_item("at", at_ms)?;
            "timer"
        }
        Effect::CancelTimer { timer } => {
            shown.set_item("id", timer.0)?;
            "cancel-timer"
        }
        Effect::StartMapRun(request) => {
            show_map_run(&shown, &request)?;
            "map-run"
        }
        Effect::Finish(outcome) => {
            shown.set_item("status", outcome.status())?;
            match outcome {
                Outcome::Succeeded { .. } => {}
                Outcome::Failed { error, cause } | Outcome::Aborted { error, cause } => {
                    shown.set_item("error", error)?;
                    shown.set_item("cause", cause)?;
                }
                Outcome::TimedOut => shown.set_item("error", "States.Timeout")?,
            }
            "finish"
        }
    };
    shown.set_item("kind", kind)?;
    Ok(shown)
}

pub(super) fn show_task(shown: &Bound<'_, PyDict>, request: &TaskRequest) -> PyResult<()> {
    shown.set_item("id", request.task.0)?;
    shown.set_item("state", &*request.state)?;
    shown.set_item("resource", &**request.resource.arn())?;
    shown.set_item("input", &**request.input.text())?;
    shown.set_item("token", request.token.as_deref())?;
    shown.set_item("credentials", request.credentials.as_ref().map(text_of))?;
    shown.set_item("timeout_seconds", request.timeout_seconds)?;
    shown.set_item("heartbeat_seconds", request.heartbeat_seconds)?;
    shown.set_item("attempt", request.attempt)
}

fn show_map_run(shown: &Bound<'_, PyDict>, request: &MapRunRequest) -> PyResult<()> {
    let (items, reader) = match &request.items {
        MapItems::Given(items) => (Some(text_of(items)), None),
        MapItems::Reader(reader) => (None, Some(text_of(reader))),
    };
    shown.set_item("id", request.task.0)?;
    shown.set_item("state", &*request.state)?;
    shown.set_item("label", &*request.label)?;
    shown.set_item("arn", &*request.map_run_arn)?;
    shown.set_item("processor", request.processor.0)?;
    shown.set_item("express", request.express)?;
    shown.set_item("items", items)?;
    shown.set_item("reader", reader)?;
    let selection = request.selection.as_ref().map(|seen| {
        let texts = [&seen.input, &seen.context, &seen.variables].map(text_of);
        (seen.state.0, texts)
    });
    shown.set_item("selection", selection)?;
    shown.set_item("input", &**request.input.text())?;
    shown.set_item("max_concurrency", request.max_concurrency)?;
    shown.set_item("tolerated_failure_count", request.tolerated_failure_count)?;
    shown.set_item("tolerated_failure_percentage", request.tolerated_failure_percentage)?;
    shown.set_item("writer", request.writer.as_ref().map(text_of))?;
    let Some(batch) = &request.batch else { return shown.set_item("batch", ()) };
    let batch_input = batch.input.as_ref().map(text_of);
    shown.set_item("batch", (batch.max_items, batch.max_bytes, batch_input))
}
