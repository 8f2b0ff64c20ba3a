//! Event buses: take, call, wrap.

pub(crate) mod archive;
mod results;
mod target;

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use trunkline_engine::{
    Bus as CoreBus, Engine as CoreEngine, NewRule, NewTarget, PutEvent, PutOutcome, RuleStatus,
    Ticket, UsedTarget,
};
use trunkline_pattern::Dialect;
use trunkline_types::{ResourceId, Result};

use self::archive::Archives;
use self::results::{PutEventResult, PutEventsResult};
use self::target::TargetSettings;
use crate::error::{guard, raise};
use crate::outcomes::Outcomes;
use crate::pattern::Explanation;
use crate::pending;
use crate::queue::body::Body;

/// An event bus of an open engine.
#[derive(Clone)]
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Bus {
    engine: Arc<CoreEngine>,
    bus: Arc<CoreBus>,
}

impl Bus {
    pub fn new(engine: Arc<CoreEngine>, bus: Arc<CoreBus>) -> Self {
        Self { engine, bus }
    }

    /// Carries a verb out, and returns its value once that is as durable as the engine is.
    fn settled<T: Send>(
        &self,
        py: Python<'_>,
        verb: impl FnOnce() -> Result<(T, Option<Ticket>)> + Send,
    ) -> PyResult<T> {
        pending::settled(py, &self.engine, self.bus.name(), verb)
    }

    /// The same for a verb that is a change and nothing else.
    fn control(
        &self,
        py: Python<'_>,
        verb: impl FnOnce() -> Result<Option<Ticket>> + Send,
    ) -> PyResult<()> {
        self.settled(py, || Ok(((), verb()?)))
    }

    fn put_one(
        &self,
        event: &[u8],
        trace_header: Option<&str>,
    ) -> Result<(PutOutcome, Option<Ticket>)> {
        let outcome = self.bus.put(PutEvent { trace_header, ..PutEvent::new(event) })?;
        let ticket = outcome.ticket;
        Ok((outcome, ticket))
    }
}

#[pymethods]
impl Bus {
    #[getter]
    fn id(&self) -> u32 {
        self.bus.id().0
    }

    #[getter]
    fn name(&self) -> &str {
        &self.bus.name().name
    }

    #[getter]
    fn account(&self) -> &str {
        &self.bus.name().account
    }

    #[getter]
    fn region(&self) -> &str {
        &self.bus.name().region
    }

