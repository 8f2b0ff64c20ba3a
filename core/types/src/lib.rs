//! Types that every crate of Trunkline shares: errors, limits, time, identity and configuration.
//!
//! Nothing here knows disks, sockets, Python or AWS protocols. Every other crate may import this
//! one; this one imports none of them.

mod clock;
mod code;
mod config;
mod error;
mod fork;
mod ids;
mod limits;
mod names;
mod problem;
mod raw_clock;
pub mod sync;

pub use clock::{Clock, Deadline, Millis};
pub use code::Code;
pub use config::{DeadLetter, DedupScope, Durability, QueueConfig, QueueKind};
pub use error::{Error, Result};
pub use fork::{forked_since, process_generation};
pub use ids::{IdKey, MessageId, Receipt, ResourceId, Seq, id_text};
pub use limits::Limits;
pub use names::{ResourceKind, ResourceName};
pub use problem::{Field, Problem};
