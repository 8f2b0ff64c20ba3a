//! Patterns and sets of rules: `trunkline.patterns` without the rest of the engine.

mod compile;
mod error;
mod explanation;
mod given;
mod limits;
mod one;
mod set;
mod slots;

use pyo3::prelude::*;

/// What patterns and events are refused with.
pub(crate) const CODES: [&str; 3] =
    ["InvalidEventPatternException", "InvalidParameter", "InvalidEvent"];

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    limits::register(module)?;
    module.add_class::<one::Pattern>()?;
    module.add_class::<explanation::Explanation>()?;
    module.add_class::<set::RuleSet>()?;
    module.add_function(wrap_pyfunction!(compile::compile_pattern, module)?)
}
