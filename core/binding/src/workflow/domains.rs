//! The domains of an open engine, and what deciders and workers answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::prelude::*;
use trunkline_engine::{
    ActivityEnd, DOMAIN, DecisionAnswer, DomainSettings, Engine as CoreEngine, ResourceName,
};

use super::domain::WorkflowDomain;
use super::failure::{refuse, settled};
use crate::engine::Engine;
use crate::error::{guard, invalid};

fn full_name((account, region, name): (String, String, String)) -> ResourceName {
    ResourceName::new(DOMAIN, account, region, name)
}

/// The domains of an open engine.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct WorkflowDomains(Arc<CoreEngine>);

#[pymethods]
impl WorkflowDomains {
    #[new]
    fn new(engine: &Engine) -> Self {
        Self(engine.shared().clone())
    }

    /// Registers a domain. `retention_days` is a text of days, or NONE.
    fn register(
        &self,
        py: Python<'_>,
        name: (String, String, String),
        description: Option<String>,
        retention_days: String,
        tags: BTreeMap<String, String>,
    ) -> PyResult<WorkflowDomain> {
        guard(|| {
            let settings = DomainSettings { description, retention_days, deprecated: None, tags };
            let made =
                settled(py, &self.0, || self.0.domains().register(full_name(name), settings))?;
            Ok(WorkflowDomain::new(self.0.clone(), made))
        })
    }

    /// The domain of this name.
    fn find(&self, name: (String, String, String)) -> PyResult<WorkflowDomain> {
        guard(|| {
            let found = self.0.domains().find(&full_name(name)).map_err(refuse)?;
            Ok(WorkflowDomain::new(self.0.clone(), found))
        })
    }

    /// The domains of an account and region, by name.
    fn list(&self, account: Option<&str>, region: Option<&str>) -> PyResult<Vec<WorkflowDomain>> {
        guard(|| {
            let found = self.0.domains().list(account, region).map_err(refuse)?;
            Ok(found.into_iter().map(|one| WorkflowDomain::new(self.0.clone(), one)).collect())
        })
    }

    /// Carries out the decisions of a task, a JSON list; the domain that it is of.
    #[pyo3(signature = (token, decisions, context=None, task_list=None, schedule_to_start=None))]
    fn respond_decision(
        &self,
        py: Python<'_>,
        token: &str,
        decisions: &str,
        context: Option<String>,
        task_list: Option<String>,
        schedule_to_start: Option<String>,
    ) -> PyResult<WorkflowDomain> {
        guard(|| {
            let answer = DecisionAnswer { decisions, context, task_list, schedule_to_start };
            let domain =
                settled(py, &self.0, || self.0.domains().respond_decision(token, &answer))?;
            Ok(WorkflowDomain::new(self.0.clone(), domain))
        })
    }

    /// Ends an activity task: `kind` is completed (a result), failed (reason, details) or canceled
    /// (details).
    #[pyo3(signature = (token, kind, first=None, second=None))]
    fn respond_activity(
        &self,
        py: Python<'_>,
        token: &str,
        kind: &str,
        first: Option<String>,
        second: Option<String>,
    ) -> PyResult<()> {
        guard(|| {
            let end = match kind {
                "completed" => ActivityEnd::Completed(first),
                "failed" => ActivityEnd::Failed(first, second),
                "canceled" => ActivityEnd::Canceled(first),
                other => return Err(invalid(format!("kind is {other:?}: no end of a task."))),
            };
            let verb = || Ok(((), self.0.domains().respond_activity(token, end)?));
            settled(py, &self.0, verb)
        })
    }

    /// A worker is still at a task; whether the task is asked to cancel.
    fn heartbeat(&self, py: Python<'_>, token: &str, details: Option<String>) -> PyResult<bool> {
        guard(|| settled(py, &self.0, || self.0.domains().heartbeat(token, details)))
    }

    /// Reports the end of a Lambda function: its result, or reason and details of a failure.
    #[pyo3(signature = (token, succeeded, first=None, second=None))]
    fn respond_lambda(
        &self,
        py: Python<'_>,
        token: &str,
        succeeded: bool,
        first: Option<String>,
        second: Option<String>,
    ) -> PyResult<()> {
        guard(|| {
            let end = if succeeded { Ok(first) } else { Err((first, second)) };
            let verb = || Ok(((), self.0.domains().respond_lambda(token, end)?));
            settled(py, &self.0, verb)
        })
    }
}
