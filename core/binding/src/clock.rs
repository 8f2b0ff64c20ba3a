//! A time that moves only when it is told to, shared by the engines that were opened with it.

use std::sync::{Arc, Mutex, Weak};

use pyo3::prelude::*;
use trunkline_engine::Engine;
use trunkline_types::sync::lock;
use trunkline_types::{Clock, Millis};

use crate::duration::millis;
use crate::error::{guard, raise};

/// Where a clock starts unless told otherwise: a round time of the recent past.
const START_DEFAULT: Millis = 1_700_000_000_000;
/// The furthest a clock may go or start: the year 2096. A message keeps its times in 42 bits.
const SPAN_MAX: Millis = 4_000_000_000_000;

/// A clock that moves only when it is told to; give it to :func:`trunkline.open`.
///
/// `start` is in seconds since the epoch. Several engines may share one clock.
///
/// >>> import trunkline
/// >>> clock = trunkline.VirtualClock()
/// >>> queue = trunkline.open(clock=clock).queue("orders")
/// >>> sent = queue.send("later", delay=300)
/// >>> queue.receive()
/// []
/// >>> clock.advance(300)
/// >>> queue.receive()[0].text()
/// 'later'
#[pyclass(frozen, weakref, module = "trunkline")]
pub(crate) struct VirtualClock {
    pub clock: Arc<Clock>,
    engines: Mutex<Vec<Weak<Engine>>>,
}

impl VirtualClock {
    pub fn at(now: Millis) -> Self {
        Self { clock: Arc::new(Clock::virtual_at(now)), engines: Mutex::new(Vec::new()) }
    }

    /// Lets `engine` run what falls due when this clock is advanced.
    pub fn drive(&self, engine: &Arc<Engine>) {
        let mut engines = lock(&self.engines);
        engines.retain(|engine| engine.strong_count() > 0);
        engines.push(Arc::downgrade(engine));
    }
}

#[pymethods]
impl VirtualClock {
    #[new]
    #[pyo3(signature = (start=None))]
    fn new(start: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let start = start.map(|start| millis(start, "start", 0, SPAN_MAX)).transpose()?;
        Ok(Self::at(start.unwrap_or(START_DEFAULT)))
    }

    /// The current time, in seconds since the epoch.
    #[getter]
    fn now(&self) -> f64 {
        self.clock.now() as f64 / 1_000.0
    }

    /// Move the time forward; run all that falls due, in order, and return when it is done.
    fn advance(&self, py: Python<'_>, seconds: &Bound<'_, PyAny>) -> PyResult<()> {
        let by = millis(seconds, "seconds", 0, SPAN_MAX.saturating_sub(self.clock.now()))?;
        let engines: Vec<_> = lock(&self.engines).iter().filter_map(Weak::upgrade).collect();
        guard(|| {
            let advance = || {
                let open = |engine: &&Arc<Engine>| engine.check_open().is_ok();
                let engines: Vec<&Engine> =
                    engines.iter().filter(open).map(|engine| &**engine).collect();
                trunkline_engine::advance(&self.clock, &engines, by)
            };
            py.detach(advance).map_err(raise)
        })
    }

    fn __repr__(&self) -> String {
        format!("VirtualClock(now={})", self.now())
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<VirtualClock>()
}
