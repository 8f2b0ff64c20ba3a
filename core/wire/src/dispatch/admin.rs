//! Paths that are no AWS service: health, reset, clock, faults, metrics, and what a service adds.

use std::time::Duration;

use trunkline_engine::{Effect, ResourceName, ResourcePattern, Rule, operation};

use super::{Dispatched, Dispatcher, Pending};
use crate::auth::Mode;
use crate::error::{Result, WireError};
use crate::message::{Request, Response};
use crate::service::AdminWork;

const JSON: &str = "application/json";

/// A request to one of these paths that may take long.
pub enum AdminTask {
    /// Removes everything.
    Reset,
    /// Lets so many milliseconds of a virtual clock pass.
    Advance(u64),
    /// Writes all counters and gauges.
    Metrics,
    /// What a service does at a path of its own.
    Service(AdminWork),
}

impl Dispatcher {
    /// What becomes of a request to one of these paths; `None` for every other.
    pub(super) fn admin(&self, request: &Request<'_>) -> Option<Dispatched> {
        // All of them start like this; AWS requests nearly never do.
        let path = request.path;
        if path == "/"
            || !(path.starts_with("/_") || path == "/metrics" || path.starts_with("/moto"))
        {
            return None;
        }
        let is_read = matches!(request.method, "GET" | "HEAD");
        let task = match (request.method, path) {
            (_, "/_trunkline/health") if is_read => return Some(Dispatched::Done(self.health())),
            (_, "/_localstack/health") if is_read => {
                return Some(Dispatched::Done(self.localstack_health()));
            }
            _ if !self.is_trusted(request) => Err(WireError::new(
                "AccessDenied",
                403,
                "Where signatures are proved, this path is for callers on the same machine.",
            )),
            ("POST", "/_trunkline/reset" | "/moto-api/reset" | "/_localstack/state/reset") => {
                Ok(AdminTask::Reset)
            }
            ("POST", "/_trunkline/clock") => time_of(request.body).map(AdminTask::Advance),
            ("GET", "/metrics" | "/_trunkline/metrics") => Ok(AdminTask::Metrics),
            _ => match self.service_admin(request) {
                Some(work) => work.map(AdminTask::Service),
                None => return Some(Dispatched::Done(self.quick(request).unwrap_or_else(refusal))),
            },
        };
        Some(match task {
            Ok(task) => Dispatched::Blocking(Pending::Admin(task)),
            Err(error) => Dispatched::Done(refusal(error)),
        })
    }

    // `/_aws/<service>/<path>` is the service's own.
    fn service_admin(&self, request: &Request<'_>) -> Option<Result<AdminWork>> {
        let (name, path) = request.path.strip_prefix("/_aws/")?.split_once('/')?;
        self.plane(name)?.service.admin(path, request)
    }

    fn quick(&self, request: &Request<'_>) -> Result<Response> {
        match (request.method, request.path) {
            ("GET", "/_trunkline/clock") => Ok(self.clock()),
            ("GET", "/_trunkline/faults") => Ok(self.faults()),
            ("POST", "/_trunkline/faults") => self.add_fault(request.body),
            ("DELETE", "/_trunkline/faults") => {
                self.engine.faults().clear();
                Ok(self.faults())
            }
            _ => Err(WireError::new("NotFound", 404, "There is nothing at this path.")),
        }
    }

    // These paths carry no signature. Where signatures count, only this machine may use them.
    fn is_trusted(&self, request: &Request<'_>) -> bool {
        !matches!(self.auth, Mode::Strict(_)) || request.peer.is_none_or(|peer| peer.is_loopback())
    }

    /// Does a task. May block.
    pub(super) fn run_admin(&self, task: AdminTask) -> Response {
        let result = match task {
            AdminTask::Reset => self.reset(),
            AdminTask::Advance(millis) => {
                let advanced = self.engine.advance(millis).map(|()| self.clock());
                advanced.map_err(|error| WireError::from_engine(&error))
            }
            AdminTask::Service(work) => work(&self.engine),
            AdminTask::Metrics => {
                let planes = self.planes.iter().map(|plane| (&plane.service, &plane.counters));
                let text = self.metrics.render(&self.engine, planes);
                Ok(Response::new(200, "text/plain; version=0.0.4", text))
            }
        };
        result.unwrap_or_else(refusal)
    }

