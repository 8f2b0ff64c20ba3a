//! A small kind of resource, as an example and for the tests: counters that can be raised by hand
//! and by a timer. It is registered by [`COUNTERS`] in a table of kinds and touches nothing else.
// Each test uses its own part, and a failure here is a failed test.
#![allow(dead_code, clippy::unwrap_used)]

mod counters;
mod record;
mod replay;

use trunkline_host::{ComponentKind, Operation};

pub use counters::{Counter, Counters};

/// Raising a counter by hand.
pub const RAISE: Operation = Operation("raise");

/// The kind of counters.
pub static COUNTERS: ComponentKind = ComponentKind {
    name: "counter",
    records: record::CREATED..=record::REMOVED,
    operations: &[RAISE],
    loader: |_| Box::<replay::CounterLoader>::default(),
};
