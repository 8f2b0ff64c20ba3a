//! A whole small kind of resource, as an example and for the tests: counters that are changed by
//! hand and by a timer, are kept by records, and are served over the wire. All of it stands in this
//! folder; one line in the table of nouns adds it.

mod counters;
mod noun;
mod record;
mod replay;
mod service;

use trunkline_host::{ComponentKind, Operation};

pub use counters::{COUNTER, Counter, Counters};
pub use noun::CounterNoun;
pub use service::CounterService;

/// Changing a counter by hand.
pub const ADD: Operation = Operation::writes("add");

/// The kind of counters.
pub static COUNTERS: ComponentKind = ComponentKind {
    name: "counter",
    records: &[record::CREATED..=record::REMOVED],
    operations: &[ADD],
    loader: |_| Box::<replay::CounterLoader>::default(),
};
