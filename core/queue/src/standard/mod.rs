//! The log of a standard queue: pages of slots with one shared head, one tail, and no lock.
//!
//! ```text
//!   head                                   tail
//!    v                                      v
//!  [page 7] -> [page 2] -> [page 9] -> [page 4]        free: [page 1] [page 3]
//!   done leased ready ...              ready reserved ....
//! ```
//! A sender takes a slot and its body bytes with one compare-and-swap on the page's tail, writes,
//! and publishes with a second one on the slot. A receiver claims the first ready slot behind the
//! head, and leases it. A message whose lease or delay ended stays where it is; a *reference* to it
//! is appended, so the order of receiving is the order of becoming visible.
//!
//! Lock-free are reserve, publish, claim, lease, put back, delete, arm and fire: no step waits for
//! another thread. One that stops anywhere holds up its own message and the reuse of one page; a
//! slot that its sender never published is stepped over (`receive.rs`). Not lock-free are `extend`,
//! which waits while another thread looks at the very lease it changes; the fair scheduler, which
//! its caller puts behind a lock; and, below all, the allocator, when a page or a large body is
//! new.
//!
//! A message costs nine atomic read-modify-writes: three to send (take the slot, publish, count),
//! three to receive (claim, lease, count), three to delete (end, count, give the slot back). A run
//! of sends takes its slots and counts in one step, a batch of leases counts in one.
//!
//! Rejected: a lock around a deque (a stalled holder stalls every thread), one node on the heap for
//! each message (twice the memory and the time), a ring of fixed size (a queue has no fixed depth).

mod body;
mod claimed;
mod counts;
mod directory;
mod fair;
mod lease;
mod log;
mod once_box;
mod packed;
mod page;
mod receive;
mod restore;
mod scan;
mod send;
mod shared_body;
mod slot;
mod types;

#[cfg(all(test, loom))]
mod interleavings;

pub use claimed::Claim;
pub use counts::BatchCount;
pub use fair::FairScheduler;
pub use lease::Leased;
pub use log::StandardLog;
pub use restore::Restoring;
pub use send::Reserved;
pub use shared_body::SharedBody;
pub use types::{
    BodyRef, Counts, Extend, Fire, Gone, Info, MessageState, NewBody, Restored, SlotRef, Visibility,
};
