//! Get or create: the options that were given are checked, then compared with an existing queue or
//! filled up with the defaults for a new one.

use std::sync::Arc;

use trunkline_engine::{
    Code, DeadLetter, DedupScope, Engine, Error, Limits, Millis, Queue, QueueConfig, Result,
    fifo_queue, queue_name, standard_queue,
};
use trunkline_types::sync::lock;

use crate::check;
use crate::document::check_redrive_allowed;
use crate::handle::OpenEngine;
use crate::options::QueueOptions;

/// The options that were given, checked.
struct Given {
    delay: Option<Millis>,
    retention: Option<Millis>,
    visibility: Option<Millis>,
    receive_wait: Option<Millis>,
    message_bytes_max: Option<u32>,
    content_based_dedup: Option<bool>,
    dedup_scope: Option<DedupScope>,
    dead_letter: Option<DeadLetter>,
}

/// The queue `name`, created if need be.
pub(crate) fn get_or_create(
    open: &OpenEngine,
    name: &str,
    options: &QueueOptions,
) -> Result<Arc<Queue>> {
    let engine = &open.engine;
    let fifo = check::queue_name(name, "name", engine.limits())?;
    let _defining = lock(&open.defining);
    let existing = engine.find_queue(&queue_name(name))?;
    let given = given(engine, name, fifo, options)?;
    let queue = match existing {
        Some(queue) => queue,
        None => match create(engine, name, fifo, &given) {
            // Another surface of this engine was faster.
            Err(error) if error.code() == Code::QueueNameExists => {
                engine.find_queue(&queue_name(name))?.ok_or(error)?
            }
            created => created?,
        },
    };
    compare(&queue.config(), &given)?;
    Ok(queue)
}

fn create(engine: &Engine, name: &str, fifo: bool, given: &Given) -> Result<Arc<Queue>> {
    let limits = engine.limits();
    let aws = if fifo { fifo_queue() } else { standard_queue() };
    let config = QueueConfig {
        kind: aws.kind,
        delay: given.delay.unwrap_or(aws.delay),
        retention: given.retention.unwrap_or(aws.retention.min(limits.retention_max)),
        visibility: given.visibility.unwrap_or(aws.visibility.min(limits.visibility_max)),
        receive_wait: given.receive_wait.unwrap_or(aws.receive_wait),
        message_bytes_max: given.message_bytes_max.unwrap_or(limits.message_bytes_max),
        content_based_dedup: given.content_based_dedup.unwrap_or(aws.content_based_dedup),
        dedup_scope: given.dedup_scope.unwrap_or(aws.dedup_scope),
        dead_letter: given.dead_letter,
    };
    let queue = engine.create_queue(queue_name(name), config, b"")?;
    engine.acknowledge()?;
    Ok(queue)
}

fn given(engine: &Engine, name: &str, fifo: bool, options: &QueueOptions) -> Result<Given> {
    let limits = engine.limits();
    let content_based_dedup = check::flag(options.content_based_dedup, "content_based_dedup")?;
    let dedup_scope = check::number(options.dedup_scope, "dedup_scope", 0, 1)?;
    if !fifo {
        only_fifo("content_based_dedup", content_based_dedup.is_some())?;
        only_fifo("dedup_scope", dedup_scope.is_some())?;
    }
    let (low, high) = (limits.message_bytes_min.into(), limits.message_bytes_max.into());
    let size = check::number(options.message_bytes_max, "message_bytes_max", low, high)?;
    let (from, to) = (limits.retention_min, limits.retention_max);
    Ok(Given {
        delay: check::number(options.delay_ms, "delay_ms", 0, limits.delay_max)?,
        retention: check::number(options.retention_ms, "retention_ms", from, to)?,
        visibility: check::number(
            options.visibility_ms,
            "visibility_ms",
            0,
            limits.visibility_max,
        )?,
        receive_wait: check::number(
            options.receive_wait_ms,
            "receive_wait_ms",
            0,
            limits.receive_wait_max,
        )?,
        // The range was that of a u32.
        message_bytes_max: size.map(|bytes| bytes as u32),
        content_based_dedup,
        dedup_scope: dedup_scope.map(|scope| match scope {
            0 => DedupScope::Queue,
            _ => DedupScope::Group,
        }),
        dead_letter: dead_letter(engine, name, fifo, options, limits)?,
    })
}

fn only_fifo(option: &str, given: bool) -> Result<()> {
    if !given {
        return Ok(());
    }
    let text = format!(
        "You can specify the {option} only for a FIFO queue; a FIFO queue's name ends in .fifo."
    );
    Err(Error::new(Code::InvalidAttributeName, text))
}

fn dead_letter(
    engine: &Engine,
    source: &str,
    fifo: bool,
    options: &QueueOptions,
    limits: &Limits,
) -> Result<Option<DeadLetter>> {
    let high = limits.max_receive_count_max.into();
    let count = check::number(options.max_receive_count, "max_receive_count", 1, high)?;
    let (name, count) = match (options.dead_letter.optional("dead_letter")?, count) {
        (None, None) => return Ok(None),
        (Some(name), Some(count)) => (name, count as u32),
        _ => {
            return Err(Error::new(
                Code::InvalidParameterValue,
                "dead_letter and max_receive_count belong together. Reason: A message goes to the \
                 queue dead_letter after max_receive_count deliveries; give both.",
            ));
        }
    };
    if check::queue_name(name, "dead_letter", limits)? != fifo {
        let kind = if fifo { "a FIFO" } else { "a standard" };
        let reason = format!("The dead-letter queue of {kind} queue must also be {kind} queue.");
        return Err(check::invalid(name, "dead_letter", &reason));
    }
    let Some(target) = engine.find_queue(&queue_name(name))? else {
        return Err(Error::new(
            Code::QueueDoesNotExist,
            format!("The dead-letter queue {name} does not exist; create it first."),
        ));
    };
    check_redrive_allowed(&target, source)?;
    Ok(Some(DeadLetter { queue: target.id(), max_receive_count: count }))
}

fn compare(current: &QueueConfig, given: &Given) -> Result<()> {
    differs("delay_ms", given.delay, current.delay)?;
    differs("retention_ms", given.retention, current.retention)?;
    differs("visibility_ms", given.visibility, current.visibility)?;
    differs("receive_wait_ms", given.receive_wait, current.receive_wait)?;
    differs("message_bytes_max", given.message_bytes_max, current.message_bytes_max)?;
    differs("content_based_dedup", given.content_based_dedup, current.content_based_dedup)?;
    differs("dedup_scope", given.dedup_scope, current.dedup_scope)?;
    differs("dead_letter", given.dead_letter.map(Some), current.dead_letter)
}

fn differs<T: PartialEq>(option: &str, given: Option<T>, current: T) -> Result<()> {
    match given {
        Some(given) if given != current => Err(Error::new(
            Code::QueueNameExists,
            format!(
                "A queue already exists with the same name and a different value for attribute \
                 {option}; leave the option unset to take the queue as it is."
            ),
        )),
        _ => Ok(()),
    }
}
