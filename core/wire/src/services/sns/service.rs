//! SNS as the dispatcher sees it.

use std::sync::Arc;

use trunkline_engine::{Engine, ResourceName};

use super::signing::Notary;
use super::{access, batch, errors, link, outbox, publish, target};
use crate::error::Result;
use crate::message::{Request, Response};
use crate::model::{Kind, Model, Protocol};
use crate::service::{AdminWork, Call, Exposition, Family, Input, OperationId, Outcome, Service};
use crate::value::Value;

const OPERATIONS: [&str; 2] = ["Publish", "PublishBatch"];

/// The data plane of SNS.
pub struct Sns;

impl Service for Sns {
    fn name(&self) -> &'static str {
        "sns"
    }

    fn operations(&self) -> &'static [&'static str] {
        &OPERATIONS
    }

    fn start(&self, call: &Call<'_>, operation: OperationId, input: &Input<'_>) -> Result<Outcome> {
        match OPERATIONS[operation] {
            "Publish" => publish::one(call, input),
            _ => batch::start(call, input),
        }
    }

    // A resource name that is required and missing is named in SNS's own words.
    fn complete(
        &self,
        _: &Request<'_>,
        _: Protocol,
        model: &Model,
        operation: &crate::model::Operation,
        input: &mut Value,
    ) -> Result<()> {
        let shape = operation.input.map(|id| &model.shape(id).kind);
        let Some(Kind::Structure(members)) = shape else { return Ok(()) };
        // A name that is none is told before anything else.
        for member in members.iter().filter(|member| member.name.ends_with("Arn")) {
            if let Some(arn) = input.get(&member.name).and_then(Value::as_str) {
                target::check_elements(arn, &member.name)?;
            }
        }
        let is_missing = |name: &str| input.get(name).is_none_or(|value| *value == Value::Null);
        let missing = members.iter().find(|member| {
            member.required && member.name.ends_with("Arn") && is_missing(&member.name)
        });
        match missing {
            None => Ok(()),
            Some(member) => Err(errors::invalid(format!(
                "Invalid parameter: {} Reason: no value for required parameter",
                member.name
            ))),
        }
    }

    fn attach(&self, engine: &Arc<Engine>) {
        engine.install_signer(Arc::new(Notary::new(engine)));
    }

    fn published(&self, engine: &Engine, path: &str) -> Option<Response> {
        let certificate = engine.signer()?.certificate(path)?;
        Some(Response::new(200, "application/x-pem-file", certificate))
    }

    fn authorize(
        &self,
        call: &Call<'_>,
        operation: &str,
        input: &Value,
    ) -> Result<Option<ResourceName>> {
        if let ("Subscribe", Some(signer)) = (operation, call.engine.signer()) {
            signer.prepare();
        }
        let target = target::of(input);
        if let (Some(right), Some(name)) = (call.access, &target) {
            let topic = call.engine.find_topic(name).map_err(|e| errors::from_engine(&e))?;
            if let Some(topic) = topic {
                access::check(right, call.account, operation, &topic)?;
            }
        }
        Ok(target)
    }

    fn is_linked(&self, operation: &str) -> bool {
        matches!(operation, "ConfirmSubscription" | "Unsubscribe")
    }

    fn linked_resource(
        &self,
        engine: &Engine,
        request: &Request<'_>,
        operation: &str,
        input: &Value,
    ) -> Option<ResourceName> {
        link::resource(engine, request, operation, input)
    }

    fn show_metrics(&self, engine: &Engine, out: &mut Exposition) {
        let help = "Messages that were published, and what became of their deliveries";
        let mut messages = Family::counter("trunkline_topic_messages", help);
        // A closed engine has no topics to show.
        for topic in engine.topics(None, None, "").unwrap_or_default() {
            let Ok(statistics) = topic.statistics() else { continue };
            let states = [
                ("published", statistics.published),
                ("delivered", statistics.delivered),
                ("dead_lettered", statistics.dead_lettered),
                ("failed", statistics.failed),
            ];
            messages.states("topic", topic.name(), &states);
        }
        out.push(messages);
    }

    fn admin(&self, path: &str, request: &Request<'_>) -> Option<Result<AdminWork>> {
        match request.method {
            "GET" | "DELETE" => outbox::localstack(path, request),
            _ => None,
        }
    }

    fn operator(&self, path: &str, request: &Request<'_>) -> Option<Result<AdminWork>> {
        let is_ours = path == "outbox" && matches!(request.method, "GET" | "DELETE");
        is_ours.then(|| Ok(outbox::all(request)))
    }
}
