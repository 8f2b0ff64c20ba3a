//! Copies of a running engine: a folder, or a fork in memory.
//!
//! With a journal the copy is the log itself up to one record, so it is consistent at that point
//! however busy the engine is. Without one each component exports its state record by record: each
//! is whole, and the copy as a whole is exact when no verb runs at the same time.

use std::path::Path;
use std::sync::Arc;

use trunkline_journal::{
    Access, FileStorage, Journal, MemoryStorage, Options, Storage, complete, copy_bodies, withhold,
};
use trunkline_types::{Clock, Code, Durability, Error, Result};

use crate::codec::Encode;
use crate::host::Host;
use crate::options::OpenOptions;

impl Host {
    /// Copies the engine to a folder that does not exist yet, or is empty.
    pub fn snapshot(&self, path: &Path) -> Result<()> {
        self.check_readable()?;
        to_folder(self, path)
    }

    /// Hands the whole state to `sink`, as records that a fresh host turns into the same state.
    pub fn export(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.check_readable()?;
        let mut opened = Vec::new();
        self.opened_record().encode(&mut opened);
        sink(&opened)?;
        self.all_components().iter().try_for_each(|component| component.export(sink))
    }

    /// Copies the engine to memory, with the kinds it has and a clock of its own.
    pub fn fork(&self, clock: Arc<Clock>) -> Result<Arc<Host>> {
        self.check_readable()?;
        to_memory(self, clock)
    }
}

fn to_folder(host: &Host, path: &Path) -> Result<()> {
    refuse_own_folder(host, path)?;
    if std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::new(
            Code::DataFolderUnusable,
            format!("The folder {} is not empty. A snapshot needs a new one.", path.display()),
        ));
    }
    let storage: Arc<dyn Storage> = Arc::new(FileStorage::open(path, Access::ReadWrite)?);
    let copied = copy(host, storage.clone(), OpenOptions::memory().segment_bytes);
    if copied.is_err() {
        // Best effort: an opening refuses what is left.
        for name in storage.list().unwrap_or_default() {
            let _removed = storage.remove(&name);
        }
    }
    copied
}

/// A copy within the data folder would be part of what it copies, and of every later copy.
fn refuse_own_folder(host: &Host, path: &Path) -> Result<()> {
    let own = host.journal.as_ref().and_then(|journal| journal.storage().path());
    let Some(own) = own.and_then(|own| own.canonicalize().ok()) else { return Ok(()) };
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let existing = path.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
    if existing.is_some_and(|existing| existing.starts_with(&own)) {
        return Err(Error::new(
            Code::DataFolderUnusable,
            format!(
                "The folder {} lies in the data folder of the engine, {}. A snapshot needs a \
                 folder outside of it.",
                path.display(),
                own.display()
            ),
        ));
    }
    Ok(())
}

fn to_memory(host: &Host, clock: Arc<Clock>) -> Result<Arc<Host>> {
    // Forks are made by the hundred in tests: their segments start small.
    const SEGMENT_BYTES: u32 = 1 << 20;
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    copy(host, storage.clone(), SEGMENT_BYTES)?;
    let options = OpenOptions {
        storage: Some(storage),
        durability: Durability::Memory,
        clock,
        limits: host.limits.clone(),
        segment_bytes: SEGMENT_BYTES,
        // It is gone with the process: nothing is opened again.
        checkpoint_bytes: None,
        ..OpenOptions::memory()
    };
    Host::open(options, &host.kinds)
}

fn copy(host: &Host, storage: Arc<dyn Storage>, segment_bytes: u32) -> Result<()> {
    let options = Options { segment_bytes, key: Some(host.key), ..Options::default() };
    let target = Journal::open(storage.clone(), options, &mut |_, _| Ok(()))?;
    withhold(&*storage)?;
    let paused = host.bodies.pause();
    match &host.journal {
        Some(journal) => copy_log(host, journal, &target)?,
        None => host.export(&mut |record| append(&target, record))?,
    }
    // After the records, so that every body that a record names is there.
    copy_bodies(paused.storage, &*storage)?;
    target.flush()?;
    target.close()?;
    complete(&*storage)
}

fn copy_log(host: &Host, journal: &Journal, target: &Journal) -> Result<()> {
    let _all_segments_stay = host.compactor().pause();
    journal.flush()?;
    for segment in journal.segments() {
        journal.scan_segment(segment.number, &mut |_, record| append(target, record))?;
    }
    // After the records, so that every file that a record names is there.
    journal.copy_sealed_files(target)
}

fn append(target: &Journal, record: &[u8]) -> Result<()> {
    target.wait_for_capacity()?;
    target.lock()?.append(&[record]);
    Ok(())
}
