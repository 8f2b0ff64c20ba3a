//! Faults of workflows as an exception, and verbs that wait for the disk.

use pyo3::prelude::*;
use trunkline_engine::{Engine, Ticket, WorkflowFailure, WorkflowOutcome};

use crate::error::raise;

pyo3::create_exception!(
    trunkline._core,
    WorkflowFault,
    pyo3::exceptions::PyException,
    "A verb of a domain was refused: the name of the fault, and a sentence."
);

/// The exception for `failure`.
#[cold]
pub(super) fn refuse(failure: WorkflowFailure) -> PyErr {
    match failure {
        WorkflowFailure::Fault(fault) => {
            WorkflowFault::new_err((fault.kind.as_str(), fault.message))
        }
        WorkflowFailure::Engine(error) => raise(error),
    }
}

/// Calls a verb without the interpreter, and waits until what it wrote is durable.
pub(super) fn settled<T: Send>(
    py: Python<'_>,
    engine: &Engine,
    verb: impl FnOnce() -> WorkflowOutcome<(T, Option<Ticket>)> + Send,
) -> PyResult<T> {
    let done = py.detach(|| {
        let (value, ticket) = verb()?;
        if let Some(ticket) = ticket {
            engine.wait(ticket, engine.durability())?;
        }
        Ok(value)
    });
    done.map_err(refuse)
}
