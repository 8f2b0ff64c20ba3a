//! State machines: take, call, wrap.

mod handle;
mod program;
mod run;
mod state_test;
mod stimulus;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<handle::Machines>()?;
    module.add_class::<handle::Machine>()?;
    module.add_class::<handle::Execution>()?;
    module.add_class::<program::StatesProgram>()?;
    module.add_class::<run::StatesRun>()?;
    module.add_class::<state_test::StateTest>()
}
