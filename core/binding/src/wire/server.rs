//! The HTTP server, started and stopped from Python.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use trunkline_types::sync::lock;
use trunkline_wire::server::{
    Certificate, LogForm, LogLevel, Options, Origins, Server, TrustedProxies,
    development_certificate,
};

use super::dispatcher::WireDispatcher;

#[pyclass(frozen, module = "trunkline._core")]
struct WireServer {
    server: Mutex<Option<Server>>,
    address: SocketAddr,
}

/// The settings of a server, from a dict.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Settings {
    host: String,
    port: u16,
    certificate: Option<(String, String)>,
    origins: Vec<String>,
    hosts: Vec<String>,
    proxies: Vec<String>,
    admin_token: Option<String>,
    request_log: Option<String>,
    log_level: String,
    read_timeout: f64,
    idle_timeout: f64,
    write_timeout: f64,
}

impl Settings {
    fn options(self) -> PyResult<Options> {
        let address = self
            .host
            .parse()
            .map_err(|_| PyValueError::new_err(format!("host {:?} is no IP address", self.host)))?;
        let mut options = Options::new(SocketAddr::new(address, self.port));
        options.certificate = self.certificate.map(|(chain, key)| Certificate { chain, key });
        options.origins = Origins(self.origins);
        options.hosts = self.hosts;
        options.proxies = TrustedProxies::read(&self.proxies).map_err(|text| {
            PyValueError::new_err(format!("trusted proxy {text:?} is no IP address or network"))
        })?;
        options.admin_token = self.admin_token;
        options.request_log = self.request_log.as_deref().map(log_form).transpose()?;
        if let Some((_, level)) = &mut options.request_log {
            *level = log_level(&self.log_level)?;
        }
        options.read_timeout = seconds("read_timeout", self.read_timeout)?;
        options.idle_timeout = seconds("idle_timeout", self.idle_timeout)?;
        options.write_timeout = seconds("write_timeout", self.write_timeout)?;
        Ok(options)
    }
}

fn log_form(name: &str) -> PyResult<(LogForm, LogLevel)> {
    match name {
        "text" => Ok((LogForm::Text, LogLevel::Info)),
        "json" => Ok((LogForm::Json, LogLevel::Info)),
        _ => {
            let why = format!("request_log {name:?} is not known; use 'text' or 'json'");
            Err(PyValueError::new_err(why))
        }
    }
}

fn log_level(name: &str) -> PyResult<LogLevel> {
    LogLevel::named(name).ok_or_else(|| {
        let why =
            format!("log_level {name:?} is not known; use 'error', 'warning', 'info' or 'debug'");
        PyValueError::new_err(why)
    })
}

/// The longest time-out: a day.
const TIMEOUT_SECONDS_MAX: f64 = 86_400.0;

fn seconds(name: &str, value: f64) -> PyResult<Duration> {
    if value > 0.0 && value <= TIMEOUT_SECONDS_MAX {
        return Ok(Duration::from_secs_f64(value));
    }
    Err(PyValueError::new_err(format!("{name} must be more than 0 and at most 86400 seconds")))
}

#[pymethods]
impl WireServer {
    #[staticmethod]
    fn start(py: Python<'_>, dispatcher: &WireDispatcher, settings: Settings) -> PyResult<Self> {
        let options = settings.options()?;
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
