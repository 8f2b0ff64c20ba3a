//! The functions of an engine: open, close, flush, advance.

#![allow(unsafe_code)] // Only the attribute of exported names: our prefix makes them unique.

use std::sync::Arc;

use trunkline_engine::{Clock, Durability, Engine, OpenOptions as Options, Result};
use trunkline_types::sync::Mutex;

use crate::border::{In, Out, Text};
use crate::check::{self, invalid};
use crate::failure::guard;
use crate::handle::{EngineHandle, OpenEngine};
use crate::options::{OpenOptions, level};
use crate::status::Status;

/// The furthest a virtual clock may be set or moved at once: what fits every sum of times.
const TIME_MAX: u64 = 1 << 52;

/// Opens an engine on the folder `path`, which is created if need be, or in memory if `path` is
/// NULL. `durability` is a trunkline_durability, and says what "acknowledged" means: when a call
/// that changes something returns TRUNKLINE_OK, the change is that durable. `options` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_open(
    path: Text,
    durability: i32,
    options: In<OpenOptions>,
    engine: Out<EngineHandle>,
) -> Status {
    engine.put(EngineHandle::NULL);
    guard(|| {
        engine.check("engine")?;
        let options = read(path.optional("path")?, durability, &options.get("options")?)?;
        let core = Engine::open(options)?;
        engine.put(EngineHandle::new(OpenEngine { engine: core, defining: Mutex::new(()) })?);
        Ok(())
    })
}

/// Writes everything out, lets go of the folder, and gives the handle back. Receives that wait
/// return TRUNKLINE_ENGINE_CLOSED, and so does every later call on a queue of the engine. A failure
/// tells that the disk refused what it was given last; the engine is closed all the same. NULL is
/// allowed.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_close(engine: EngineHandle) -> Status {
    guard(|| if engine.is_null() { Ok(()) } else { engine.take()?.engine.close() })
}

/// Returns when everything that was accepted so far is on disk. Fails after that, with the reason,
/// while disk space cannot be given back and the journal only grows.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_flush(engine: EngineHandle) -> Status {
    guard(|| {
        let engine = engine.get()?;
        engine.engine.flush()?;
        engine.engine.check_space()
    })
}

/// Moves the virtual clock of an engine forward, runs everything that falls due on the way, in
/// order, and wakes who waits for it. Only for an engine that was opened with virtual_start_ms.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_advance(engine: EngineHandle, by_ms: i64) -> Status {
    guard(|| {
        let open = engine.get()?;
        open.engine.advance(check::required(by_ms, "by_ms", 0, TIME_MAX)?)
    })
}

fn read(path: Option<&str>, durability: i32, options: &OpenOptions) -> Result<Options> {
    let asked = level(durability.into())?;
    let read_only = check::flag(options.read_only, "read_only")?.unwrap_or(false);
    if path.is_none() {
        check_memory(asked, read_only)?;
    }
    let mut read = path.map_or_else(Options::memory, Options::at);
    read.durability = asked.unwrap_or(read.durability);
    read.read_only = read_only;
    read.durable_receives =
        check::flag(options.durable_receives, "durable_receives")?.unwrap_or(false);
    read.seed = options.seed.get("seed")?;
    if let Some(start) = check::number(options.virtual_start_ms, "virtual_start_ms", 0, TIME_MAX)? {
        read.clock = Arc::new(Clock::virtual_at(start));
    }
    Ok(read)
}

fn check_memory(asked: Option<Durability>, read_only: bool) -> Result<()> {
    if asked.is_some_and(|level| level > Durability::Memory) {
        let reason =
            "An engine without a path keeps everything in memory; give a path to be durable.";
        return Err(invalid("above memory", "durability", reason));
    }
    if read_only {
        let reason = "An engine without a path is empty; give the path of the folder to look into.";
        return Err(invalid("1", "read_only", reason));
    }
    Ok(())
}
