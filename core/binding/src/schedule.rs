//! Schedules: take, call, wrap.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use trunkline_engine::timetable::{Dialect, Expression, InvalidSchedule, Timetable as Core, Zone};
use trunkline_engine::{
    Engine as CoreEngine, ResourceName, SCHEDULE, Schedule as CoreSchedule, ScheduleConfig, Target,
    Ticket,
};
use trunkline_types::{Code, Error, Millis, ResourceId, Result};

use crate::error::{guard, raise};
use crate::pending;

/// Kind, account, region and name.
type PlainName = (String, String, String, String);

/// What a schedule is, as a dict.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Definition {
    expression: String,
    timezone: String,
    start: Option<Millis>,
    end: Option<Millis>,
    window: Option<Millis>,
    target: (String, u32),
    group: Option<String>,
    input: Option<String>,
    dead_letter: Option<u32>,
    enabled: bool,
    delete_after_completion: bool,
    document: Vec<u8>,
}

fn target_name(engine: &CoreEngine, (kind, id): &(String, u32)) -> PyResult<ResourceName> {
    let id = ResourceId(*id);
    let name = match kind.as_str() {
        "queue" => engine.target_name(Target::Queue(id)),
        "outbox" => engine.target_name(Target::Outbox(id)),
        _ => engine.resource_name(id),
    };
    name.map_err(raise)
}

fn config(engine: &CoreEngine, definition: Definition) -> PyResult<ScheduleConfig> {
    let dead_letter = definition.dead_letter.map(|id| ("queue".to_owned(), id));
    Ok(ScheduleConfig {
        expression: definition.expression,
        timezone: definition.timezone,
        start: definition.start,
        end: definition.end,
        window: definition.window,
        target: target_name(engine, &definition.target)?,
        group: definition.group,
        input: definition.input,
        dead_letter: dead_letter.map(|queue| target_name(engine, &queue)).transpose()?,
        enabled: definition.enabled,
        delete_after_completion: definition.delete_after_completion,
        document: definition.document,
    })
}

fn plain(name: ResourceName) -> PlainName {
    (name.kind.0.to_owned(), name.account, name.region, name.name)
}

fn full_name((account, region, name): (String, String, String)) -> ResourceName {
    ResourceName::new(SCHEDULE, account, region, name)
}

/// The schedules of an open engine.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Schedules(pub Arc<CoreEngine>);

#[pymethods]
impl Schedules {
    fn create(
        &self,
        py: Python<'_>,
        name: (String, String, String),
        definition: Definition,
    ) -> PyResult<Schedule> {
        guard(|| {
            let config = config(&self.0, definition)?;
            let name = full_name(name);
            let create = || self.0.create_schedule(name.clone(), config);
            Ok(self.wrap(pending::settled(py, &self.0, &name, create)?))
        })
    }

    fn find(&self, name: (String, String, String)) -> PyResult<Option<Schedule>> {
        guard(|| {
            let found = self.0.find_schedule(&full_name(name)).map_err(raise)?;
            Ok(found.map(|schedule| self.wrap(schedule)))
        })
    }

    fn list(&self, account: &str, region: &str, prefix: &str) -> PyResult<Vec<Schedule>> {
        guard(|| {
            let found = self.0.schedules(Some(account), Some(region), prefix).map_err(raise)?;
            Ok(found.into_iter().map(|schedule| self.wrap(schedule)).collect())
        })
    }

    /// Up to `limit` schedules whose name starts with `prefix` and comes behind `after`, in order.
    #[pyo3(signature = (owner, prefix, after, limit))]
    fn page(
        &self,
        owner: (String, String),
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<Vec<Schedule>> {
        guard(|| {
            let owner = (&*owner.0, &*owner.1);
            let found = self.0.schedule_page(owner, prefix, after, limit).map_err(raise)?;
            Ok(found.into_iter().map(|schedule| self.wrap(schedule)).collect())
        })
    }

    /// The full name of a target.
    fn target_name(&self, target: (String, u32)) -> PyResult<PlainName> {
        guard(|| Ok(plain(target_name(&self.0, &target)?)))
    }
}

impl Schedules {
    fn wrap(&self, core: Arc<CoreSchedule>) -> Schedule {
        Schedule { engine: self.0.clone(), core }
    }
}

/// A schedule of an open engine.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Schedule {
    engine: Arc<CoreEngine>,
    core: Arc<CoreSchedule>,
}

#[pymethods]
impl Schedule {
    #[getter]
    fn id(&self) -> u32 {
        self.core.id().0
    }

