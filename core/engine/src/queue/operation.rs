//! The operations of a queue that a fault rule may name.

use trunkline_host::Operation;

/// Sending, one or many.
pub const SEND: Operation = Operation("send");
/// Receiving.
pub const RECEIVE: Operation = Operation("receive");
/// Deleting.
pub const DELETE: Operation = Operation("delete");
/// Changing a lease.
pub const EXTEND: Operation = Operation("extend");
/// Waiting for what was written to be durable.
pub const COMMIT: Operation = Operation::COMMIT;

/// The operation of this name.
pub fn named(name: &str) -> Option<Operation> {
    [SEND, RECEIVE, DELETE, EXTEND, COMMIT].into_iter().find(|operation| operation.0 == name)
}
