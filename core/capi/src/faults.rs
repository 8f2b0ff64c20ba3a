//! Injected faults, for programs that try what they do when the engine fails or is slow.

#![allow(unsafe_code)] // Only the attribute of exported names: our prefix makes them unique.

use std::time::Duration;

use trunkline_engine::{Effect, ResourcePattern, Result, Rule, operation, queue_name};

use crate::border::{In, Text};
use crate::check::{self, COUNT_MAX, invalid};
use crate::failure::guard;
use crate::handle::EngineHandle;
use crate::options::Fault;
use crate::status::Status;

/// The longest delay that may be injected: an hour.
const DELAY_MAX_MS: u64 = 3_600_000;

/// Adds a rule of faults. `verb` is "send", "receive", "delete", "extend", which a release is too,
/// or "commit": the wait for the disk that follows each of them, in memory the moment where it
/// would be. `effect` is "error" (the call fails with TRUNKLINE_INJECTED_FAULT before it does
/// anything; a commit fails after), "delay" (it starts later), "duplicate" (a receive leaves its
/// messages visible) or "crash" (the process ends as by a kill). `options` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_add_fault(
    engine: EngineHandle,
    verb: Text,
    effect: Text,
    options: In<Fault>,
) -> Status {
    guard(|| {
        let engine = engine.get()?;
        let rule = rule(verb.get("verb")?, effect.get("effect")?, &options.get("options")?)?;
        engine.engine.check_open()?;
        engine.engine.faults().add(rule);
        Ok(())
    })
}

/// Takes every rule of faults back.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_clear_faults(engine: EngineHandle) -> Status {
    guard(|| {
        engine.get()?.engine.faults().clear();
        Ok(())
    })
}

fn rule(verb: &str, effect: &str, options: &Fault) -> Result<Rule> {
    let operation = operation::named(verb)
        .ok_or_else(|| invalid(verb, "verb", "Must be send, receive, delete, extend or commit."))?;
    let delay = check::number(options.delay_ms, "delay_ms", 0, DELAY_MAX_MS)?.unwrap_or(0);
    let message = options.message.optional("message")?.unwrap_or("injected");
    let effect = Effect::named(effect, message, Duration::from_millis(delay))
        .ok_or_else(|| invalid(effect, "effect", "Must be error, delay, duplicate or crash."))?;
    let resource = match options.queue.optional("queue")? {
        Some(name) => ResourcePattern::of(queue_name(name)),
        None => ResourcePattern::default(),
    };
    let after = check::number(options.after, "after", 0, COUNT_MAX)?.unwrap_or(0);
    let times = check::number(options.times, "times", 1, COUNT_MAX)?;
    Ok(Rule { operation, resource, effect, after, times })
}
