//! The dispatcher turns a request into a response, or into the work that is left to do for one.
//!
//! It never waits and never blocks. [`Dispatcher::start`] goes as far as it can; the
//! drivers (`call` for a thread in the process, `server` for sockets) do the waiting.

mod access;
mod admin;
mod blocking;
mod control;
mod deadline;
mod encoder;
mod metrics;
mod peek;
mod pending;

pub use admin::AdminTask;
pub use control::{Call, ControlPlane};
pub use deadline::Deadline;
pub use encoder::ResponseEncoder;
pub use metrics::Metrics;
pub use pending::{PendingRequest, Progress};

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use trunkline_engine::{Durability, Engine, Ticket};
use trunkline_types::Clock;
use trunkline_types::sync::{Mutex, lock};

use crate::auth::{self, Identity, Mode};
use crate::codec::json;
use crate::detect::{Service, detect};
use crate::error::{Result, WireError};
use crate::message::{Request, Response};
use crate::model::{Model, Protocol};
use crate::protocol::{self, Dialect};
use crate::request_id;
use crate::services::sqs::{self, Caller, Poll, Step};
use crate::validate;
use crate::value::Value;

/// Everything a request may need.
pub struct Dispatcher {
    pub(crate) engine: Arc<Engine>,
    control: Arc<dyn ControlPlane>,
    services: Vec<Service>,
    models: Mutex<HashMap<String, Arc<Model>>>,
    auth: Mode,
    durability: Durability,
    // Signatures are of the caller's time, whatever the engine's clock says.
    wall: Clock,
    /// What was counted.
    pub metrics: Metrics,
}

/// How far a request came.
pub enum Dispatched {
    /// This is the answer.
    Done(Response),
    /// This is the answer once the ticket is settled, after the pause that a fault asks for.
    Settle(Option<Ticket>, Duration, Box<(Vec<u8>, ResponseEncoder)>),
    /// A receive that may wait.
    Poll(Box<(Poll, ResponseEncoder)>),
    /// An operation of the control plane: it may take long, and may block.
    Control(Pending),
    /// Begin again after this pause, with `paused` set.
    Pause(Duration),
}

/// Who calls, and by what right.
struct Principal<'a> {
    identity: &'a Identity,
    access: Option<&'a sqs::Access>,
}

/// Something that may block and is ready to be done: see [`Dispatcher::run`].
pub enum Pending {
    /// An operation of the control plane.
    Call(Box<PendingCall>),
    /// A path that is no AWS service.
    Admin(AdminTask),
}

/// An operation of the control plane with its input, and what its answer is written by.
pub struct PendingCall {
    call: Call,
    input: Value,
    model: Arc<Model>,
    dialect: Dialect,
}

impl Dispatcher {
    /// A dispatcher for `engine` that serves `services`.
    pub fn new(
        engine: Arc<Engine>,
        control: Arc<dyn ControlPlane>,
        services: Vec<Service>,
        auth: Mode,
    ) -> Self {
        let durability = engine.durability();
        let models = Mutex::new(HashMap::new());
        let metrics = Metrics::default();
        Self { engine, control, services, models, auth, durability, wall: Clock::system(), metrics }
    }

    /// What an acknowledged message has to survive.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// The engine that is served.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Goes as far with `request` as is possible without waiting. `base` is the address under which
    /// the caller reached us; `paused` says that the pause of a fault was made.
    pub fn start(&self, request: &Request<'_>, base: &str, paused: bool) -> Dispatched {
        if let Some(dispatched) = self.admin(request) {
            return dispatched;
        }
        let request_id = request_id::next();
        let dialect = Dialect::of(request);
        match self.dispatch(request, dialect.as_ref(), base, &request_id, paused) {
            Ok(dispatched) => dispatched,
            Err((model, error)) => {
                let dialect = dialect.unwrap_or_else(|| rest_dialect(model.as_deref()));
                Dispatched::Done(error_answer(model.as_deref(), &dialect, &error, &request_id))
            }
        }
    }

