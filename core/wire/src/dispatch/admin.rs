//! Paths that are no AWS service: health, reset, clock, faults, trace, metrics, and what a service
//! adds.

use trunkline_types::Code;

use super::api::is_api_path;
use super::{Dispatched, Dispatcher, Pending, clock, faults, trace};
use crate::codec::form::Form;
use crate::error::{Result, WireError};
use crate::gateway::TokenBuckets;
use crate::message::{Request, Response};
use crate::service::{AdminWork, METRICS_TYPE, RESOURCES_MAX};
use crate::sockets::Sockets;

const JSON: &str = "application/json";
/// Verbs of the operator are below this path: `docs/server.md` lists them.
const VERBS: &str = "/_trunkline/api/";

/// The figures of every resource, however many there are.
const EVERY_METRIC: &str = "/_trunkline/metrics/per-object";

/// A request to one of these paths that may take long.
pub enum AdminTask {
    /// Removes everything, and sets things up again if told to.
    Reset {
        /// Whether what set things up when the server began does so again.
        init: bool,
    },
    /// Lets so many milliseconds of a virtual clock pass.
    Advance(u64),
    /// Writes all counters and gauges; so many resources of a kind have series of their own.
    Metrics(usize),
    /// A file of the console.
    Asset(String),
    /// Tells what happened to this id.
    Trace(String),
    /// A verb of the operator, and its arguments in JSON.
    Verb(String, Vec<u8>),
    /// What a service does at a path of its own.
    Service(AdminWork),
}

/// The paths, and the methods that each of them takes.
const PATHS: [(&str, &[&str]); 13] = [
    ("/_localstack/health", &["GET", "HEAD"]),
    ("/_localstack/state/reset", &["POST"]),
    ("/_trunkline/clock", &["GET", "POST"]),
    ("/_trunkline/faults", &["DELETE", "GET", "POST"]),
    ("/_trunkline/health", &["GET", "HEAD"]),
    ("/_trunkline/metrics", &["GET"]),
    ("/_trunkline/requests", &["GET"]),
    ("/_trunkline/reset", &["POST"]),
    ("/_trunkline/trace", &["GET", "POST"]),
    ("/_trunkline/trace/", &["GET"]),
    ("/metrics", &["GET"]),
    (EVERY_METRIC, &["GET"]),
    ("/moto-api/reset", &["POST"]),
];

/// Whether `path` is one of the operator's, and no AWS service's.
pub fn is_admin_path(path: &str) -> bool {
    // All of them start like this; AWS requests nearly never do.
    path != "/"
        && (path.starts_with("/_") && !is_api_path(path)
            || path == "/metrics"
            || path.starts_with("/moto"))
}

/// Whether `path` tells the health of the server.
pub fn is_health_path(path: &str) -> bool {
    matches!(path, "/_trunkline/health" | "/_localstack/health")
}

/// The file of the console that `path` names; the first page has the empty name. These files hold
/// no secret, so they need no token.
pub fn console_asset(path: &str) -> Option<&str> {
    match path {
        "/_trunkline" | "/_trunkline/" => Some(""),
        _ => path.strip_prefix("/_trunkline/console/").filter(|name| !name.is_empty()),
    }
}

// What the pages may load: files of this server alone, and no script that stands in a page.
const CONSOLE_POLICY: &str = "default-src 'self'; img-src 'self' data:; \
     object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn console_page((content_type, body): (String, Vec<u8>)) -> Response {
    Response::new(200, content_type, body)
        .with("content-security-policy", CONSOLE_POLICY)
        .with("x-content-type-options", "nosniff")
        .with("referrer-policy", "no-referrer")
        .with("cache-control", "no-cache")
}

