//! Opening an engine, and its verbs: take, call, wrap.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use trunkline_engine::{
    BUS, Engine as Core, OpenOptions, QUEUE, ResourceName, STREAM, ServiceEvent, StreamConfig,
    TOPIC, TopicConfig,
};
use trunkline_types::{Clock, Millis, ResourceId};

use crate::bus::Bus;
use crate::clock::VirtualClock;
use crate::durability::{Level, level_name};
use crate::error::{guard, raise};
use crate::faults::{Named, PlainRule, plain, rule};
use crate::outbox::Outbox;
use crate::queue::config::QueueSettings;
use crate::queue::handle::{Handle, HandleRef};
use crate::queue::management::Queue;
use crate::queue::redrive::MoveStatus;
use crate::schedule::Schedules;
use crate::stream::{Stream, StreamHandle};
use crate::topic::Topic;
use crate::trace::Trace;

/// An open engine.
#[pyclass(frozen, weakref, module = "trunkline._core")]
pub(crate) struct Engine {
    core: Arc<Core>,
    clock: Option<Py<VirtualClock>>,
}

impl Engine {
    /// The engine itself, for other surfaces of this module.
    pub(crate) fn shared(&self) -> &Arc<Core> {
        &self.core
    }

    fn queue(&self, py: Python<'_>, queue: Arc<trunkline_engine::Queue>) -> PyResult<Py<Queue>> {
        Queue::create(py, HandleRef::new(py, Handle::new(self.core.clone(), queue))?)
    }

    fn stream(&self, stream: Arc<trunkline_engine::Stream>) -> Stream {
        Stream(Arc::new(StreamHandle::new(self.core.clone(), stream)))
    }
}

#[pymethods]
impl Engine {
    #[staticmethod]
    #[pyo3(signature = (path, durability, durable_receives, clock, seed, read_only, limits))]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the Python function")]
    fn open(
        py: Python<'_>,
        path: Option<PathBuf>,
        durability: Level,
        durable_receives: bool,
        clock: Option<Py<VirtualClock>>,
        seed: Option<u64>,
        read_only: bool,
        limits: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let mut options = path.map_or_else(OpenOptions::memory, OpenOptions::at);
        options.durability = durability.0;
        options.durable_receives = durable_receives;
        options.seed = seed;
        options.read_only = read_only;
        options.limits = crate::limits::from_dict(limits)?;
        if let Some(clock) = &clock {
            options.clock = clock.get().clock.clone();
        }
        guard(|| {
            let core = py.detach(|| Core::open(options)).map_err(raise)?;
            if let Some(clock) = &clock {
                clock.get().drive(&core);
            }
            Ok(Self { core, clock })
        })
    }

    /// Fails if the engine is closed, or belongs to the process that forked this one.
    fn check_open(&self) -> PyResult<()> {
        guard(|| self.core.check_open().map_err(raise))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        guard(|| py.detach(|| self.core.close()).map_err(raise))
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        guard(|| py.detach(|| self.core.flush()).map_err(raise))
    }

    fn check_space(&self) -> PyResult<()> {
        guard(|| self.core.check_space().map_err(raise))
    }

    fn create_queue(
        &self,
        py: Python<'_>,
        name: (String, String, String),
        settings: &QueueSettings,
        document: &[u8],
    ) -> PyResult<Py<Queue>> {
        let (name, config) = (full_name(name), settings.0.clone());
        guard(|| {
            let created = py.detach(|| {
                let queue = self.core.create_queue(name, config, document)?;
                self.core.acknowledge()?;
                Ok(queue)
            });
            created.map_err(raise).and_then(|queue| self.queue(py, queue))
        })
    }

    fn find_queue(
        &self,
        py: Python<'_>,
        name: (String, String, String),
    ) -> PyResult<Option<Py<Queue>>> {
        guard(|| {
            let found = self.core.find_queue(&full_name(name)).map_err(raise)?;
            found.map(|queue| self.queue(py, queue)).transpose()
        })
    }

    fn queue_by_id(&self, py: Python<'_>, id: u32) -> PyResult<Option<Py<Queue>>> {
        guard(|| {
            self.core.check_open().map_err(raise)?;
            let found = self.core.queue_by_id(ResourceId(id));
            found.map(|queue| self.queue(py, queue)).transpose()
        })
    }

    fn queues(
        &self,
        py: Python<'_>,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> PyResult<Vec<Py<Queue>>> {
        guard(|| {
            let found = self.core.queues(account, region, prefix).map_err(raise)?;
            found.into_iter().map(|queue| self.queue(py, queue)).collect()
        })
    }