    fn dispatch(
        &self,
        request: &Request<'_>,
        dialect: Option<&Dialect>,
        base: &str,
        request_id: &str,
        paused: bool,
    ) -> std::result::Result<Dispatched, (Option<Arc<Model>>, WireError)> {
        let now = (self.wall.now() / 1_000) as i64;
        let (identity, scope) =
            auth::identify(&self.auth, request, now).map_err(|error| (None, error))?;
        let access = self.access(request, &identity, base, now);
        let who = Principal { identity: &identity, access: access.as_ref() };
        // The short way: an operation of the data plane in SQS's own protocol.
        let target = request.header("x-amz-target").and_then(|t| t.strip_prefix("AmazonSQS."));
        let direct = dialect.filter(|dialect| dialect.protocol == Protocol::Json);
        let operation = target.and_then(sqs::Operation::named);
        if let (Some(operation), Some(dialect)) = (operation, direct) {
            let sqs = self.services.iter().find(|service| service.name == "sqs");
            let names = sqs.map_or(&[][..], |service| &service.scopes);
            scope.check_service(names).map_err(|error| (None, error))?;
            let encoder = ResponseEncoder::direct(dialect.content_type.clone(), request_id);
            return Ok(self.data(request, operation, &who, paused, request.body, encoder));
        }
        let service = detect(&self.services, request, scope.service.as_deref())
            .ok_or_else(|| (None, unknown_service(dialect)))?;
        scope.check_service(&service.scopes).map_err(|error| (None, error))?;
        let model = self.model(&service.name).map_err(|error| (None, error))?;
        let fail = |error| (Some(model.clone()), error);
        let chosen = match dialect {
            Some(dialect) => dialect.clone(),
            None => rest_dialect(Some(&model)),
        };
        if service.name == "sqs" && dialect.is_none() {
            // A plain GET on a queue's address names no operation; AWS answers it like this.
            let body = "<UnknownOperationException/>";
            return Ok(Dispatched::Done(Response::new(404, "text/xml", body)));
        }
        let (operation, mut input) = protocol::read(&model, &chosen, request).map_err(fail)?;
        if service.name == "sqs" {
            self.sqs_address(request, &chosen, &operation.name, &mut input).map_err(fail)?;
            if let Some(data) = sqs::Operation::named(&operation.name) {
                let body = recode(&model, operation.input, &input);
                let encoder =
                    ResponseEncoder::recoded(model.clone(), &operation.name, chosen, request_id);
                return Ok(self.data(request, data, &who, paused, &body, encoder));
            }
        }
        if let (Some(access), true) = (who.access, service.name == "sqs") {
            let at = (identity.account.as_str(), identity.region.as_str());
            access.check_input(&self.engine, at, &operation.name, &input).map_err(fail)?;
        }
        if let (Some(id), true) = (operation.input, service.name != "sqs") {
            validate::check(&model, model.shape(id), &input).map_err(fail)?;
        }
        let call = Call {
            service: service.name.clone(),
            operation: operation.name.to_string(),
            account: identity.account,
            region: identity.region,
            access_key: identity.access_key,
            base: base.to_owned(),
            request_id: request_id.to_owned(),
        };
        let pending = PendingCall { call, input, model: model.clone(), dialect: chosen };
        Ok(Dispatched::Control(Pending::Call(Box::new(pending))))
    }

    fn data(
        &self,
        request: &Request<'_>,
        operation: sqs::Operation,
        who: &Principal<'_>,
        paused: bool,
        body: &[u8],
        encoder: ResponseEncoder,
    ) -> Dispatched {
        let caller = Caller {
            account: &who.identity.account,
            region: &who.identity.region,
            path: request.path,
            paused,
            access: who.access,
        };
        self.metrics.count(operation);
        match sqs::begin(&self.engine, operation, &caller, body) {
            Ok(Step::Done(body)) => Dispatched::Done(encoder.encode(Ok(body))),
            Ok(Step::Settle(ticket, pause, body)) => self.settle(ticket, pause, body, encoder),
            Ok(Step::Poll(poll)) => Dispatched::Poll(Box::new((*poll, encoder))),
            Ok(Step::Pause(pause)) => Dispatched::Pause(pause),
            Err(error) => Dispatched::Done(encoder.encode(Err(error))),
        }
    }

    fn settle(
        &self,
        ticket: Option<Ticket>,
        pause: Duration,
        body: Vec<u8>,
        encoder: ResponseEncoder,
    ) -> Dispatched {
        if !pause.is_zero() {
            return Dispatched::Settle(ticket, pause, Box::new((body, encoder)));
        }
        // In memory, and for writes that are on their way out anyway, there is nothing to wait for.
        let settled = ticket.map_or(Ok(true), |t| self.engine.is_settled(t, self.durability));
        match settled {
            Ok(true) => Dispatched::Done(encoder.encode(Ok(body))),
            Ok(false) => Dispatched::Settle(ticket, Duration::ZERO, Box::new((body, encoder))),
            Err(error) => Dispatched::Done(encoder.encode(Err(sqs::from_engine(error)))),
        }
    }

