//! All queues of an engine at once.

use std::sync::Arc;

use pyo3::prelude::*;
use trunkline_engine::{QUEUE, ResourceName};

use crate::engine::Engine;
use crate::error::{guard, raise};
use crate::queue::handle::{Handle, HandleRef};
use crate::queue::management::Queue;
use crate::queue::statistics::QueueStatistics;

/// Up to `limit` queues of an account and region (None: of all) whose name starts with `prefix`,
/// behind the one of the full name `after`; and how many there are with those before and behind.
#[pyfunction]
fn queue_window(
    py: Python<'_>,
    engine: &Engine,
    owner: (Option<String>, Option<String>),
    prefix: &str,
    after: Option<(String, String, String)>,
    limit: usize,
) -> PyResult<(Vec<Py<Queue>>, usize)> {
    let core = engine.shared();
    let after =
        after.map(|(account, region, name)| ResourceName::new(QUEUE, &account, &region, &name));
    guard(|| {
        let owner = (owner.0.as_deref(), owner.1.as_deref());
        let look = || core.queue_window(owner, prefix, after.as_ref(), limit);
        let (found, total) = py.detach(look).map_err(raise)?;
        let handle = |queue| HandleRef::new(py, Handle::new(Arc::clone(core), queue));
        let queues = found.into_iter().map(|queue| Queue::create(py, handle(queue)?));
        Ok((queues.collect::<PyResult<_>>()?, total))
    })
}

/// The queues that a service keeps something in; lists leave them out.
#[pyfunction]
fn queues_of_service(py: Python<'_>, engine: &Engine, service: &str) -> PyResult<Vec<Py<Queue>>> {
    let core = engine.shared();
    guard(|| {
        let found = core.queues_of_service(service).map_err(raise)?;
        let handle = |queue| HandleRef::new(py, Handle::new(Arc::clone(core), queue));
        found.into_iter().map(|queue| Queue::create(py, handle(queue)?)).collect()
    })
}

/// How many queues an engine has, and how all of them stand together.
#[pyfunction]
fn queue_totals(py: Python<'_>, engine: &Engine) -> PyResult<(usize, QueueStatistics)> {
    guard(|| {
        let (count, all) = py.detach(|| engine.shared().queue_totals()).map_err(raise)?;
        Ok((count, QueueStatistics(all)))
    })
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(queue_window, module)?)?;
    module.add_function(wrap_pyfunction!(queues_of_service, module)?)?;
    module.add_function(wrap_pyfunction!(queue_totals, module)?)
}
