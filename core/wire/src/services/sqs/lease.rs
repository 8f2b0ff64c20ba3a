//! `DeleteMessage`, `ChangeMessageVisibility` and their batches.

use trunkline_engine::{Admitted, Queue, Ticket};
use trunkline_types::{Limits, Millis, Problem};

use super::errors::{from_engine, invalid_value, missing};
use super::input::{Batch, LeaseInput};
use super::output::BatchOutput;
use super::{Context, Lookup, Operation, batch as rules, text};
use crate::codec::object::Object;
use crate::error::Result;
use crate::service::{Input, Outcome};

/// A visibility time-out in milliseconds.
pub(super) fn visibility(seconds: i32, limits: &Limits) -> Result<Millis> {
    text::millis(seconds, limits.visibility_max).ok_or_else(|| {
        let most = limits.visibility_max / 1_000;
        let reason = format!("Must be between 0 and {most}, if provided.");
        invalid_value(seconds, "VisibilityTimeout", &reason)
    })
}

pub(super) fn one(context: &Context<'_>, input: &Input<'_>) -> Result<Outcome> {
    let input: LeaseInput<'_> = input.read()?;
    let (queue, call) = match context.queue(input.queue_url.as_deref())? {
        Lookup::Ready(queue, call) => (queue, call),
        Lookup::Held(held) => return Ok(Outcome::Held(held)),
    };
    let ticket = carry_out(context, (&queue, &call), &input)?;
    context.settle(&queue, ticket, b"{}".to_vec())
}

pub(super) fn batch(context: &Context<'_>, input: &Input<'_>, operation: &str) -> Result<Outcome> {
    let input: Batch<'_, LeaseInput<'_>> = input.read()?;
    let (queue, call) = match context.queue(input.queue_url.as_deref())? {
        Lookup::Ready(queue, call) => (queue, call),
        Lookup::Held(held) => return Ok(Outcome::Held(held)),
    };
    let entries = input.entries.unwrap_or_default();
    let most = context.call.engine.limits().batch_entries_max as usize;
    let kind = format!("{operation}BatchRequestEntry");
    rules::check(entries.iter().map(|entry| entry.id.as_ref()), most, &kind)?;
    let mut output = BatchOutput::default();
    let mut last: Option<Ticket> = None;
    for entry in &entries {
        let id = entry.id.as_deref().unwrap_or("");
        match carry_out(context, (&queue, &call), entry) {
            Ok(ticket) => {
                last = last.max(ticket);
                let mut object = Object::open(output.success());
                object.text("Id", id);
                object.close();
            }
            Err(error) => output.failure(id, &error),
        }
    }
    context.settle(&queue, last, output.finish())
}

fn carry_out(
    context: &Context<'_>,
    (queue, call): (&Queue, &Admitted),
    input: &LeaseInput<'_>,
) -> Result<Option<Ticket>> {
    let handle = input.receipt_handle.as_deref().filter(|handle| !handle.is_empty());
    let handle = handle.ok_or_else(|| missing("ReceiptHandle"))?;
    let is_delete = matches!(context.operation, Operation::Delete | Operation::DeleteBatch);
    let timeout = match (is_delete, input.visibility_timeout) {
        (true, _) => 0,
        (false, Some(seconds)) => visibility(seconds, context.call.engine.limits())?,
        (false, None) => return Err(missing("VisibilityTimeout")),
    };
    let receipt = queue.decode_receipt(handle).map_err(from_engine)?;
    let result = match is_delete {
        true => queue.delete_admitted(call, &receipt),
        false => queue.extend_admitted(call, &receipt, timeout),
    };
    result.map_err(|error| match error.problem() {
        // The engine does not quote receipts; AWS does.
        Some(Problem::ReceiptExpired) => {
            invalid_value(handle, "ReceiptHandle", "The receipt handle has expired.")
        }
        Some(Problem::NotInFlight) => {
            let reason = "Message does not exist or is not available for visibility timeout \
                          change.";
            invalid_value(handle, "ReceiptHandle", reason)
        }
        _ => from_engine(error),
    })
}
