//! The control plane as Python implements it: an object with `call`, `model` and `reset`.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use trunkline_types::Millis;
use trunkline_wire::dispatch::{
    ApiRequest, Call, Connected, ControlPlane, SocketBody, SocketEvent,
};
use trunkline_wire::message::Response;
use trunkline_wire::sockets::SocketPeer;
use trunkline_wire::{Value, WireError};

use super::value::{Times, from_python, to_python};

use crate::python_call::PythonCall as _;

/// The answer to a client that wants to connect: status, headers, body; and what is accepted.
type Connecting = (u16, Vec<(String, String)>, Vec<u8>, Option<Accepted>);
/// Of an accepted connection: the API, the stage, the account, and what each event of it is told.
type Accepted = (String, String, String, String);

pub(super) struct PyControl(pub Py<PyAny>);

impl ControlPlane for PyControl {
    fn call(&self, call: &Call, input: Value) -> Result<Value, WireError> {
        Python::attach(|py| {
            let outcome = self.invoke(py, call, &input);
            outcome.map_err(|error| to_wire(py, error))
        })
    }

    fn invoke_api(&self, request: ApiRequest) -> Response {
        Python::attach(|py| {
            self.invoke_api(py, &request).unwrap_or_else(|error| {
                error.write_unraisable(py, None);
                let body = r#"{"message":"Internal server error"}"#;
                Response::new(500, "application/json", body)
            })
        })
    }

    fn compile_stage(&self, api: &str, kind: &str, documents: &[&[u8]]) -> Option<Vec<u8>> {
        Python::attach(|py| {
            let documents: Vec<_> = documents.iter().map(|one| PyBytes::new(py, one)).collect();
            let table = self.0.bind(py).run_method("compile_stage", (api, kind, documents));
            table.and_then(|table| table.extract()).unwrap_or_else(|error: PyErr| {
                error.write_unraisable(py, None);
                None
            })
        })
    }

    fn connect(&self, request: ApiRequest, connection: &str, now: Millis) -> Connected {
        Python::attach(|py| {
            self.connect(py, &request, connection, now).unwrap_or_else(|error| {
                error.write_unraisable(py, None);
                let body = r#"{"message":"Internal server error"}"#;
                Connected::Refused(Response::new(500, "application/json", body))
            })
        })
    }

    fn socket_event(&self, event: &SocketEvent<'_>) -> Vec<String> {
        Python::attach(|py| {
            self.socket_event(py, event).unwrap_or_else(|error| {
                error.write_unraisable(py, None);
                Vec::new()
            })
        })
    }

    fn model(&self, service: &str) -> Result<Vec<u8>, String> {
        Python::attach(|py| {
            let bytes = self.0.bind(py).run_method("model", (service,))?;
            bytes.extract::<Vec<u8>>()
        })
        .map_err(|error| error.to_string())
    }

    fn operate(&self, verb: &str, body: &[u8]) -> Result<Vec<u8>, WireError> {
        Python::attach(|py| {
            let answer = self.0.bind(py).run_method("operate", (verb, body));
            let text = answer.and_then(|answer| answer.extract::<Vec<u8>>());
            text.map_err(|error| to_wire(py, error))
        })
    }

    fn asset(&self, name: &str) -> Option<(String, Vec<u8>)> {
        Python::attach(|py| {
            let found = self.0.bind(py).run_method("asset", (name,));
            found.and_then(|found| found.extract()).unwrap_or_else(|error: PyErr| {
                error.write_unraisable(py, None);
                None
            })
        })
    }

    fn reset(&self, init: bool) {
        Python::attach(|py| {
            if let Err(error) = self.0.bind(py).run_method("reset", (init,)) {
                error.write_unraisable(py, Some(self.0.bind(py)));
            }
        });
    }
}

impl PyControl {
    fn invoke_api(&self, py: Python<'_>, request: &ApiRequest) -> PyResult<Response> {
        let about = about_request(py, request)?;
        let answer = self.0.bind(py).run_method("invoke_api", (about,))?;
        let (status, headers, body): (u16, Vec<(String, String)>, Vec<u8>) = answer.extract()?;
        Ok(response(status, headers, body))
    }

