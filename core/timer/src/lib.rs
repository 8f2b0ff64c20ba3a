//! Timers: which keys are due at a time that comes from outside.
//!
//! [`Wheel`] is the plain data structure, in milliseconds of any clock, virtual or real. [`Timers`]
//! is the shareable whole: arming never blocks, and the first thread that finds something due
//! sweeps for all. There is no cancelling: an entry is a hint to look at the truth, which lies with
//! the owner.
//!
//! ```
//! use trunkline_timer::Timers;
//!
//! let timers = Timers::new(0);
//! timers.arm("lease", 30_000);
//! assert!(!timers.is_due(29_999));
//! let mut fired = Vec::new();
//! timers.sweep_all(30_000, |key, _| {
//!     fired.push(key);
//!     None
//! });
//! assert_eq!(fired, ["lease"]);
//! ```

mod inbox;
mod timers;
mod wheel;

pub use timers::{Swept, Timers};
pub use wheel::Wheel;
