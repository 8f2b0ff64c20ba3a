//! The C ABI of Trunkline. The header `include/trunkline.h` is generated from these sources, and is
//! the documentation for callers: whatever is `pub` here with a C name appears there.
//!
//! Three rules hold for every function. What a caller passes is checked before anything happens. A
//! panic ends at the border as `TRUNKLINE_INTERNAL_ERROR`. A handle is a number in a table, never
//! an address, so one that was closed, freed or never given out is refused, from any thread.
//!
//! Raw pointers are touched in `border` and `messages` only.

mod border;
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
mod status;

pub use border::{In, Out, Text};
pub use engine::*;
pub use failure::*;
pub use handle::{EngineHandle, QueueHandle};
pub use messages::*;
pub use options::*;
pub use queue::*;
pub use receive::*;
pub use status::*;
