//! The sealed files that are open for reading. A log may have thousands of files, and the host
//! process shares its descriptors with the journal. So only those that were read lately are open.

use std::sync::Arc;

use trunkline_types::Result;
use trunkline_types::sync::{Mutex, lock};

use super::buffer::BufferPool;
use crate::limits;
use crate::storage::{File, Storage};

#[derive(Debug)]
pub(crate) struct OpenFiles {
    storage: Arc<dyn Storage>,
    /// Most lately used last.
    files: Mutex<Vec<(String, Arc<dyn File>)>>,
    pub(super) buffers: Arc<BufferPool>,
}

impl OpenFiles {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, files: Mutex::default(), buffers: Arc::default() }
    }

    pub(crate) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// The file `name`; `None` if it was removed.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Arc<dyn File>>> {
        let mut files = lock(&self.files);
        let entry = match files.iter().rposition(|(other, _)| other == name) {
            Some(index) => files.remove(index),
            None => {
                // Under the lock, so that `remove` finds every file that was opened before it.
                let Some(file) = self.storage.open(name)? else { return Ok(None) };
                if files.len() == limits::OPEN_FILES_MAX {
                    files.remove(0);
                }
                (name.to_owned(), file)
            }
        };
        let file = Arc::clone(&entry.1);
        files.push(entry);
        Ok(Some(file))
    }

    /// Removes the file `name` from the folder. A read that has it open goes on.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        self.storage.remove(name)?;
        lock(&self.files).retain(|(other, _)| other != name);
        Ok(())
    }

    /// Closes all files; they are opened again when they are read.
    pub(crate) fn close_all(&self) {
        lock(&self.files).clear();
    }
}
