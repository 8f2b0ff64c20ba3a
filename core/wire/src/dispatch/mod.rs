//! The dispatcher turns a request into a response, or into the work that is left to do for one.
//!
//! It never waits and never blocks. [`Dispatcher::start`] goes as far as it can; the
//! drivers (`call` for a thread in the process, `server` for sockets) do the waiting.

mod access;
mod admin;
mod api;
mod blocking;
mod clock;
mod control;
mod direct;
mod domain;
mod encoder;
mod exchange;
mod faults;
mod invoke;
mod link;
mod management;
mod metrics;
mod pending;
mod plane;
mod plane_counters;
mod requests;
mod safe_method;
mod sockets;
mod trace;
mod unserved;

pub use admin::{AdminTask, console_asset, is_admin_path, is_health_path};
pub use api::ApiRequest;
pub use control::{Call, ControlPlane};
pub use encoder::ResponseEncoder;
pub use invoke::{Invocation, InvocationError};
pub use metrics::Metrics;
pub use pending::{PendingRequest, Progress};
pub use requests::{RecentRequest, RecentRequests};
pub use sockets::{Connected, SocketBody, SocketEvent};

use std::collections::HashMap;
use std::sync::Arc;

use trunkline_engine::{Engine, Held, Settling};
use trunkline_types::Clock;
use trunkline_types::sync::{Mutex, lock};

use self::link::Caller;
use self::plane::Plane;
use self::plane_counters::PlaneCounters;
use crate::auth::{Identity, Mode, Scope};
use crate::detect::{ServiceInfo, detect};
use crate::error::{Result, WireError};
use crate::gateway::Gateway;
use crate::message::{Request, Response};
use crate::model::{Model, Protocol};
use crate::protocol::{self, Dialect};
use crate::request_id;
use crate::service::{Access, EventStream, Exchange, Input, Output, Service, Wait};
use crate::services;
use crate::validate;
use crate::value::Value;

/// Everything a request may need.
pub struct Dispatcher {
    pub(crate) engine: Arc<Engine>,
    control: Arc<dyn ControlPlane>,
    services: Vec<ServiceInfo>,
    planes: Vec<Plane>,
    models: Mutex<HashMap<String, Arc<Model>>>,
    auth: Mode,
    serves_apis: bool,
    gateway: Gateway,
    // Signatures are of the caller's time, whatever the engine's clock says.
    wall: Clock,
    /// What was counted.
    pub metrics: Metrics,
    /// The latest requests.
    pub requests: RecentRequests,
}

/// How far a request came.
pub enum Dispatched {
    /// This is the response.
    Done(Response),
    /// This is the output once that is over.
    Settle(Settling, Box<(Output, ResponseEncoder)>),
    /// A long poll.
    Wait(Box<(Box<dyn Wait>, ResponseEncoder)>),
    /// A stream of events.
    Stream(Box<(Box<dyn EventStream>, ResponseEncoder)>),
    /// Something that may take long, and may block.
    Blocking(Pending),
    /// Start again with this, when what it waits for is over.
    Held(Held),
}

/// Something that may block and is ready to be done: see [`Dispatcher::run`].
pub enum Pending {
    /// An operation of the control plane.
    Call(Box<PendingCall>),
    /// A path that is no AWS service.
    Admin(AdminTask),
    /// An exchange whose body was received.
    Exchange(Box<dyn Exchange>),
    /// A request to an API of API Gateway.
    Api(Box<ApiRequest>),
}

/// An operation of the control plane with its input, and what its response is written by.
pub struct PendingCall {
    call: Call,
    input: Value,
    model: Arc<Model>,
    dialect: Dialect,
}

/// What is known of a request before its service is.
struct Arrival<'a> {
    request: &'a Request<'a>,
    base: &'a str,
    request_id: &'a str,
    held: Option<&'a Held>,
    identity: Identity,
    access: Option<Access>,
    scope: Scope,
    /// Why the request is refused unless it is a link.
    refusal: Option<WireError>,
    /// Whether the data plane left the request to the control plane.
    declined: bool,
}

