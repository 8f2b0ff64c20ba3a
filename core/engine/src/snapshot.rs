//! Copies of a running engine: a folder, or a fork in memory.
//!
//! With a journal the copy is the log itself up to one record, so it is consistent at that point
//! however busy the engine is. Without one the copy is made message by message: each is whole, and
//! the copy as a whole is exact when no verb runs at the same time.

use std::path::Path;
use std::sync::Arc;

use trunkline_journal::{
    Access, FileStorage, Journal, MemoryStorage, Options, Storage, complete, withhold,
};
use trunkline_types::sync::lock;
use trunkline_types::{Clock, Code, Durability, Error, Result};

use crate::host::Host;
use crate::options::OpenOptions;
use crate::queue::Kind;
use crate::record::Record;

/// Copies an engine to a folder that does not exist yet, or is empty.
pub(crate) fn to_folder(host: &Host, path: &Path) -> Result<()> {
    host.check_readable()?;
    if std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::new(
            Code::DataFolderUnusable,
            format!("The folder {} is not empty. A snapshot needs a new one.", path.display()),
        ));
    }
    let storage: Arc<dyn Storage> = Arc::new(FileStorage::open(path, Access::ReadWrite)?);
    let copied = copy(host, storage.clone(), OpenOptions::memory().segment_bytes);
    if copied.is_err() {
        // Best effort: what is left is refused by whoever opens it.
        for name in storage.list().unwrap_or_default() {
            let _removed = storage.remove(&name);
        }
    }
    copied
}

/// Copies an engine to memory and opens the copy.
pub(crate) fn to_memory(host: &Host, clock: Arc<Clock>) -> Result<Arc<Host>> {
    host.check_readable()?;
    // Forks are made by the hundred in tests: their segments start small.
    const SEGMENT_BYTES: u32 = 1 << 20;
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    copy(host, storage.clone(), SEGMENT_BYTES)?;
    crate::open::open(OpenOptions {
        storage: Some(storage),
        durability: Durability::Memory,
        clock,
        limits: host.limits.clone(),
        segment_bytes: SEGMENT_BYTES,
        ..OpenOptions::memory()
    })
}

fn copy(host: &Host, storage: Arc<dyn Storage>, segment_bytes: u32) -> Result<()> {
    let options = Options { segment_bytes, key: Some(host.key), ..Options::default() };
    let target = Journal::open(storage.clone(), options, &mut |_, _| Ok(()))?;
    withhold(&*storage)?;
    match &host.journal {
        Some(journal) => copy_log(host, journal, &target)?,
        None => copy_state(host, &target)?,
    }
    target.flush()?;
    target.close()?;
    complete(&*storage)
}

fn copy_log(host: &Host, journal: &Journal, target: &Journal) -> Result<()> {
    let _all_segments_stay = host.compactor.pause();
    journal.flush()?;
    for segment in journal.segments() {
        journal.scan_segment(segment.number, &mut |_, record| append(target, record))?;
    }
    Ok(())
}

fn copy_state(host: &Host, target: &Journal) -> Result<()> {
    let next_queue = host.next_queue.load(trunkline_types::sync::atomic::Ordering::Relaxed);
    append_record(target, &Record::Opened { run: host.run, next_queue })?;
    for queue in host.registry.all() {
        let definition = queue.stored_definition();
        let record = Record::Defined(definition.record(queue.id(), queue.next_seq()));
        append_record(target, &record)?;
        let mut each = |record: &Record<'_>| append_record(target, record);
        match queue.kind_rules() {
            Kind::Standard(room) => room.export(&queue, &mut each)?,
            Kind::Fifo(room) => room.export(&queue, &mut each)?,
        }
    }
    for (key, document) in lock(&host.documents).iter() {
        append_record(target, &Record::Document { key, value: Some(&document.value) })?;
    }
    Ok(())
}

fn append_record(target: &Journal, record: &Record<'_>) -> Result<()> {
    let mut bytes = Vec::new();
    record.encode(&mut bytes);
    append(target, &bytes)
}

fn append(target: &Journal, record: &[u8]) -> Result<()> {
    target.wait_for_capacity()?;
    target.lock()?.append(&[record]);
    Ok(())
}
