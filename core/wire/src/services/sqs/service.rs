//! SQS as the dispatcher sees it.

use trunkline_engine::{Engine, ResourceName};

use super::{Context, Operation, address, errors, lease, peek, receive, send, target};
use crate::error::{Result, WireError};
use crate::message::{Request, Response};
use crate::model::{Kind, Model, Protocol};
use crate::service::{
    AdminWork, Call, Exposition, Family, Input, OperationId, Outcome, Service, labels_of, others,
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
        let queues = engine.queues(None, None, "").unwrap_or_default();
        let read = queues.iter().filter_map(|queue| Some((queue, queue.statistics().ok()?)));
        let found: Vec<_> = read.collect();
        let size = found.iter().map(|(_, of)| of.visible + of.in_flight + of.delayed);
        let sizes: Vec<u64> = size.collect();
        let shown = out.shows(&sizes);
        let mut show = |name: &ResourceName, counts: [u64; 3], age: u64| {
            let [visible, in_flight, delayed] = counts;
            let states = [("visible", visible), ("in_flight", in_flight), ("delayed", delayed)];
            messages.states("queue", name, &states);
            oldest.add(labels_of("queue", name), age as f64 / 1_000.0);
        };
        let (mut left, mut left_age) = ([0; 3], 0);
        for ((queue, of), is_shown) in found.iter().zip(&shown) {
            let counts = [of.visible, of.in_flight, of.delayed];
            let age = of.oldest_sent.map_or(0, |sent| of.at.saturating_sub(sent));
            if *is_shown {
                show(queue.name(), counts, age);
            } else {
                left.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
                left_age = left_age.max(age);
            }
        }
        if let (true, Some((queue, _))) = (shown.contains(&false), found.first()) {
            show(&others(queue.name().kind), left, left_age);
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