impl<'a> Arrival<'a> {
    fn call(&'a self, engine: &'a Arc<Engine>) -> crate::service::Call<'a> {
        crate::service::Call {
            engine,
            account: &self.identity.account,
            region: &self.identity.region,
            request: self.request,
            held: self.held,
            access: self.access.as_ref(),
        }
    }
}

/// An error, and the model whose words it is in.
type Failure = (Option<Arc<Model>>, WireError);

impl Dispatcher {
    /// A dispatcher for `engine` that serves `services`, with the data planes that there are.
    pub fn new(
        engine: Arc<Engine>,
        control: Arc<dyn ControlPlane>,
        services: Vec<ServiceInfo>,
        auth: Mode,
    ) -> Self {
        Self::with_planes(engine, control, services, services::all(), auth)
    }

    /// The same with these data planes; those of services that are not served are left out.
    pub fn with_planes(
        engine: Arc<Engine>,
        control: Arc<dyn ControlPlane>,
        services: Vec<ServiceInfo>,
        planes: Vec<Arc<dyn Service>>,
        auth: Mode,
    ) -> Self {
        if matches!(auth, Mode::Strict(_)) {
            services::enforce_policies(&engine);
        }
        let planes = planes.into_iter().filter_map(|service| {
            let info = services.iter().find(|info| info.name == service.name())?;
            service.attach(&engine);
            Some(Plane { info: info.clone(), counters: PlaneCounters::new(&*service), service })
        });
        Self {
            planes: planes.collect(),
            engine: engine.clone(),
            control,
            serves_apis: Self::has_apis(services.iter().map(|info| info.name.as_str())),
            services,
            gateway: Gateway::default(),
            models: Mutex::new(HashMap::new()),
            auth,
            wall: Clock::system(),
            metrics: Metrics::default(),
            requests: RecentRequests::new(),
        }
    }

    /// Whether every request must be signed, and its signature right.
    pub fn proves_signatures(&self) -> bool {
        matches!(self.auth, Mode::Strict(_))
    }

    /// Says at which address callers reach this, for links in messages; without a slash at its end.
    pub fn announce(&self, address: String) {
        if let Some(signer) = self.engine.signer() {
            signer.announce(address);
        }
    }

    fn published(&self, request: &Request<'_>) -> Option<Response> {
        if request.method != "GET" || request.path == "/" {
            return None;
        }
        self.planes.iter().find_map(|plane| plane.service.published(&self.engine, request.path))
    }

    /// The engine that is served.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Goes as far with `request` as is possible without waiting. `base` is the address under which
    /// the caller reached us; `held` is what held an earlier start of the same request up.
    pub fn start(&self, request: &Request<'_>, base: &str, held: Option<&Held>) -> Dispatched {
        if let Some(dispatched) = self.admin(request) {
            return dispatched;
        }
        if let Some(dispatched) = self.api(request, base, held) {
            return dispatched;
        }
        if let Some(response) = self.published(request) {
            return Dispatched::Done(response);
        }
        if let Some(opened) = self.exchange(request, base) {
            return exchange::received(opened, request.body);
        }
        let request_id = request_id::next();
        let dialect = Dialect::of(request);
        match self.dispatch(request, dialect.as_ref(), base, &request_id, held) {
            Ok(dispatched) => dispatched,
            Err((model, error)) => {
                let dialect = match (&dialect, &model) {
                    (Some(dialect), _) => dialect.clone(),
                    (None, Some(model)) => rest_dialect(Some(model)),
                    (None, None) => unserved::dialect(request),
                };
                let response =
                    protocol::write_error(model.as_deref(), &dialect, &error, &request_id);
                Dispatched::Done(response)
            }
        }
    }

