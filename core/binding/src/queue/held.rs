//! A call that faults or back-pressure hold up, for Python to wait for in its own way.

use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use trunkline_engine::{Admission, Admitted, Operation};
use trunkline_types::sync::lock;

use crate::error::{NotAdmitted, guard, raise};
use crate::queue::handle::Handle;
use crate::queue::pending::PendingWrite;

/// A call on its way to be admitted. Its verb takes it once [`HeldCall::waits_for`] says `None`.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct HeldCall {
    handle: Arc<Handle>,
    admission: Mutex<Option<Admission>>,
}

impl HeldCall {
    /// Admits a call: one that was held before, or a new one. Raises `NotAdmitted`, with the held
    /// call, where it has to wait.
    #[inline]
    pub fn admit(
        py: Python<'_>,
        handle: &Arc<Handle>,
        operation: Operation,
        held: Option<&HeldCall>,
    ) -> PyResult<Admitted> {
        if let Some(held) = held {
            return held.take();
        }
        match handle.try_admit(py, operation)? {
            Admission::Ready(call) => Ok(call),
            held @ Admission::Held(_) => {
                let admission = Mutex::new(Some(held));
                Err(NotAdmitted::new_err((Self { handle: handle.clone(), admission },)))
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
            let host = self.handle.engine.host();
            // A wait that failed is over too: the admission tells why.
            if !held.waits_for().is_over(host).unwrap_or(true) {
                return PendingWrite::of(py, &self.handle, *held.waits_for()).map(Some);
            }
            let again = py.detach(|| self.handle.queue.resume(held)).map_err(raise)?;
            let waits_for = match &again {
                Admission::Ready(_) => None,
                Admission::Held(held) => {
                    Some(PendingWrite::of(py, &self.handle, *held.waits_for())?)
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
