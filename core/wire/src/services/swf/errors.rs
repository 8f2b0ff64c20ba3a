//! The errors of SWF: faults with the namespaces of their shapes.

use trunkline_engine::WorkflowFailure;

use crate::error::WireError;

const FAULTS: &str = "com.amazonaws.swf.base.model";
const VALIDATION: &str = "com.amazon.coral.validate";

/// Why a verb did nothing.
#[cold]
pub(super) fn from_failure(failure: WorkflowFailure) -> WireError {
    match failure {
        WorkflowFailure::Fault(fault) => WireError::new(fault.kind.as_str(), 400, fault.message),
        WorkflowFailure::Engine(error) => WireError::from_engine(&error),
    }
}

/// The same error with the namespace that its `__type` carries.
pub(super) fn word(error: WireError) -> WireError {
    if error.namespace().is_some() {
        error
    } else if error.name() == "ValidationException" {
        error.with_namespace(VALIDATION)
    } else if error.name().ends_with("Fault") {
        error.with_namespace(FAULTS)
    } else {
        error
    }
}