impl Dispatcher {
    /// What becomes of a request to one of these paths; `None` for every other.
    pub(super) fn admin(&self, request: &Request<'_>) -> Option<Dispatched> {
        if !is_admin_path(request.path) {
            return None;
        }
        if let Some(work) = self.service_admin(request) {
            return Some(match work {
                Ok(work) => Dispatched::Blocking(Pending::Admin(AdminTask::Service(work))),
                Err(error) => Dispatched::Done(refusal(error)),
            });
        }
        if let Some(verb) = request.path.strip_prefix(VERBS) {
            return Some(verb_of(verb, request));
        }
        if let Some(name) = console_asset(request.path) {
            return Some(if matches!(request.method, "GET" | "HEAD") {
                Dispatched::Blocking(Pending::Admin(AdminTask::Asset(name.to_owned())))
            } else {
                Dispatched::Done(wrong_method(request.path, "GET, HEAD"))
            });
        }
        let traced = trace::id_of(request.path);
        let path = if traced.is_some() { "/_trunkline/trace/" } else { request.path };
        let known = PATHS.iter().find(|(known, _)| *known == path);
        let Some((_, methods)) = known else {
            return Some(Dispatched::Done(refusal(nothing_here())));
        };
        if !methods.contains(&request.method) {
            return Some(Dispatched::Done(wrong_method(request.path, &methods.join(", "))));
        }
        let task = match (request.method, request.path) {
            (_, "/_trunkline/reset" | "/moto-api/reset" | "/_localstack/state/reset") => {
                Form::read(request.query.as_bytes()).map(|form| AdminTask::Reset {
                    init: matches!(form.get("init"), Some("1" | "true")),
                })
            }
            ("POST", "/_trunkline/clock") => {
                clock::read(request.body, self.engine.clock()).map(AdminTask::Advance)
            }
            (_, "/metrics" | "/_trunkline/metrics") => Ok(AdminTask::Metrics(RESOURCES_MAX)),
            (_, EVERY_METRIC) => Ok(AdminTask::Metrics(usize::MAX)),
            _ if traced.is_some() => traced.map(AdminTask::Trace).ok_or_else(nothing_here),
            _ => return Some(Dispatched::Done(self.quick(request).unwrap_or_else(refusal))),
        };
        Some(match task {
            Ok(task) => Dispatched::Blocking(Pending::Admin(task)),
            Err(error) => Dispatched::Done(refusal(error)),
        })
    }

    // `/_aws/<service>/<path>` is the service's own, and below `/_trunkline/` a service may have
    // further paths.
    fn service_admin(&self, request: &Request<'_>) -> Option<Result<AdminWork>> {
        if let Some(path) = request.path.strip_prefix("/_trunkline/") {
            let mut planes = self.planes.iter();
            return planes.find_map(|plane| plane.service.operator(path, request));
        }
        let (name, path) = request.path.strip_prefix("/_aws/")?.split_once('/')?;
        self.plane(name)?.service.admin(path, request)
    }

    fn quick(&self, request: &Request<'_>) -> Result<Response> {
        let faults = self.engine.faults();
        match (request.method, request.path) {
            (_, "/_trunkline/health") => return Ok(self.health()),
            (_, "/_trunkline/requests") => {
                return Ok(Response::new(200, JSON, self.requests.write(request.query)?));
            }
            (_, "/_localstack/health") => return Ok(self.localstack_health()),
            (_, "/_trunkline/clock") => return Ok(self.clock()),
            (method, "/_trunkline/trace") => {
                if method == "POST" {
                    trace::switch(request.body, self.engine.trace())?;
                }
                return Ok(Response::new(200, JSON, trace::statistics(self.engine.trace())));
            }
            ("POST", _) => faults.add(faults::read(request.body)?),
            ("DELETE", _) => faults.clear(),
            _ => {}
        }
        Ok(Response::new(200, JSON, faults::write(&faults.rules())))
    }

