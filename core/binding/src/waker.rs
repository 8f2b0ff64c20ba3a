//! The waker of one event loop: threads of the engine name what has happened, the loop completes
//! what awaits it.
//!
//! A thread pushes a token and writes to the descriptor only if the loop has looked since the last
//! write: a burst of a thousand costs one write and one callback. It never takes the interpreter's
//! lock.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use pyo3::PyTraverseError;
use pyo3::exceptions::PyOSError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use trunkline_engine::{Ended, Queue as EngineQueue, Signal, WaiterId};
use trunkline_types::sync::lock;

use crate::completion::Completion;
use crate::error::guard;

/// What the loop listens to, and what its tasks await.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Waker {
    shared: Arc<Shared>,
    reader: File,
    parked: Mutex<Parked>,
}

#[derive(Default)]
struct Parked {
    next: u64,
    completions: HashMap<u64, Py<Completion>>,
}

struct Shared {
    tokens: Mutex<Vec<u64>>,
    notified: AtomicBool,
    writer: File,
}

/// The signal that completes one token.
struct Token {
    shared: Arc<Shared>,
    token: u64,
}

impl Signal for Token {
    fn signal(&self) {
        lock(&self.shared.tokens).push(self.token);
        if !self.shared.notified.swap(true, Ordering::AcqRel) {
            // A full descriptor has notified already; a closed one has no loop that could care.
            drop((&self.shared.writer).write_all(&1u64.to_ne_bytes()));
        }
    }
}

impl Waker {
    pub fn signal(&self, token: u64) -> Arc<dyn Signal> {
        Arc::new(Token { shared: self.shared.clone(), token })
    }

    /// The tokens that were signalled since the last look.
    fn signalled(&self) -> Vec<u64> {
        let mut buffer = [0u8; 64];
        // Empty already if the loop looked twice.
        drop((&self.reader).read(&mut buffer));
        // Before the list is taken: a token that is pushed after this line notifies anew.
        self.shared.notified.store(false, Ordering::Release);
        std::mem::take(&mut *lock(&self.shared.tokens))
    }
}

#[pymethods]
impl Waker {
    #[new]
    fn new() -> PyResult<Self> {
        let (reader, writer) = pair().map_err(|error| PyOSError::new_err(error.to_string()))?;
        let notified = AtomicBool::new(false);
        let shared = Shared { tokens: Mutex::new(Vec::new()), notified, writer };
        Ok(Self { shared: Arc::new(shared), reader, parked: Mutex::new(Parked::default()) })
    }

    fn fileno(&self) -> i32 {
        self.reader.as_raw_fd()
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
    fn leave(&self, token: u64) {
        let forgotten = lock(&self.parked).completions.remove(&token);
        drop(forgotten);
    }

    /// Completes what was signalled: the loop's callback when the descriptor is readable.
    fn run(&self, py: Python<'_>) -> PyResult<()> {
        let mut first = Ok(());
        for token in self.signalled() {
            let completion = lock(&self.parked).completions.remove(&token);
            if let Some(completion) = completion {
                first = first.and(Completion::complete(completion.bind(py)));
            }
        }
        first
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(parked) = self.parked.try_lock() else { return Ok(()) };
        parked.completions.values().try_for_each(|completion| visit.call(completion))
    }

    fn __clear__(&self) {
        let completions = match self.parked.try_lock() {
            Ok(mut parked) => std::mem::take(&mut parked.completions),
            Err(_) => HashMap::new(),
        };
        drop(completions);
    }
}

/// A place in the line of a queue's waiters.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Subscription {
    queue: Arc<EngineQueue>,
    id: WaiterId,
}

impl Subscription {
    pub fn new(queue: Arc<EngineQueue>, id: WaiterId) -> Self {
        Self { queue, id }
    }
}

#[pymethods]
impl Subscription {
    /// Leaves the line; an unused wake goes to the next. Whether a virtual deadline had passed.
    fn end(&self) -> PyResult<bool> {
        guard(|| Ok(self.queue.unsubscribe(self.id) == Ended::Expired))
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn pair() -> std::io::Result<(File, File)> {
    use std::os::fd::{FromRawFd, OwnedFd};
    // SAFETY: the call takes two numbers; the descriptor it returns is new and owned by nobody.
    #[allow(unsafe_code)]
    let reader = unsafe {
        let descriptor = libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC);
        if descriptor < 0 {
            return Err(std::io::Error::last_os_error());
        }
        File::from(OwnedFd::from_raw_fd(descriptor))
    };
    let writer = reader.try_clone()?;
    Ok((reader, writer))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn pair() -> std::io::Result<(File, File)> {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    writer.set_nonblocking(true)?;
    Ok((File::from(OwnedFd::from(reader)), File::from(OwnedFd::from(writer))))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Waker>()?;
    module.add_class::<Subscription>()
}
