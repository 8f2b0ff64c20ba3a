//! What is asked of an object of Python's for which PyO3 has no safe function.

#![allow(unsafe_code)]

use pyo3::ffi;
use pyo3::prelude::*;

/// Whether nothing else refers to an object.
#[inline]
pub(crate) fn is_alone<T>(object: &Bound<'_, T>) -> bool {
    // SAFETY: `Bound` says that the thread is attached and that the object lives.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) == 1 }
}

/// The address of a function that is written in C.
#[inline]
pub(crate) fn address_of(function: &Bound<'_, PyAny>) -> Option<usize> {
    let raw = function.as_ptr();
    // SAFETY: `Bound` says that this thread is attached and that the object lives; the second call
    // gets an object of the type it is for.
    let function = unsafe {
        if ffi::PyCFunction_CheckExact(raw) == 0 {
            return None;
        }
        ffi::PyCFunction_GetFunction(raw)
    };
    function.map(|function| function as usize)
}
