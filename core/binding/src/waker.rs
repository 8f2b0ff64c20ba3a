//! The waker of one event loop: threads of the engine say what has happened, the loop completes
//! what awaits it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use pyo3::PyTraverseError;
use pyo3::exceptions::PyOSError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyWeakrefReference;
use trunkline_engine::{Engine, Signal, Ticket};
use trunkline_types::Durability;
use trunkline_types::sync::lock;

use crate::awaited::{self, AwaitedWrites, Gathering};
use crate::completion::{self, Completion};
use crate::notifier::{Notifier, Token};
use crate::python_call::PythonCall as _;

thread_local! {
    /// The loop whose waker completes tasks on this thread right now: it is the running one.
    static RUNNING: RefCell<Option<Loop>> = const { RefCell::new(None) };
}

/// A loop and its waker.
struct Loop {
    event_loop: Py<PyAny>,
    waker: Py<Waker>,
}

/// What the loop listens to, and what its tasks await.
#[pyclass(frozen, weakref, module = "trunkline._core")]
pub(crate) struct Waker {
    notifier: Arc<Notifier>,
    /// Nothing here keeps the loop: the loop keeps the waker.
    event_loop: Py<PyWeakrefReference>,
    parked: Mutex<Parked>,
    writes: Mutex<Vec<AwaitedWrites>>,
}

#[derive(Default)]
struct Parked {
    next: u64,
    completions: HashMap<u64, Py<Completion>>,
}

/// Makes a loop known as the running one of its thread until dropped.
struct Running(Option<Loop>);

impl Running {
    fn enter(waker: &Bound<'_, Waker>) -> PyResult<Self> {
        let event_loop = waker.get().event_loop.bind(waker.py()).run(())?.unbind();
        let entered = Loop { event_loop, waker: waker.clone().unbind() };
        Ok(Self(RUNNING.replace(Some(entered))))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Dropped outside of the cell: it may be the last reference.
        let ended = RUNNING.replace(self.0.take());
        drop(ended);
    }
}

impl Waker {
    pub fn signal(&self, token: u64) -> Arc<dyn Signal> {
        Arc::new(Token { notifier: self.notifier.clone(), token })
    }

    /// Completes `write` when `ticket` has reached `level`, or never will. Call it on the thread of
    /// a running loop: that loop's waker is the one.
    pub fn park_write(
        write: &Bound<'_, Completion>,
        engine: &Arc<Engine>,
        ticket: Ticket,
        level: Durability,
    ) -> PyResult<()> {
        let py = write.py();
        let clone = |one: &Loop| (one.event_loop.clone_ref(py), one.waker.clone_ref(py));
        let running = RUNNING.with_borrow(|running| running.as_ref().map(clone));
        let (event_loop, waker, gathering) = match running {
            Some((event_loop, waker)) => (event_loop, waker, Gathering::under_waker()),
            None => {
                let (event_loop, waker) = running_loop(py)?;
                (event_loop, waker, Gathering::No)
            }
        };
        let waker = waker.get();
        write.get().suspend(event_loop.into_bound(py));
        let mut writes = lock(&waker.writes);
        let known = writes.iter().position(|awaited| awaited.is_for(engine, level));
        let index = known.unwrap_or_else(|| {
            let notifier = waker.notifier.clone();
            writes.push(AwaitedWrites::new(engine.clone(), level, notifier));
            writes.len() - 1
        });
        writes[index].add(ticket, write.clone().unbind(), gathering)
    }

    /// Completes the writes that are settled.
    fn complete_writes(&self, py: Python<'_>) -> PyResult<()> {
        let mut first = Ok(());
        let count = lock(&self.writes).len();
        for index in 0..count {
            let settled = lock(&self.writes)[index].take_settled();
            if let Some(settled) = settled {
                first = first.and(awaited::complete_all(py, settled));
            }
        }
        first
    }

    /// Asks for the signal of the writes that are left, and lets go of engines without any.
    fn arm_writes(&self, py: Python<'_>) -> PyResult<()> {
        let mut lost = Vec::new();
        lock(&self.writes).retain_mut(|awaited| {
            if awaited.arm().is_err() {
                // Each write says why when it is asked.
                lost.append(&mut awaited.take_all());
            }
            !awaited.is_empty()
        });
        awaited::complete_all(py, lost)
    }
}

/// The running loop and its waker, which is made at first use.
fn running_loop(py: Python<'_>) -> PyResult<(Py<PyAny>, Py<Waker>)> {
    static FIND: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let found = FIND.import(py, "trunkline.aio.loop", "waker")?.run(())?;
    found.extract()
}

#[pymethods]
impl Waker {
    #[new]
    fn new(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        let notifier = Notifier::new().map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(Self {
            notifier: Arc::new(notifier),
            event_loop: PyWeakrefReference::new(event_loop)?.unbind(),
            parked: Mutex::default(),
            writes: Mutex::default(),
        })
    }

    fn fileno(&self) -> i32 {
        self.notifier.descriptor()
    }

    /// A token, and the completion that its signal ends.
    pub fn park(&self, py: Python<'_>, event_loop: Py<PyAny>) -> PyResult<(u64, Py<Completion>)> {
        let completion = Py::new(py, Completion::new(event_loop))?;
        let mut parked = lock(&self.parked);
        let token = parked.next;
        parked.next += 1;
        parked.completions.insert(token, completion.clone_ref(py));
        Ok((token, completion))
    }

    /// Forgets a token; its signal is no longer awaited.
    pub fn leave(&self, token: u64) {
        let forgotten = lock(&self.parked).completions.remove(&token);
        drop(forgotten);
    }

    /// Completes what was signalled: the loop's callback when the descriptor is readable.
    fn run(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let running = Running::enter(slf)?;
        let mut first = Ok(());
        let mut tokens = this.notifier.take_tokens().into_iter();
        while let Some(token) = tokens.next() {
            Gathering::leave(tokens.len());
            let completion = lock(&this.parked).completions.remove(&token);
            if let Some(completion) = completion {
                first = first.and(Completion::complete(completion.bind(py)));
            }
        }
        first = first.and(this.complete_writes(py));
        drop(running);
        first = first.and(this.arm_writes(py));
        // A write keeps its engine, which may be the last to do so.
        drop(completion::ENDED.take(py));
        first
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(parked) = self.parked.try_lock() {
            parked.completions.values().try_for_each(|completion| visit.call(completion))?;
        }
        let Ok(writes) = self.writes.try_lock() else { return Ok(()) };
        writes.iter().flat_map(AwaitedWrites::writes).try_for_each(|write| visit.call(write))
    }

    fn __clear__(&self) {
        let parked = self.parked.try_lock().map(|mut parked| std::mem::take(&mut *parked));
        let writes = self.writes.try_lock().map(|mut writes| std::mem::take(&mut *writes));
        drop((parked.ok(), writes.ok()));
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Waker>()
}
