//! Map runs: the inputs of child executions, and how they end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use trunkline_engine::states::{
    self, ChildInput, ChildInputs, Failure, ItemBatch, ItemSelection, MapRunProgress,
    SeededEntropy, StateId, Value, parse,
};

use super::program::StatesProgram;
use super::run::text_of;
use crate::error::{guard, invalid};

/// A state with its input, context object and variables as JSON texts.
type PlainSelection = (u32, [String; 3]);
/// Items and bytes at most, and an input as JSON text.
type PlainBatch = (u64, u64, Option<String>);

fn value(text: &str) -> PyResult<Value> {
    parse(text).map_err(|problem| PyValueError::new_err(problem.message))
}

/// The error and the cause are the arguments of the exception.
fn raised(failure: &Failure) -> PyErr {
    let text = |text: &Option<std::sync::Arc<str>>| text.as_ref().map(ToString::to_string);
    PyValueError::new_err((text(&failure.error), text(&failure.cause)))
}

/// Makes the inputs of child executions from items.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct MapInputs(Mutex<Making>);

struct Making {
    inputs: ChildInputs,
    chance: SeededEntropy,
}

impl MapInputs {
    fn making(&self) -> MutexGuard<'_, Making> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has inputs made without the interpreter: JSON texts, each with its number of items.
    fn made(
        &self,
        py: Python<'_>,
        make: impl Send
        + FnOnce(&mut ChildInputs, &mut SeededEntropy) -> Result<Vec<ChildInput>, Failure>,
    ) -> PyResult<Vec<(String, u64)>> {
        let made = py.detach(|| {
            let mut making = self.making();
            let Making { inputs, chance } = &mut *making;
            let made = make(inputs, chance)?;
            Ok(made.iter().map(|(input, items)| (text_of(input), *items)).collect())
        });
        made.map_err(|failure| raised(&failure))
    }
}

#[pymethods]
impl MapInputs {
    /// A ValueError with the error and the cause for a configuration that cannot be used.
    #[new]
    #[pyo3(signature = (program, *, config=None, selection=None, batch=None, seed=0))]
    fn new(
        program: &StatesProgram,
        config: Option<&str>,
        selection: Option<PlainSelection>,
        batch: Option<PlainBatch>,
        seed: u64,
    ) -> PyResult<Self> {
        guard(|| {
            let config = config.map(value).transpose()?;
            let selection = match selection {
                Some((state, [input, context, variables])) => Some(ItemSelection {
                    state: StateId(state),
                    input: value(&input)?,
                    context: value(&context)?,
                    variables: value(&variables)?,
                }),
                None => None,
            };
            let batch = match batch {
                Some((max_items, max_bytes, input)) => {
                    let input = input.as_deref().map(value).transpose()?;
                    Some(ItemBatch { max_items, max_bytes, input })
                }
                None => None,
            };
            let inputs =
                ChildInputs::new(program.program.clone(), config.as_ref(), selection, batch)
                    .map_err(|failure| raised(&failure))?;
            let chance = SeededEntropy::new(seed, "");
            Ok(Self(Mutex::new(Making { inputs, chance })))
        })
    }

    #[getter]
    fn is_full(&self) -> bool {
        self.making().inputs.is_full()
    }

    /// Reads bytes of an object: the inputs that they complete.
    fn feed(&self, py: Python<'_>, bytes: &[u8], now: u64) -> PyResult<Vec<(String, u64)>> {
        guard(|| self.made(py, |inputs, chance| inputs.feed(bytes, now, chance)))
    }

    /// Takes items, a JSON array.
    fn take(&self, py: Python<'_>, items: &str, now: u64) -> PyResult<Vec<(String, u64)>> {
        guard(|| {
            let items = value(items)?.as_array().unwrap_or_default().to_vec();
            self.made(py, |inputs, chance| inputs.take(items, now, chance))
        })
    }

    /// Ends the items: the inputs that are left.
    fn finish(&self, py: Python<'_>, now: u64) -> PyResult<Vec<(String, u64)>> {
        guard(|| self.made(py, |inputs, chance| inputs.finish(now, chance)))
    }
}

/// The counts and the limits of a map run.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct MapProgress(Mutex<MapRunProgress>);

impl MapProgress {
    fn kept(&self) -> MutexGuard<'_, MapRunProgress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl MapProgress {
    #[new]
    fn new(max_concurrency: u64, count: u64, percentage: f64) -> Self {
        Self(Mutex::new(MapRunProgress::new(max_concurrency, count, percentage)))
    }

    /// Changes limits of a run that goes on.
    fn set_limits(&self, max_concurrency: u64, count: u64, percentage: f64) {
        let mut kept = self.kept();
        kept.max_concurrency = max_concurrency;
        kept.tolerated_failure_count = count;
        kept.tolerated_failure_percentage = percentage;
    }

    fn read(&self, items: u64) {
        self.kept().read(items);
    }

    fn all_read(&self) {
        self.kept().all_read();
    }

    fn started(&self, items: u64) {
        self.kept().started(items);
    }

    /// A child execution with so many items ended, with a status of executions.
    fn ended(&self, items: u64, status: &str) -> PyResult<()> {
        let how = match status {
            "SUCCEEDED" => states::Ended::Succeeded,
            "FAILED" => states::Ended::Failed,
            "TIMED_OUT" => states::Ended::TimedOut,
            "ABORTED" => states::Ended::Aborted,
            other => return Err(invalid(format!("status: no execution ends with {other:?}."))),
        };
        self.kept().ended(items, how);
        Ok(())
    }

    #[getter]
    fn may_start(&self) -> bool {
        self.kept().may_start()
    }

    #[getter]
    fn has_failed(&self) -> bool {
        self.kept().has_failed()
    }

    #[getter]
    fn is_done(&self) -> bool {
        self.kept().is_done()
    }

    /// The items by how they stand.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = *self.kept().counts();
        let shown = PyDict::new(py);
        shown.set_item("pending", counts.pending)?;
        shown.set_item("running", counts.running)?;
        shown.set_item("succeeded", counts.succeeded)?;
        shown.set_item("failed", counts.failed)?;
        shown.set_item("timedOut", counts.timed_out)?;
        shown.set_item("aborted", counts.aborted)?;
        shown.set_item("total", counts.total())?;
        Ok(shown)
    }
}