    // A request of the query protocol may be posted to the queue's address instead of naming it.
    fn sqs_address(
        &self,
        request: &Request<'_>,
        dialect: &Dialect,
        operation: &str,
        input: &mut Value,
    ) -> Result<()> {
        if dialect.protocol != Protocol::Query || request.path == "/" {
            return Ok(());
        }
        if matches!(operation, "CreateQueue" | "ListQueues") {
            let message = format!("The action {operation} is not valid for this endpoint.");
            return Err(WireError::new("InvalidAction", 400, message));
        }
        match input {
            Value::Map(members) if !members.iter().any(|(name, _)| name == "QueueUrl") => {
                members.push(("QueueUrl".to_owned(), request.path.into()));
            }
            _ => {}
        }
        Ok(())
    }

    /// The model of a service, read when it is first asked for.
    pub fn model(&self, service: &str) -> Result<Arc<Model>> {
        if let Some(model) = lock(&self.models).get(service) {
            return Ok(model.clone());
        }
        // The lock is not held while the model is read: that may take milliseconds.
        let bytes = self.control.model(service).map_err(WireError::internal)?;
        let overlay = (service == "sqs").then_some(sqs::OVERLAY);
        let model = Model::load(&bytes, overlay)
            .map_err(|why| WireError::internal(format!("The model of {service}: {why}")))?;
        Ok(lock(&self.models).entry(service.to_owned()).or_insert(Arc::new(model)).clone())
    }

    /// Does what may block.
    pub fn run(&self, pending: Pending) -> Response {
        match pending {
            Pending::Call(pending) => self.run_call(*pending),
            Pending::Admin(task) => self.run_admin(task),
        }
    }

    fn run_call(&self, pending: PendingCall) -> Response {
        let PendingCall { call, input, model, dialect } = pending;
        self.metrics.count_control();
        let result = self.control.call(&call, input);
        let operation = model.operation(&call.operation);
        match (result, operation) {
            (Ok(output), Some(operation)) => {
                protocol::write(&model, &dialect, operation, &output, &call.request_id)
            }
            (Ok(_), None) => {
                let error = protocol::unknown_operation();
                error_answer(Some(&model), &dialect, &error, &call.request_id)
            }
            (Err(error), _) => {
                let error = match call.service.as_str() {
                    "sqs" if !error.has_query_code() => sqs::named(error.name(), error.message())
                        .with_members(error.members().to_vec()),
                    _ => error,
                };
                error_answer(Some(&model), &dialect, &error, &call.request_id)
            }
        }
    }
}

/// The answer for an error; SQS words one differently in the query protocol.
pub(crate) fn error_answer(
    model: Option<&Model>,
    dialect: &Dialect,
    error: &WireError,
    request_id: &str,
) -> Response {
    match sqs::query_message(error) {
        Some(message) if dialect.protocol == Protocol::Query => {
            let worded = sqs::named(error.name(), message);
            protocol::write_error(model, dialect, &worded, request_id)
        }
        _ => protocol::write_error(model, dialect, error, request_id),
    }
}

fn recode(model: &Model, input: Option<crate::model::ShapeId>, value: &Value) -> Vec<u8> {
    let mut body = Vec::new();
    if let Some(id) = input {
        json::write(model, model.shape(id), value, &mut body);
    }
    body
}

// The dialect of a request that shows none: the first REST protocol of the model, or XML.
fn rest_dialect(model: Option<&Model>) -> Dialect {
    let protocols = model.map_or(&[][..], |model| &model.metadata.protocols);
    let rest = |p: &&Protocol| matches!(p, Protocol::RestJson | Protocol::RestXml);
    Dialect::new(protocols.iter().find(rest).copied().unwrap_or(Protocol::RestXml))
}

fn unknown_service(dialect: Option<&Dialect>) -> WireError {
    let message = "No service that is served here answers to this request.";
    match dialect.map(|dialect| dialect.protocol) {
        Some(Protocol::Query) => WireError::new("InvalidAction", 400, message),
        Some(_) => WireError::new("UnknownOperationException", 400, message),
        None => WireError::new("UnknownOperationException", 404, message),
    }
}

/// The address under which a caller reached us, for the addresses of queues.
pub fn base_of(headers: &http::HeaderMap, scheme: &str, fallback: &str) -> String {
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    let forwarded = headers.get("x-forwarded-proto").and_then(|scheme| scheme.to_str().ok());
    let scheme = forwarded.filter(|s| matches!(*s, "http" | "https")).unwrap_or(scheme);
    let host: Cow<'_, str> = host.map_or_else(|| fallback.into(), Into::into);
    format!("{scheme}://{host}")
}
