//! A cell that the interpreter's lock guards: what an object of Python's changes without a locked
//! instruction, of which a short call would need as many as it has fields.

#![allow(unsafe_code)]

use std::cell::UnsafeCell;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::python_call::PythonCall as _;

/// Refuses an interpreter that was told to run without its lock: a free-threaded one takes it for
/// this module, unless its user forbids that.
pub(crate) fn check(py: Python<'_>) -> PyResult<()> {
    match py.import("sys")?.getattr_opt("_is_gil_enabled")? {
        Some(asked) if !asked.run(())?.is_truthy()? => Err(PyImportError::new_err(
            "trunkline needs the GIL, which PYTHON_GIL=0 or -X gil=0 has switched off. Start Python \
             without it.",
        )),
        _ => Ok(()),
    }
}

/// A value that a thread moves in or out while it is attached to the interpreter.
#[derive(Default)]
pub(crate) struct GilCell<T>(UnsafeCell<T>);

// SAFETY: every access proves by a token that the thread is attached, and so holds the lock of the
// interpreter, which this module asks for (`gil_used`). Threads only hand the value on to each
// other, which `Send` allows.
unsafe impl<T: Send> Sync for GilCell<T> {}

impl<T> GilCell<T> {
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Moves `value` in; returns what was there.
    #[inline]
    pub fn replace(&self, _attached: Python<'_>, value: T) -> T {
        // SAFETY: attached, see above. Two moves run nothing of Python's that could come back here,
        // and the reference ends with them.
        std::mem::replace(unsafe { &mut *self.0.get() }, value)
    }

    /// Moves the value out.
    #[inline]
    pub fn take(&self, attached: Python<'_>) -> T
    where
        T: Default,
    {
        self.replace(attached, T::default())
    }

    #[inline]
    pub fn get(&self, _attached: Python<'_>) -> T
    where
        T: Copy,
    {
        // SAFETY: attached, see above, and a copy runs nothing of Python's.
        unsafe { *self.0.get() }
    }

    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// Shows the value to the collector.
    pub fn traverse(
        &self,
        visit: &PyVisit<'_>,
        each: impl FnOnce(&T, &PyVisit<'_>) -> Result<(), PyTraverseError>,
    ) -> Result<(), PyTraverseError> {
        // SAFETY: the collector runs attached, and lets nothing else run while it looks.
        each(unsafe { &*self.0.get() }, visit)
    }
}

impl<T> GilCell<Option<Py<T>>> {
    /// One more reference to the object.
    #[inline]
    pub fn clone_ref(&self, attached: Python<'_>) -> Option<Py<T>> {
        // SAFETY: attached, see above, and counting a reference runs nothing of Python's.
        unsafe { &*self.0.get() }.as_ref().map(|object| object.clone_ref(attached))
    }
}