    #[getter]
    fn document<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.bus.document())
    }

    /// Replaces what the surfaces keep with the bus.
    fn configure(&self, py: Python<'_>, document: &[u8]) -> PyResult<()> {
        self.control(py, || self.bus.configure(document))
    }

    /// When it was created, in seconds since the epoch.
    #[getter]
    fn created_at(&self) -> f64 {
        self.bus.created() as f64 / 1_000.0
    }

    #[pyo3(signature = (event, trace_header = None))]
    fn put(
        &self,
        py: Python<'_>,
        event: Body<'_>,
        trace_header: Option<&str>,
    ) -> PyResult<PutEventResult> {
        let event = &*event.0;
        let outcome = self.settled(py, || self.put_one(event, trace_header))?;
        Ok(PutEventResult::new(outcome, 0))
    }

    /// Puts events in order, with one wait for the disk. Each succeeds or fails for itself.
    #[pyo3(signature = (events, trace_header = None))]
    fn put_batch(
        &self,
        py: Python<'_>,
        events: Vec<Bound<'_, PyAny>>,
        trace_header: Option<&str>,
    ) -> PyResult<PutEventsResult> {
        let events: Vec<Body<'_>> =
            events.iter().map(|event| event.as_borrowed().extract()).collect::<PyResult<_>>()?;
        let events: Vec<&[u8]> = events.iter().map(|event| &*event.0).collect();
        let (engine, name) = (&self.engine, self.bus.name());
        let put = |event: &&[u8]| self.put_one(event, trace_header);
        Outcomes::of(py, engine, name, &events, put, PutEventResult::new).map(PutEventsResult)
    }

    #[pyo3(signature = (name, pattern, is_enabled, targets, document))]
    fn put_rule(
        &self,
        py: Python<'_>,
        name: &str,
        pattern: &str,
        is_enabled: bool,
        targets: Option<Vec<Py<TargetSettings>>>,
        document: &[u8],
    ) -> PyResult<()> {
        let targets = targets.as_deref().map(plain_targets);
        let rule = NewRule { name, pattern, is_enabled, targets, document };
        self.control(py, || self.engine.put_rule(&self.bus, rule))
    }

    /// Adds targets to a rule, or replaces those of the same ids.
    fn put_targets(
        &self,
        py: Python<'_>,
        rule: &str,
        targets: Vec<Py<TargetSettings>>,
    ) -> PyResult<()> {
        let targets = plain_targets(&targets);
        self.control(py, || self.engine.put_targets(&self.bus, rule, &targets))
    }

    #[allow(clippy::needless_pass_by_value, reason = "PyO3 makes the list")]
    fn remove_targets(&self, py: Python<'_>, rule: &str, ids: Vec<String>) -> PyResult<()> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.control(py, || self.engine.remove_targets(&self.bus, rule, &ids))
    }

    fn enable_rule(&self, py: Python<'_>, name: &str, is_enabled: bool) -> PyResult<()> {
        self.control(py, || self.bus.enable_rule(name, is_enabled))
    }

    fn remove_rule(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.control(py, || self.engine.remove_rule(&self.bus, name))
    }

    /// The archives, and their replays.
    fn archives(&self) -> Archives {
        Archives(self.clone())
    }

    fn remove(&self, py: Python<'_>) -> PyResult<()> {
        self.control(py, || self.engine.remove_bus(&self.bus))
    }

    fn rule<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyDict>> {
        guard(|| plain_rule(py, self.bus.rule(name).map_err(raise)?))
    }

    fn rules<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        guard(|| {
            let rules = py.detach(|| self.bus.rules()).map_err(raise)?;
            rules.into_iter().map(|rule| plain_rule(py, rule)).collect()
        })
    }

    /// Up to `limit` rules whose name starts with `prefix` and comes behind `after`, in order.
    #[pyo3(signature = (prefix, after, limit))]
    fn rule_page<'py>(
        &self,
        py: Python<'py>,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<Vec<Bound<'py, PyDict>>> {
        guard(|| {
            let page = py.detach(|| self.bus.rule_page(prefix, after, limit)).map_err(raise)?;
            page.into_iter().map(|rule| plain_rule(py, rule)).collect()
        })
    }

    /// Up to `limit` names of rules behind `after`, in order, with a target of this resource name,
    /// or at the resource of this id.
    #[pyo3(signature = (arn, resource, after, limit))]
    fn rule_names_of(
        &self,
        py: Python<'_>,
        arn: &str,
        resource: Option<u32>,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<Vec<String>> {
        let used = resource.map_or(UsedTarget::Arn(arn), |id| UsedTarget::Resource(ResourceId(id)));
        guard(|| py.detach(|| self.bus.rule_names_of(used, after, limit)).map_err(raise))
    }

    /// The name of each rule, and why it matches the event or does not.
    fn explain(&self, py: Python<'_>, event: Body<'_>) -> PyResult<Vec<(String, Explanation)>> {
        guard(|| {
            let explained = self.bus.explain(&event.0).map_err(raise)?;
            let plain = |(rule, why): (RuleStatus, _)| {
                Ok((rule.name, Explanation::of(py, Dialect::EventPattern, Ok(why))?))
            };
            explained.into_iter().map(plain).collect()
        })
    }

    /// How the bus stands, by name.
    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guard(|| {
            let counted = self.bus.statistics().map_err(raise)?;
            let values = PyDict::new(py);
            for (name, value) in [
                ("rules", counted.rules),
                ("events", counted.events),
                ("matched", counted.matched),
                ("delivered", counted.delivered),
                ("dead_lettered", counted.dead_lettered),
                ("failed", counted.failed),
            ] {
                values.set_item(name, value)?;
            }
            Ok(values)
        })
    }
}

fn plain_targets(settings: &[Py<TargetSettings>]) -> Vec<NewTarget> {
    settings.iter().map(|target| target.get().0.clone()).collect()
}

fn plain_rule(py: Python<'_>, rule: RuleStatus) -> PyResult<Bound<'_, PyDict>> {
    let values = PyDict::new(py);
    values.set_item("name", rule.name)?;
    values.set_item("pattern", rule.pattern)?;
    values.set_item("enabled", rule.is_enabled)?;
    values.set_item("document", PyBytes::new(py, &rule.document))?;
    values.set_item("matched", rule.matched)?;
    values.set_item("delivered", rule.delivered)?;
    values.set_item("dead_lettered", rule.dead_lettered)?;
    values.set_item("failed", rule.failed)?;
    let targets = rule.targets.into_iter().map(|target| target::plain(py, target));
    values.set_item("targets", targets.collect::<PyResult<Vec<_>>>()?)?;
    Ok(values)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Bus>()?;
    module.add_class::<Archives>()?;
    module.add_class::<TargetSettings>()?;
    results::register(module)
}
