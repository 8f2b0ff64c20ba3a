//! The AWS door: a front to one engine, callable in the process, and a server around it.

mod control;
mod front;
mod server;
mod store;
mod turns;
mod value;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<front::WireFront>()?;
    module.add_class::<turns::WireTurns>()?;
    module.add_class::<store::WireStore>()?;
    server::register(module)
}
