//! Calls from Rust into code of Python.
//!
//! Before Python 3.14 the end of a program unwinds daemon threads: one that asks for the
//! interpreter in the middle of a function is unwound from there, through all that called it. PyO3
//! declares the functions of the interpreter as such that never unwind, so an unwinder that comes
//! to a frame of ours which called one ends the process. So every call that may run a function of
//! Python goes through here. It is declared as one that unwinds, and the thread stops behind it, as
//! threads do since Python 3.14.

#![allow(unsafe_code)]

use std::hint::black_box;

use pyo3::BoundObject as _;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

type Object = *mut ffi::PyObject;
type Declared = unsafe extern "C" fn(Object, Object, Object) -> Object;
/// Takes what is called, a tuple of arguments, and a dict of named ones or null.
type Unwinding = unsafe extern "C-unwind" fn(Object, Object, Object) -> Object;

/// An object that is called, or whose methods are, from Rust.
pub(crate) trait PythonCall<'py> {
    /// Calls the object.
    fn run<A>(&self, arguments: A) -> PyResult<Bound<'py, PyAny>>
    where
        A: IntoPyObject<'py, Target = PyTuple>;

    /// Calls the object with named arguments.
    fn run_named<A>(&self, arguments: A, named: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>>
    where
        A: IntoPyObject<'py, Target = PyTuple>;

    /// Calls a method of the object.
    fn run_method<N, A>(&self, name: N, arguments: A) -> PyResult<Bound<'py, PyAny>>
    where
        N: IntoPyObject<'py, Target = PyString>,
        A: IntoPyObject<'py, Target = PyTuple>;
}

impl<'py, T> PythonCall<'py> for Bound<'py, T> {
    fn run<A>(&self, arguments: A) -> PyResult<Bound<'py, PyAny>>
    where
        A: IntoPyObject<'py, Target = PyTuple>,
    {
        let arguments = arguments.into_pyobject(self.py()).map_err(Into::into)?.into_bound();
        call(self.as_any(), &arguments, None)
    }

    fn run_named<A>(&self, arguments: A, named: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>>
    where
        A: IntoPyObject<'py, Target = PyTuple>,
    {
        let arguments = arguments.into_pyobject(self.py()).map_err(Into::into)?.into_bound();
        call(self.as_any(), &arguments, Some(named))
    }

    fn run_method<N, A>(&self, name: N, arguments: A) -> PyResult<Bound<'py, PyAny>>
    where
        N: IntoPyObject<'py, Target = PyString>,
        A: IntoPyObject<'py, Target = PyTuple>,
    {
        self.as_any().getattr(name)?.run(arguments)
    }
}

fn call<'py>(
    callable: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
    named: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    // Through a pointer that the compiler cannot follow: it would find the declaration of PyO3, and
    // leave out what runs when the call is unwound.
    let declared = black_box(ffi::PyObject_Call as Declared);
    // SAFETY: the two types differ only in whether the function may unwind, which it does.
    let call = unsafe { std::mem::transmute::<Declared, Unwinding>(declared) };
    let named = named.map_or(std::ptr::null_mut(), Bound::as_ptr);
    let guard = StopIfUnwound;
    // SAFETY: `Bound` says that this thread is attached and that the objects live; the second is a
    // tuple, the third a dict or null, as the function wants it.
    let returned = unsafe { call(callable.as_ptr(), arguments.as_ptr(), named) };
    std::mem::forget(guard);
    // SAFETY: the function returns a reference that is ours, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(callable.py(), returned) }
}

/// Calls `function` with one argument in `context`, as `contextvars.Context.run` does.
pub(crate) fn run_in<'py>(
    context: &Bound<'py, PyAny>,
    function: &Bound<'py, PyAny>,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    #[cfg(not(feature = "abi3"))]
    // SAFETY: `Bound` says that this thread is attached and that the objects live. What is entered
    // here is exited here; the exception of a call that failed has been taken over by then.
    unsafe {
        let (py, raw) = (context.py(), context.as_ptr());
        if ffi::PyContext_CheckExact(raw) != 0 {
            if ffi::PyContext_Enter(raw) != 0 {
                return Err(PyErr::fetch(py));
            }
            let returned = call_with(function, argument);
            return if ffi::PyContext_Exit(raw) == 0 { returned } else { Err(PyErr::fetch(py)) };
        }
    }
    context.run_method(pyo3::intern!(context.py(), "run"), (function, argument))
}

unsafe extern "C-unwind" {
    #[link_name = "PyObject_CallOneArg"]
    fn call_one(callable: Object, argument: Object) -> Object;
}

/// Calls `function` with one argument.
pub(crate) fn call_with<'py>(
    function: &Bound<'py, PyAny>,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let guard = StopIfUnwound;
    // SAFETY: `Bound` says that this thread is attached and that the objects live.
    let returned = unsafe { call_one(function.as_ptr(), argument.as_ptr()) };
    std::mem::forget(guard);
    // SAFETY: the function returns a reference that is ours, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(function.py(), returned) }
}

struct StopIfUnwound;

impl Drop for StopIfUnwound {
    fn drop(&mut self) {
        loop {
            std::thread::park();
        }
    }
}
