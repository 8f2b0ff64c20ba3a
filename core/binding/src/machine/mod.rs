//! State machines: take, call, wrap.

mod handle;
mod inline;
mod json;
mod map_run;
mod own;
mod program;
mod run;
mod state_test;
mod stimulus;
mod waiting;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<handle::Machines>()?;
    module.add_class::<handle::Machine>()?;
    module.add_class::<handle::Execution>()?;
    module.add_class::<waiting::EndWait>()?;
    module.add_class::<map_run::MapInputs>()?;
    module.add_class::<map_run::MapProgress>()?;
    module.add_class::<own::OwnCalls>()?;
    module.add_class::<program::StatesProgram>()?;
    module.add_class::<run::StatesRun>()?;
    module.add_class::<state_test::StateTest>()
}
