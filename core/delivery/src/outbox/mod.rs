//! The rules of an outbox, pure: what follows an attempt, and which destination is served next.
//!
//! An outbox holds deliveries that wait for a destination outside the engine. Its owner keeps the
//! deliveries in queues, leases them, and carries out what these rules decide.

mod dispatcher;
mod verdict;

pub use dispatcher::{Dispatcher, Turn};
pub use verdict::{Ended, GiveUp, Verdict, after_attempt, before_attempt};
