//! Handlers of the outbox: they lease deliveries, and say how each ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use trunkline_engine::delivery::{Ended, RetryAfter};
use trunkline_engine::{
    AttemptRef, Awaited as _, Engine as CoreEngine, HandlerGuard, LeasedDelivery as Leased,
    LongPoll, Queue, attributes,
};
use trunkline_types::{Deadline, Error, Millis};

use crate::error::{guard, raise};

/// How long a thread that waits leaves deliveries to those that are at work: they take them without
/// a switch of threads if their functions are quick.
const PATIENCE: Duration = Duration::from_millis(1);
/// The same, of a thread that has seen them keep up: it looks less and less often.
const PATIENCE_MAX: Duration = Duration::from_millis(4);
/// A function that takes less is quick: another thread would rather disturb it than help.
const QUICK: Duration = Duration::from_millis(1);

/// A handler that leases deliveries of one destination.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Handler {
    engine: Arc<CoreEngine>,
    handler: HandlerGuard,
    queue: Arc<Queue>,
    settles_behind: bool,
    /// How many of its deliveries are leased.
    active: AtomicUsize,
    /// How many were leased so far.
    leased: AtomicUsize,
    /// How many threads have leased one and wait for the disk before they hand it out.
    awaiting: AtomicUsize,
    /// Whether the function that ended last was quick.
    is_quick: AtomicBool,
    is_stopped: AtomicBool,
}

impl Handler {
    pub fn new(
        engine: Arc<CoreEngine>,
        handler: HandlerGuard,
        queue: Arc<Queue>,
        settles_behind: bool,
    ) -> Self {
        Self {
            engine,
            handler,
            queue,
            settles_behind,
            active: AtomicUsize::new(0),
            leased: AtomicUsize::new(0),
            awaiting: AtomicUsize::new(0),
            is_quick: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
        }
    }
}

#[pymethods]
impl Handler {
    /// Leases up to `max` deliveries that are due; waits up to `wait` milliseconds for the first.
    fn lease(&self, py: Python<'_>, max: usize, wait: Millis) -> PyResult<Vec<LeasedDelivery>> {
        guard(|| {
            let mut leased = match wait > 0 && self.goes_on_soon() {
                true => Vec::new(),
                false => self.take(max).map_err(raise)?,
            };
            if leased.is_empty() {
                leased = py.detach(|| self.wait_for(max, wait)).map_err(raise)?;
            }
            match self.let_out(py, &leased) {
                Ok(()) => Ok(leased.into_iter().map(LeasedDelivery::new).collect()),
                Err(error) => {
                    self.put_down(leased.len());
                    Err(raise(error))
                }
            }
        })
    }

    /// Ends the waits for deliveries, those that come too.
    fn stop(&self, py: Python<'_>) {
        self.is_stopped.store(true, Ordering::SeqCst);
        py.detach(|| self.queue.waiters().wake_all());
    }

    /// The destination took the delivery.
    fn delivered(&self, py: Python<'_>, delivery: &LeasedDelivery) -> PyResult<()> {
        self.settle(py, delivery, &Ended::Delivered)
    }

    /// The attempt failed, and a later one may succeed: not before `retry_after` milliseconds.
    #[pyo3(signature = (delivery, why, retry_after=None))]
    fn failed(
        &self,
        py: Python<'_>,
        delivery: &LeasedDelivery,
        why: String,
        retry_after: Option<Millis>,
    ) -> PyResult<()> {
        let retry_after = retry_after.map(RetryAfter::In);
        self.settle(py, delivery, &Ended::Transient { why, retry_after })
    }

    /// Has a delivery whose attempt has failed tried again now.
    fn try_again(&self, delivery: &LeasedDelivery) -> PyResult<()> {
        guard(|| self.handler.try_again(&AttemptRef::from(&delivery.0)).map_err(raise))
    }

    /// The attempt failed, and every other would.
    fn refused(&self, py: Python<'_>, delivery: &LeasedDelivery, why: String) -> PyResult<()> {
        self.settle(py, delivery, &Ended::Permanent { why })
    }
}

impl Handler {
    /// Waits until deliveries may go out.
    fn let_out(&self, py: Python<'_>, leased: &[Leased]) -> Result<(), Error> {
        if !self.settles_behind || leased.is_empty() {
            return Ok(());
        }
        let Some(ticket) = self.handler.behind_what(leased)? else { return Ok(()) };
        self.awaiting.fetch_add(1, Ordering::Relaxed);
        let waited = py.detach(|| self.engine.wait(ticket, self.engine.durability()));
        self.awaiting.fetch_sub(1, Ordering::Relaxed);
        waited
    }

