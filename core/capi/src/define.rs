//! Get or create: the options that are set are checked, then compared with an existing queue or
//! filled up with the defaults for a new one. Names, ranges and defaults are the engine's table.

use std::sync::Arc;

use trunkline_engine::{
    Code, DeadLetter, Engine, Error, Limits, QUEUE_OPTIONS, Queue, QueueConfig, QueueKind,
    QueueOption, Result, default_config, queue_name,
};
use trunkline_types::sync::lock;

use crate::check;
use crate::document::check_redrive_allowed;
use crate::handle::OpenEngine;
use crate::options::QueueOptions;

/// The options that are set, checked: each with its name in C.
struct Provided {
    numbers: Vec<(&'static str, &'static QueueOption, u64)>,
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
    let provided = provided(engine, name, fifo, options)?;
    let queue = match existing {
        Some(queue) => queue,
        None => match create(engine, name, fifo, &provided) {
            // Another surface of this engine was faster.
            Err(error) if error.code() == Code::QueueNameExists => {
                engine.find_queue(&queue_name(name))?.ok_or(error)?
            }
            created => created?,
        },
    };
    compare(&queue.config(), &provided)?;
    Ok(queue)
}

fn create(engine: &Engine, name: &str, fifo: bool, provided: &Provided) -> Result<Arc<Queue>> {
    let kind = if fifo { QueueKind::Fifo } else { QueueKind::Standard };
    let mut config = default_config(kind, engine.limits());
    for (_, option, value) in &provided.numbers {
        option.set(&mut config, *value);
    }
    config.dead_letter = provided.dead_letter;
    let queue = engine.create_queue(queue_name(name), config, b"")?;
    engine.acknowledge()?;
    Ok(queue)
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

fn provided(engine: &Engine, name: &str, fifo: bool, options: &QueueOptions) -> Result<Provided> {
    let limits = engine.limits();
    let mut numbers = Vec::new();
    for option in &QUEUE_OPTIONS {
        let (named, value) = field(options, option.name);
        let (least, most) = option.bounds(limits);
        if let Some(value) = check::number(value, named, least, most)? {
            if option.fifo_only && !fifo {
                return Err(only_fifo(named));
            }
            numbers.push((named, option, value));
        }
    }
    Ok(Provided { numbers, dead_letter: dead_letter(engine, name, fifo, options, limits)? })
}

fn only_fifo(option: &str) -> Error {
    let text = format!(
        "You can specify the {option} only for a FIFO queue; a FIFO queue's name ends in .fifo."
    );
    Error::new(Code::InvalidAttributeName, text)
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

fn compare(current: &QueueConfig, provided: &Provided) -> Result<()> {
    for (named, option, value) in &provided.numbers {
        if option.get(current) != *value {
            return Err(differs(named));
        }
    }
    match provided.dead_letter {
        Some(_) if provided.dead_letter != current.dead_letter => Err(differs("dead_letter")),
        _ => Ok(()),
    }
}

fn differs(option: &str) -> Error {
    let text = format!(
        "A queue already exists with the same name and a different value for attribute {option}; \
         leave the option unset to take the queue as it is."
    );
    Error::new(Code::QueueNameExists, text)
}
