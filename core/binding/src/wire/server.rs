//! The HTTP server, started and stopped from Python.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use trunkline_types::sync::lock;
use trunkline_wire::server::{Certificate, Options, Origins, Server, development_certificate};

use super::dispatcher::WireDispatcher;

#[pyclass(frozen, module = "trunkline._core")]
struct WireServer {
    server: Mutex<Option<Server>>,
    address: SocketAddr,
}

#[pymethods]
impl WireServer {
    #[staticmethod]
    #[pyo3(signature = (dispatcher, host, port, certificate, origins, read_timeout))]
    fn start(
        py: Python<'_>,
        dispatcher: &WireDispatcher,
        host: &str,
        port: u16,
        certificate: Option<(String, String)>,
        origins: Vec<String>,
        read_timeout: f64,
    ) -> PyResult<Self> {
        let host = host
            .parse()
            .map_err(|_| PyOSError::new_err(format!("{host:?} is no IP address to listen on")))?;
        let mut options = Options::new(SocketAddr::new(host, port));
        options.certificate = certificate.map(|(chain, key)| Certificate { chain, key });
        options.origins = Origins(origins);
        options.read_timeout = Duration::try_from_secs_f64(read_timeout)
            .map_err(|_| PyOSError::new_err("read_timeout must be a number of seconds"))?;
        let dispatcher = dispatcher.0.clone();
        let started = py.detach(|| Server::start(dispatcher, options));
        // With its number, so that the command can say what to do about it.
        let server = started.map_err(|error| match error.raw_os_error() {
            Some(number) => PyOSError::new_err((number, error.to_string())),
            None => PyOSError::new_err(error.to_string()),
        })?;
        let address = server.address();
        Ok(Self { server: Mutex::new(Some(server)), address })
    }

    /// The IP address and port.
    #[getter]
    fn address(&self) -> (String, u16) {
        (self.address.ip().to_string(), self.address.port())
    }

    /// Stops; requests that have started get `patience` seconds. Whether all of them finished.
    fn stop(&self, py: Python<'_>, patience: f64) -> bool {
        let patience = Duration::try_from_secs_f64(patience).unwrap_or_default();
        py.detach(|| {
            // Taken out first: stopping must not hold the lock while requests finish.
            let server = lock(&self.server).take();
            server.is_none_or(|mut server| server.stop(patience))
        })
    }
}

/// A certificate for development: the chain and the key, as PEM.
#[pyfunction]
fn make_certificate(names: Vec<String>) -> PyResult<(String, String)> {
    let made = development_certificate(names)?;
    Ok((made.chain, made.key))
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<WireServer>()?;
    module.add_function(wrap_pyfunction!(make_certificate, module)?)
}
