//! The functions of a queue, but for receiving.

#![allow(unsafe_code)] // Only the attribute of exported names: our prefix makes them unique.

use trunkline_engine::{Outgoing, Queue, Result, Sent as Accepted, Ticket, sequence_number};

use crate::border::{Bytes, Growing, In, Out, Text};
use crate::check;
use crate::define;
use crate::failure::guard;
use crate::handle::{EngineHandle, OpenQueue, QueueHandle};
use crate::options::{QueueOptions, SendOptions, Sent, Statistics, UNSET, characters};
use crate::status::Status;

/// Creates the queue `name`; a name that ends in ".fifo" is a FIFO queue's. A queue that exists
/// already is TRUNKLINE_QUEUE_NAME_EXISTS. `options` may be NULL; those that are not set get their
/// defaults. The handle is given back with trunkline_queue_free.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_queue_create(
    engine: EngineHandle,
    name: Text,
    options: In<QueueOptions>,
    queue: Out<QueueHandle>,
) -> Status {
    queue.put(QueueHandle::NULL);
    guard(|| {
        queue.check("queue")?;
        let open = engine.get()?;
        let created = define::create(&open, name.get("name")?, &options.get("options")?)?;
        queue.put(QueueHandle::new(OpenQueue::new(open, created))?);
        Ok(())
    })
}

/// Finds the queue `name`; if there is none, that is TRUNKLINE_QUEUE_DOES_NOT_EXIST. The handle is
/// given back with trunkline_queue_free.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_queue_find(
    engine: EngineHandle,
    name: Text,
    queue: Out<QueueHandle>,
) -> Status {
    queue.put(QueueHandle::NULL);
    guard(|| {
        queue.check("queue")?;
        let open = engine.get()?;
        let found = define::find(&open.engine, name.get("name")?)?;
        queue.put(QueueHandle::new(OpenQueue::new(open, found))?);
        Ok(())
    })
}

/// Changes the options of the queue that are set, and no others. A `dead_letter` of "" without a
/// max_receive_count ends dead-lettering.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_queue_configure(
    queue: QueueHandle,
    options: In<QueueOptions>,
) -> Status {
    guard(|| {
        let open = queue.get()?;
        let ticket = define::configure(&open, &options.get("options")?)?;
        open.settle(ticket, open.level)
    })
}

/// Gives the handle back; the queue itself stays. NULL, and a handle that was given back, do
/// nothing.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_queue_free(queue: QueueHandle) {
    guard(|| {
        queue.free();
        Ok(())
    });
}

/// Removes the queue and everything in it. The handle stays to be given back.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_queue_remove(queue: QueueHandle) -> Status {
    guard(|| control(&*queue.get()?, Queue::remove))
}

/// Sends a message. `options` may be NULL on a standard queue; `sent` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_send(
    queue: QueueHandle,
    body: Bytes,
    body_length: usize,
    options: In<SendOptions>,
    sent: Out<Sent>,
) -> Status {
    guard(|| {
        let size = if sent.is_null() { None } else { Some(sent.check_sized("sent")?) };
        let queue = queue.get()?;
        let body = body.get(body_length, "body")?;
        let accepted = send(&queue, body, &options.get("options")?)?;
        if let Some(size) = size {
            sent.put_sized(Sent { size, ..describe(&queue, &accepted) }, size);
        }
        Ok(())
    })
}

/// Deletes the message that `receipt` names. A message that is gone already is a success.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_delete(queue: QueueHandle, receipt: Text) -> Status {
    guard(|| {
        let queue = queue.get()?;
        let receipt = queue.queue.decode_receipt(receipt.get("receipt")?)?;
        let ticket = queue.queue.delete(&receipt)?;
        queue.settle(ticket, queue.level)
    })
}

/// Lets the lease that `receipt` names end `visibility_ms` from now, at most 12 hours after the
/// receive.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_extend(
    queue: QueueHandle,
    receipt: Text,
    visibility_ms: i64,
) -> Status {
    guard(|| extend(&*queue.get()?, &receipt, visibility_ms))
}

/// Ends the lease that `receipt` names, so that the message is visible at once.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_release(queue: QueueHandle, receipt: Text) -> Status {
    guard(|| extend(&*queue.get()?, &receipt, 0))
}

/// Deletes every message of the queue, leased and delayed ones too.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_purge(queue: QueueHandle) -> Status {
    guard(|| control(&*queue.get()?, Queue::purge))
}

/// Tells how the queue stands. Set `statistics` to TRUNKLINE_STATISTICS_INIT first.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_get_statistics(
    queue: QueueHandle,
    statistics: Out<Statistics>,
) -> Status {
    guard(|| {
        let size = statistics.check_sized("statistics")?;
        let counted = queue.get()?.queue.statistics()?;
        let age = |sent| i64::try_from(counted.at.saturating_sub(sent)).unwrap_or(i64::MAX);
        let counted = Statistics {
            visible: counted.visible,
            in_flight: counted.in_flight,
            delayed: counted.delayed,
            groups_in_flight: counted.groups_in_flight,
            oldest_age_ms: counted.oldest_sent.map_or(UNSET, age),
            ..Statistics::UNSET
        };
        statistics.put_sized(Statistics { size, ..counted }, size);
        Ok(())
    })
}

fn send(open: &OpenQueue, body: &[u8], options: &SendOptions) -> Result<Accepted> {
    let limits = open.owner.engine.limits();
    let outgoing = Outgoing {
        body,
        attributes: b"",
        group: check::id(options.group.optional("group")?, "group", limits)?,
        dedup_id: check::id(options.dedup_id.optional("dedup_id")?, "dedup_id", limits)?,
        delay: check::number(options.delay_ms, "delay_ms", 0, limits.delay_max)?,
    };
    let level = check::call_level(open.level, options.durability)?;
    let sent = open.queue.send(&outgoing)?;
    open.settle(sent.ticket, level)?;
    Ok(sent)
}

fn describe(open: &OpenQueue, accepted: &Accepted) -> Sent {
    let number = if open.fifo { sequence_number(accepted.seq) } else { String::new() };
    Sent {
        message_id: characters(&accepted.message_id(open.owner.engine.key()).to_string()),
        sequence_number: characters(&number),
        duplicate: accepted.duplicate.into(),
        ..Sent::UNSET
    }
}

fn extend(open: &OpenQueue, receipt: &Text, visibility_ms: i64) -> Result<()> {
    let max = open.owner.engine.limits().visibility_max;
    let receipt = open.queue.decode_receipt(receipt.get("receipt")?)?;
    let visibility = check::required(visibility_ms, "visibility_ms", 0, max)?;
    let ticket = open.queue.extend(&receipt, visibility)?;
    open.settle(ticket, open.level)
}

/// A verb that touches the whole queue.
fn control(open: &OpenQueue, verb: impl FnOnce(&Queue) -> Result<Option<Ticket>>) -> Result<()> {
    let ticket = verb(&open.queue)?;
    open.settle(ticket, open.level)
}
