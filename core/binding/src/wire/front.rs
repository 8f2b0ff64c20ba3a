//! A front to one engine, and calls through it without a socket.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use trunkline_wire::auth::{Credential, Credentials, Mode};
use trunkline_wire::detect::Service;
use trunkline_wire::front::Front;
use trunkline_wire::message::Request;

use super::control::PyControl;
use crate::engine::Engine;
use crate::error::guard;

/// A service: name, target prefix, scopes, API version, actions.
type PlainService = (String, Option<String>, Vec<String>, Option<String>, Vec<String>);
/// A credential: access key id, secret, session token, account.
type PlainCredential = (String, String, Option<String>, Option<String>);
type PlainAnswer<'py> = (u16, Vec<(String, String)>, Bound<'py, PyBytes>);

#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct WireFront(pub Arc<Front>);

#[pymethods]
impl WireFront {
    #[new]
    #[pyo3(signature = (engine, control, services, auth, credentials))]
    fn new(
        engine: &Engine,
        control: Py<PyAny>,
        services: Vec<PlainService>,
        auth: &str,
        credentials: Vec<PlainCredential>,
    ) -> PyResult<Self> {
        let auth = mode(auth, credentials)?;
        let services = services.into_iter().map(service).collect();
        let control = Arc::new(PyControl(control));
        Ok(Self(Arc::new(Front::new(engine.shared().clone(), control, services, auth))))
    }

    /// Answers one request, blocking for as long as it takes.
    fn call<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        target: &str,
        headers: Vec<(String, String)>,
        body: &[u8],
        base: &str,
    ) -> PyResult<PlainAnswer<'py>> {
        let headers = header_map(headers)?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let request = Request { method, path, query, headers: &headers, body };
        guard(|| {
            // A pending signal (Ctrl-C) ends a long poll; it is raised when this returns.
            let interrupted = || Python::attach(|py| py.check_signals().is_err());
            let answer = py.detach(|| self.0.call(&request, base, &interrupted));
            let headers = answer.headers.into_iter().map(|(k, v)| (k.into_owned(), v.into_owned()));
            Ok((answer.status, headers.collect(), PyBytes::new(py, &answer.body)))
        })
    }
}

fn service((name, target_prefix, scopes, api_version, actions): PlainService) -> Service {
    Service { name, target_prefix, scopes, api_version, actions }
}

fn mode(name: &str, credentials: Vec<PlainCredential>) -> PyResult<Mode> {
    match name {
        "off" => Ok(Mode::Off),
        "parse" => Ok(Mode::Parse),
        "strict" => {
            let table: HashMap<String, Credential> = credentials
                .into_iter()
                .map(|(id, secret, token, account)| (id, Credential { secret, token, account }))
                .collect();
            Ok(Mode::Strict(Credentials(table)))
        }
        _ => Err(PyValueError::new_err(format!(
            "auth {name:?} is not known; use 'off', 'parse' or 'strict'"
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