    fn dispatch(
        &self,
        request: &Request<'_>,
        dialect: Option<&Dialect>,
        base: &str,
        request_id: &str,
        held: Option<&Held>,
    ) -> Result<Dispatched, Failure> {
        let now = (self.wall.now() / 1_000) as i64;
        let caller = self.caller(request, dialect, now).map_err(|error| (None, error))?;
        let Caller { identity, scope, refusal } = caller;
        // A link has the right that its secret gives, and no other.
        let proved = refusal.is_none().then_some(&identity);
        let access = proved.and_then(|identity| self.access(request, identity, base, now));
        let declined = false;
        let mut arrival =
            Arrival { request, base, request_id, held, identity, access, scope, refusal, declined };
        // The short way: an operation of a data plane in JSON needs no model.
        let direct = dialect.filter(|dialect| dialect.protocol == Protocol::Json);
        let target = request.header("x-amz-target").and_then(|target| self.targeted(target));
        if let (Some((plane, operation)), Some(dialect)) = (target, direct) {
            arrival.scope.check_service(&plane.info.scopes).map_err(|error| (None, error))?;
            let content_type = dialect.content_type.clone();
            let encoder = ResponseEncoder::direct(content_type, &plane.service, request_id);
            let (call, input) = (arrival.call(&self.engine), Input::Json(request.body));
            if let Some(started) = self.start_operation((plane, operation), &call, &input, encoder)
            {
                return Ok(started);
            }
            arrival.declined = true;
            return self.dispatch_to(&plane.info, Some(dialect), arrival);
        }
        let owns_path = |info: &ServiceInfo| {
            self.plane(&info.name).is_some_and(|plane| plane.service.owns_path(request.path))
        };
        let info = detect(&self.services, request, arrival.scope.service.as_deref(), owns_path)
            .ok_or_else(|| (None, self.unserved(request, &arrival.scope, dialect)))?;
        arrival.scope.check_service(&info.scopes).map_err(|error| (None, error))?;
        self.dispatch_to(info, dialect, arrival)
    }

    fn dispatch_to(
        &self,
        info: &ServiceInfo,
        dialect: Option<&Dialect>,
        mut arrival: Arrival<'_>,
    ) -> Result<Dispatched, Failure> {
        let request = arrival.request;
        let model = self.model(&info.name).map_err(|error| (None, error))?;
        let plane = self.plane(&info.name);
        let dialect = match (dialect, plane) {
            (Some(dialect), _) => dialect.clone(),
            (None, Some(plane)) => match plane.service.plain_response(request) {
                Some(response) => return Ok(Dispatched::Done(response)),
                None => rest_dialect(Some(&model)),
            },
            (None, None) => rest_dialect(Some(&model)),
        };
        let fail = |error| self.worded(plane, &model, &dialect, error);
        let named = protocol::identify(&model, &dialect, request).map_err(fail)?;
        let operation = named.operation;
        let protocol = dialect.protocol;
        let linked = self.linked(plane, &arrival, protocol, &operation.name).map_err(fail)?;
        if let Some(plane) = plane
            && let Some(id) = plane.operation(&operation.name)
            && !arrival.declined
        {
            let encoder = ResponseEncoder::recoded(
                model.clone(),
                &operation.name,
                dialect.clone(),
                &plane.service,
                arrival.request_id,
            );
            let call = arrival.call(&self.engine);
            let started = named.with_input(&model, &dialect, request, |input| {
                self.start_operation((plane, id), &call, input, encoder)
            });
            if let Some(started) = started.map_err(fail)? {
                return Ok(started);
            }
        }
        let mut input = named.value(&model, &dialect, request).map_err(fail)?;
        if let Some(plane) = linked {
            let named = (&*operation.name, &input);
            arrival.follow(plane, &self.engine, protocol, named).map_err(fail)?;
        }
        let mut target = None;
        if let Some(plane) = plane {
            let call = arrival.call(&self.engine);
            let service = &plane.service;
            target = service
                .complete(request, protocol, &model, operation, &mut input)
                .and_then(|()| service.authorize(&call, &operation.name, &input))
                .map_err(fail)?;
        }
        let is_checked = plane.is_some_and(|plane| plane.service.checks_inputs());
        if let (Some(id), false) = (operation.input, is_checked) {
            let checked = validate::check(&model, model.shape(id), &input);
            checked.map_err(|error| error.named(info.invalid_input.as_deref())).map_err(fail)?;
        }
        let operation = operation.name.to_string();
        let named = (operation, target);
        Ok(self.control_call(&info.name, named, input, (model, dialect), arrival))
    }