    fn connect(
        &self,
        py: Python<'_>,
        request: &ApiRequest,
        connection: &str,
        now: Millis,
    ) -> PyResult<Connected> {
        let given = (about_request(py, request)?, connection, now);
        let answer = self.0.bind(py).run_method("connect", given)?;
        let (status, headers, body, accepted): Connecting = answer.extract()?;
        let Some((api, stage, account, state)) = accepted else {
            return Ok(Connected::Refused(response(status, headers, body)));
        };
        let user_agent = request.headers.get("user-agent").and_then(|value| value.to_str().ok());
        let source_ip = request.peer.map(|peer| peer.address.to_string()).unwrap_or_default();
        let peer = SocketPeer {
            id: connection.to_owned(),
            api,
            stage,
            account,
            source_ip,
            user_agent: user_agent.map(str::to_owned),
        };
        Ok(Connected::Accepted { headers, peer, state })
    }

    fn socket_event(&self, py: Python<'_>, event: &SocketEvent<'_>) -> PyResult<Vec<String>> {
        let about = PyDict::new(py);
        about.set_item("api", &event.peer.api)?;
        about.set_item("stage", &event.peer.stage)?;
        about.set_item("connection", &event.peer.id)?;
        about.set_item("state", event.state)?;
        about.set_item("connected_at", event.connected_at)?;
        about.set_item("request_id", &event.request_id)?;
        let (message, ended) = match &event.body {
            SocketBody::Message(text) => (Some(text), None),
            SocketBody::Ended(code, reason) => (None, Some((code, reason))),
        };
        about.set_item("message", message)?;
        about.set_item("ended", ended)?;
        self.0.bind(py).run_method("socket_event", (about,))?.extract()
    }

    fn invoke(&self, py: Python<'_>, call: &Call, input: &Value) -> PyResult<Value> {
        let about = PyDict::new(py);
        let target = call.target.as_ref().map(|name| (&*name.account, &*name.region, &*name.name));
        about.set_item("target", target)?;
        about.set_item("account", &call.account)?;
        about.set_item("region", &call.region)?;
        about.set_item("access_key", &call.access_key)?;
        about.set_item("base", &call.base)?;
        about.set_item("request_id", &call.request_id)?;
        let arguments =
            (&call.service, &call.operation, about, to_python(py, input, Times::Seconds)?);
        let output = self.0.bind(py).run_method("call", arguments)?;
        from_python(&output)
    }
}

/// A request to an API, as the control plane is told of it.
fn about_request<'py>(py: Python<'py>, request: &ApiRequest) -> PyResult<Bound<'py, PyDict>> {
    let about = PyDict::new(py);
    about.set_item("api", &request.api)?;
    about.set_item("path", &request.path)?;
    about.set_item("method", &request.method)?;
    about.set_item("query", &request.query)?;
    let headers = request.headers.iter();
    // Bytes beyond ASCII are read as Latin-1, as HTTP did.
    let text = |value: &[u8]| value.iter().map(|byte| char::from(*byte)).collect::<String>();
    let headers: Vec<_> =
        headers.map(|(name, value)| (name.as_str(), text(value.as_bytes()))).collect();
    about.set_item("headers", headers)?;
    about.set_item("body", PyBytes::new(py, &request.body))?;
    about.set_item("source_ip", request.peer.map(|peer| peer.address.to_string()))?;
    about.set_item("is_secure", request.peer.is_some_and(|peer| peer.is_secure))?;
    about.set_item("base", &request.base)?;
    about.set_item("request_id", &request.request_id)?;
    about.set_item("is_strict", request.is_strict)?;
    let signer = match &request.signer {
        Some(Ok(identity)) => Some((&identity.account, &identity.region, &identity.access_key)),
        _ => None,
    };
    about.set_item("signer", signer)?;
    let refusal = match &request.signer {
        Some(Err(error)) => Some((error.name(), error.message(), error.status())),
        _ => None,
    };
    about.set_item("refusal", refusal)?;
    Ok(about)
}

fn response(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Response {
    let headers = headers.into_iter().map(|(name, value)| (name.into(), value.into()));
    Response { status, headers: headers.collect(), body }
}

// An error that names a code is an answer; anything else is a mistake of ours. Its traceback goes
// to the interpreter's own report, never to the caller.
fn to_wire(py: Python<'_>, error: PyErr) -> WireError {
    let value = error.value(py);
    let text = |name: &str| value.getattr(name).and_then(|found| found.extract::<String>());
    let Ok(code) = text("code") else {
        error.write_unraisable(py, None);
        return WireError::internal("The operation failed unexpectedly; please report this.");
    };
    let message = text("message").unwrap_or_else(|_| value.to_string());
    let status = value.getattr("status").and_then(|found| found.extract()).unwrap_or(400);
    let members = value.getattr("members").and_then(|found| from_python(&found));
    let members = match members {
        Ok(Value::Map(members)) => members,
        _ => Vec::new(),
    };
    WireError::new(code, status, message).with_members(members)
}