    /// The name of its group and its own, with a slash in between.
    #[getter]
    fn name(&self) -> String {
        self.core.name().name.clone()
    }

    /// What it is. The target and the dead-letter queue are full names.
    fn definition<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let config = self.core.config();
        let values = PyDict::new(py);
        values.set_item("expression", config.expression)?;
        values.set_item("timezone", config.timezone)?;
        values.set_item("start", config.start)?;
        values.set_item("end", config.end)?;
        values.set_item("window", config.window)?;
        values.set_item("target", plain(config.target))?;
        values.set_item("group", config.group)?;
        values.set_item("input", config.input)?;
        values.set_item("dead_letter", config.dead_letter.map(plain))?;
        values.set_item("enabled", config.enabled)?;
        values.set_item("delete_after_completion", config.delete_after_completion)?;
        values.set_item("document", config.document)?;
        Ok(values)
    }

    /// How it stands. Times are milliseconds.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guard(|| {
            let status = py.detach(|| self.core.status()).map_err(raise)?;
            let values = PyDict::new(py);
            values.set_item("active", status.is_active)?;
            values.set_item("next", status.next)?;
            values.set_item("delivered", status.progress.delivered)?;
            values.set_item("failed", status.progress.failed)?;
            values.set_item("missed", status.progress.missed)?;
            values.set_item("last_error", status.failure)?;
            Ok(values)
        })
    }

    /// Up to `count` moments at which it will fall due.
    fn next(&self, py: Python<'_>, count: usize) -> PyResult<Vec<Millis>> {
        guard(|| py.detach(|| self.core.next(count)).map_err(raise))
    }

    /// Replaces the times, the window and the input; what is None in `changes` is cleared.
    fn configure(&self, py: Python<'_>, changes: Changes) -> PyResult<()> {
        guard(|| {
            let Changes { expression, timezone, start, end, window, input } = changes;
            let now = self.core.config();
            let config = ScheduleConfig { expression, timezone, start, end, window, input, ..now };
            self.control(py, || self.engine.configure_schedule(&self.core, config))
        })
    }

    /// Replaces the definition as a whole.
    fn replace(&self, py: Python<'_>, definition: Definition) -> PyResult<()> {
        guard(|| {
            let config = config(&self.engine, definition)?;
            self.control(py, || self.engine.configure_schedule(&self.core, config))
        })
    }

    fn set_enabled(&self, py: Python<'_>, enabled: bool) -> PyResult<()> {
        self.control(py, || self.core.set_enabled(enabled))
    }

    fn remove(&self, py: Python<'_>) -> PyResult<()> {
        self.control(py, || self.core.remove())
    }
}

impl Schedule {
    /// Carries a change out, and waits until it is as durable as the engine is.
    fn control(
        &self,
        py: Python<'_>,
        verb: impl FnOnce() -> Result<Option<Ticket>> + Send,
    ) -> PyResult<()> {
        pending::settled(py, &self.engine, self.core.name(), || Ok(((), verb()?)))
    }
}

/// What of a schedule may be changed.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Changes {
    expression: String,
    timezone: String,
    start: Option<Millis>,
    end: Option<Millis>,
    window: Option<Millis>,
    input: Option<String>,
}

/// The moments of an expression, without an engine.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct Timetable(Core);

#[pymethods]
impl Timetable {
    #[new]
    #[pyo3(signature = (expression, timezone, created, start=None, end=None, *, rule=false))]
    fn new(
        expression: &str,
        timezone: &str,
        created: Millis,
        start: Option<Millis>,
        end: Option<Millis>,
        rule: bool,
    ) -> PyResult<Self> {
        let dialect = if rule { Dialect::Rule } else { Dialect::Scheduler };
        let refused = |error: InvalidSchedule| {
            let text = match error.field {
                "timezone" | "start" | "end" => error.to_string(),
                _ => format!("{} {error}", dialect.refusal(expression)),
            };
            raise(Error::new(Code::ValidationException, text))
        };
        let parsed = Expression::parse(expression, dialect).map_err(refused)?;
        let zone = Zone::named(timezone).map_err(refused)?;
        Core::new(parsed, zone, created, start, end).map(Self).map_err(refused)
    }

    /// Up to `count` moments after `after`.
    fn next(&self, mut after: Millis, count: usize) -> Vec<Millis> {
        let found = std::iter::from_fn(|| {
            after = self.0.next(after)?;
            Some(after)
        });
        found.take(count).collect()
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Schedules>()?;
    module.add_class::<Schedule>()?;
    module.add_class::<Timetable>()
}
