//! The simulated disk while the journal runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Result};

use super::crash::{self, Image};
use super::fault::{Fault, Faults, Verb, fail};
use super::step::{FileId, Step};
use crate::storage::{File, Storage, copy_out, overwrite};

/// A simulated folder. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct SimStorage {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    /// What was durable before the first step.
    base: Image,
    steps: Vec<Step>,
    names: BTreeMap<String, FileId>,
    files: Vec<Vec<u8>>,
    faults: Faults,
    lacks_descriptors: bool,
}

impl SimStorage {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk that holds `image`, all of it durable.
    pub fn from_image(image: Image) -> Self {
        let mut disk = Disk::default();
        for (id, (name, content)) in image.files().iter().enumerate() {
            disk.names.insert(name.clone(), id);
            disk.files.push(content.clone());
        }
        disk.base = image;
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    /// How many operations there were: a moment in the life of the disk.
    pub fn steps(&self) -> usize {
        lock(&self.disk).steps.len()
    }

    /// One of the states after a power failure at the moment `step`. Seeds 0 and 1 are the
    /// extremes: nothing that was not synced is there, and all of it is.
    pub fn power_loss(&self, step: usize, seed: u64) -> Image {
        let disk = lock(&self.disk);
        crash::power_loss(&disk.base, &disk.steps[..step], seed)
    }

    /// The state after the process was killed at the moment `step`.
    pub fn killed(&self, step: usize) -> Image {
        let disk = lock(&self.disk);
        crash::killed(&disk.base, &disk.steps[..step])
    }

    /// The same disk at the moment `step`: what was not synced then still is not.
    pub fn at(&self, step: usize) -> SimStorage {
        let disk = lock(&self.disk);
        let then = SimStorage::from_image(disk.base.clone());
        {
            let mut past = lock(&then.disk);
            for step in &disk.steps[..step] {
                past.apply(step.clone());
            }
        }
        then
    }

    /// Lets the operation after `nth` others of kind `verb` meet `fault`.
    pub fn plan(&self, verb: Verb, nth: usize, fault: Fault) {
        lock(&self.disk).faults.plan(verb, nth, fault);
    }

    fn meet(&self, verb: Verb) -> Result<()> {
        let mut disk = lock(&self.disk);
        let fault = disk.faults.meet(verb);
        if verb == Verb::Create {
            disk.lacks_descriptors = fault == Some(Fault::Descriptors);
        }
        match fault {
            Some(fault) => fail(fault, verb),
            None => Ok(()),
        }
    }

    fn handle(&self, id: FileId) -> Arc<dyn File> {
        Arc::new(SimFile { id, storage: self.clone() })
    }
}

impl Disk {
    fn apply(&mut self, step: Step) {
        match &step {
            Step::Create { id, name } => {
                self.names.insert(name.clone(), *id);
                if self.files.len() == *id {
                    self.files.push(Vec::new());
                }
            }
            Step::Write { id, offset, bytes } => overwrite(&mut self.files[*id], *offset, bytes),
            Step::SetLen { id, bytes } => self.files[*id].resize(*bytes as usize, 0),
            Step::Rename { id, from, to } => {
                self.names.remove(from);
                self.names.insert(to.clone(), *id);
            }
            Step::Remove { name, .. } => {
                self.names.remove(name);
            }
            Step::Sync { .. } | Step::FailedSync { .. } | Step::SyncDir => {}
        }
        self.steps.push(step);
    }

    fn find(&self, name: &str) -> Result<FileId> {
        self.names.get(name).copied().ok_or_else(|| {
            Error::new(Code::StorageFailure, format!("simulated: file {name} is absent"))
        })
    }
}

impl Storage for SimStorage {
    fn create(&self, name: &str) -> Result<Arc<dyn File>> {
        self.meet(Verb::Create)?;
        let mut disk = lock(&self.disk);
        let id = match disk.names.get(name).copied() {
            Some(id) => {
                disk.apply(Step::SetLen { id, bytes: 0 });
                id
            }
            None => {
                let id = disk.files.len();
                disk.apply(Step::Create { id, name: name.to_owned() });
                id
            }
        };
        drop(disk);
        Ok(self.handle(id))
    }

    fn open(&self, name: &str) -> Result<Option<Arc<dyn File>>> {
        let found = lock(&self.disk).names.get(name).copied();
        Ok(found.map(|id| self.handle(id)))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.meet(Verb::Rename)?;
        let mut disk = lock(&self.disk);
        let id = disk.find(from)?;
        disk.apply(Step::Rename { id, from: from.to_owned(), to: to.to_owned() });
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.meet(Verb::Remove)?;
        let mut disk = lock(&self.disk);
        if let Some(id) = disk.names.get(name).copied() {
            disk.apply(Step::Remove { id, name: name.to_owned() });
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<String>> {
        Ok(lock(&self.disk).names.keys().cloned().collect())
    }

    fn check_claim(&self) -> Result<()> {
        self.meet(Verb::Claim)
    }

    fn lacks_descriptors(&self) -> bool {
        lock(&self.disk).lacks_descriptors
    }

    fn sync_dir(&self) -> Result<()> {
        self.meet(Verb::SyncDir)?;
        lock(&self.disk).apply(Step::SyncDir);
        Ok(())
    }
}

#[derive(Debug)]
struct SimFile {
    id: FileId,
    storage: SimStorage,
}

impl File for SimFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut disk = lock(&self.storage.disk);
        let fault = disk.faults.meet(Verb::Write);
        let done = if fault.is_some() { bytes.len() / 2 } else { bytes.len() };
        disk.apply(Step::Write { id: self.id, offset, bytes: bytes[..done].to_vec() });
        fault.map_or(Ok(()), |fault| fail(fault, Verb::Write))
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<usize> {
        let mut disk = lock(&self.storage.disk);
        match disk.faults.meet(Verb::Read) {
            Some(Fault::Short) => {
                let half = bytes.len() / 2;
                Ok(copy_out(&disk.files[self.id], offset, &mut bytes[..half]))
            }
            Some(fault) => fail(fault, Verb::Read),
            None => Ok(copy_out(&disk.files[self.id], offset, bytes)),
        }
    }

    fn sync_data(&self) -> Result<()> {
        let mut disk = lock(&self.storage.disk);
        if let Some(fault) = disk.faults.meet(Verb::Sync) {
            disk.apply(Step::FailedSync { id: self.id });
            return fail(fault, Verb::Sync);
        }
        disk.apply(Step::Sync { id: self.id });
        Ok(())
    }

    fn len(&self) -> Result<u64> {
        Ok(lock(&self.storage.disk).files[self.id].len() as u64)
    }

    fn set_len(&self, bytes: u64) -> Result<()> {
        lock(&self.storage.disk).apply(Step::SetLen { id: self.id, bytes });
        Ok(())
    }
}
