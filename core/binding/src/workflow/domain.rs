//! One domain: its types, its executions, and what is to be called for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::prelude::*;
use trunkline_engine::workflows::{Fault, TaskKind, TypeId};
use trunkline_engine::{
    Domain as Core, DomainSettings, Engine as CoreEngine, ExecutionTarget, ResourceName, TypeKind,
    WorkflowFailure, WorkflowOutcome, execution_details, execution_info, read_defaults,
    read_filter, read_policy, read_start, type_details, type_info,
};
use trunkline_types::Millis;

use super::failure::{refuse, settled};
use crate::error::guard;

/// One domain.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct WorkflowDomain {
    engine: Arc<CoreEngine>,
    core: Arc<Core>,
}

/// Token, id, name, input, workflow id, run id, role of a Lambda function that is to be called.
type PlainLambda = (String, String, String, Option<String>, String, String, Option<String>);

/// Executions as JSON, and where the next page begins.
type PlainPage = (Vec<String>, Option<(Millis, u32)>);

/// Description, days of retention, whether it is deprecated, tags.
type PlainSettings = (Option<String>, String, bool, BTreeMap<String, String>);

fn kind_of(is_workflow: bool) -> TypeKind {
    if is_workflow { TypeKind::Workflow } else { TypeKind::Activity }
}

fn target<'a>(workflow_id: &'a str, run_id: Option<&'a str>) -> ExecutionTarget<'a> {
    ExecutionTarget { workflow_id, run_id }
}

fn fault<T>(read: Result<T, Fault>) -> PyResult<T> {
    read.map_err(|fault| refuse(WorkflowFailure::Fault(fault)))
}

impl WorkflowDomain {
    pub fn new(engine: Arc<CoreEngine>, core: Arc<Core>) -> Self {
        Self { engine, core }
    }

    /// Calls a verb that only writes.
    fn write(
        &self,
        py: Python<'_>,
        verb: impl FnOnce() -> WorkflowOutcome<Option<trunkline_engine::Ticket>> + Send,
    ) -> PyResult<()> {
        guard(|| settled(py, &self.engine, || Ok(((), verb()?))))
    }
}

#[pymethods]
impl WorkflowDomain {
    /// Account, region and name.
    #[getter]
    fn name(&self) -> (String, String, String) {
        let ResourceName { account, region, name, .. } = self.core.name().clone();
        (account, region, name)
    }

    fn settings(&self) -> PyResult<PlainSettings> {
        guard(|| {
            let settings = self.core.settings().map_err(refuse)?;
            let DomainSettings { description, retention_days, deprecated, tags } = settings;
            Ok((description, retention_days, deprecated.is_some(), tags))
        })
    }

    fn deprecate(&self, py: Python<'_>) -> PyResult<()> {
        self.write(py, || self.core.deprecate())
    }

    fn undeprecate(&self, py: Python<'_>) -> PyResult<()> {
        self.write(py, || self.core.undeprecate())
    }

    /// Replaces the tags.
    fn set_tags(&self, py: Python<'_>, tags: BTreeMap<String, String>) -> PyResult<()> {
        self.write(py, || {
            self.core.configure(|settings| {
                settings.tags = tags;
                Ok(())
            })
        })
    }

    /// Registers a type of workflows or of activities; its defaults are JSON.
    fn register_type(
        &self,
        py: Python<'_>,
        is_workflow: bool,
        id: (String, String),
        description: Option<String>,
        defaults: &str,
    ) -> PyResult<()> {
        let defaults = fault(read_defaults(kind_of(is_workflow), defaults))?;
        let id = TypeId { name: id.0, version: id.1 };
        self.write(py, || self.core.register_type(id, description, defaults))
    }

    /// A type as JSON, with its defaults.
    fn describe_type(&self, is_workflow: bool, id: (String, String)) -> PyResult<String> {
        guard(|| {
            let id = TypeId { name: id.0, version: id.1 };
            let found = self.core.find_type(kind_of(is_workflow), &id).map_err(refuse)?;
            Ok(type_details(&found).to_string())
        })
    }

    /// The types of a kind by name and version, each as JSON.
    fn types(&self, is_workflow: bool, deprecated: bool) -> PyResult<Vec<String>> {
        guard(|| {
            let found = self.core.types(kind_of(is_workflow), deprecated).map_err(refuse)?;
            Ok(found.iter().map(|row| type_info(row).to_string()).collect())
        })
    }

