//! The Rust side of `trunkline.patterns`: patterns and rule sets. It does not use the engine.

mod compile;
mod compiled;
mod error;
mod explanation;
mod input;
mod limits;
mod rule_ids;
mod rule_set;
mod scope;

use pyo3::prelude::*;

pub(crate) use explanation::Explanation;

/// The error codes for invalid patterns and events.
pub(crate) const CODES: [&str; 3] =
    ["InvalidEventPatternException", "InvalidParameter", "InvalidEvent"];

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    limits::register(module)?;
    module.add_class::<compiled::Pattern>()?;
    module.add_class::<explanation::Explanation>()?;
    module.add_class::<rule_set::RuleSet>()?;
    module.add_function(wrap_pyfunction!(compile::compile_pattern, module)?)
}
