//! Topics: take, call, wrap.

mod archive;
mod blocking;
mod results;
mod settings;

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use trunkline_engine::{
    Engine as CoreEngine, Notification, Publication, QUEUE, SubscriptionStatus, Ticket,
    Topic as CoreTopic,
};
use trunkline_types::{ResourceId, ResourceName, Result};

use self::archive::TopicArchive;
use self::results::{PublishBatchResult, PublishResult};
use self::settings::SubscriptionSettings;
use crate::error::{guard, raise};
use crate::outcomes::Outcomes;
use crate::pending;
use crate::queue::body::Body;

/// A topic of an open engine.
#[derive(Clone)]
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Topic {
    engine: Arc<CoreEngine>,
    topic: Arc<CoreTopic>,
}

/// One entry of a batch: body, attributes, subject, group, deduplication id.
type Entry<'py> =
    (Bound<'py, PyAny>, Option<Vec<u8>>, Option<String>, Option<String>, Option<String>);

fn notification<'a>(entry: &'a Entry<'_>, body: &'a Body<'_>) -> Notification<'a> {
    let (_, attributes, subject, group, dedup_id) = entry;
    Notification {
        body: &body.0,
        attributes: attributes.as_deref().unwrap_or_default(),
        subject: subject.as_deref(),
        group: group.as_deref(),
        dedup_id: dedup_id.as_deref(),
        is_structured: false,
        is_withheld: false,
    }
}

impl Topic {
    pub fn new(engine: Arc<CoreEngine>, topic: Arc<CoreTopic>) -> Self {
        Self { engine, topic }
    }

    /// Carries a verb out, and returns its value once that is as durable as the engine is.
    fn settled<T: Send>(
        &self,
        py: Python<'_>,
        verb: impl FnOnce() -> Result<(T, Option<Ticket>)> + Send,
    ) -> PyResult<T> {
        pending::settled(py, &self.engine, self.topic.name(), verb)
    }

    /// The same for a verb that is a change and nothing else.
    fn control(
        &self,
        py: Python<'_>,
        verb: impl FnOnce() -> Result<Option<Ticket>> + Send,
    ) -> PyResult<()> {
        self.settled(py, || Ok(((), verb()?)))
    }

    fn publish_one(&self, message: &Notification<'_>) -> Result<(Publication, Option<Ticket>)> {
        let publication = self.engine.publish(&self.topic, message)?;
        let ticket = publication.ticket;
        Ok((publication, ticket))
    }
}

#[pymethods]
impl Topic {
    #[getter]
    fn id(&self) -> u32 {
        self.topic.id().0
    }

    /// Whether the topic may send to a queue, by the queue's policy where policies are asked.
    fn may_send_to(&self, py: Python<'_>, queue: (String, String, String)) -> PyResult<bool> {
        let (account, region, name) = queue;
        let queue = ResourceName::new(QUEUE, &*account, &*region, &*name);
        guard(|| {
            let found = self.engine.find_queue(&queue).map_err(raise)?;
            Ok(found.is_some_and(|queue| py.detach(|| self.engine.permits(&queue, &self.topic))))
        })
    }

    #[getter]
    fn name(&self) -> &str {
        &self.topic.name().name
    }

    #[getter]
    fn account(&self) -> &str {
        &self.topic.name().account
    }

    #[getter]
    fn region(&self) -> &str {
        &self.topic.name().region
    }

    #[getter]
    fn arn(&self) -> String {
        self.topic.arn()
    }

    #[getter]
    fn document<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.topic.document())
    }

    /// When it was created, in seconds since the epoch.
    #[getter]
    fn created_at(&self) -> f64 {
        self.topic.created() as f64 / 1_000.0
    }

    /// Whether it is FIFO, deduplicates by content, and counts ids by group.
    fn config(&self) -> (bool, bool, bool) {
        let config = self.topic.config();
        (config.is_fifo, config.content_based_dedup, config.dedup_by_group)
    }

    #[pyo3(signature = (content_based_dedup=None, dedup_by_group=None))]
    fn configure(
        &self,
        py: Python<'_>,
        content_based_dedup: Option<bool>,
        dedup_by_group: Option<bool>,
    ) -> PyResult<()> {
        let mut config = self.topic.config();
        config.content_based_dedup = content_based_dedup.unwrap_or(config.content_based_dedup);
        config.dedup_by_group = dedup_by_group.unwrap_or(config.dedup_by_group);
        self.control(py, || self.topic.configure(config, &self.topic.document()))
    }

    #[pyo3(signature = (body, attributes=None, subject=None, group=None, dedup_id=None))]
    fn publish(
        &self,
        py: Python<'_>,
        body: Body<'_>,
        attributes: Option<&[u8]>,
        subject: Option<&str>,
        group: Option<&str>,
        dedup_id: Option<&str>,
    ) -> PyResult<PublishResult> {
        let (body, attributes) = (&*body.0, attributes.unwrap_or_default());
        let message =
            Notification { body, attributes, subject, group, dedup_id, ..Notification::default() };
        let publication = self.settled(py, || self.publish_one(&message))?;
        Ok(PublishResult::new(publication, 0))
    }

    /// Publishes in order, with one wait for the disk. Each succeeds or fails for itself.
    fn publish_batch(
        &self,
        py: Python<'_>,
        entries: Vec<Entry<'_>>,
    ) -> PyResult<PublishBatchResult> {
        let bodies: Vec<Body<'_>> = entries
            .iter()
            .map(|(body, ..)| body.as_borrowed().extract())
            .collect::<PyResult<_>>()?;
        let pairs = entries.iter().zip(&bodies);
        let messages: Vec<_> = pairs.map(|(entry, body)| notification(entry, body)).collect();
        let (engine, name) = (&self.engine, self.topic.name());
        let publish = |message: &Notification<'_>| self.publish_one(message);
        Outcomes::of(py, engine, name, &messages, publish, PublishResult::new)
            .map(PublishBatchResult)
    }

    /// Its archive, and the replays of its subscriptions.
    fn archive(&self) -> TopicArchive {
        TopicArchive(self.clone())
    }

    fn subscribe(&self, py: Python<'_>, settings: &SubscriptionSettings) -> PyResult<u32> {
        self.settled(py, || {
            let (id, ticket) = self.engine.subscribe(&self.topic, &settings.as_new())?;
            Ok((id.0, ticket))
        })
    }

    fn configure_subscription(
        &self,
        py: Python<'_>,
        id: u32,
        settings: &SubscriptionSettings,
    ) -> PyResult<()> {
        self.control(py, || {
            self.engine.configure_subscription(&self.topic, ResourceId(id), &settings.as_new())
        })
    }

    fn unsubscribe(&self, py: Python<'_>, id: u32) -> PyResult<()> {
        self.control(py, || self.engine.unsubscribe(&self.topic, ResourceId(id)))
    }

    fn remove(&self, py: Python<'_>) -> PyResult<()> {
        self.control(py, || self.engine.remove_topic(&self.topic))
    }

    fn subscription<'py>(&self, py: Python<'py>, id: u32) -> PyResult<Bound<'py, PyDict>> {
        guard(|| self.plain(py, self.topic.subscription(ResourceId(id)).map_err(raise)?))
    }

    /// Replaces what a surface keeps with the topic, and its rules if they are given.
    #[pyo3(signature = (document, content_based_dedup=None, dedup_by_group=None))]
    fn set_document(
        &self,
        py: Python<'_>,
        document: &[u8],
        content_based_dedup: Option<bool>,
        dedup_by_group: Option<bool>,
    ) -> PyResult<()> {
        let mut config = self.topic.config();
        config.content_based_dedup = content_based_dedup.unwrap_or(config.content_based_dedup);
        config.dedup_by_group = dedup_by_group.unwrap_or(config.dedup_by_group);
        self.control(py, || self.topic.configure(config, document))
    }

    /// Up to `limit` subscriptions behind the id `after`: the id of each, and what it is.
    #[pyo3(signature = (after, limit))]
    fn subscription_page<'py>(
        &self,
        py: Python<'py>,
        after: Option<u32>,
        limit: usize,
    ) -> PyResult<Vec<(u32, Bound<'py, PyDict>)>> {
        guard(|| {
            let page = self.topic.subscriptions(after.map(ResourceId), limit).map_err(raise)?;
            page.into_iter().map(|one| Ok((one.id.0, self.plain(py, one)?))).collect()
        })
    }

    /// The id of the subscription of this name.
    fn subscription_named(&self, name: &str) -> PyResult<Option<u32>> {
        guard(|| {
            let found = self.topic.subscription_named(name).map_err(raise)?;
            Ok(found.map(|one| one.id.0))
        })
    }

    /// The id of the subscription of this ARN.
    fn subscription_with_arn(&self, py: Python<'_>, arn: &str) -> PyResult<Option<u32>> {
        guard(|| {
            let found = py.detach(|| self.topic.subscription_with_arn(arn)).map_err(raise)?;
            Ok(found.map(|id| id.0))
        })
    }

    /// The id of the subscription of a queue.
    fn subscription_of(&self, target: u32) -> PyResult<Option<u32>> {
        guard(|| {
            let found = self.topic.subscription_of(ResourceId(target)).map_err(raise)?;
            Ok(found.map(|one| one.id.0))
        })
    }

    fn subscriptions(&self) -> PyResult<Vec<u32>> {
        guard(|| {
            let all = self.topic.subscriptions(None, usize::MAX).map_err(raise)?;
            Ok(all.into_iter().map(|one| one.id.0).collect())
        })
    }

    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guard(|| {
            let counted = self.topic.statistics().map_err(raise)?;
            let values = PyDict::new(py);
            values.set_item("subscriptions", counted.subscriptions)?;
            values.set_item("published", counted.published)?;
            values.set_item("delivered", counted.delivered)?;
            values.set_item("dead_lettered", counted.dead_lettered)?;
            values.set_item("failed", counted.failed)?;
            Ok(values)
        })
    }
}

impl Topic {
    fn plain<'py>(
        &self,
        py: Python<'py>,
        status: SubscriptionStatus,
    ) -> PyResult<Bound<'py, PyDict>> {
        let values = PyDict::new(py);
        values.set_item("arn", self.topic.subscription_arn(status.id))?;
        values.set_item("target", status.target.0)?;
        values.set_item("outside", status.is_outside)?;
        values.set_item("raw", status.is_raw)?;
        values.set_item("pending", status.is_pending)?;
        values.set_item("filter", status.filter)?;
        values.set_item("filters_body", status.filters_body)?;
        values.set_item("dead_letter", status.dead_letter.map(|id| id.0))?;
        values.set_item("endpoint", status.endpoint)?;
        values.set_item("name", status.name)?;
        Ok(values)
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    settings::register(module)?;
    results::register(module)?;
    module.add_class::<TopicArchive>()?;
    module.add_class::<Topic>()?;
    blocking::register(module)
}