    /// Deprecates a type, or takes that back.
    fn deprecate_type(
        &self,
        py: Python<'_>,
        is_workflow: bool,
        id: (String, String),
        deprecated: bool,
    ) -> PyResult<()> {
        let id = TypeId { name: id.0, version: id.1 };
        self.write(py, || self.core.deprecate_type(kind_of(is_workflow), &id, deprecated))
    }

    fn delete_type(&self, py: Python<'_>, is_workflow: bool, id: (String, String)) -> PyResult<()> {
        let id = TypeId { name: id.0, version: id.1 };
        self.write(py, || self.core.delete_type(kind_of(is_workflow), &id))
    }

    /// Starts an execution, of the JSON input of StartWorkflowExecution; the id of its run.
    fn start(&self, py: Python<'_>, request: &str) -> PyResult<String> {
        guard(|| {
            let request = fault(read_start(request))?;
            settled(py, &self.engine, || self.core.start(request))
        })
    }

    fn signal(
        &self,
        py: Python<'_>,
        workflow_id: &str,
        run_id: Option<&str>,
        name: &str,
        input: Option<String>,
    ) -> PyResult<()> {
        self.write(py, || self.core.signal(target(workflow_id, run_id), name, input))
    }

    fn request_cancel(
        &self,
        py: Python<'_>,
        workflow_id: &str,
        run_id: Option<&str>,
    ) -> PyResult<()> {
        self.write(py, || self.core.request_cancel(target(workflow_id, run_id)))
    }

    fn terminate(
        &self,
        py: Python<'_>,
        workflow_id: &str,
        run_id: Option<&str>,
        reason: Option<String>,
        details: Option<String>,
        child_policy: Option<&str>,
    ) -> PyResult<()> {
        let policy = fault(child_policy.map(read_policy).transpose())?;
        let target = target(workflow_id, run_id);
        self.write(py, || self.core.terminate(target, reason, details, policy))
    }

    /// A page of the executions that a filter takes, each as JSON, and where the next one begins.
    fn executions(
        &self,
        py: Python<'_>,
        filter: &str,
        after: Option<(Millis, u32)>,
        limit: usize,
    ) -> PyResult<PlainPage> {
        guard(|| {
            let page = py.detach(|| {
                read_filter(filter, |filter| self.core.executions(filter, after, limit))
            });
            let page = fault(page)?.map_err(refuse)?;
            let shown = page.executions.iter().map(|one| execution_info(&one.execution));
            Ok((shown.map(|info| info.to_string()).collect(), page.next))
        })
    }

    /// How many executions a filter takes.
    fn count(&self, py: Python<'_>, filter: &str) -> PyResult<usize> {
        guard(|| {
            let count = py.detach(|| read_filter(filter, |filter| self.core.count(filter)));
            fault(count)?.map_err(refuse)
        })
    }

    /// How a run stands, as JSON.
    fn describe(&self, workflow_id: &str, run_id: &str) -> PyResult<String> {
        guard(|| {
            let execution = self.core.describe(workflow_id, run_id).map_err(refuse)?;
            Ok(execution_details(&execution).to_string())
        })
    }

    /// How many tasks wait in a list.
    fn pending(&self, is_decision: bool, task_list: &str) -> PyResult<usize> {
        let kind = if is_decision { TaskKind::Decision } else { TaskKind::Activity };
        guard(|| self.core.pending_tasks(kind, task_list).map_err(refuse))
    }

    /// Whether a Lambda function is to be called.
    fn has_lambdas(&self) -> bool {
        self.core.has_lambdas()
    }

    /// The next Lambda function that is to be called.
    fn take_lambda(&self, py: Python<'_>) -> PyResult<Option<PlainLambda>> {
        guard(|| {
            let task = settled(py, &self.engine, || {
                Ok(match self.core.take_lambda()? {
                    Some((task, ticket)) => (Some(task), ticket),
                    None => (None, None),
                })
            })?;
            Ok(task.map(|task| {
                let (workflow_id, run_id) = (task.execution.workflow_id, task.execution.run_id);
                (task.token, task.id, task.name, task.input, workflow_id, run_id, task.role)
            }))
        })
    }
}