    /// Does a task. May block.
    pub(super) fn run_admin(&self, task: AdminTask) -> Response {
        let result = match task {
            AdminTask::Reset { init } => self.reset(init),
            AdminTask::Advance(millis) => {
                let advanced = self.engine.advance(millis).map(|()| self.clock());
                advanced.map_err(|error| WireError::from_engine(&error))
            }
            AdminTask::Service(work) => work(&self.engine),
            AdminTask::Verb(verb, body) => {
                self.control.operate(&verb, &body).map(|text| Response::new(200, JSON, text))
            }
            AdminTask::Asset(name) => {
                self.control.asset(&name).map(console_page).ok_or_else(nothing_here)
            }
            AdminTask::Trace(id) => {
                Ok(Response::new(200, JSON, trace::write(self.engine.trace(), &id)))
            }
            AdminTask::Metrics(resources_max) => {
                let text = self.metrics.render(&self.engine, &self.planes, resources_max);
                Ok(Response::new(200, METRICS_TYPE, text))
            }
        };
        result.unwrap_or_else(refusal)
    }

    fn health(&self) -> Response {
        let (status, why) = match self.engine.check_healthy() {
            Ok(()) => ("ok", None),
            Err(error) if error.code() == Code::EnginePoisoned => ("poisoned", Some(error)),
            Err(error) => ("closed", Some(error)),
        };
        let names: Vec<&str> = self.services.iter().map(|service| service.name.as_str()).collect();
        let mut body = serde_json::json!({
            "status": status,
            "version": env!("CARGO_PKG_VERSION"),
            "services": names,
        });
        if let Some(error) = &why {
            body["message"] = error.message().into();
        }
        Response::new(if why.is_none() { 200 } else { 503 }, JSON, body.to_string())
    }

    fn localstack_health(&self) -> Response {
        let (status, state) = match self.engine.check_healthy() {
            Ok(()) => (200, "running"),
            Err(_) => (503, "error"),
        };
        let services: serde_json::Map<String, serde_json::Value> =
            self.services.iter().map(|service| (service.name.clone(), state.into())).collect();
        let body = serde_json::json!({
            "services": services,
            "edition": "trunkline",
            "version": env!("CARGO_PKG_VERSION"),
        });
        Response::new(status, JSON, body.to_string())
    }

    fn reset(&self, init: bool) -> Result<Response> {
        self.engine.faults().clear();
        self.engine.trace().clear();
        for plane in &self.planes {
            plane.service.reset(&self.engine)?;
        }
        self.engine.reset().map_err(|error| WireError::from_engine(&error))?;
        self.gateway.clear();
        self.engine.extension::<TokenBuckets>().clear();
        self.engine.extension::<Sockets>().close_all();
        self.control.reset(init);
        Ok(Response::new(200, JSON, "{\"status\":\"ok\"}"))
    }

    fn clock(&self) -> Response {
        let clock = self.engine.clock();
        let body = serde_json::json!({
            "now": clock.now() as f64 / 1000.0,
            "virtual": clock.is_virtual(),
        });
        Response::new(200, JSON, body.to_string())
    }
}

/// A verb is always posted: it may change something, and no link of a page can post JSON.
fn verb_of(verb: &str, request: &Request<'_>) -> Dispatched {
    if request.method != "POST" {
        let error = WireError::new("MethodNotAllowed", 405, "Verbs take POST with a JSON object.");
        return Dispatched::Done(refusal(error).with("allow", "POST"));
    }
    let task = AdminTask::Verb(verb.to_owned(), request.body.to_vec());
    Dispatched::Blocking(Pending::Admin(task))
}

fn nothing_here() -> WireError {
    WireError::new("NotFound", 404, "There is nothing at this path.")
}

fn wrong_method(path: &str, allowed: &str) -> Response {
    let error = WireError::new("MethodNotAllowed", 405, format!("{path} takes {allowed}."));
    refusal(error).with("allow", allowed.to_owned())
}

fn refusal(error: WireError) -> Response {
    let body = serde_json::json!({"error": error.name(), "message": error.message()});
    Response::new(error.status(), JSON, body.to_string())
}
