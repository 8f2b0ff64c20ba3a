//! The operations of a stream that a fault rule may name.

use trunkline_host::Operation;

/// Putting records, one or many.
pub const PUT: Operation = Operation::adds("put");
/// Reading records, and fetching them as a member of a reader.
pub const READ: Operation = Operation::reads("read");

/// The operation of this name.
pub fn named(name: &str) -> Option<Operation> {
    [PUT, READ].into_iter().find(|operation| operation.name == name)
}
