//! Looking into a data folder that no engine has open: what is there, and is it sound.

use std::path::Path;
use std::sync::Arc;

use trunkline_journal::{Access, FileStorage, Storage};
use trunkline_types::{Clock, Durability, Millis, QueueKind, Result};

use crate::image::Image;
use crate::options::OpenOptions;

/// What a data folder holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How often the engine was opened.
    pub runs: u32,
    /// Records that were read and whose checksums are right.
    pub records: u64,
    /// The journal's segments: number and bytes in use.
    pub segments: Vec<(u32, u64)>,
    /// The queues, sorted by id.
    pub queues: Vec<QueueReport>,
    /// The keys of the documents, sorted.
    pub documents: Vec<String>,
}

/// What a data folder holds of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueReport {
    /// Account, region and name.
    pub name: crate::registry::QueueName,
    /// Standard or FIFO.
    pub kind: QueueKind,
    /// Messages of every state.
    pub messages: u64,
    /// Messages that are leased now, by the system's clock: in the folder of an engine that ran on
    /// a virtual clock of another time none is, or each.
    pub in_flight: u64,
    /// Messages whose delay has not ended, by the same clock.
    pub delayed: u64,
    /// Bytes of the messages in the journal.
    pub bytes: u64,
    /// When the oldest message was sent.
    pub oldest_sent: Option<Millis>,
    /// Deduplication ids that are kept.
    pub remembered: u64,
}

/// Reads a data folder without changing it. Damage is an error, `CorruptJournal`, that says where.
pub fn inspect(path: &Path) -> Result<Report> {
    let storage: Arc<dyn Storage> = Arc::new(FileStorage::open(path, Access::ReadOnly)?);
    inspect_storage(storage)
}

/// Checks every checksum and the form of every record of a data folder; returns what it holds.
///
/// Records are applied as at an opening, and one that speaks of a message that is gone is no
/// finding: cleaning lets messages go before the last of what was said about them.
pub fn verify(path: &Path) -> Result<Report> {
    inspect(path)
}

fn inspect_storage(storage: Arc<dyn Storage>) -> Result<Report> {
    let now = Clock::system().now();
    let options =
        OpenOptions { read_only: true, durability: Durability::Disk, ..OpenOptions::memory() };
    let mut image = Image::default();
    let journal = crate::open::replay(storage, &options, &mut image)?;
    let segments = journal.segments().iter().map(|s| (s.number, u64::from(s.used))).collect();
    image.settle();
    let mut queues = Vec::new();
    for queue in image.queues.values() {
        let Some(definition) = &queue.definition else { continue };
        let summary = queue.summary(now);
        queues.push(QueueReport {
            name: definition.name(),
            kind: definition.config.kind,
            messages: summary.messages,
            in_flight: summary.in_flight,
            delayed: summary.delayed,
            bytes: summary.bytes,
            oldest_sent: summary.oldest_sent,
            remembered: queue.remembered.len() as u64,
        });
    }
    Ok(Report {
        runs: image.run,
        records: image.records,
        segments,
        queues,
        documents: image.documents.into_keys().collect(),
    })
}
