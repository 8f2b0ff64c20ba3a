//! Resource policies, checked before a control plane stores them.

use pyo3::prelude::*;
use trunkline_wire::policy::Policy;
use trunkline_wire::services::sns::Protection;

/// What in a resource policy cannot be understood: whether it is JSON at all, and a sentence. None
/// if the policy may be set.
#[pyfunction]
fn policy_flaw(py: Python<'_>, policy: &str) -> Option<(bool, String)> {
    py.detach(|| {
        let policy = Policy::read(policy);
        policy.flaw().map(|flaw| (policy.is_json(), flaw.to_owned()))
    })
}

/// What in a data protection policy of SNS cannot be applied, as a sentence. None if it may be put.
#[pyfunction]
fn protection_flaw(py: Python<'_>, policy: &str) -> Option<String> {
    py.detach(|| Protection::read(policy).err())
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(protection_flaw, module)?)?;
    module.add_function(wrap_pyfunction!(policy_flaw, module)?)
}