    fn worded(
        &self,
        plane: Option<&Plane>,
        model: &Arc<Model>,
        dialect: &Dialect,
        error: WireError,
    ) -> Failure {
        let error = match plane {
            Some(plane) => plane.service.word(error, dialect.protocol),
            None => error,
        };
        (Some(model.clone()), error)
    }

    /// The model of a service, read when it is first asked for.
    pub fn model(&self, service: &str) -> Result<Arc<Model>> {
        if let Some(model) = lock(&self.models).get(service) {
            return Ok(model.clone());
        }
        // The lock is not held while the model is read: that may take milliseconds.
        let bytes = self.control.model(service).map_err(WireError::internal)?;
        let overlay = self.plane(service).and_then(|plane| plane.service.overlay());
        let model = Model::load(&bytes, overlay)
            .map_err(|why| WireError::internal(format!("The model of {service}: {why}")))?;
        Ok(lock(&self.models).entry(service.to_owned()).or_insert(Arc::new(model)).clone())
    }

    /// Does what may block.
    pub fn run(&self, pending: Pending) -> Response {
        match pending {
            Pending::Call(pending) => self.run_call(*pending),
            Pending::Admin(task) => self.run_admin(task),
            Pending::Exchange(exchange) => self.run_exchange(exchange),
            Pending::Api(request) => {
                self.compile_stage(&request.api, &request.path);
                self.control.invoke_api(*request)
            }
        }
    }

    fn run_call(&self, pending: PendingCall) -> Response {
        let PendingCall { call, input, model, dialect } = pending;
        let operation = model.operation(&call.operation).ok_or_else(protocol::unknown_operation);
        let output =
            operation.and_then(|operation| Ok((operation, self.control.call(&call, input)?)));
        match output {
            Ok((operation, output)) => {
                protocol::write(&model, &dialect, operation, &output, &call.request_id)
            }
            Err(error) => {
                let plane = self.plane(&call.service);
                let (_, error) = self.worded(plane, &model, &dialect, error);
                protocol::write_error(Some(&model), &dialect, &error, &call.request_id)
            }
        }
    }
}

// The dialect of a request that shows none: the first REST protocol of the model, or XML.
fn rest_dialect(model: Option<&Model>) -> Dialect {
    let protocols = model.map_or(&[][..], |model| &model.metadata.protocols);
    let rest = |p: &&Protocol| matches!(p, Protocol::RestJson | Protocol::RestXml);
    Dialect::new(protocols.iter().find(rest).copied().unwrap_or(Protocol::RestXml))
}

/// The address under which a caller reached us, for the addresses of queues.
pub fn base_of(headers: &http::HeaderMap, scheme: &str, fallback: &str) -> String {
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    format!("{scheme}://{}", host.unwrap_or(fallback))
}

/// The JSON object in the body of a request to the operator's paths, with these members at most.
fn read_object(
    body: &[u8],
    members: &[&str],
) -> Result<serde_json::Map<String, serde_json::Value>> {
    let refused = |message: String| WireError::new("InvalidRequest", 400, message);
    let Ok(serde_json::Value::Object(object)) = serde_json::from_slice(body) else {
        return Err(refused("The body must be a JSON object.".to_owned()));
    };
    match object.keys().find(|name| !members.contains(&name.as_str())) {
        Some(name) => {
            let known = members.join(", ");
            Err(refused(format!("The body has no member '{name}'; there are: {known}.")))
        }
        None => Ok(object),
    }
}
