//! Domains of workflows: take, call, wrap. What has many members travels as JSON.

mod domain;
mod domains;
mod failure;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("WorkflowFault", module.py().get_type::<failure::WorkflowFault>())?;
    module.add_class::<domains::WorkflowDomains>()?;
    module.add_class::<domain::WorkflowDomain>()
}