    fn take(&self, max: usize) -> Result<Vec<Leased>, Error> {
        let leased = self.handler.lease(max)?;
        self.active.fetch_add(leased.len(), Ordering::Relaxed);
        self.leased.fetch_add(leased.len(), Ordering::Relaxed);
        Ok(leased)
    }

    fn put_down(&self, count: usize) {
        self.active.fetch_sub(count, Ordering::Relaxed);
    }

    fn wait_for(&self, max: usize, wait: Millis) -> Result<Vec<Leased>, Error> {
        if wait == 0 {
            return Ok(Vec::new());
        }
        let end = Deadline::after(Duration::from_millis(wait));
        let some = || {
            self.leave_to_others(&end);
            if self.is_stopped.load(Ordering::SeqCst) {
                return Ok(Some(Vec::new()));
            }
            let leased = self.take(max)?;
            Ok::<_, Error>((!leased.is_empty()).then_some(leased))
        };
        Ok(LongPoll::new(self.queue.clone(), wait).block(some)?.unwrap_or_default())
    }

    /// Waits while other threads take one delivery after the other. While they do nothing wakes
    /// this one: it looks whether they keep up.
    fn leave_to_others(&self, end: &Deadline) {
        let mut seen = self.leased.load(Ordering::Relaxed);
        let mut patience = PATIENCE;
        while self.is_busy() && !self.is_stopped.load(Ordering::SeqCst) && !end.left().is_zero() {
            std::thread::sleep(patience.min(end.left()));
            let now = self.leased.load(Ordering::Relaxed);
            if std::mem::replace(&mut seen, now) == now || !self.is_quick.load(Ordering::Relaxed) {
                return;
            }
            patience = (2 * patience).min(PATIENCE_MAX);
        }
    }

    /// Whether another thread, whose functions are quick, only waits for the disk: what is due then
    /// is its own to take, or two threads would take turns at one interpreter.
    fn goes_on_soon(&self) -> bool {
        self.settles_behind
            && self.is_quick.load(Ordering::Relaxed)
            && self.awaiting.load(Ordering::Relaxed) > 0
    }

    /// Whether a thread that is at work may take what comes next.
    fn is_busy(&self) -> bool {
        self.settles_behind && self.active.load(Ordering::Relaxed) > 0
    }

    fn settle(&self, py: Python<'_>, delivery: &LeasedDelivery, ended: &Ended) -> PyResult<()> {
        guard(|| {
            let attempt = AttemptRef::from(&delivery.0);
            self.is_quick.store(delivery.1.elapsed() < QUICK, Ordering::Relaxed);
            self.put_down(1);
            if self.settles_behind {
                return self.handler.settle_behind(&attempt, ended).map_err(raise);
            }
            let settled = py.detach(|| {
                let ticket = self.handler.settle(&attempt, ended)?;
                match ticket {
                    Some(ticket) => self.engine.wait(ticket, self.engine.durability()),
                    None => Ok(()),
                }
            });
            settled.map_err(raise)
        })
    }
}

/// One delivery that was leased for an attempt, and when it was handed out.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct LeasedDelivery(Leased, Instant);

impl LeasedDelivery {
    fn new(leased: Leased) -> Self {
        Self(leased, Instant::now())
    }

    /// What was accepted.
    pub fn bytes(&self) -> &[u8] {
        &self.0.body
    }
}

#[pymethods]
impl LeasedDelivery {
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.body)
    }

    /// Which attempt this is, from one.
    #[getter]
    fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// Its number among the deliveries of its destination: the same for each attempt.
    #[getter]
    fn sequence(&self) -> u64 {
        self.0.receipt.seq
    }

    /// When the delivery was accepted, in seconds since the epoch.
    #[getter]
    fn accepted_at(&self) -> f64 {
        self.0.accepted as f64 / 1_000.0
    }

    /// The attributes: name, type and value of each.
    #[getter]
    fn attributes(&self) -> PyResult<Vec<(String, String, Vec<u8>)>> {
        let decoded = attributes::decode(&self.0.attributes).map_err(raise)?;
        let plain = |one: attributes::Attribute| (one.name, one.data_type, one.value);
        Ok(decoded.into_iter().map(plain).collect())
    }

    /// The attributes by name, as those of a message.
    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        crate::queue::attributes::to_dict(py, &self.0.attributes)
    }

    /// What traces the message or event that it delivers: `AWSTraceHeader`.
    #[getter]
    fn trace_header(&self) -> PyResult<Option<String>> {
        trunkline_engine::attributes::trace_header(&self.0.attributes).map_err(raise)
    }

    /// The header lines that the rendering gave it.
    #[getter]
    fn headers(&self) -> Vec<(String, String)> {
        self.0.headers.clone()
    }
}
