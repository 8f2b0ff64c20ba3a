//! The module `trunkline._core`: translates between Python and the engine. No decision is made
//! here; names, defaults and validation are the Python package's, rules are the engine's.
//!
//! Stays attached to the interpreter for anything short, because winning the interpreter lock back
//! beside computing threads costs more than the work; detaches to block and to wait for the disk.

mod attributes;
mod batch;
mod bell;
mod body;
mod clock;
mod config;
mod engine;
mod envelope;
mod error;
mod faults;
mod found;
mod handle;
mod keeping;
mod limits;
mod message;
mod moves;
mod offline;
mod pattern;
mod queue;
mod results;
mod span;
mod statistics;
mod thread;
mod ticket;
mod wait;
mod waitless;
#[cfg(feature = "wire")]
mod wire;

use pyo3::prelude::*;

/// The engine behind the package `trunkline`.
#[pymodule(gil_used = true)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    error::register(module)?;
    #[cfg(feature = "wire")]
    wire::register(module)?;
    span::register(module)?;
    limits::register(module)?;
    clock::register(module)?;
    config::register(module)?;
    engine::register(module)?;
    queue::register(module)?;
    waitless::register(module)?;
    envelope::register(module)?;
    message::register(module)?;
    results::register(module)?;
    statistics::register(module)?;
    ticket::register(module)?;
    moves::register(module)?;
    bell::register(module)?;
    offline::register(module)?;
    pattern::register(module)
}
