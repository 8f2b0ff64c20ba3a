//! `ReceiveMessage`: one try, and what has to be known to try again.

use std::sync::Arc;

use trunkline_engine::{Admitted, Awaited, Receive};
use trunkline_types::Millis;

use super::deliveries::{Bodies, Writer};
use super::errors::{from_engine, invalid_value};
use super::input::ReceiveInput;
use super::names::{System, User};
use super::text::millis;
use super::{Context, Lookup, finish, text};
use crate::error::Result;
use crate::service::{Finished, Input, Outcome, Output, Wait};

/// About what a message takes in an answer beside its body.
const BESIDE_BODY_BYTES: usize = 512;
/// Most memory that is reserved for an output in advance.
const RESERVED_MAX: usize = 1_000_000;

/// A receive that may wait.
struct Poll {
    writer: Writer,
    call: Admitted,
    max: usize,
    visibility: Option<Millis>,
    attempt_id: Option<String>,
    wait: Millis,
}

pub(super) fn start(context: &Context<'_>, input: &Input<'_>) -> Result<Outcome> {
    let input: ReceiveInput<'_> = input.read()?;
    let (queue, call) = match context.queue(input.queue_url.as_deref())? {
        Lookup::Ready(queue, call) => (queue, call),
        Lookup::Held(held) => return Ok(Outcome::Held(held)),
    };
    let limits = context.call.engine.limits();
    let max = input.max_number_of_messages.unwrap_or(1);
    let most = limits.batch_entries_max;
    if !u32::try_from(max).is_ok_and(|max| (1..=most).contains(&max)) {
        let reason = format!("Must be between 1 and {most}, if provided.");
        return Err(invalid_value(max, "MaxNumberOfMessages", &reason));
    }
    let wait = match input.wait_time_seconds {
        None => queue.config().receive_wait,
        Some(seconds) => millis(seconds, limits.receive_wait_max).ok_or_else(|| {
            let most = limits.receive_wait_max / 1_000;
            let reason = format!("Must be >= 0 and <= {most}, if provided.");
            invalid_value(seconds, "WaitTimeSeconds", &reason)
        })?,
    };
    let visibility = match input.visibility_timeout {
        None => None,
        Some(seconds) => Some(super::lease::visibility(seconds, limits)?),
    };
    let attempt_id = input.receive_request_attempt_id.as_deref();
    if let Some(id) = attempt_id {
        text::check_id(id, "ReceiveRequestAttemptId", limits)?;
    }
    let system = System::read([
        input.attribute_names.as_deref(),
        input.message_system_attribute_names.as_deref(),
    ])?;
    Ok(Outcome::Wait(Box::new(Poll {
        max: max.unsigned_abs() as usize,
        visibility,
        attempt_id: attempt_id.map(str::to_owned),
        wait,
        writer: Writer {
            engine: context.call.engine.clone(),
            queue,
            system,
            user: User::read(input.message_attribute_names.as_deref()),
        },
        call,
    })))
}

impl Wait for Poll {
    fn attempt(&mut self) -> Result<Option<Finished>> {
        let request = Receive {
            max: self.max,
            visibility: self.visibility,
            attempt_id: self.attempt_id.as_deref(),
            wait: Some(self.wait),
        };
        let mut out = Vec::new();
        let mut bodies = Bodies::default();
        let queue = &self.writer.queue;
        let received = queue
            .receive_admitted(&self.call, &request, |delivery| {
                out.extend_from_slice(if out.is_empty() { b"{\"Messages\":[" } else { b"," });
                // Memory for all that were asked for, as if they were like the first.
                let more = if bodies.is_empty() { self.max } else { 1 };
                let each = delivery.body.len() + BESIDE_BODY_BYTES;
                out.reserve(each.saturating_mul(more).min(RESERVED_MAX));
                let receipt = queue.encode_receipt(&delivery.receipt);
                self.writer.write(&delivery, &receipt, &mut bodies, &mut out);
            })
            .map_err(from_engine)?;
        if received.count == 0 {
            return Ok(None);
        }
        out.extend_from_slice(b"]}");
        bodies.fill_digests(&mut out);
        finish(&self.writer.engine, queue, received.ticket, out).map(Some)
    }

    fn resource(&self) -> Arc<dyn Awaited> {
        self.writer.queue.clone()
    }

    fn patience(&self) -> Millis {
        self.wait
    }

    fn empty(&self) -> Output {
        Output::empty()
    }
}
