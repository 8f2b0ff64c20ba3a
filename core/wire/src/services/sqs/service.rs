//! SQS as the dispatcher sees it.

use trunkline_engine::{Engine, ResourceName};

use super::{Context, Operation, address, errors, lease, peek, receive, send, target};
use crate::error::{Result, WireError};
use crate::message::{Request, Response};
use crate::model::{Kind, Model, Protocol};
use crate::service::{
    AdminWork, Call, Exposition, Family, Input, OperationId, Outcome, Service, labels_of,
};
use crate::value::Value;

/// The wire names that the query protocol has beside the model.
const OVERLAY: &[u8] = include_bytes!("overlay.json");

/// The data plane of SQS.
pub struct Sqs;

impl Service for Sqs {
    fn name(&self) -> &'static str {
        "sqs"
    }

    fn operations(&self) -> &'static [&'static str] {
        &Operation::NAMES
    }

    fn start(&self, call: &Call<'_>, operation: OperationId, input: &Input<'_>) -> Result<Outcome> {
        let operation = Operation::ALL[operation];
        let context = Context { call, operation };
        match operation {
            Operation::Send => send::one(&context, input),
            Operation::SendBatch => send::batch(&context, input),
            Operation::Receive => receive::start(&context, input),
            Operation::Delete | Operation::Extend => lease::one(&context, input),
            Operation::DeleteBatch => lease::batch(&context, input, "DeleteMessage"),
            Operation::ExtendBatch => lease::batch(&context, input, "ChangeMessageVisibility"),
        }
    }

    fn overlay(&self) -> Option<&'static [u8]> {
        Some(OVERLAY)
    }

    fn owns_path(&self, path: &str) -> bool {
        address::starts_path(path)
    }

    // A GET on a queue's address names no operation; AWS answers it like this.
    fn plain_response(&self, _request: &Request<'_>) -> Option<Response> {
        Some(Response::new(404, "text/xml", "<UnknownOperationException/>"))
    }

    // A request of the query protocol may be posted to the queue's address instead of naming it.
    fn complete(
        &self,
        request: &Request<'_>,
        protocol: Protocol,
        model: &Model,
        operation: &crate::model::Operation,
        input: &mut Value,
    ) -> Result<()> {
        if protocol != Protocol::Query || request.path == "/" {
            return Ok(());
        }
        if matches!(&*operation.name, "CreateQueue" | "ListQueues") {
            let message = format!("The action {} is not valid for this endpoint.", operation.name);
            return Err(WireError::new("InvalidAction", 400, message));
        }
        let shape = operation.input.map(|id| &model.shape(id).kind);
        let takes_url = matches!(shape, Some(Kind::Structure(members))
            if members.iter().any(|member| &*member.name == "QueueUrl"));
        match input {
            Value::Map(members)
                if takes_url && !members.iter().any(|(name, _)| name == "QueueUrl") =>
            {
                members.push(("QueueUrl".to_owned(), request.path.into()));
            }
            _ => {}
        }
        Ok(())
    }

    fn authorize(
        &self,
        call: &Call<'_>,
        operation: &str,
        input: &Value,
    ) -> Result<Option<ResourceName>> {
        let target = target::of(call.account, call.region, operation, input);
        if let (Some(access), Some(name)) = (call.access, &target) {
            access.check_target(call.engine, call.account, operation, input, name)?;
            if operation == "StartMessageMoveTask" {
                let destination = target::destination_of(input);
                access.check_move(call.engine, call.account, name, destination.as_ref())?;
            }
        }
        Ok(target)
    }

    fn checks_inputs(&self) -> bool {
        true
    }

    fn is_query_compatible(&self) -> bool {
        true
    }

    fn word(&self, error: WireError, protocol: Protocol) -> WireError {
        errors::word(error, protocol)
    }

    fn show_metrics(&self, engine: &Engine, out: &mut Exposition) {
        let mut messages = Family::gauge("trunkline_queue_messages", "Messages by state");
        let help = "Seconds since the oldest message was sent";
        let mut oldest = Family::gauge("trunkline_queue_oldest_message_age_seconds", help);
        // A closed engine has no queues to show.
        for queue in engine.queues(None, None, "").unwrap_or_default() {
            let Ok(statistics) = queue.statistics() else { continue };
            let states = [
                ("visible", statistics.visible),
                ("in_flight", statistics.in_flight),
                ("delayed", statistics.delayed),
            ];
            messages.states("queue", queue.name(), &states);
            let age = statistics.oldest_sent.map_or(0, |sent| statistics.at.saturating_sub(sent));
            oldest.add(labels_of("queue", queue.name()), age as f64 / 1_000.0);
        }
        out.push(messages);
        out.push(oldest);
    }

    fn admin(&self, path: &str, request: &Request<'_>) -> Option<Result<AdminWork>> {
        let path = path.strip_prefix("messages")?;
        let is_whole = path.is_empty() || path.starts_with('/');
        let is_known = is_whole && matches!(request.method, "GET" | "POST");
        is_known.then(|| peek::read(path.trim_start_matches('/'), request))
    }
}
