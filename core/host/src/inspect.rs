//! Looking into a data folder that no engine has open: what is there, and is it sound.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use trunkline_journal::{Access, FileStorage, Storage, body_name};
use trunkline_types::{Clock, Code, Durability, Error, Result};

use crate::bodies::{NamedBody, check_body};
use crate::host::{ComponentKind, Replay, read_all};
use crate::options::OpenOptions;
use crate::resource::ResourceReport;

/// What a data folder holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// How often the engine was opened.
    pub incarnations: u32,
    /// Records that were read and whose checksums are right.
    pub records: u64,
    /// The journal's segments: number and bytes in use.
    pub segments: Vec<(u32, u64)>,
    /// The length of the checkpoint, if there is one.
    pub checkpoint: Option<u64>,
    /// The resources, kind by kind.
    pub resources: Vec<ResourceReport>,
}

/// Fails unless each body is there and as long as it has to be, and, if contents are to be read, as
/// it was written.
fn check_bodies(
    storage: &dyn Storage,
    bodies: impl Iterator<Item = NamedBody>,
    reads_contents: bool,
) -> Result<()> {
    let mut read = HashSet::new();
    for NamedBody { id, bytes, checksum } in bodies {
        let name = body_name(id);
        let file = storage.open(&name)?;
        let found = file.as_ref().map(|file| file.len()).transpose()?;
        if found.is_none_or(|found| found < bytes) {
            let found = found.map_or("is missing".to_owned(), |found| format!("has {found}"));
            let text = format!("{name} {found}; a record names {bytes} bytes of it.");
            return Err(Error::new(Code::CorruptJournal, text));
        }
        if let (true, Some(file), Some(checksum)) = (reads_contents, file, checksum)
            && read.insert(id)
        {
            check_body(&*file, id, checksum)?;
        }
    }
    Ok(())
}

/// Reads a data folder without changing it. Damage is an error, `CorruptJournal`, that says where.
/// The contents of bodies are read only if `reads_contents`.
///
/// Records are applied as at an opening, and one that speaks of content that is gone is no finding:
/// compaction drops content before the last of what was said about it.
pub fn inspect(
    path: &Path,
    kinds: &[&'static ComponentKind],
    reads_contents: bool,
) -> Result<Inspection> {
    let storage: Arc<dyn Storage> = Arc::new(FileStorage::open(path, Access::ReadOnly)?);
    let now = Clock::system().now();
    let options =
        OpenOptions { read_only: true, durability: Durability::Disk, ..OpenOptions::memory() };
    let mut replay = Replay::new(&options.limits, kinds)?;
    let journal = read_all(storage, &options, &mut replay)?;
    journal.verify_sealed_files()?;
    replay.loaders.iter().try_for_each(|loader| loader.check_files(&journal))?;
    let checkpoint = journal.verify_checkpoint()?;
    let bodies = replay.loaders.iter().flat_map(|loader| loader.bodies());
    check_bodies(&**journal.storage(), bodies, reads_contents)?;
    let segments = journal.segments().iter().map(|s| (s.number, u64::from(s.used))).collect();
    Ok(Inspection {
        incarnations: replay.last_incarnation(&journal),
        records: replay.records,
        segments,
        checkpoint,
        resources: replay.loaders.iter().flat_map(|loader| loader.report(now)).collect(),
    })
}
