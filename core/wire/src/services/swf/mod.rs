//! The data plane of SWF: the long polls of deciders and workers, and histories, from a request to
//! the engine without an interpreter. Everything else of the service is the control plane.

mod check;
mod errors;
mod history;
mod lookup;
mod poll;
mod service;

pub use service::Swf;
