//! A simulated disk that records every operation and can crash and fail.
//!
//! [`SimStorage`] behaves like a folder of an operating system. [`SimStorage::power_loss`] returns
//! one of the states that a power failure after a given number of operations may leave: any subset
//! of the unsynced sectors, some of them torn, and any subset of the unsynced folder entries.
//! [`SimStorage::killed`] returns the state after the process was killed: the page cache survives.
//!
//! ```
//! use trunkline_journal::{Storage, sim::SimStorage};
//!
//! let disk = SimStorage::new();
//! let file = disk.create("name")?;
//! file.write_at(0, b"bytes")?;
//! // Neither the bytes nor the name were synced. After a power loss the file may be gone.
//! let lost = (0..64).filter(|seed| disk.power_loss(disk.steps(), *seed).files().is_empty());
//! assert!(lost.count() > 0);
//! assert_eq!(disk.killed(disk.steps()).files()["name"], b"bytes");
//! # Ok::<(), trunkline_types::Error>(())
//! ```

mod crash;
mod disk;
mod fault;
mod step;

pub use crash::Image;
pub use disk::SimStorage;
pub use fault::{Fault, Verb};

/// Small, seeded and good enough to choose crash states and workloads with.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (splitmix64).
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next_u64() % bound as u64) as usize
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}
