//! What a control plane keeps and asks beside queues: documents, removals and purges.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use trunkline_engine::{Archive, Engine as Core, NamePage, QUEUE, ResourceName, Routed, TOPIC};
use trunkline_types::ResourceId;

use crate::bus::Bus;
use crate::bus::archive::{plain_archive, plain_replay, state_named};
use crate::engine::Engine;
use crate::error::{guard, raise};
use crate::pending;
use crate::topic::Topic;

#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct WireStore(Arc<Core>);

#[pymethods]
impl WireStore {
    #[new]
    fn new(engine: &Engine) -> Self {
        Self(engine.shared().clone())
    }

    fn document<'py>(&self, py: Python<'py>, key: &str) -> Option<Bound<'py, PyBytes>> {
        self.0.document(key).map(|value| PyBytes::new(py, &value))
    }

    /// Up to `limit` documents below `prefix` behind the key `after`, in order of their keys.
    fn page<'py>(
        &self,
        py: Python<'py>,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(String, Bound<'py, PyBytes>)> {
        let found = self.0.document_page(prefix, after, limit).into_iter();
        found.map(|(key, value)| (key, PyBytes::new(py, &value))).collect()
    }

    /// Up to `limit` topics of an account and region whose name starts with `prefix` and comes
    /// behind `after`, in order.
    fn topic_page(
        &self,
        owner: (String, String),
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<Vec<Topic>> {
        guard(|| {
            let owner = (&*owner.0, &*owner.1);
            let found = self.0.topic_page(owner, prefix, after, limit).map_err(raise)?;
            Ok(found.into_iter().map(|topic| Topic::new(self.0.clone(), topic)).collect())
        })
    }

    /// Up to `limit` event buses of an account and region whose name starts with `prefix` and comes
    /// behind `after`, in order.
    fn bus_page(
        &self,
        owner: (String, String),
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<Vec<Bus>> {
        guard(|| {
            let owner = (&*owner.0, &*owner.1);
            let found = self.0.bus_page(owner, prefix, after, limit).map_err(raise)?;
            Ok(found.into_iter().map(|bus| Bus::new(self.0.clone(), bus)).collect())
        })
    }

    /// Up to `limit` archives of an account and region, of the bus with this id or of all, as
    /// `bus_page` finds buses; each with its bus.
    #[pyo3(signature = (owner, prefix, after, limit, bus=None))]
    fn archive_page<'py>(
        &self,
        py: Python<'py>,
        owner: (String, String),
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        bus: Option<u32>,
    ) -> PyResult<Vec<(Bus, Bound<'py, PyDict>)>> {
        guard(|| {
            let page = NamePage { owner: (&owner.0, &owner.1), prefix, after, limit };
            let found = py.detach(|| self.0.archive_page(&page, bus.map(ResourceId)));
            let plain = |(bus, archive): (_, Arc<Archive>)| {
                Ok((Bus::new(self.0.clone(), bus), plain_archive(py, &archive)?))
            };
            found.map_err(raise)?.into_iter().map(plain).collect()
        })
    }

    /// The same for replays, in one state or in all, of the archive of this name or of all; each
    /// with its bus and the name of its archive.
    #[pyo3(signature = (owner, prefix, after, limit, state=None, archive=None))]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the Python method")]
    fn replay_page<'py>(
        &self,
        py: Python<'py>,
        owner: (String, String),
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        state: Option<&str>,
        archive: Option<&str>,
    ) -> PyResult<Vec<(Bus, String, Bound<'py, PyDict>)>> {
        guard(|| {
            let owner = (&*owner.0, &*owner.1);
            let state = match state.map(state_named) {
                // No replay is in a state that there is not.
                Some(None) => return Ok(Vec::new()),
                state => state.flatten(),
            };
            let found = py.detach(|| {
                let of = match archive {
                    Some(name) => match self.0.find_archive(owner, name)? {
                        Some((_, archive)) => Some(archive.id()),
                        None => return Ok(Vec::new()),
                    },
                    None => None,
                };
                self.0.replay_page(&NamePage { owner, prefix, after, limit }, state, of)
            });
            let plain = |(bus, archive, status): (_, Arc<Archive>, _)| {
                let bus = Bus::new(self.0.clone(), bus);
                Ok((bus, archive.name().to_owned(), plain_replay(py, status)?))
            };
            found.map_err(raise)?.into_iter().map(plain).collect()
        })
    }

    /// Stores a document, or removes it; a later flush makes it durable.
    fn put_document(&self, key: &str, value: Option<&[u8]>) -> PyResult<()> {
        guard(|| self.0.put_document(key, value).map(|_| ()).map_err(raise))
    }

    /// Delivers a message to a resource, and stores a document with it: a crash leaves both or
    /// neither. `group` and `dedup_id` are for targets that keep order. It waits until both are as
    /// durable as the engine is.
    fn deliver(
        &self,
        py: Python<'_>,
        target: u32,
        body: &[u8],
        key: &str,
        value: &[u8],
        group: Option<&str>,
    ) -> PyResult<()> {
        let dedup_id = group.map(|_| key);
        let name = ResourceName::local(QUEUE, "");
        pending::settled(py, &self.0, &name, || {
            let routed = Routed { body, group, dedup_id, ..Routed::default() };
            Ok(((), self.0.deliver_with_document(ResourceId(target), &routed, key, value)?))
        })
    }

    /// When the queue of this name was removed, in seconds since the epoch.
    fn removed_at(&self, name: (String, String, String)) -> Option<f64> {
        let (account, region, name) = name;
        self.0
            .removed_at(&ResourceName::new(QUEUE, account, region, name))
            .map(|at| at as f64 / 1_000.0)
    }

    /// The signature of a message about a topic, of these fields in their order: its version,
    /// itself in base64, and where the certificate is. None where nothing signs.
    fn sign_notification(
        &self,
        py: Python<'_>,
        topic: (String, String, String),
        fields: Vec<(String, String)>,
    ) -> Option<(u8, String, String)> {
        let (account, region, name) = topic;
        let topic = ResourceName::new(TOPIC, account, region, name);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (&**n, &**v)).collect();
        let made = py.detach(|| trunkline_wire::services::sns::sign(&self.0, &topic, &fields));
        made.map(|made| (made.version, made.value, made.certificate_url))
    }

    /// When the queue was last purged, in seconds since the epoch.
    fn purged_at(&self, id: u32) -> Option<f64> {
        let queue = self.0.queue_by_id(ResourceId(id))?;
        queue.purged_at().map(|at| at as f64 / 1_000.0)
    }
}
