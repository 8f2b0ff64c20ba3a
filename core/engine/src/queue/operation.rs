//! The operations of a queue. Rules of faults may name those of its messages.

use trunkline_host::Operation;

/// Sending, one or many.
pub const SEND: Operation = Operation::adds("send");
/// Receiving.
pub const RECEIVE: Operation = Operation::writes("receive");
/// Deleting.
pub const DELETE: Operation = Operation::writes("delete");
/// Changing a lease.
pub const EXTEND: Operation = Operation::writes("extend");
/// Waiting for what was written to be durable.
pub const COMMIT: Operation = Operation::COMMIT;

pub(crate) const PEEK: Operation = Operation::reads("peek");
pub(crate) const STATISTICS: Operation = Operation::reads("statistics");
pub(crate) const PURGE: Operation = Operation::writes("purge");
pub(crate) const CREATE: Operation = Operation::defines("create");
pub(crate) const CONFIGURE: Operation = Operation::defines("configure");
pub(crate) const REMOVE: Operation = Operation::writes("remove");

/// The operation of this name.
pub fn named(name: &str) -> Option<Operation> {
    [SEND, RECEIVE, DELETE, EXTEND, COMMIT].into_iter().find(|operation| operation.name == name)
}
