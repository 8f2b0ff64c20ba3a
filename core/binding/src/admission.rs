//! Admission of calls: a thread blocks while faults or back-pressure hold its call up; an event
//! loop gets the held call, and waits in its own way.

use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use trunkline_engine::{Admission, Admitted, Engine, Held, Needs, Operation, ResourceName};
use trunkline_types::sync::lock;

use crate::error::{NotAdmitted, guard, raise};
use crate::pending::{PendingWrite, block};

/// Admits a call of `operation`, or says what holds it up.
#[cold]
fn try_admit(
    py: Python<'_>,
    engine: &Engine,
    resource: &ResourceName,
    operation: Operation,
) -> PyResult<Admission> {
    let host = engine.host();
    if operation.needs == Needs::Capacity && !host.has_capacity() {
        // It may make the next segment of the journal.
        return py.detach(|| host.try_admit(operation, resource)).map_err(raise);
    }
    host.try_admit(operation, resource).map_err(raise)
}

/// Admits a call of `operation`, and blocks, detached, while it is held up.
#[inline(always)]
pub(crate) fn admit(
    py: Python<'_>,
    engine: &Engine,
    resource: &ResourceName,
    operation: Operation,
) -> PyResult<Admitted> {
    match engine.host().admit_at_once(operation) {
        Some(call) => Ok(call),
        None => admit_later(py, engine, resource, operation),
    }
}

#[cold]
fn admit_later(
    py: Python<'_>,
    engine: &Engine,
    resource: &ResourceName,
    operation: Operation,
) -> PyResult<Admitted> {
    match try_admit(py, engine, resource, operation)? {
        Admission::Ready(call) => Ok(call),
        Admission::Held(held) => admit_held(py, engine, *held),
    }
}

#[cold]
fn admit_held(py: Python<'_>, engine: &Engine, mut held: Held) -> PyResult<Admitted> {
    loop {
        block(py, engine, held.waits_for())?;
        match py.detach(|| engine.host().resume(&held)).map_err(raise)? {
            Admission::Ready(call) => return Ok(call),
            Admission::Held(again) => held = *again,
        }
    }
}

/// A call on its way to be admitted. Its verb takes it once [`HeldCall::waits_for`] says `None`.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct HeldCall {
    engine: Arc<Engine>,
    admission: Mutex<Option<Admission>>,
}

impl HeldCall {
    /// Admits a call: one that was held before, or a new one. Raises `NotAdmitted`, with the held
    /// call, where it has to wait.
    #[inline(always)]
    pub fn admit(
        py: Python<'_>,
        engine: &Arc<Engine>,
        resource: &ResourceName,
        operation: Operation,
        held: Option<&HeldCall>,
    ) -> PyResult<Admitted> {
        match held {
            Some(held) => held.take(),
            None => match engine.host().admit_at_once(operation) {
                Some(call) => Ok(call),
                None => Self::hold(py, engine, resource, operation),
            },
        }
    }

    #[cold]
    fn hold(
        py: Python<'_>,
        engine: &Arc<Engine>,
        resource: &ResourceName,
        operation: Operation,
    ) -> PyResult<Admitted> {
        match try_admit(py, engine, resource, operation)? {
            Admission::Ready(call) => Ok(call),
            held @ Admission::Held(_) => {
                let admission = Mutex::new(Some(held));
                Err(NotAdmitted::new_err((Self { engine: engine.clone(), admission },)))
            }
        }
    }

    fn take(&self) -> PyResult<Admitted> {
        match lock(&self.admission).take() {
            Some(Admission::Ready(call)) => Ok(call),
            _ => Err(PyRuntimeError::new_err("The call has not been admitted, or was made.")),
        }
    }
}

#[pymethods]
impl HeldCall {
    /// What to wait for before asking again; `None` once the call may start.
    fn waits_for(&self, py: Python<'_>) -> PyResult<Option<Py<PendingWrite>>> {
        guard(|| {
            let mut admission = lock(&self.admission);
            let Some(Admission::Held(held)) = &*admission else { return Ok(None) };
            let host = self.engine.host();
            // A wait that failed is over too: the admission tells why.
            if !held.waits_for().is_over(host).unwrap_or(true) {
                return PendingWrite::of(py, &self.engine, *held.waits_for()).map(Some);
            }
            let again = py.detach(|| host.resume(held)).map_err(raise)?;
            let waits_for = match &again {
                Admission::Ready(_) => None,
                Admission::Held(held) => {
                    Some(PendingWrite::of(py, &self.engine, *held.waits_for())?)
                }
            };
            *admission = Some(again);
            Ok(waits_for)
        })
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<HeldCall>()
}
