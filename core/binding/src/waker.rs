//! The completion queue of one event loop.
//!
//! Threads of the engine push tokens and ring at most once until the loop has looked: a burst of a
//! thousand wakes costs one write. They never take the interpreter's lock.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use trunkline_engine::{Ended, Queue as EngineQueue, Signal, WaiterId};
use trunkline_types::sync::lock;

use crate::error::guard;

/// What the loop listens to.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Waker {
    shared: Arc<Shared>,
    reader: File,
}

struct Shared {
    tokens: Mutex<Vec<u64>>,
    notified: AtomicBool,
    writer: File,
}

/// One waiter's way to the waker.
struct Token {
    shared: Arc<Shared>,
    token: u64,
}

impl Signal for Token {
    fn signal(&self) {
        lock(&self.shared.tokens).push(self.token);
        if !self.shared.notified.swap(true, Ordering::AcqRel) {
            // A full pipe is notified already; a closed one has no loop that could care.
            drop((&self.shared.writer).write_all(&1u64.to_ne_bytes()));
        }
    }
}

impl Waker {
    pub fn signal(&self, token: u64) -> Arc<dyn Signal> {
        Arc::new(Token { shared: self.shared.clone(), token })
    }
}

#[pymethods]
impl Waker {
    #[new]
    fn new() -> PyResult<Self> {
        let (reader, writer) = pair().map_err(|error| PyOSError::new_err(error.to_string()))?;
        let notified = AtomicBool::new(false);
        let shared = Shared { tokens: Mutex::new(Vec::new()), notified, writer };
        Ok(Self { shared: Arc::new(shared), reader })
    }

    fn fileno(&self) -> i32 {
        self.reader.as_raw_fd()
    }

    /// The tokens that were pushed since the last look.
    fn drain(&self) -> Vec<u64> {
        let mut buffer = [0u8; 64];
        // Empty already if the loop looked twice.
        drop((&self.reader).read(&mut buffer));
        // Before the list is taken: a token pushed after this line rings anew.
        self.shared.notified.store(false, Ordering::Release);
        std::mem::take(&mut *lock(&self.shared.tokens))
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
