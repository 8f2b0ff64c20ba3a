//! Creating and configuring queues: the options that are set are checked; for a new queue the
//! others get their defaults, an existing one keeps them. Names, ranges and defaults are the
//! engine's table.

use std::sync::Arc;

use trunkline_engine::{
    Code, DeadLetter, Engine, Error, QUEUE_OPTIONS, Queue, QueueConfig, QueueKind, Result, Ticket,
    check_queue_name, default_config, queue_name,
};
use trunkline_types::sync::lock;

use crate::check;
use crate::document::check_redrive_allowed;
use crate::handle::{OpenEngine, OpenQueue};
use crate::options::QueueOptions;

/// Creates the queue `name`.
pub(crate) fn create(open: &OpenEngine, name: &str, options: &QueueOptions) -> Result<Arc<Queue>> {
    let engine = &open.engine;
    let kind = check_queue_name(name, "name", engine.limits())?;
    let _defining = lock(&open.defining);
    let mut config = default_config(kind, engine.limits());
    apply(engine, name, options, &mut config)?;
    let queue = engine.create_queue(queue_name(name), config, b"")?;
    engine.acknowledge()?;
    Ok(queue)
}

/// The queue `name`, which exists.
pub(crate) fn find(engine: &Engine, name: &str) -> Result<Arc<Queue>> {
    check_queue_name(name, "name", engine.limits())?;
    let missing = || {
        let text =
            format!("The queue {name} does not exist; create it with trunkline_queue_create.");
        Error::new(Code::QueueDoesNotExist, text)
    };
    engine.find_queue(&queue_name(name))?.ok_or_else(missing)
}

/// Changes the options of a queue that are set.
pub(crate) fn configure(open: &OpenQueue, options: &QueueOptions) -> Result<Option<Ticket>> {
    // Two threads must not each keep what the other changes.
    let _defining = lock(&open.owner.defining);
    let queue = &open.queue;
    let mut config = queue.config();
    apply(&open.owner.engine, &queue.name().name, options, &mut config)?;
    queue.configure(config, &queue.document())
}

/// The field of the struct of C for an option of the table.
fn field(options: &QueueOptions, name: &str) -> (&'static str, i64) {
    match name {
        "delay" => ("delay_ms", options.delay_ms),
        "retention" => ("retention_ms", options.retention_ms),
        "visibility_timeout" => ("visibility_ms", options.visibility_ms),
        "receive_wait" => ("receive_wait_ms", options.receive_wait_ms),
        "max_message_size" => ("message_bytes_max", options.message_bytes_max),
        "content_based_dedup" => ("content_based_dedup", options.content_based_dedup),
        "dedup_scope" => ("dedup_scope", options.dedup_scope),
        // An option that the struct does not have yet cannot be set.
        _ => ("", crate::options::UNSET),
    }
}

fn apply(
    engine: &Engine,
    name: &str,
    options: &QueueOptions,
    config: &mut QueueConfig,
) -> Result<()> {
    for option in &QUEUE_OPTIONS {
        let (named, value) = field(options, option.name);
        let (least, most) = option.bounds(engine.limits());
        if let Some(value) = check::number(value, named, least, most)? {
            if option.fifo_only && config.kind == QueueKind::Standard {
                return Err(only_fifo(named));
            }
            option.set(config, value);
        }
    }
    if let Some(changed) = dead_letter(engine, name, config.kind, options)? {
        config.dead_letter = changed;
    }
    Ok(())
}

fn only_fifo(option: &str) -> Error {
    let text = format!(
        "You can specify the {option} only for a FIFO queue; a FIFO queue's name ends in .fifo."
    );
    Error::new(Code::InvalidAttributeName, text)
}

/// What the dead-letter queue is to be: `None` if the options do not say, `Some(None)` for none.
fn dead_letter(
    engine: &Engine,
    source: &str,
    kind: QueueKind,
    options: &QueueOptions,
) -> Result<Option<Option<DeadLetter>>> {
    let limits = engine.limits();
    let high = limits.max_receive_count_max.into();
    let count = check::number(options.max_receive_count, "max_receive_count", 1, high)?;
    let (name, count) = match (options.dead_letter.optional("dead_letter")?, count) {
        (None, None) => return Ok(None),
        (Some(""), None) => return Ok(Some(None)),
        (Some(name), Some(count)) => (name, count as u32),
        _ => {
            return Err(Error::new(
                Code::InvalidParameterValue,
                "dead_letter and max_receive_count belong together. Reason: A message goes to the \
                 queue dead_letter after max_receive_count deliveries; give both.",
            ));
        }
    };
    if check_queue_name(name, "dead_letter", limits)? != kind {
        let kind = if kind == QueueKind::Fifo { "a FIFO" } else { "a standard" };
        let reason = format!("The dead-letter queue of {kind} queue must also be {kind} queue.");
        return Err(check::invalid(name, "dead_letter", &reason));
    }
    if name == source {
        let reason = "A queue cannot keep its own dead letters; name another queue.";
        return Err(check::invalid(name, "dead_letter", reason));
    }
    let Some(target) = engine.find_queue(&queue_name(name))? else {
        return Err(Error::new(
            Code::QueueDoesNotExist,
            format!("The dead-letter queue {name} does not exist; create it first."),
        ));
    };
    check_redrive_allowed(&target, source)?;
    Ok(Some(Some(DeadLetter { queue: target.id(), max_receive_count: count })))
}
