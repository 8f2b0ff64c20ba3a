//! HTTP deliveries: one client, many endpoints, a bounded pool of connections.
//!
//! A dead endpoint must not slow a living one. So every host has a bound of its own, a host that
//! fails gets one attempt at a time, all hosts that fail share half of the attempts, and a host has
//! at most one name look-up in the air. No attempt has a thread: a million deliveries that wait are
//! the caller's data, and those that run are tasks on two threads.

mod client;
mod connect;
mod endpoint;
mod hosts;
mod outcome;
mod reach;
mod resolve;
mod retry_after;
mod tls;

pub use client::{Attempt, Client, ClientOptions};
pub use endpoint::Endpoint;
pub use hosts::{Gate, Slot};
pub use outcome::{Failure, Outcome, Response};
pub use reach::Reach;
pub use resolve::{Resolve, SystemResolver};
pub use retry_after::RetryAfter;
