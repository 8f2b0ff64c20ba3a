//! A shared payload: its number, how many messages refer to it, and where its record lies.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_types::sync::Mutex;
use trunkline_types::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::rendering::Renderer;

/// Stands for "not in the journal".
pub(crate) const NOWHERE: u64 = u64::MAX;

/// Content that messages share.
#[derive(Debug)]
pub struct Payload {
    pub(crate) id: u64,
    pub(crate) table: Arc<Table>,
    /// How many messages refer to it; one more while it is being published. At zero it is gone,
    /// and never comes back.
    pub(crate) references: AtomicU32,
    /// Where its record lies; `NOWHERE` until it is appended. Changed under the append lock.
    pub(crate) lsn: AtomicU64,
    /// The length of its record.
    pub(crate) len: u32,
    /// The content, in an engine in memory.
    pub(crate) bytes: Option<Box<[u8]>>,
}

/// What a message shares with others, and what is its own of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shared<'a> {
    /// Where body and attributes are.
    pub payload: &'a Arc<Payload>,
    /// Who renders them for the receivers of this message; `None` for as they are.
    pub renderer: Option<Renderer>,
    /// What the publisher says of the payload, for who renders it.
    pub context: &'a [u8],
}

/// The payloads that are alive, by number.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) payloads: Mutex<BTreeMap<u64, Arc<Payload>>>,
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Payload {}

impl Payload {
    /// Its number in this engine.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// How many messages refer to it.
    pub fn references(&self) -> u32 {
        self.references.load(Ordering::Acquire)
    }

    /// Adds a reference. False: the payload is gone, and the caller stores a copy of its own.
    pub fn refer(&self) -> bool {
        let added = |count: u32| if count == 0 { None } else { count.checked_add(1) };
        self.references.fetch_update(Ordering::AcqRel, Ordering::Acquire, added).is_ok()
    }

    /// Adds `count` references at once, for a caller that holds one.
    pub fn refer_many(&self, count: u32) {
        self.references.fetch_add(count, Ordering::AcqRel);
    }

    pub(crate) fn new(
        table: &Arc<Table>,
        id: u64,
        references: u32,
        lsn: u64,
        len: u32,
        bytes: Option<Box<[u8]>>,
    ) -> Self {
        let (references, lsn) = (AtomicU32::new(references), AtomicU64::new(lsn));
        Self { id, table: table.clone(), references, lsn, len, bytes }
    }
}
