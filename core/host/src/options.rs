//! How an engine is opened.

use std::path::PathBuf;
use std::sync::Arc;

use trunkline_journal::Storage;
use trunkline_types::{Clock, Durability, Limits};

/// Journal that is replayed at opening in well below 0.1 s, in bytes.
const CHECKPOINT_BYTES: u64 = 64 << 20;

/// Everything an engine takes from outside: where, how durable, and its time, chance and storage.
#[derive(Clone)]
pub struct OpenOptions {
    /// The data folder; `None` keeps everything in memory.
    pub path: Option<PathBuf>,
    /// What "acknowledged" means unless a call says less.
    pub durability: Durability,
    /// Whether a receive waits for its lease to be as durable as `durability` says, as the other
    /// verbs wait for what they write. Without it a crash may forget the newest leases: their
    /// messages are visible again, and those deliveries are not counted.
    pub durable_receives: bool,
    /// The engine's time.
    pub clock: Arc<Clock>,
    /// Makes ids and every other chance repeatable.
    pub seed: Option<u64>,
    /// Look, but change nothing.
    pub read_only: bool,
    /// The table of bounds.
    pub limits: Limits,
    /// A storage other than the file system, for simulations; wins over `path`.
    pub storage: Option<Arc<dyn Storage>>,
    /// The size of a journal segment, in bytes.
    pub segment_bytes: u32,
    /// A checkpoint is written in the background when so many bytes of the journal lie behind the
    /// last one, and eight times as many as it has. `None`: neither then nor at closing.
    pub checkpoint_bytes: Option<u64>,
    /// Whether the engine may start threads of its own. A simulation wants every step in one order.
    pub background: bool,
}

impl OpenOptions {
    /// An engine in memory.
    pub fn memory() -> Self {
        Self {
            path: None,
            durability: Durability::Memory,
            durable_receives: false,
            clock: Arc::new(Clock::system()),
            seed: None,
            read_only: false,
            limits: Limits::default(),
            storage: None,
            segment_bytes: 64 << 20,
            checkpoint_bytes: Some(CHECKPOINT_BYTES),
            background: true,
        }
    }

    /// An engine on a data folder, acknowledging what is on disk.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), durability: Durability::Disk, ..Self::memory() }
    }
}
