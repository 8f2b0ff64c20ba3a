//! `DeleteMessage`, `ChangeMessageVisibility` and their batches.

use trunkline_engine::{Queue, Ticket};
use trunkline_types::{Code, Millis};

use super::errors::{from_engine, invalid_value, missing};
use super::input::{Batch, LeaseInput};
use super::output::{BatchOutput, Object};
use super::{Context, Found, Operation, Step, batch, parse};
use crate::error::Result;

const VISIBILITY_SECONDS_MAX: i32 = 43_200;

/// A visibility time-out in milliseconds.
pub(super) fn visibility(seconds: i32) -> Result<Millis> {
    if !(0..=VISIBILITY_SECONDS_MAX).contains(&seconds) {
        let reason = "Must be between 0 and 43200, if provided.";
        return Err(invalid_value(seconds, "VisibilityTimeout", reason));
    }
    Ok(u64::from(seconds.unsigned_abs()) * 1_000)
}

pub(super) fn delete(context: &Context<'_>, body: &[u8]) -> Result<Step> {
    single(context, body)
}

pub(super) fn extend(context: &Context<'_>, body: &[u8]) -> Result<Step> {
    single(context, body)
}

pub(super) fn delete_batch(context: &Context<'_>, body: &[u8]) -> Result<Step> {
    many(context, body, "DeleteMessageBatchRequestEntry")
}

pub(super) fn extend_batch(context: &Context<'_>, body: &[u8]) -> Result<Step> {
    many(context, body, "ChangeMessageVisibilityBatchRequestEntry")
}

fn single(context: &Context<'_>, body: &[u8]) -> Result<Step> {
    let input: LeaseInput<'_> = parse(body)?;
    let queue = match context.queue(input.queue_url.as_deref())? {
        Found::Queue(queue, _) => queue,
        Found::Pause(pause) => return Ok(Step::Pause(pause)),
    };
    let ticket = carry_out(context, &queue, &input)?;
    context.settle(&queue, ticket, b"{}".to_vec())
}

fn many(context: &Context<'_>, body: &[u8], kind: &str) -> Result<Step> {
    let input: Batch<'_, LeaseInput<'_>> = parse(body)?;
    let queue = match context.queue(input.queue_url.as_deref())? {
        Found::Queue(queue, _) => queue,
        Found::Pause(pause) => return Ok(Step::Pause(pause)),
    };
    let entries = input.entries.unwrap_or_default();
    let most = context.engine.limits().batch_entries_max as usize;
    batch::check(entries.iter().map(|entry| entry.id.as_ref()), most, kind)?;
    let mut output = BatchOutput::default();
    let mut last: Option<Ticket> = None;
    for entry in &entries {
        let id = entry.id.as_deref().unwrap_or("");
        match carry_out(context, &queue, entry) {
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
    queue: &Queue,
    input: &LeaseInput<'_>,
) -> Result<Option<Ticket>> {
    let handle = input.receipt_handle.as_deref().filter(|handle| !handle.is_empty());
    let handle = handle.ok_or_else(|| missing("ReceiptHandle"))?;
    let is_delete = matches!(context.operation, Operation::Delete | Operation::DeleteBatch);
    let timeout = match (is_delete, input.visibility_timeout) {
        (true, _) => 0,
        (false, Some(seconds)) => visibility(seconds)?,
        (false, None) => return Err(missing("VisibilityTimeout")),
    };
    let receipt = queue.decode_receipt(handle).map_err(from_engine)?;
    let result = match is_delete {
        true => queue.delete(&receipt),
        false => queue.extend(&receipt, timeout),
    };
    result.map_err(|error| {
        // The engine does not quote handles; AWS does. Sentences about other parameters stay.
        let about_handle = error.code() == Code::InvalidParameterValue
            && !error.message().contains("parameter VisibilityTimeout");
        match error.message().split_once("Reason: ") {
            Some((_, reason)) if about_handle => invalid_value(handle, "ReceiptHandle", reason),
            _ => from_engine(error),
        }
    })
}
