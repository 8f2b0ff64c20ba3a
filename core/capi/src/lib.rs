//! The C ABI of Trunkline. The header `include/trunkline.h` is generated from these sources, and is
//! the documentation for callers: whatever is `pub` here with a C name appears there.
//!
//! Three rules hold for every function. What a caller passes is checked before anything happens. A
//! panic ends at the border as `TRUNKLINE_INTERNAL_ERROR`. A handle is a number in a table, never
//! an address, so one that was closed, freed or never given out is refused, from any thread.
//!
//! Raw pointers are touched in `border`, `messages` and `records` only.

mod border;
mod bus;
mod check;
mod define;
mod document;
mod engine;
mod failure;
mod faults;
mod handle;
mod messages;
mod options;
mod queue;
mod receive;
mod records;
mod status;
mod stream;
mod topic;

pub use border::{In, Out, Text};
pub use bus::*;
pub use engine::*;
pub use failure::*;
pub use handle::{BusHandle, EngineHandle, QueueHandle, StreamHandle, TopicHandle};
pub use messages::*;
pub use options::*;
pub use queue::*;
pub use receive::*;
pub use records::*;
pub use status::*;
pub use stream::*;
pub use topic::*;
