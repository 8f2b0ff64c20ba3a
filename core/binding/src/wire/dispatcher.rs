//! A dispatcher for one engine, and calls through it without a socket.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderName, HeaderValue};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use trunkline_types::sync::lock;
use trunkline_wire::auth::{Credential, Credentials, Mode};
use trunkline_wire::detect::ServiceInfo;
use trunkline_wire::dispatch::{Dispatcher, Invocation, InvocationError};
use trunkline_wire::message::Request;

use super::control::PyControl;
use super::request::WireRequest;
use super::response::{PlainResponse, plain};
use super::value::{Times, from_python, to_python};
use crate::engine::Engine;
use crate::error::guard;

/// A service: name, target prefix, scopes, API version, actions, error for inputs, path prefix.
type PlainService = (
    String,
    Option<String>,
    Vec<String>,
    Option<String>,
    Vec<String>,
    Option<String>,
    Option<String>,
);
/// A credential: access key id, secret, session token, account.
type PlainCredential = (String, String, Option<String>, Option<String>);
/// A request: method, target, headers, body, and the address under which we were reached.
type PlainRequest<'a> = (&'a str, &'a str, Vec<(String, String)>, &'a [u8], &'a str);
/// The output of an operation, or an error: code, name, message, HTTP status.
type Invoked<'py> = (Option<Bound<'py, PyAny>>, Option<(String, String, String, u16)>);

#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct WireDispatcher(pub Arc<Dispatcher>);

#[pymethods]
impl WireDispatcher {
    #[new]
    #[pyo3(signature = (engine, control, services, auth, secrets))]
    fn new(
        engine: &Engine,
        control: Py<PyAny>,
        services: Vec<PlainService>,
        auth: &str,
        secrets: Vec<PlainCredential>,
    ) -> PyResult<Self> {
        let auth = mode(auth, secrets)?;
        let services = services.into_iter().map(service).collect();
        let control = Arc::new(PyControl(control));
        Ok(Self(Arc::new(Dispatcher::new(engine.shared().clone(), control, services, auth))))
    }

    /// Answers one request, blocking for as long as it takes.
    fn call<'py>(
        &self,
        py: Python<'py>,
        request: PlainRequest<'_>,
    ) -> PyResult<PlainResponse<'py>> {
        let (method, target, headers, body, base) = request;
        let headers = header_map(headers)?;
        let request = as_request(method, target, &headers, body);
        guard(|| {
            // A pending signal (Ctrl-C) ends a long poll; it is raised when this returns.
            let interrupted = || Python::attach(|py| py.check_signals().is_err());
            let answer = py.detach(|| self.0.call(&request, base, &interrupted));
            Ok(plain(py, answer))
        })
    }

    /// Carries out an operation by its name, blocking for as long as it takes: the output, or the
    /// code, the name in the model, the message and the HTTP status of an error.
    fn invoke<'py>(
        &self,
        py: Python<'py>,
        operation: (&str, &str),
        input: &Bound<'py, PyAny>,
        caller: (&str, &str),
        base: &str,
    ) -> PyResult<Invoked<'py>> {
        let ((service, operation), (account, region)) = (operation, caller);
        let invocation = Invocation { service, operation, account, region, base };
        let input = from_python(input)?;
        guard(|| {
            let interrupted = || Python::attach(|py| py.check_signals().is_err());
            match py.detach(|| self.0.invoke(&invocation, &input, &interrupted)) {
                Ok(output) => Ok((Some(to_python(py, &output, Times::Datetimes)?), None)),
                Err(error) => {
                    let InvocationError { code, name, message, status } = error;
                    Ok((None, Some((code, name, message, status))))
                }
            }
        })
    }

    /// Starts to answer one request, for an event loop, which polls it. `earlier` is a start of the
    /// same request that was held up, and says to start it again.
    #[pyo3(signature = (request, earlier=None))]
    fn start(
        &self,
        request: PlainRequest<'_>,
        earlier: Option<&Bound<'_, WireRequest>>,
    ) -> PyResult<WireRequest> {
        let (method, target, headers, body, base) = request;
        let headers = header_map(headers)?;
        let request = as_request(method, target, &headers, body);
        guard(|| {
            let held = earlier.and_then(|earlier| *lock(&earlier.get().held));
            let pending = Mutex::new(self.0.start_pending(&request, base, held.as_ref()));
            Ok(WireRequest { dispatcher: self.0.clone(), pending, held: Mutex::new(None) })
        })
    }
}

fn as_request<'a>(
    method: &'a str,
    target: &'a str,
    headers: &'a HeaderMap,
    body: &'a [u8],
) -> Request<'a> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Request { method, path, query, headers, body, peer: None, seen: None }
}

fn service(service: PlainService) -> ServiceInfo {
    let (name, target_prefix, scopes, api_version, actions, invalid_input, path_prefix) = service;
    ServiceInfo { name, target_prefix, scopes, api_version, actions, invalid_input, path_prefix }
}

fn mode(name: &str, credentials: Vec<PlainCredential>) -> PyResult<Mode> {
    match name {
        "off" => Ok(Mode::Off),
        "parse" => Ok(Mode::Parse),
        "trusted" => Ok(Mode::Trusted),
        "strict" => {
            let table: HashMap<String, Credential> = credentials
                .into_iter()
                .map(|(id, secret, token, account)| (id, Credential { secret, token, account }))
                .collect();
            Ok(Mode::Strict(Credentials(table)))
        }
        _ => Err(PyValueError::new_err(format!(
            "auth {name:?} is not known; use 'off', 'parse', 'strict' or 'trusted'"
        ))),
    }
}

fn header_map(headers: Vec<(String, String)>) -> PyResult<HeaderMap> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        match (name, HeaderValue::from_str(&value)) {
            (Ok(name), Ok(value)) => map.append(name, value),
            _ => return Err(PyValueError::new_err("a header holds characters HTTP cannot carry")),
        };
    }
    Ok(map)
}
