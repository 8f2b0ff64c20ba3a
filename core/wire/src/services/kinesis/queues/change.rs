//! What is done with records that were received: they are acknowledged, kept away for longer or
//! shorter, or restored. Each entry succeeds or fails for itself.

use serde::Deserialize;
use trunkline_engine::{Admission, Admitted, Queue, Ticket, operation};
use trunkline_types::{Millis, Problem, Result as EngineResult};

use super::StreamQueue;
use crate::codec::object::Object;
use crate::codec::text::Text;
use crate::error::{Result, WireError};
use crate::limits::{QUEUE_ENTRIES_MAX, RECEIPT_CHARS_MAX};
use crate::service::{Call, Finished, Input, Outcome, Output};
use crate::services::kinesis::check::Violations;
use crate::services::kinesis::errors::{from_engine, invalid, not_found};
use crate::services::kinesis::output::List;

#[derive(Debug, Deserialize)]
struct ChangeInput<'a> {
    #[serde(borrow, rename = "QueueARN")]
    queue_arn: Option<Text<'a>>,
    #[serde(borrow, rename = "Entries")]
    entries: Option<Vec<Entry<'a>>>,
}

#[derive(Debug, Deserialize)]
struct Entry<'a> {
    #[serde(borrow, rename = "ReceiptHandle")]
    handle: Option<Text<'a>>,
    #[serde(rename = "VisibilityTimeoutSeconds")]
    visibility: Option<i64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Change {
    Acknowledge,
    Visibility,
    Restore,
}

impl Change {
    fn of(operation: &str) -> Self {
        match operation.as_bytes()[0] {
            b'A' => Self::Acknowledge,
            b'U' => Self::Visibility,
            _ => Self::Restore,
        }
    }

    fn verb(self) -> trunkline_engine::Operation {
        match self {
            Self::Visibility => operation::EXTEND,
            Self::Acknowledge | Self::Restore => operation::DELETE,
        }
    }
}

pub(super) fn start(
    call: &Call<'_>,
    input: &Input<'_>,
    operation: &'static str,
) -> Result<Outcome> {
    let input: ChangeInput<'_> = input.read()?;
    let change = Change::of(operation);
    check(&input, change)?;
    let queue = super::find(call, operation, input.queue_arn.as_deref().unwrap_or_default())?;
    let source = queue.of(operation);
    let admission = match call.held {
        Some(held) => source.resume(held),
        None => source.try_admit(change.verb()),
    };
    let admitted = match admission.map_err(|error| from_engine(&error))? {
        Admission::Ready(admitted) => admitted,
        Admission::Held(held) => return Ok(Outcome::Held(*held)),
    };
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    let (mut successes, mut failures) = (List::open(&mut done), List::open(&mut failed));
    let mut last: Option<Ticket> = None;
    for entry in input.entries.iter().flatten() {
        let handle = entry.handle.as_deref().unwrap_or_default();
        match carry_out(&queue, (source, &admitted), change, entry) {
            Ok(ticket) => {
                last = last.max(ticket);
                let mut object = successes.object();
                object.text("ReceiptHandle", handle);
                object.close();
            }
            Err(error) => {
                let mut object = failures.object();
                object.text("ReceiptHandle", handle);
                object.text("ErrorCode", code_of(&error));
                object.text("ErrorMessage", error.message());
                object.close();
            }
        }
    }
    successes.close();
    failures.close();
    let mut out = Vec::with_capacity(done.len() + failed.len() + 32);
    let mut object = Object::open(&mut out);
    object.key("Successful").extend_from_slice(&done);
    object.key("Failed").extend_from_slice(&failed);
    object.close();
    let settling = source.begin_settle(last, call.engine.durability());
    let settling = settling.map_err(|error| from_engine(&error))?;
    Ok(Outcome::Done(Finished { output: Output(out), settling }))
}

fn check(input: &ChangeInput<'_>, change: Change) -> Result<()> {
    let mut found = Violations::default();
    found.queue_arn(input.queue_arn.as_deref());
    let entries = found.required(input.entries.as_deref(), "entries").unwrap_or_default();
    if input.entries.is_some() {
        found.count(entries.len(), "entries", QUEUE_ENTRIES_MAX);
    }
    for (place, entry) in entries.iter().enumerate() {
        let at = |member: &str| format!("entries.{}.member.{member}", place + 1);
        let handle = found.required(entry.handle.as_deref(), &at("receiptHandle"));
        if let Some(handle) = handle {
            found.length(handle, &at("receiptHandle"), RECEIPT_CHARS_MAX);
        }
        if change == Change::Visibility {
            let path = at("visibilityTimeoutSeconds");
            found.required(entry.visibility, &path);
            found.visibility(entry.visibility, &path);
        }
    }
    found.finish()
}

fn carry_out(
    queue: &StreamQueue,
    (source, call): (&Queue, &Admitted),
    change: Change,
    entry: &Entry<'_>,
) -> Result<Option<Ticket>> {
    let handle = entry.handle.as_deref().unwrap_or_default();
    let receipt = source.decode_receipt(handle);
    let receipt =
        receipt.map_err(|_| invalid(format!("The receipt handle {handle} is not valid.")))?;
    let result: EngineResult<Option<Ticket>> = match change {
        Change::Acknowledge => source.delete_admitted(call, &receipt),
        Change::Visibility => {
            let visibility = entry.visibility.unwrap_or_default() as Millis * 1_000;
            source.extend_admitted(call, &receipt, visibility).and_then(|ticket| {
                // It may be a dead letter now.
                if visibility == 0 {
                    source.give_up_exhausted()?;
                }
                Ok(ticket)
            })
        }
        Change::Restore => match source.redrive_received(&receipt, queue.records.id()) {
            Ok(Some(accepted)) => Ok(accepted.ticket),
            Ok(None) => {
                return Err(not_found(format!(
                    "The dead-letter record of the receipt handle {handle} does not exist any more."
                )));
            }
            Err(error) => Err(error),
        },
    };
    result.map_err(|error| match error.problem() {
        Some(Problem::ReceiptExpired | Problem::NotInFlight) => {
            invalid(format!("The record of the receipt handle {handle} is not in flight any more."))
        }
        _ => from_engine(&error),
    })
}

/// The code of a failed entry, which is one of four.
fn code_of(error: &WireError) -> &str {
    match error.name() {
        name @ ("ResourceNotFoundException" | "InvalidArgumentException") => name,
        _ => "InternalFailureException",
    }
}
