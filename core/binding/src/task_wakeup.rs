//! How a task that awaited something of ours is woken.
//!
//! The callback of a task of asyncio's, `task_wakeup`, asks the awaited object for its `result`, by
//! a name that CPython makes anew each time and so finds in no cache: that takes as long as all
//! else of the call. Of a future of asyncio's own it asks nothing. So a wait that ended well wakes
//! its task with such a future, one for all, which has ended long ago and has no result either.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::raw_object::address_of;

/// The address of `task_wakeup`, which has no name in Python, known once one was met.
static WAKEUP: PyOnceLock<usize> = PyOnceLock::new();

/// The future that wakes a task, if `callback` is that of a task of asyncio's own.
#[inline]
pub(crate) fn ended_future<'py>(callback: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let (py, address) = (callback.py(), address_of(callback)?);
    match WAKEUP.get(py) {
        Some(&known) => (known == address).then(|| future(py))?,
        None => is_wakeup(callback).then(|| {
            // Another thread can only have found the same.
            let _known = WAKEUP.set(py, address);
            future(py)
        })?,
    }
}

fn future(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    static ENDED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    ENDED.import(py, "trunkline.aio.loop", "ENDED").ok().cloned()
}

#[cold]
fn is_wakeup(callback: &Bound<'_, PyAny>) -> bool {
    let is_named = |callback: &Bound<'_, PyAny>| -> PyResult<bool> {
        let task = callback.py().import("_asyncio")?.getattr("Task")?;
        let name = callback.getattr("__name__")?;
        Ok(name.eq("task_wakeup")? && callback.getattr("__self__")?.is_instance(&task)?)
    };
    is_named(callback).unwrap_or(false)
}
