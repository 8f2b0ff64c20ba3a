//! The verb of `trunkline.Topic` that a program calls for every message.
//!
//! A plain call takes one crossing and no frame of Python. A call with what needs Python's checks
//! goes on in the subclass, in `_publish_with`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::intern;
use pyo3::prelude::*;
use trunkline_engine::{Engine as CoreEngine, Notification, Topic as CoreTopic};

use super::Topic;
use super::results::PublishResult;
use crate::error::{guard, raise};
use crate::pending;
use crate::python_call::PythonCall as _;
use crate::queue::body::Body;

/// A publish to more subscriptions lets other threads of Python run meanwhile.
const ATTACHED_MAX: usize = 1_000;

/// The verb of `trunkline.Topic` that a program calls for every message.
#[pyclass(frozen, subclass, module = "trunkline._core")]
pub(crate) struct BlockingPublish {
    engine: Arc<CoreEngine>,
    topic: Arc<CoreTopic>,
    /// How many subscriptions got the last message: the next one will take about as long.
    matched: AtomicUsize,
}

impl BlockingPublish {
    fn publish_plain<'py>(
        &self,
        py: Python<'py>,
        body: &[u8],
    ) -> PyResult<Bound<'py, PublishResult>> {
        let message = Notification { body, ..Notification::default() };
        let publish = || self.engine.publish(&self.topic, &message).map_err(raise);
        guard(|| {
            let published = match self.is_quick() {
                true => publish()?,
                false => py.detach(publish)?,
            };
            self.matched.store(published.matched, Ordering::Relaxed);
            let (name, level) = (self.topic.name(), self.engine.durability());
            pending::acknowledge(py, &self.engine, name, published.ticket, level)?;
            Bound::new(py, PublishResult::new(published, 0))
        })
    }

    /// Whether a publish takes less time than to let go of the interpreter, and calls no
    /// authorizer, which may need the interpreter.
    fn is_quick(&self) -> bool {
        self.matched.load(Ordering::Relaxed) <= ATTACHED_MAX
            && !self.engine.host().is_journaled()
            && !self.engine.is_authorized()
    }
}

#[pymethods]
impl BlockingPublish {
    #[new]
    fn new(engine: &Bound<'_, PyAny>, core: &Bound<'_, Topic>) -> Self {
        // The subclass keeps the engine.
        let _ = engine;
        let Topic { engine, topic } = core.get();
        let matched = AtomicUsize::new(usize::MAX);
        Self { engine: engine.clone(), topic: topic.clone(), matched }
    }

    /// Publish a message; return once all its deliveries are as durable as the engine promises.
    ///
    /// It goes to every subscription whose filter lets it pass, in one step: a crash leaves it in
    /// all of their queues or in none. `subject` is in envelopes. In a FIFO topic `group` is
    /// required, and `dedup_id`, unless the topic deduplicates by content; a message whose id was
    /// used within five minutes is a success and is not delivered again. In a standard topic
    /// `group` is the tenant for standard queues.
    ///
    /// Raises InvalidParameterValue for a message that is not valid, MissingParameter,
    /// ResourceNotFound if the topic is gone.
    ///
    /// >>> import trunkline
    /// >>> topic = trunkline.open().topic("orders.fifo")
    /// >>> topic.publish("one coffee", group="table 7", dedup_id="1").duplicate
    /// False
    /// >>> topic.publish("one coffee", group="table 7", dedup_id="1").duplicate
    /// True
    #[pyo3(signature = (body, *, subject=None, attributes=None, group=None, dedup_id=None))]
    fn publish<'py>(
        slf: &Bound<'py, Self>,
        body: &Bound<'py, PyAny>,
        subject: Option<&Bound<'py, PyAny>>,
        attributes: Option<&Bound<'py, PyAny>>,
        group: Option<&Bound<'py, PyAny>>,
        dedup_id: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if let (None, None, None, None) = (subject, attributes, group, dedup_id) {
            let body: Body<'_> = body.as_borrowed().extract()?;
            return slf.get().publish_plain(py, &body.0).map(Bound::into_any);
        }
        let arguments = (body, subject, attributes, group, dedup_id);
        slf.run_method(intern!(py, "_publish_with"), arguments)
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<BlockingPublish>()
}
