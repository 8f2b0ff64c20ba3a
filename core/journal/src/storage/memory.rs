//! A storage in memory, for tests, forks and temporary journals.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Result};

use super::{File, Storage};

/// Files in memory. Clones share them, so a journal can be opened again on what another wrote.
#[derive(Debug, Clone, Default)]
pub struct MemoryStorage {
    files: Arc<Mutex<BTreeMap<String, Arc<MemoryFile>>>>,
}

impl MemoryStorage {
    /// An empty storage.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Storage for MemoryStorage {
    fn create(&self, name: &str) -> Result<Arc<dyn File>> {
        let file = Arc::new(MemoryFile::default());
        lock(&self.files).insert(name.to_owned(), Arc::clone(&file));
        Ok(file)
    }

    fn open(&self, name: &str) -> Result<Option<Arc<dyn File>>> {
        let found = lock(&self.files).get(name).cloned();
        Ok(found.map(|file| file as Arc<dyn File>))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let mut files = lock(&self.files);
        let file = files.remove(from).ok_or_else(|| {
            Error::new(Code::StorageFailure, format!("file {from} cannot be renamed: it is absent"))
        })?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        lock(&self.files).remove(name);
        Ok(())
    }

    fn list(&self) -> Result<Vec<String>> {
        Ok(lock(&self.files).keys().cloned().collect())
    }

    fn sync_dir(&self) -> Result<()> {
        Ok(())
    }
}

#[derive(Debug, Default)]
struct MemoryFile {
    bytes: Mutex<Vec<u8>>,
}

impl File for MemoryFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        overwrite(&mut lock(&self.bytes), offset, bytes);
        Ok(())
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<usize> {
        Ok(copy_out(&lock(&self.bytes), offset, bytes))
    }

    fn sync_data(&self) -> Result<()> {
        Ok(())
    }

    fn len(&self) -> Result<u64> {
        Ok(lock(&self.bytes).len() as u64)
    }

    fn set_len(&self, bytes: u64) -> Result<()> {
        lock(&self.bytes).resize(bytes as usize, 0);
        Ok(())
    }
}

/// Writes `bytes` at `offset` of `content`, which grows with zeros as far as needed.
pub(crate) fn overwrite(content: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let start = offset as usize;
    let end = start + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[start..end].copy_from_slice(bytes);
}

/// Reads from `offset` of `content` as far as it goes.
pub(crate) fn copy_out(content: &[u8], offset: u64, bytes: &mut [u8]) -> usize {
    let rest = content.get(offset as usize..).unwrap_or_default();
    let count = rest.len().min(bytes.len());
    bytes[..count].copy_from_slice(&rest[..count]);
    count
}