    /// Up to `limit` queues below `prefix` in an account and region, behind the name `after`.
    fn queue_page(
        &self,
        py: Python<'_>,
        owner: (String, String),
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<Vec<Py<Queue>>> {
        guard(|| {
            let owner = (&*owner.0, &*owner.1);
            let found = self.core.queue_page(owner, prefix, after, limit).map_err(raise)?;
            found.into_iter().map(|queue| self.queue(py, queue)).collect()
        })
    }

    /// The queues that send their dead letters to the queue `id`.
    fn dead_letter_sources(&self, py: Python<'_>, id: u32) -> PyResult<Vec<Py<Queue>>> {
        guard(|| {
            let mut sources = self.core.queues(None, None, "").map_err(raise)?;
            let target = |queue: &trunkline_engine::Queue| queue.config().dead_letter;
            sources.retain(|queue| target(queue).is_some_and(|dead| dead.queue.0 == id));
            sources.into_iter().map(|queue| self.queue(py, queue)).collect()
        })
    }

    /// The event bus of this name; `None` if there is none and `create` is false.
    #[pyo3(signature = (name, create, document=None))]
    fn bus(
        &self,
        py: Python<'_>,
        name: (String, String, String),
        create: bool,
        document: Option<&[u8]>,
    ) -> PyResult<Option<Bus>> {
        let (account, region, name) = name;
        let name = ResourceName::new(BUS, account, region, name);
        guard(|| {
            let found = py.detach(|| {
                if !create {
                    return self.core.find_bus(&name);
                }
                let (bus, is_new) = self.core.bus(name, document.unwrap_or_default())?;
                if is_new {
                    self.core.acknowledge()?;
                }
                Ok(Some(bus))
            });
            Ok(found.map_err(raise)?.map(|bus| Bus::new(self.core.clone(), bus)))
        })
    }

    /// Puts an event of a service on the default bus of its account and region; its id, or `None`
    /// where there is no such bus. `event` is source, detail type, and detail as JSON text.
    fn emit_service_event(
        &self,
        py: Python<'_>,
        owner: (String, String),
        event: (String, String, String),
        resources: Vec<String>,
    ) -> PyResult<Option<String>> {
        let ((account, region), (source, detail_type, detail)) = (&owner, &event);
        let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
        let resources = &*resources;
        let event = ServiceEvent { account, region, source, detail_type, resources, detail };
        guard(|| {
            let emitted = py.detach(|| self.core.emit_service_event(&event)).map_err(raise)?;
            Ok(emitted.map(|outcome| outcome.id))
        })
    }

    fn buses(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> PyResult<Vec<Bus>> {
        guard(|| {
            let found = self.core.buses(account, region, prefix).map_err(raise)?;
            Ok(found.into_iter().map(|bus| Bus::new(self.core.clone(), bus)).collect())
        })
    }

    /// The topic of this name; `None` if there is none and `create` is false. Rules that are given
    /// are compared with those of a topic that is there.
    fn topic(
        &self,
        py: Python<'_>,
        name: (String, String, String),
        create: bool,
        content_based_dedup: Option<bool>,
        dedup_by_group: Option<bool>,
    ) -> PyResult<Option<Topic>> {
        let (account, region, name) = name;
        let name = ResourceName::new(TOPIC, account, region, name);
        guard(|| {
            let found = py.detach(|| {
                let existing = self.core.find_topic(&name)?;
                if existing.is_none() && !create {
                    return Ok(None);
                }
                let is_fifo = name.name.ends_with(".fifo");
                let default = TopicConfig { is_fifo, ..TopicConfig::default() };
                let now = existing.as_ref().map_or(default, |topic| topic.config());
                let wanted = TopicConfig {
                    content_based_dedup: content_based_dedup.unwrap_or(now.content_based_dedup),
                    dedup_by_group: dedup_by_group.unwrap_or(now.dedup_by_group),
                    ..now
                };
                let is_given = content_based_dedup.is_some() || dedup_by_group.is_some();
                let (topic, is_new) = self.core.topic(name, is_given.then_some(wanted), b"")?;
                if is_new {
                    self.core.acknowledge()?;
                }
                Ok(Some(topic))
            });
            Ok(found.map_err(raise)?.map(|topic| Topic::new(self.core.clone(), topic)))
        })
    }

    fn topics(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> PyResult<Vec<Topic>> {
        guard(|| {
            let found = self.core.topics(account, region, prefix).map_err(raise)?;
            Ok(found.into_iter().map(|topic| Topic::new(self.core.clone(), topic)).collect())
        })
    }

    /// The kind and the name of a resource: account, region, name.
    fn name_of(&self, id: u32) -> Option<(&'static str, String, String, String)> {
        let resource = self.core.host().directory.any(ResourceId(id))?;
        let ResourceName { kind, account, region, name } = resource.name().clone();
        Some((kind.0, account, region, name))
    }

    fn create_stream(
        &self,
        py: Python<'_>,
        name: (String, String, String),
        shards: u32,
        retention: Millis,
    ) -> PyResult<Stream> {
        let (name, config) = (stream_name(name), StreamConfig { shards, retention });
        guard(|| {
            let created = py.detach(|| {
                let stream = self.core.create_stream(name, &config, b"")?;
                self.core.acknowledge()?;
                Ok(stream)
            });
            created.map(|stream| self.stream(stream)).map_err(raise)
        })
    }

    fn find_stream(&self, name: (String, String, String)) -> PyResult<Option<Stream>> {
        guard(|| {
            let found = self.core.find_stream(&stream_name(name)).map_err(raise)?;
            Ok(found.map(|stream| self.stream(stream)))
        })
    }

    fn streams(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> PyResult<Vec<Stream>> {
        guard(|| {
            let found = self.core.streams(account, region, prefix).map_err(raise)?;
            Ok(found.into_iter().map(|stream| self.stream(stream)).collect())
        })
    }

    /// Deliveries that leave the engine.
    fn outbox(&self) -> Outbox {
        Outbox(self.core.clone())
    }

    /// The trace.
    fn trace(&self) -> Trace {
        Trace(self.core.clone())
    }

    /// The schedules.
    fn schedules(&self) -> Schedules {
        Schedules(self.core.clone())
    }

    fn snapshot(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        guard(|| py.detach(|| self.core.snapshot(&path)).map_err(raise))
    }

    /// A copy in memory; on a virtual clock of its own if this engine has one.
    fn fork(&self, py: Python<'_>) -> PyResult<Self> {
        guard(|| {
            let now = self.core.clock().now();
            let clock = match &self.clock {
                Some(_) => Some(Py::new(py, VirtualClock::at(now))?),
                None => None,
            };
            let time = match &clock {
                Some(clock) => clock.get().clock.clone(),
                None => Arc::new(Clock::system()),
            };
            let core = py.detach(|| self.core.fork(time)).map_err(raise)?;
            if let Some(clock) = &clock {
                clock.get().drive(&core);
            }
            Ok(Self { core, clock })
        })
    }

    fn moves(&self, source: Option<u32>) -> PyResult<Vec<MoveStatus>> {
        guard(|| {
            self.core.check_open().map_err(raise)?;
            let source = source.map(ResourceId);
            Ok(self.core.redrives(source).into_iter().map(MoveStatus).collect())
        })
    }

    fn cancel_move(&self, py: Python<'_>, task: u32) -> PyResult<u64> {
        guard(|| {
            let (moved, ticket) = py.detach(|| self.core.cancel_redrive(task)).map_err(raise)?;
            if let Some(ticket) = ticket {
                py.detach(|| self.core.wait(ticket, self.core.durability())).map_err(raise)?;
            }
            Ok(moved)
        })
    }

    #[pyo3(signature = (verb, effect, detail, resource, after, times))]
    fn add_fault(
        &self,
        verb: &str,
        effect: &str,
        detail: &Bound<'_, PyAny>,
        resource: Named,
        after: u64,
        times: Option<u64>,
    ) -> PyResult<()> {
        guard(|| {
            self.core.check_open().map_err(raise)?;
            self.core.faults().add(rule(verb, effect, detail, resource, after, times)?);
            Ok(())
        })
    }

    fn clear_faults(&self) -> PyResult<()> {
        guard(|| {
            self.core.check_open().map_err(raise)?;
            self.core.faults().clear();
            Ok(())
        })
    }

    fn faults(&self) -> PyResult<Vec<PlainRule>> {
        guard(|| {
            self.core.check_open().map_err(raise)?;
            Ok(self.core.faults().rules().into_iter().map(plain).collect())
        })
    }

    /// The engine's time, in seconds since the epoch.
    fn now(&self) -> f64 {
        self.core.clock().now() as f64 / 1_000.0
    }

    #[getter]
    fn clock<'py>(&self, py: Python<'py>) -> Option<&Bound<'py, VirtualClock>> {
        self.clock.as_ref().map(|clock| clock.bind(py))
    }

    #[getter]
    fn durability(&self) -> &'static str {
        level_name(self.core.durability())
    }

    fn limits<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        crate::limits::to_dict(py, self.core.limits())
    }
}

fn stream_name((account, region, name): (String, String, String)) -> ResourceName {
    ResourceName::new(STREAM, account, region, name)
}

fn full_name((account, region, name): (String, String, String)) -> ResourceName {
    ResourceName::new(QUEUE, account, region, name)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Engine>()
}
