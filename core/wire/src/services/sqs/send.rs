//! `SendMessage` and `SendMessageBatch`.

use trunkline_engine::{Admitted, Outgoing, Queue, Sent, sequence_number};
use trunkline_types::{Error, Limits, Problem, QueueKind};

use super::attributes::{Prepared, prepare};
use super::digest::{self, Hex};
use super::errors::{from_engine, invalid, invalid_value, missing, named};
use super::input::{Batch, SendInput};
use super::output::BatchOutput;
use super::{Context, Lookup, batch as rules, text};
use crate::codec::object::Object;
use crate::codec::text::Text;
use crate::error::{Result, WireError};
use crate::service::{Input, Outcome};

/// About what the output of one message takes.
const OUTPUT_BYTES: usize = 250;

/// A message that may be sent as far as its input tells.
struct Checked<'a> {
    body: &'a str,
    group: Option<&'a str>,
    dedup_id: Option<&'a str>,
    delay: Option<u64>,
    attributes: Prepared,
    digest: Hex,
}

impl Checked<'_> {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            body: self.body.as_bytes(),
            attributes: &self.attributes.block,
            group: self.group,
            dedup_id: self.dedup_id,
            delay: self.delay,
        }
    }
}

pub(super) fn one(context: &Context<'_>, input: &Input<'_>) -> Result<Outcome> {
    let mut input: SendInput<'_> = input.read()?;
    let (queue, call) = match context.queue(input.queue_url.as_deref())? {
        Lookup::Ready(queue, call) => (queue, call),
        Lookup::Held(held) => return Ok(Outcome::Held(held)),
    };
    let limits = context.call.engine.limits();
    let (user, system) = (input.message_attributes.take(), input.message_system_attributes.take());
    let attributes = prepare(user, system, trace_of(context), limits);
    let mut checked = check(&input, &queue, attributes, limits)?;
    checked.digest = digest::of_body(checked.body.as_bytes());
    if queue.kind() == QueueKind::Fifo {
        check_fifo(&checked, &queue)?;
    }
    let sent = queue.send_admitted(&call, &checked.outgoing()).map_err(from_engine)?;
    let mut out = Vec::with_capacity(OUTPUT_BYTES);
    let mut object = Object::open(&mut out);
    write_sent(&mut object, context, &queue, &checked, &sent);
    object.close();
    context.settle(&queue, sent.ticket, out)
}

pub(super) fn batch(context: &Context<'_>, input: &Input<'_>) -> Result<Outcome> {
    let input: Batch<'_, SendInput<'_>> = input.read()?;
    let (queue, call) = match context.queue(input.queue_url.as_deref())? {
        Lookup::Ready(queue, call) => (queue, call),
        Lookup::Held(held) => return Ok(Outcome::Held(held)),
    };
    let mut entries = input.entries.unwrap_or_default();
    let limits = context.call.engine.limits();
    let most = limits.batch_entries_max as usize;
    rules::check(entries.iter().map(|e| e.id.as_ref()), most, "SendMessageBatchRequestEntry")?;
    let prepared: Vec<Result<Prepared>> = entries
        .iter_mut()
        .map(|entry| {
            let user = entry.message_attributes.take();
            prepare(user, entry.message_system_attributes.take(), trace_of(context), limits)
        })
        .collect();
    let total: usize = entries
        .iter()
        .zip(&prepared)
        .map(|(entry, prepared)| {
            let body = entry.message_body.as_ref().map_or(0, |body| body.len());
            body + prepared.as_ref().map_or(0, |prepared| prepared.size)
        })
        .sum();
    if total > limits.batch_bytes_max as usize {
        return Err(named(
            "BatchRequestTooLong",
            format!(
                "Batch requests cannot be longer than {} bytes. You have sent {total} bytes.",
                limits.batch_bytes_max
            ),
        ));
    }
    let bodies: Vec<&[u8]> =
        entries.iter().map(|e| e.message_body.as_deref().unwrap_or("").as_bytes()).collect();
    let checked: Vec<Result<Checked<'_>>> = entries
        .iter()
        .zip(prepared)
        .zip(digest::of_bodies(&bodies))
        .map(|((entry, prepared), digest)| {
            check(entry, &queue, prepared, limits).map(|message| Checked { digest, ..message })
        })
        .collect();
    // One entry that a FIFO queue cannot place refuses the whole batch, as AWS does.
    if queue.kind() == QueueKind::Fifo {
        for checked in checked.iter().flatten() {
            check_fifo(checked, &queue).map_err(|error| invalid(error.message()))?;
        }
    }
    let ids: Vec<&str> = entries.iter().map(|e| e.id.as_deref().unwrap_or("")).collect();
    send_checked(context, (&queue, &call), &ids, checked)
}

