//! Receiving: messages that C holds until it gives them back.

#![allow(unsafe_code)] // Only the attribute of exported names: our prefix makes them unique.

use trunkline_engine::{Delivery, LongPoll, Receive, Result, operation};

use crate::border::{In, Out};
use crate::check::{self, COUNT_MAX, WAIT_MAX};
use crate::failure::guard;
use crate::handle::{OpenQueue, QueueHandle};
use crate::messages::{Batch, Messages};
use crate::options::ReceiveOptions;
use crate::status::Status;

/// Leases messages and hands them over in `messages`, none if none came in time. Blocks the calling
/// thread, if at all, for wait_ms. `options` may be NULL. The old content of `messages` is not
/// looked at; whatever the outcome, give it back with trunkline_messages_free.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_receive(
    queue: QueueHandle,
    options: In<ReceiveOptions>,
    messages: Out<Messages>,
) -> Status {
    messages.put(Messages::EMPTY);
    guard(|| {
        messages.check("messages")?;
        let batch = receive(&*queue.get()?, &options.get("options")?)?;
        messages.put(batch.into_messages());
        Ok(())
    })
}

/// Gives the memory of received messages back, and empties `messages`. Their leases are not
/// touched. NULL and empty messages do nothing, so once more does no harm.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_messages_free(messages: Out<Messages>) {
    guard(|| {
        if let Some(messages) = messages.replace(Messages::EMPTY) {
            messages.free();
        }
        Ok(())
    });
}

fn receive(open: &OpenQueue, options: &ReceiveOptions) -> Result<Batch> {
    let limits = open.owner.engine.limits();
    let visibility =
        check::number(options.visibility_ms, "visibility_ms", 0, limits.visibility_max)?;
    let attempt_id = options.attempt_id.optional("attempt_id")?;
    let attempt_id = check::id(attempt_id, "attempt_id", limits)?;
    let max = check::number(options.max, "max", 1, COUNT_MAX)?.unwrap_or(1);
    let wait = check::number(options.wait_ms, "wait_ms", 0, WAIT_MAX)?;
    let request = Receive { max: max as usize, visibility, attempt_id, wait };

    let call = open.queue.admit(operation::RECEIVE)?;
    let attempt = || {
        let mut batch = Batch::default();
        let sink = |delivery: Delivery<'_>| batch.add(open, &delivery);
        let received = open.queue.receive_admitted(&call, &request, sink)?;
        let batch = batch.checked()?;
        let is_some = !batch.is_empty();
        Result::Ok(is_some.then_some((batch, received.ticket)))
    };
    let found = match attempt()? {
        Some(found) => Some(found),
        None => {
            // The queue's own wait is read only when there is something to wait for.
            let wait = wait.unwrap_or_else(|| open.queue.config().receive_wait);
            LongPoll::new(open.queue.clone(), wait).block(attempt)?
        }
    };
    let Some((batch, ticket)) = found else { return Ok(Batch::default()) };
    if ticket.is_some() {
        open.settle(ticket, open.level)?;
    }
    Ok(batch)
}
