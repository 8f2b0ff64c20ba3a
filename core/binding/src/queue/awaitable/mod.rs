//! The verbs of `trunkline.aio.Queue` that a program awaits for every message.
//!
//! A plain call is a [`Coroutine`] of this module, which nearly always ends in its first step. Any
//! other call is a coroutine of Python's, whose name begins with an underscore there.

mod coroutine;
mod lease;
mod message;
#[cfg(not(feature = "abi3"))]
mod slots;
mod verb;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use self::coroutine::Coroutine;
pub(crate) use self::message::AsyncMessage;
use self::verb::Verb;
use crate::python_call::PythonCall as _;
use crate::queue::blocking::BlockingVerbs;
use crate::queue::handle::HandleRef;
use crate::queue::received::Max;

/// The verbs of `trunkline.aio.Queue` that a program awaits for every message.
#[pyclass(frozen, subclass, module = "trunkline._core")]
pub(crate) struct AwaitableVerbs(pub HandleRef);

impl AwaitableVerbs {
    /// The awaitable of a plain call.
    fn plain<'py>(py: Python<'py>, verb: Verb) -> PyResult<Bound<'py, PyAny>> {
        Ok(Coroutine::of(py, verb)?.into_any())
    }
}

#[pymethods]
impl AwaitableVerbs {
    #[new]
    fn new(queue: &Bound<'_, BlockingVerbs>) -> Self {
        Self(queue.get().0.clone_ref(queue.py()))
    }

    /// Add a message; return once it is as durable as the engine promises.
    ///
    /// Cancelling it does not take the message back. See :meth:`trunkline.Queue.send`.
    ///
    /// >>> import asyncio, trunkline
    /// >>> async def main():
    /// ...     return await trunkline.aio.open().queue("orders").send("one coffee")
    /// >>> asyncio.run(main()).duplicate
    /// False
    #[pyo3(signature = (body, *, group=None, dedup_id=None, delay=None, attributes=None,
        durability=None))]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the Python method")]
    fn send<'py>(
        slf: &Bound<'py, Self>,
        body: &Bound<'py, PyAny>,
        group: Option<&Bound<'py, PyAny>>,
        dedup_id: Option<&Bound<'py, PyAny>>,
        delay: Option<&Bound<'py, PyAny>>,
        attributes: Option<&Bound<'py, PyAny>>,
        durability: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let options = (group, dedup_id, delay, attributes, durability);
        if !matches!(options, (None, None, None, None, None)) {
            let arguments = (body, group, dedup_id, delay, attributes, durability);
            return slf.run_method(intern!(py, "_send_with"), arguments);
        }
        Self::plain(py, Verb::Send { queue: slf.clone().unbind(), body: body.clone().unbind() })
    }

    /// Lease up to `max` messages; wait at most `wait` seconds for the first.
    ///
    /// Cancelling it loses nothing. See :meth:`trunkline.Queue.receive`.
    ///
    /// >>> import asyncio, trunkline
    /// >>> async def main():
    /// ...     return await trunkline.aio.open().queue("orders").receive(wait=0.01)
    /// >>> asyncio.run(main())
    /// []
    #[pyo3(
        signature = (max=Max::Count(1), wait=None, visibility_timeout=None, attempt_id=None),
        text_signature = "($self, max=1, wait=None, visibility_timeout=None, attempt_id=None)"
    )]
    fn receive<'py>(
        slf: &Bound<'py, Self>,
        max: Max<'py>,
        wait: Option<&Bound<'py, PyAny>>,
        visibility_timeout: Option<&Bound<'py, PyAny>>,
        attempt_id: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let max = match (max, visibility_timeout, attempt_id) {
            (Max::Count(max), None, None) => {
                let (queue, wait) = (slf.clone().unbind(), wait.map(|wait| wait.clone().unbind()));
                return Self::plain(py, Verb::Receive { queue, max, wait });
            }
            (Max::Count(max), ..) => max.into_pyobject(py)?.into_any(),
            (Max::Other(max), ..) => max,
        };
        let arguments = (max, wait, visibility_timeout, attempt_id);
        slf.run_method(intern!(py, "_receive_with"), arguments)
    }

    /// Delete many, with one wait for the disk.
    ///
    /// >>> import asyncio, trunkline
    /// >>> async def main():
    /// ...     queue = trunkline.aio.open().queue("orders")
    /// ...     await queue.send_batch(["one", "two"])
    /// ...     return (await queue.delete_batch(await queue.receive(max=10))).successful
    /// >>> asyncio.run(main())
    /// (0, 1)
    #[pyo3(signature = (deliveries, *, durability=None))]
    fn delete_batch<'py>(
        slf: &Bound<'py, Self>,
        deliveries: &Bound<'py, PyAny>,
        durability: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if let (Ok(list), None) = (deliveries.cast_exact::<PyList>(), durability) {
            let (queue, deliveries) = (slf.clone().unbind(), list.clone().unbind());
            return Self::plain(py, Verb::DeleteBatch { queue, deliveries });
        }
        slf.run_method(intern!(py, "_delete_batch_with"), (deliveries, durability))
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<AwaitableVerbs>()?;
    module.add_class::<Coroutine>()?;
    #[cfg(not(feature = "abi3"))]
    slots::install(module.py());
    message::register(module)
}
