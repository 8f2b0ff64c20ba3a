//! The module `trunkline._core`: translates between Python and the engine. No decision is made
//! here; names, defaults and validation are the Python package's, rules are the engine's.
//!
//! Stays attached to the interpreter for anything short, because winning the interpreter lock back
//! beside computing threads costs more than the work; detaches to block and to wait for the disk.

mod admission;
mod awaited;
mod bucket;
mod bus;
mod clock;
mod completion;
mod durability;
mod duration;
mod engine;
mod error;
mod event_file;
mod faults;
mod gil_cell;
mod inspect;
mod limits;
mod machine;
mod memory;
mod names;
mod notifier;
mod outbox;
mod outcomes;
mod pattern;
mod pending;
mod python_call;
mod queue;
mod raw_object;
mod report;
mod schedule;
mod signals;
mod spare;
mod stream;
mod task_wakeup;
mod topic;
mod trace;
mod waker;
#[cfg(feature = "wire")]
mod wire;
mod workflow;

use pyo3::prelude::*;

/// The engine behind the package `trunkline`.
#[pymodule(gil_used = true)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    gil_cell::check(module.py())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    error::register(module)?;
    module.add_function(wrap_pyfunction!(error_codes, module)?)?;
    #[cfg(feature = "wire")]
    wire::register(module)?;
    duration::register(module)?;
    limits::register(module)?;
    names::register(module)?;
    clock::register(module)?;
    engine::register(module)?;
    queue::register(module)?;
    completion::register(module)?;
    pending::register(module)?;
    admission::register(module)?;
    outbox::register(module)?;
    schedule::register(module)?;
    machine::register(module)?;
    workflow::register(module)?;
    stream::register(module)?;
    waker::register(module)?;
    inspect::register(module)?;
    bucket::register(module)?;
    bus::register(module)?;
    topic::register(module)?;
    trace::register(module)?;
    pattern::register(module)
}

/// Every code of the engine's catalogue, and of the matcher's.
#[pyfunction]
fn error_codes() -> Vec<&'static str> {
    trunkline_types::Code::ALL.iter().map(|code| code.name()).chain(pattern::CODES).collect()
}
