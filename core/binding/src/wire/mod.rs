//! The AWS wire: a dispatcher for one engine, callable in the process, and a server around it.

mod control;
mod dispatcher;
mod policy;
mod request;
mod response;
mod server;
mod store;
mod value;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<dispatcher::WireDispatcher>()?;
    module.add_class::<request::WireRequest>()?;
    module.add_class::<store::WireStore>()?;
    policy::register(module)?;
    server::register(module)
}
