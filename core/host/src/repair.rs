//! Repairing a data folder that no engine has open: its control file is made again.

use std::path::Path;
use std::sync::Arc;

use trunkline_journal::{Access, FileStorage, Options, Storage, Superblock};
use trunkline_types::{Code, Error, Limits, Result};

use crate::host::{ComponentKind, Replay};
use crate::inspect::{Inspection, inspect};

/// What a repair did and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The control file that was made; `None` if the folder had a whole one.
    pub made: Option<trunkline_journal::Repair>,
    /// What the folder holds.
    pub inspection: Inspection,
}

/// Makes the control file of a folder again if it is missing or damaged, once every record was read
/// and understood. Then looks into the folder as [`inspect`] does.
pub fn repair(path: &Path, kinds: &[&'static ComponentKind]) -> Result<Repair> {
    // Opening for writing would make a folder where there is none.
    let storage = FileStorage::open(path, Access::ReadOnly)?;
    if Superblock::load(&storage)?.is_none() && storage.list()?.is_empty() {
        return Err(Error::new(
            Code::DataFolderUnusable,
            format!("the folder {} holds no engine, so there is nothing to repair", path.display()),
        ));
    }
    drop(storage);
    let storage: Arc<dyn Storage> = Arc::new(FileStorage::open(path, Access::ReadWrite)?);
    let mut replay = Replay::new(&Limits::default(), kinds)?;
    let mut apply = |lsn, record: &[u8]| replay.apply(lsn, record);
    let made = trunkline_journal::repair(&*storage, Options::default(), &mut apply)?;
    drop(storage);
    Ok(Repair { made, inspection: inspect(path, kinds, false)? })
}
