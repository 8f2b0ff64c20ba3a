//! AWS Step Functions: the operations that start executions.
//!
//! What is decided here is the usual case alone: an execution of a state machine that was started
//! before, or of an express one, by its plain name. For everything else (errors, versions, aliases,
//! status events, logs of express machines, programs that may take long) the data plane declines,
//! and the control plane carries the operation out from its beginning. So both give the same
//! answers, and the rules of the service stand in one place.

mod express;
mod input;
mod machines;
mod service;
mod start;

pub use service::States;