fn send_checked(
    context: &Context<'_>,
    (queue, call): (&Queue, &Admitted),
    ids: &[&str],
    checked: Vec<Result<Checked<'_>>>,
) -> Result<Outcome> {
    let places: Vec<usize> =
        checked.iter().enumerate().filter(|(_, c)| c.is_ok()).map(|(place, _)| place).collect();
    let messages: Vec<Outgoing<'_>> = checked.iter().flatten().map(Checked::outgoing).collect();
    let mut results: Vec<Option<Result<Sent>>> = checked.iter().map(|_| None).collect();
    let mut ticket = None;
    if !messages.is_empty() {
        ticket = queue
            .send_batch_admitted(call, &messages, |index, result| {
                results[places[index]] = Some(result.map_err(entry_error));
            })
            .map_err(from_engine)?;
    }
    let mut output = BatchOutput::default();
    for ((id, checked), result) in ids.iter().zip(&checked).zip(results) {
        match (checked, &result) {
            (Ok(checked), Some(Ok(sent))) => {
                let mut entry = Object::open(output.success());
                entry.text("Id", id);
                write_sent(&mut entry, context, queue, checked, sent);
                entry.close();
            }
            (Err(error), _) | (_, Some(Err(error))) => output.failure(id, error),
            // The engine answers for every message it was given.
            (Ok(_), None) => {
                output.failure(id, &WireError::internal("The entry was not answered."))
            }
        }
    }
    context.settle(queue, ticket, output.finish())
}

// AWS words one sentence differently inside of a batch.
fn entry_error(error: Error) -> WireError {
    match error.problem() {
        Some(Problem::TooLarge { max }) => invalid(format!(
            "One or more parameters cannot be validated. Reason: Message must be shorter than \
             {max} bytes."
        )),
        _ => from_engine(error),
    }
}

fn write_sent(
    object: &mut Object<'_>,
    context: &Context<'_>,
    queue: &Queue,
    checked: &Checked<'_>,
    sent: &Sent,
) {
    object.plain("MD5OfMessageBody", &checked.digest);
    if let Some(digest) = &checked.attributes.digest {
        object.plain("MD5OfMessageAttributes", digest);
    }
    if let Some(digest) = &checked.attributes.system_digest {
        object.plain("MD5OfMessageSystemAttributes", digest);
    }
    let id = sent.message_id(context.call.engine.key()).to_string();
    object.plain("MessageId", id.as_bytes());
    if queue.kind() == QueueKind::Fifo {
        object.plain("SequenceNumber", sequence_number(sent.seq).as_bytes());
    }
}

fn check<'a>(
    input: &'a SendInput<'_>,
    queue: &Queue,
    attributes: Result<Prepared>,
    limits: &Limits,
) -> Result<Checked<'a>> {
    let body = input.message_body.as_deref().filter(|body| !body.is_empty());
    let body = body.ok_or_else(|| missing("MessageBody"))?;
    if !text::is_carried(body) {
        return Err(text::not_carried());
    }
    let group = provided(&input.message_group_id, "MessageGroupId", limits)?;
    let dedup_id = provided(&input.message_deduplication_id, "MessageDeduplicationId", limits)?;
    let is_fifo = queue.kind() == QueueKind::Fifo;
    let foreign = "The request include parameter that is not valid for this queue type.";
    if let (Some(id), false) = (dedup_id, is_fifo) {
        return Err(invalid_value(id, "MessageDeduplicationId", foreign));
    }
    let delay = match input.delay_seconds {
        Some(seconds) if text::millis(seconds, limits.delay_max).is_none() => {
            let most = limits.delay_max / 1_000;
            let reason = format!("DelaySeconds must be >= 0 and <= {most}.");
            return Err(invalid_value(seconds, "DelaySeconds", &reason));
        }
        Some(seconds) if is_fifo && seconds > 0 => {
            return Err(invalid_value(seconds, "DelaySeconds", foreign));
        }
        // A FIFO queue's own delay holds for all of its messages.
        Some(seconds) if !is_fifo => Some(u64::from(seconds.unsigned_abs()) * 1_000),
        _ => None,
    };
    // The digest is filled in by the caller: of a batch, all are made at once.
    Ok(Checked { body, group, dedup_id, delay, attributes: attributes?, digest: [0; 32] })
}

fn provided<'a>(
    id: &'a Option<Text<'_>>,
    parameter: &str,
    limits: &Limits,
) -> Result<Option<&'a str>> {
    let id = id.as_deref();
    id.map_or(Ok(()), |id| text::check_id(id, parameter, limits))?;
    Ok(id)
}

// The trace that the whole request belongs to.
fn trace_of<'a>(context: &Context<'a>) -> Option<&'a str> {
    context.call.request.header("x-amzn-trace-id").filter(|trace| !trace.is_empty())
}

fn check_fifo(checked: &Checked<'_>, queue: &Queue) -> Result<()> {
    if checked.group.is_none() {
        return Err(missing("MessageGroupId"));
    }
    if checked.dedup_id.is_none() && !queue.config().content_based_dedup {
        return Err(invalid(
            "The queue should either have ContentBasedDeduplication enabled or \
             MessageDeduplicationId provided explicitly",
        ));
    }
    Ok(())
}
