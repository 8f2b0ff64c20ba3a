//! One state, tried alone: a request gives a task to carry out, or the report.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use trunkline_engine::states::{
    self, Limits, MockError, SeededEntropy, TestReport, TestRequest, TestStep,
};

use super::run::{show_task, text_of};
use super::stimulus::{PlainIdentity, stimulus};
use crate::error::guard;

/// A request, as a dict.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct PlainRequest {
    definition: String,
    state: Option<String>,
    input: String,
    variables: Option<String>,
    context: Option<String>,
    mock_result: Option<String>,
    /// The name of the error and its cause.
    mock_error: Option<(Option<String>, Option<String>)>,
    has_role: bool,
    reveals_secrets: bool,
    retries: u32,
    failed_iterations: Option<u64>,
}

impl From<PlainRequest> for TestRequest {
    fn from(plain: PlainRequest) -> Self {
        Self {
            definition: plain.definition,
            state: plain.state,
            input: plain.input,
            variables: plain.variables,
            context: plain.context,
            mock_result: plain.mock_result,
            mock_error: plain.mock_error.map(|(error, cause)| MockError { error, cause }),
            has_role: plain.has_role,
            reveals_secrets: plain.reveals_secrets,
            retries: plain.retries,
            failed_iterations: plain.failed_iterations,
        }
    }
}

/// A test of one state.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct StateTest(Mutex<Running>);

struct Running {
    test: states::StateTest,
    chance: SeededEntropy,
}

#[pymethods]
impl StateTest {
    /// Checks a request; a ValueError with the code and AWS's words for one that is refused.
    #[new]
    #[pyo3(signature = (request, identity, *, seed))]
    fn new(request: PlainRequest, identity: PlainIdentity, seed: u64) -> PyResult<Self> {
        guard(|| {
            let limits = Limits::default();
            let test = states::StateTest::new(&request.into(), identity.into(), &limits)
                .map_err(|refused| PyValueError::new_err((refused.code, refused.message)))?;
            let chance = SeededEntropy::new(seed, "test-");
            Ok(Self(Mutex::new(Running { test, chance })))
        })
    }

    /// The resource of a Task state.
    #[getter]
    fn resource(&self) -> Option<String> {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.test.resource().map(|resource| resource.arn().to_string())
    }

    /// Starts the test: the task to be carried out, or the report.
    fn start<'py>(&self, py: Python<'py>, now: u64) -> PyResult<Bound<'py, PyDict>> {
        guard(|| {
            let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Running { test, chance } = &mut *running;
            show(py, test.start(now, chance))
        })
    }

    /// Takes what became of the task: what follows, or nothing if the test has ended already.
    #[pyo3(signature = (kind, now, *, id, first=None, second=None))]
    fn answer<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        now: u64,
        id: u64,
        first: Option<&str>,
        second: Option<&str>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        guard(|| {
            let stimulus = stimulus(kind, id, first, second)?;
            let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Running { test, chance } = &mut *running;
            if test.has_ended() {
                return Ok(None);
            }
            show(py, test.answer(stimulus, now, chance)).map(Some)
        })
    }
}

fn show(py: Python<'_>, step: TestStep) -> PyResult<Bound<'_, PyDict>> {
    let shown = PyDict::new(py);
    match step {
        TestStep::Task(request) => {
            show_task(&shown, &request)?;
            shown.set_item("kind", "task")?;
        }
        TestStep::Report(report) => {
            show_report(&shown, &report)?;
            shown.set_item("kind", "report")?;
        }
    }
    Ok(shown)
}

fn show_report(shown: &Bound<'_, PyDict>, report: &TestReport) -> PyResult<()> {
    shown.set_item("status", report.status)?;
    shown.set_item("output", report.output.as_ref().map(|output| &**output.text()))?;
    shown.set_item("error", report.error.as_deref())?;
    shown.set_item("cause", report.cause.as_deref())?;
    shown.set_item("next_state", report.next_state.as_deref())?;
    shown.set_item("inspection", text_of(&report.inspection))
}