    fn health(&self) -> Response {
        let is_open = self.engine.check_open().is_ok();
        let names: Vec<&str> = self.services.iter().map(|service| service.name.as_str()).collect();
        let body = serde_json::json!({
            "status": if is_open { "ok" } else { "closed" },
            "version": env!("CARGO_PKG_VERSION"),
            "services": names,
        });
        Response::new(if is_open { 200 } else { 503 }, JSON, body.to_string())
    }

    fn localstack_health(&self) -> Response {
        let services: serde_json::Map<String, serde_json::Value> =
            self.services.iter().map(|service| (service.name.clone(), "running".into())).collect();
        let body = serde_json::json!({
            "services": services,
            "edition": "trunkline",
            "version": env!("CARGO_PKG_VERSION"),
        });
        Response::new(200, JSON, body.to_string())
    }

    fn reset(&self) -> Result<Response> {
        self.engine.faults().clear();
        for plane in &self.planes {
            plane.service.reset(&self.engine)?;
        }
        self.engine.reset().map_err(|error| WireError::from_engine(&error))?;
        self.control.reset();
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

    fn faults(&self) -> Response {
        let rules: Vec<serde_json::Value> = self
            .engine
            .faults()
            .rules()
            .iter()
            .map(|rule| {
                serde_json::json!({
                    "verb": rule.operation.0,
                    "queue": rule.resource.name,
                    "account": rule.resource.account,
                    "region": rule.resource.region,
                    "effect": effect_name(&rule.effect),
                    "after": rule.after,
                    "times": rule.times,
                })
            })
            .collect();
        Response::new(200, JSON, serde_json::json!({"faults": rules}).to_string())
    }

    fn add_fault(&self, body: &[u8]) -> Result<Response> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fault {
            verb: String,
            effect: String,
            queue: Option<String>,
            account: Option<String>,
            region: Option<String>,
            message: Option<String>,
            delay: Option<f64>,
            after: Option<u64>,
            times: Option<u64>,
        }
        let fault: Fault = read(body)?;
        let operation = operation::named(&fault.verb)
            .ok_or_else(|| refused("verb must be send, receive, delete, extend or commit."))?;
        let effect = match fault.effect.as_str() {
            "fail" => Effect::Fail(fault.message.unwrap_or_else(|| "Injected fault.".to_owned())),
            "delay" => match fault.delay.map(Duration::try_from_secs_f64) {
                Some(Ok(delay)) => Effect::Delay(delay),
                _ => return Err(refused("delay must be a number of seconds.")),
            },
            "duplicate" => Effect::Duplicate,
            "crash" => Effect::Crash,
            _ => return Err(refused("effect must be fail, delay, duplicate or crash.")),
        };
        let after = fault.after.unwrap_or(0);
        // A rule that names a queue and not where it is means the queue of the default account and
        // region; "*" is everywhere.
        let part = |given: Option<String>, default: &str| {
            let part = given.or_else(|| fault.queue.as_ref().map(|_| default.to_owned()));
            part.filter(|part| part != "*")
        };
        let resource = ResourcePattern {
            kind: None,
            account: part(fault.account, ResourceName::LOCAL_ACCOUNT),
            region: part(fault.region, ResourceName::LOCAL_REGION),
            name: fault.queue.clone(),
        };
        let rule = Rule { operation, resource, effect, after, times: fault.times };
        self.engine.faults().add(rule);
        Ok(self.faults())
    }
}

fn time_of(body: &[u8]) -> Result<u64> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Advance {
        advance: f64,
    }
    let by: Advance = read(body)?;
    if !(by.advance.is_finite() && by.advance >= 0.0 && by.advance < 1e10) {
        return Err(refused("advance must be a number of seconds that is not negative."));
    }
    Ok((by.advance * 1000.0).round() as u64)
}

fn refusal(error: WireError) -> Response {
    let body = serde_json::json!({"error": error.name(), "message": error.message()});
    Response::new(error.status(), JSON, body.to_string())
}

fn effect_name(effect: &Effect) -> &'static str {
    match effect {
        Effect::Fail(_) => "fail",
        Effect::Delay(_) => "delay",
        Effect::Duplicate => "duplicate",
        Effect::Crash => "crash",
    }
}

fn read<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| refused(&error.to_string()))
}

fn refused(message: &str) -> WireError {
    WireError::new("InvalidRequest", 400, message)
}
