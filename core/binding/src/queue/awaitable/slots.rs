//! The slots by which CPython awaits and steps a coroutine: `am_await`, which returns the coroutine
//! itself, and `am_send`. Through `tp_iternext` alone a value is returned in a StopIteration, which
//! takes as long as all the rest of a short call.
//!
//! PyO3 has no way to fill `am_send`. The slots are filled once, when the module is made; each step
//! goes on through the `tp_iternext` that PyO3 made, with its guard against panics.

#![allow(unsafe_code)]

use std::ptr;

use pyo3::ffi::{self, PySendResult};
use pyo3::prelude::*;

use super::coroutine::{Coroutine, Exchange};

/// Lets the interpreter step coroutines of this class without exceptions.
pub(super) fn install(py: Python<'_>) {
    let class = py.get_type::<Coroutine>();
    // SAFETY: the class is a heap type that is complete and has no instance yet. `tp_as_async` of a
    // heap type points into the type itself, or is null. We are attached to the interpreter.
    unsafe {
        if let Some(methods) = (*class.as_type_ptr()).tp_as_async.as_mut() {
            methods.am_await = Some(itself);
            methods.am_send = Some(step);
        }
    }
}

unsafe extern "C" fn itself(coroutine: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls this attached, with a valid object.
    unsafe { ffi::Py_NewRef(coroutine) }
}

/// One step: `tp_iternext`, with the values handed over in the object.
unsafe extern "C" fn step(
    coroutine: *mut ffi::PyObject,
    sent: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> PySendResult {
    // SAFETY: the interpreter calls this attached, with an instance of the class that has the slot
    // and a valid object to send. The class has no subclasses, so `tp_iternext` is that of
    // `Coroutine`. `result` may be written.
    unsafe {
        let py = Python::assume_attached();
        let this = Borrowed::from_ptr(py, coroutine).cast_unchecked::<Coroutine>();
        let sent =
            (sent != ffi::Py_None()).then(|| Borrowed::from_ptr(py, sent).to_owned().unbind());
        let exchange = &this.get().exchange;
        // A step that begins inside of another is refused, and leaves the values of the other.
        let outer = exchange.replace(py, Exchange { is_used: true, sent, returned: None });
        *result = match (*ffi::Py_TYPE(coroutine)).tp_iternext {
            Some(next) => next(coroutine),
            None => ptr::null_mut(),
        };
        let exchange = exchange.replace(py, outer);
        if !(*result).is_null() {
            return PySendResult::PYGEN_NEXT;
        }
        if !ffi::PyErr_Occurred().is_null() {
            return PySendResult::PYGEN_ERROR;
        }
        *result = match exchange.returned {
            Some(returned) => returned.into_ptr(),
            None => ffi::Py_NewRef(ffi::Py_None()),
        };
        PySendResult::PYGEN_RETURN
    }
}
