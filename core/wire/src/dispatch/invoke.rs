//! Calls of operations by name from within the process: targets of schedules, pipes and state
//! machines are carried out like requests of clients, without a client.

use http::{HeaderMap, HeaderValue};
use trunkline_engine::Held;

use super::{Arrival, Dispatched, Dispatcher, PendingRequest};
use crate::auth::{Identity, Scope};
use crate::codec::json;
use crate::error::{Result, WireError};
use crate::message::{Request, Response};
use crate::model::{Kind, Model, Operation, Protocol};
use crate::protocol::{self, Dialect};
use crate::request_id;
use crate::value::Value;

/// The operation that is called, and on whose behalf.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// The service, by the name of its model.
    pub service: &'a str,
    /// The operation.
    pub operation: &'a str,
    /// The account that calls.
    pub account: &'a str,
    /// The region that is called.
    pub region: &'a str,
    /// The address that addresses in the output begin with.
    pub base: &'a str,
}

/// Why an invocation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvocationError {
    /// The code, as the service's own protocol carries it.
    pub code: String,
    /// The name of the error in the service's model.
    pub name: String,
    /// What went wrong.
    pub message: String,
    /// The HTTP status that a client would get.
    pub status: u16,
}

impl From<WireError> for InvocationError {
    fn from(error: WireError) -> Self {
        let (name, status) = (error.name().to_owned(), error.status());
        let (code, message) = (error.query_code().to_owned(), error.message().to_owned());
        Self { code, name, message, status }
    }
}

impl Dispatcher {
    /// Carries out an operation, blocking this thread for as long as it takes. `interrupted` is
    /// asked while it waits, as for [`Dispatcher::call`]. The caller has the rights of the account:
    /// no signature is asked for, but the policies of resources are, where they are enforced.
    pub fn invoke(
        &self,
        invocation: &Invocation<'_>,
        input: &Value,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Value, InvocationError> {
        let Invocation { service, operation, .. } = *invocation;
        if !self.services.iter().any(|info| info.name == service) {
            let message = format!("The service {service} is not served here.");
            return Err(WireError::new("UnsupportedService", 400, message).into());
        }
        let model = self.model(service)?;
        let found = model.operation(operation).ok_or_else(protocol::unknown_operation)?;
        let body = encode(&model, found, input)?;
        let headers = headers(service, operation)?;
        let (path, query) = ("/", "");
        let request = Request {
            method: "POST",
            path,
            query,
            headers: &headers,
            body: &body,
            peer: None,
            seen: None,
        };
        let start = |held: Option<&Held>| {
            let started = self.start_invocation(invocation, &request, held);
            PendingRequest::new(self.engine.clone(), started)
        };
        decode(&model, found, &self.finish(start, interrupted))
    }

    fn start_invocation(
        &self,
        invocation: &Invocation<'_>,
        request: &Request<'_>,
        held: Option<&Held>,
    ) -> Dispatched {
        let dialect = Dialect::new(Protocol::Json);
        let request_id = request_id::next();
        let identity = Identity {
            account: invocation.account.to_owned(),
            region: invocation.region.to_owned(),
            access_key: None,
        };
        let now = (self.wall.now() / 1_000) as i64;
        let arrival = Arrival {
            request,
            base: invocation.base,
            request_id: &request_id,
            held,
            access: self.access(request, &identity, invocation.base, now),
            identity,
            scope: Scope::default(),
            refusal: None,
            declined: false,
        };
        let info = self.services.iter().find(|info| info.name == invocation.service);
        let dispatched = match info {
            Some(info) => self.dispatch_to(info, Some(&dialect), arrival),
            None => Err((None, protocol::unknown_operation())),
        };
        dispatched.unwrap_or_else(|(model, error)| {
            let model = model.as_deref();
            Dispatched::Done(protocol::write_error(model, &dialect, &error, &request_id))
        })
    }
}

fn headers(service: &str, operation: &str) -> Result<HeaderMap> {
    let target = HeaderValue::from_str(&format!("{service}.{operation}"));
    let target = target.map_err(|_| protocol::unknown_operation())?;
    let json = HeaderValue::from_static("application/x-amz-json-1.0");
    Ok([("x-amz-target", target), ("content-type", json)]
        .into_iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), value))
        .collect())
}

// A member that the operation does not have is refused, as clients refuse it before they send.
fn encode(model: &Model, operation: &Operation, input: &Value) -> Result<Vec<u8>> {
    let shape = operation.input.map(|id| model.shape(id));
    let members = match shape.map(|shape| &shape.kind) {
        Some(Kind::Structure(members)) => members.as_slice(),
        _ => &[],
    };
    for (name, _) in input.members() {
        if !members.iter().any(|member| *member.name == **name) {
            let known: Vec<_> = members.iter().map(|member| &*member.name).collect();
            let message = format!(
                "Unknown parameter in input: \"{name}\", must be one of: {}",
                known.join(", ")
            );
            return Err(WireError::new("SDK_CLIENT_ERROR", 400, message));
        }
    }
    let mut body = Vec::new();
    match shape {
        Some(shape) => json::write(model, shape, input, &mut body),
        None => body.extend_from_slice(b"{}"),
    }
    Ok(body)
}

fn decode(
    model: &Model,
    operation: &Operation,
    response: &Response,
) -> Result<Value, InvocationError> {
    if response.status < 300 {
        return match operation.output {
            Some(id) => Ok(json::read(model, model.shape(id), &response.body)?),
            None => Ok(Value::Map(Vec::new())),
        };
    }
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    let kind = text("__type");
    let name = kind.rsplit_once('#').map_or(kind, |(_, name)| name);
    let header = response.headers.iter().find(|(name, _)| name == "x-amzn-query-error");
    let queried = header.and_then(|(_, value)| value.split(';').next());
    let declared = model.shape_named(name).and_then(|shape| shape.error.as_ref());
    let code = queried.or_else(|| declared.and_then(|error| error.code.as_deref()));
    let message = [text("message"), text("Message")].into_iter().find(|text| !text.is_empty());
    Err(InvocationError {
        code: code.unwrap_or(name).to_owned(),
        name: name.to_owned(),
        message: message.unwrap_or_default().to_owned(),
        status: response.status,
    })
}
