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
pub(crate) struct Bell {
    shared: Arc<Shared>,
    ear: File,
}

struct Shared {
    tokens: Mutex<Vec<u64>>,
    ringing: AtomicBool,
    clapper: File,
}

/// One waiter's way to the bell.
struct Ring {
    shared: Arc<Shared>,
    token: u64,
}

impl Signal for Ring {
    fn signal(&self) {
        lock(&self.shared.tokens).push(self.token);
        if !self.shared.ringing.swap(true, Ordering::AcqRel) {
            // A full pipe is ringing already; a closed one has no loop that could care.
            drop((&self.shared.clapper).write_all(&1u64.to_ne_bytes()));
        }
    }
}

impl Bell {
    pub fn signal(&self, token: u64) -> Arc<dyn Signal> {
        Arc::new(Ring { shared: self.shared.clone(), token })
    }
}

#[pymethods]
impl Bell {
    #[new]
    fn new() -> PyResult<Self> {
        let (ear, clapper) = pair().map_err(|error| PyOSError::new_err(error.to_string()))?;
        let ringing = AtomicBool::new(false);
        let shared = Shared { tokens: Mutex::new(Vec::new()), ringing, clapper };
        Ok(Self { shared: Arc::new(shared), ear })
    }

    fn fileno(&self) -> i32 {
        self.ear.as_raw_fd()
    }

    /// The tokens that were pushed since the last look.
    fn drain(&self) -> Vec<u64> {
        let mut noise = [0u8; 64];
        // Empty already if the loop looked twice.
        drop((&self.ear).read(&mut noise));
        // Before the list is taken: a token pushed after this line rings anew.
        self.shared.ringing.store(false, Ordering::Release);
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
    let ear = unsafe {
        let descriptor = libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC);
        if descriptor < 0 {
            return Err(std::io::Error::last_os_error());
        }
        File::from(OwnedFd::from_raw_fd(descriptor))
    };
    let clapper = ear.try_clone()?;
    Ok((ear, clapper))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn pair() -> std::io::Result<(File, File)> {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    let (ear, clapper) = UnixStream::pair()?;
    ear.set_nonblocking(true)?;
    clapper.set_nonblocking(true)?;
    Ok((File::from(OwnedFd::from(ear)), File::from(OwnedFd::from(clapper))))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Bell>()?;
    module.add_class::<Subscription>()
}
