//! Looking into a data folder that no engine has open.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use trunkline_host::{DOCUMENT_KIND, Inspection, LOG_KIND, Repair, ResourceReport};
use trunkline_types::{Millis, QueueKind, ResourceName, Result};

use crate::components::KINDS;
use crate::queue::QUEUE;
use crate::stream::STREAM;

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
    /// The resources of the other kinds, kind by kind, with their counters.
    pub others: Vec<ResourceReport>,
}

/// What a data folder holds of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueReport {
    /// Account, region and name.
    pub name: ResourceName,
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
    Ok(report(trunkline_host::inspect(path, KINDS, false)?))
}

fn report(inspection: Inspection) -> Report {
    let (mut queues, mut documents, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for resource in inspection.resources {
        match resource.kind() {
            QUEUE => queues.push(queue_report(&resource)),
            DOCUMENT_KIND => documents.push(resource.name.name),
            _ => others.push(resource),
        }
    }
    join_logs(&mut others);
    Report {
        runs: inspection.incarnations,
        records: inspection.records,
        segments: inspection.segments,
        queues,
        documents,
        others,
    }
}

/// Checks every checksum and the form of every record of a data folder; returns what it holds. The
/// contents of objects are read only if `reads_contents`.
pub fn verify(path: &Path, reads_contents: bool) -> Result<Report> {
    Ok(report(trunkline_host::inspect(path, KINDS, reads_contents)?))
}

/// What a repair did and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairReport {
    /// Whether the control file was made again; false if the folder had a whole one.
    pub repaired: bool,
    /// What the lost control file knew and nothing else in the folder proves, for people.
    pub unproven: Vec<String>,
    /// What the folder holds.
    pub folder: Report,
}

/// Makes the control file of a data folder again if it is missing or damaged, from what the
/// segments prove. Other damage is an error, as for [`verify`], and nothing is changed then.
pub fn repair(path: &Path) -> Result<RepairReport> {
    let Repair { made, inspection } = trunkline_host::repair(path, KINDS)?;
    let repaired = made.is_some();
    let unproven = made.map(|made| made.unproven).unwrap_or_default();
    Ok(RepairReport { repaired, unproven, folder: report(inspection) })
}

/// Tells the records of a stream with the stream: they lie in the logs of its shards.
fn join_logs(others: &mut Vec<ResourceReport>) {
    let is_log = |report: &ResourceReport| report.kind() == LOG_KIND;
    let entries = |report: &ResourceReport| (report.name.name.clone(), report.counter("entries"));
    let logs: BTreeMap<_, _> = others.iter().filter(|one| is_log(one)).map(entries).collect();
    let mut joined = BTreeSet::new();
    for stream in others.iter_mut().filter(|report| report.kind() == STREAM) {
        let mut records = 0;
        stream.counters.retain(|(name, id)| {
            if *name == "log" {
                records += logs.get(&id.to_string()).unwrap_or(&0);
                joined.insert(id.to_string());
            }
            *name != "log"
        });
        stream.counters.push(("records", records));
    }
    others.retain(|report| !is_log(report) || !joined.contains(&report.name.name));
}

fn queue_report(resource: &ResourceReport) -> QueueReport {
    let messages = resource.counter("messages");
    QueueReport {
        name: resource.name.clone(),
        kind: match resource.counter("fifo") {
            0 => QueueKind::Standard,
            _ => QueueKind::Fifo,
        },
        messages,
        in_flight: resource.counter("in_flight"),
        delayed: resource.counter("delayed"),
        bytes: resource.counter("bytes"),
        oldest_sent: (messages > 0).then(|| resource.counter("oldest_sent")),
        remembered: resource.counter("remembered"),
    }
}
