//! The AWS wire: a dispatcher for one engine, callable in the process, and a server around it.

mod api;
mod control;
mod dispatcher;
mod policy;
mod request;
mod response;
mod server;
mod store;
mod stream;
mod value;

use pyo3::prelude::*;

/// The names of the operations that are carried out without Python, by service.
#[pyfunction]
fn data_plane() -> Vec<(&'static str, Vec<&'static str>)> {
    let services = trunkline_wire::services::all();
    services.iter().map(|service| (service.name(), service.operations().to_vec())).collect()
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<dispatcher::WireDispatcher>()?;
    module.add_class::<request::WireRequest>()?;
    module.add_class::<store::WireStore>()?;
    module.add_class::<stream::WireStream>()?;
    module.add_function(wrap_pyfunction!(data_plane, module)?)?;
    policy::register(module)?;
    api::register(module)?;
    server::register(module)
}
