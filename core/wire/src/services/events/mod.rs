//! The data plane of EventBridge: PutEvents, from a request to the journal without an interpreter.
//! Everything else of the service is the control plane; of that, the rights of the caller are
//! checked here.

mod access;
mod detail;
mod endpoint;
mod envelope;
mod errors;
mod input;
mod lines;
mod put_events;
mod service;
mod target;
mod target_access;

pub use service::Events;
