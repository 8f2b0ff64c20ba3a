//! Copying and checking all sealed files of a folder.

use trunkline_types::Result;

use super::file::{SealedFile, parse_name};
use crate::Journal;
use crate::limits;
use crate::storage::{File, Storage};

impl Journal {
    /// Copies the sealed files to the folder of `target`, which has the same key and gets the
    /// records that name them. No file may expire meanwhile.
    pub fn copy_sealed_files(&self, target: &Journal) -> Result<()> {
        let (from, to) = (&*self.shared.storage, &*target.shared.storage);
        let mut copied = false;
        for name in from.list()?.iter().filter(|name| parse_name(name).is_some()) {
            if let Some(file) = from.open(name)? {
                copy_file(&*file, to, name)?;
                copied = true;
            }
        }
        if copied { to.sync_dir() } else { Ok(()) }
    }

    /// Checks every byte of every sealed file; returns how many entries there are.
    pub fn verify_sealed_files(&self) -> Result<u64> {
        let files = &self.shared.sealed_files;
        let mut entries = 0;
        for (log, first) in files.storage().list()?.iter().filter_map(|name| parse_name(name)) {
            entries += SealedFile::open(files, self.shared.seed, log, first)?.verify()?;
        }
        Ok(entries)
    }
}

/// Copies a file, durably but for its name.
pub(crate) fn copy_file(file: &dyn File, to: &dyn Storage, name: &str) -> Result<()> {
    let target = to.create(name)?;
    let mut buffer = vec![0u8; limits::COPY_BYTES];
    let mut at = 0;
    loop {
        let count = file.read_at(at, &mut buffer)?;
        if count == 0 {
            return target.sync_data();
        }
        target.write_at(at, &buffer[..count])?;
        at += count as u64;
    }
}
