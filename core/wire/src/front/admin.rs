//! Paths that are no AWS service: health, reset, clock, faults, metrics and the look into a queue.

use std::time::Duration;

use trunkline_engine::{Effect, Rule, Verb};

use super::Front;
use crate::error::{Result, WireError};
use crate::message::{Answer, Request};
use crate::sqs::from_engine;

const JSON: &str = "application/json";

impl Front {
    /// The answer to one of these paths; `None` for every other.
    pub(super) fn admin(&self, request: &Request<'_>) -> Option<Answer> {
        // All of them start like this; AWS requests nearly never do.
        let path = request.path;
        if path == "/"
            || !(path.starts_with("/_") || path == "/metrics" || path.starts_with("/moto"))
        {
            return None;
        }
        let result = match (request.method, path) {
            ("GET" | "HEAD", "/_trunkline/health") => Ok(self.health()),
            ("GET" | "HEAD", "/_localstack/health" | "/health") => Ok(self.localstack_health()),
            ("POST", "/_trunkline/reset" | "/moto-api/reset" | "/_localstack/state/reset") => {
                self.reset()
            }
            ("GET", "/_trunkline/clock") => Ok(self.clock()),
            ("POST", "/_trunkline/clock") => self.advance(request.body),
            ("GET", "/_trunkline/faults") => Ok(self.faults()),
            ("POST", "/_trunkline/faults") => self.add_fault(request.body),
            ("DELETE", "/_trunkline/faults") => {
                self.engine.faults().clear();
                Ok(self.faults())
            }
            ("GET", "/metrics" | "/_trunkline/metrics") => {
                let text = self.metrics.render(&self.engine);
                Ok(Answer::new(200, "text/plain; version=0.0.4", text))
            }
            ("GET" | "POST", "/_aws/sqs/messages") => self.peek(request),
            _ => Err(WireError::new("NotFound", 404, "There is nothing at this path.")),
        };
        Some(result.unwrap_or_else(|error| {
            let body = serde_json::json!({"error": error.name(), "message": error.message()});
            Answer::new(error.status(), JSON, body.to_string())
        }))
    }

    fn health(&self) -> Answer {
        let is_open = self.engine.check_open().is_ok();
        let names: Vec<&str> = self.services.iter().map(|service| service.name.as_str()).collect();
        let body = serde_json::json!({
            "status": if is_open { "ok" } else { "closed" },
            "version": env!("CARGO_PKG_VERSION"),
            "services": names,
        });
        Answer::new(if is_open { 200 } else { 503 }, JSON, body.to_string())
    }

    fn localstack_health(&self) -> Answer {
        let services: serde_json::Map<String, serde_json::Value> =
            self.services.iter().map(|service| (service.name.clone(), "running".into())).collect();
        let body = serde_json::json!({
            "services": services,
            "edition": "trunkline",
            "version": env!("CARGO_PKG_VERSION"),
        });
        Answer::new(200, JSON, body.to_string())
    }

    fn reset(&self) -> Result<Answer> {
        self.engine.faults().clear();
        for queue in self.engine.queues(None, None, "").map_err(from_engine)? {
            queue.remove().map_err(from_engine)?;
        }
        for (key, _) in self.engine.documents("") {
            self.engine.put_document(&key, None).map_err(from_engine)?;
        }
        self.control.reset();
        Ok(Answer::new(200, JSON, "{\"status\":\"ok\"}"))
    }

    fn clock(&self) -> Answer {
        let clock = self.engine.clock();
        let body = serde_json::json!({
            "now": clock.now() as f64 / 1000.0,
            "virtual": clock.is_virtual(),
        });
        Answer::new(200, JSON, body.to_string())
    }

    fn advance(&self, body: &[u8]) -> Result<Answer> {
        #[derive(serde::Deserialize)]
        struct Advance {
            advance: f64,
        }
        let by: Advance = read(body)?;
        if !(by.advance.is_finite() && by.advance >= 0.0 && by.advance < 1e10) {
            return Err(refused("advance must be a number of seconds that is not negative."));
        }
        self.engine.advance((by.advance * 1000.0).round() as u64).map_err(from_engine)?;
        Ok(self.clock())
    }

    fn faults(&self) -> Answer {
        let rules: Vec<serde_json::Value> = self
            .engine
            .faults()
            .rules()
            .iter()
            .map(|rule| {
                serde_json::json!({
                    "verb": format!("{:?}", rule.verb).to_lowercase(),
                    "queue": rule.queue,
                    "effect": effect_name(&rule.effect),
                    "after": rule.after,
                    "times": rule.times,
                })
            })
            .collect();
        Answer::new(200, JSON, serde_json::json!({"faults": rules}).to_string())
    }

    fn add_fault(&self, body: &[u8]) -> Result<Answer> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fault {
            verb: String,
            effect: String,
            queue: Option<String>,
            message: Option<String>,
            delay: Option<f64>,
            after: Option<u64>,
            times: Option<u64>,
        }
        let fault: Fault = read(body)?;
        let verb = match fault.verb.as_str() {
            "send" => Verb::Send,
            "receive" => Verb::Receive,
            "delete" => Verb::Delete,
            "extend" => Verb::Extend,
            "commit" => Verb::Commit,
            _ => return Err(refused("verb must be send, receive, delete, extend or commit.")),
        };
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
        let rule = Rule { verb, queue: fault.queue, effect, after, times: fault.times };
        self.engine.faults().add(rule);
        Ok(self.faults())
    }
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
