//! Real files in a real folder, owned by one process at a time.

mod disk_file;
mod errors;
mod owner;

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use trunkline_types::sync::atomic::{AtomicBool, Ordering};

use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Result, forked_since, process_generation};

use self::disk_file::DiskFile;
use self::errors::{lacks_descriptors, storage_error, unusable};
use self::owner::{Claim, given_up, take_lock};
use super::{File, Storage};
use crate::folder::refuse_foreign;

/// The purpose of opening a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To write: the folder is created if it is absent, and has no other owner or reader.
    ReadWrite,
    /// To read: the folder is not changed. Several readers may share it.
    ReadOnly,
}

/// A folder of the file system.
#[derive(Debug)]
pub struct FileStorage {
    path: PathBuf,
    access: Access,
    /// The locked file `LOCK`.
    owned: Mutex<Option<fs::File>>,
    claim: Mutex<Option<Claim>>,
    /// The open folder, so that syncing it needs no descriptor.
    folder: fs::File,
    /// A descriptor in reserve: the next segment can be opened when the process has no other left.
    reserve: Mutex<Option<fs::File>>,
    lacks_descriptors: AtomicBool,
    /// The process that took the folder.
    generation: u32,
}

impl FileStorage {
    /// Takes ownership of the folder at `path`. `DataFolderInUse` names the owner.
    pub fn open(path: impl Into<PathBuf>, access: Access) -> Result<Self> {
        let path = path.into();
        if access == Access::ReadWrite {
            make_folder(&path)?;
        }
        let kind = fs::metadata(&path).map_err(|cause| unusable(&path, &cause))?;
        if !kind.is_dir() {
            return Err(Error::new(
                Code::DataFolderUnusable,
                format!("path {} is not a folder; give the path of a folder", path.display()),
            ));
        }
        let generation = process_generation();
        let folder = fs::File::open(&path).map_err(|cause| unusable(&path, &cause))?;
        let mut storage = Self {
            path,
            access,
            owned: Mutex::new(None),
            claim: Mutex::new(None),
            reserve: Mutex::new(folder.try_clone().ok()),
            lacks_descriptors: AtomicBool::new(false),
            folder,
            generation,
        };
        if access == Access::ReadWrite {
            // Before anything is written there: the folder may hold a foreign file `LOCK`.
            refuse_foreign(&storage.list()?)?;
        }
        storage.owned = Mutex::new(take_lock(&storage.path, access)?);
        Ok(storage)
    }

    /// Opens a file. When the process has no descriptor left, the reserve is used.
    fn open_with(&self, options: &OpenOptions, path: &Path) -> std::io::Result<fs::File> {
        let mut opened = options.open(path);
        let mut reserve = lock(&self.reserve);
        let mut is_short = opened.as_ref().is_err_and(lacks_descriptors);
        if is_short && reserve.take().is_some() {
            opened = options.open(path);
            is_short = opened.as_ref().is_err_and(lacks_descriptors);
        } else if reserve.is_none() && !is_short {
            *reserve = self.folder.try_clone().ok();
        }
        self.lacks_descriptors.store(is_short, Ordering::Relaxed);
        opened
    }

    fn failed(&self, verb: &str, name: &str, cause: &std::io::Error) -> Error {
        storage_error(verb, &self.path.join(name), cause)
    }

    fn refuse_if_read_only(&self) -> Result<()> {
        if self.access == Access::ReadWrite {
            return Ok(());
        }
        Err(Error::new(Code::EngineReadOnly, "the data folder was opened read-only"))
    }
}

impl Storage for FileStorage {
    fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn create(&self, name: &str) -> Result<Arc<dyn File>> {
        self.refuse_if_read_only()?;
        let path = self.path.join(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        let opened = self.open_with(&options, &path);
        let file = opened.map_err(|cause| self.failed("create", name, &cause))?;
        Ok(Arc::new(DiskFile { file, path }))
    }

    fn open(&self, name: &str) -> Result<Option<Arc<dyn File>>> {
        let path = self.path.join(name);
        let writable = self.access == Access::ReadWrite;
        match self.open_with(OpenOptions::new().read(true).write(writable), &path) {
            Ok(file) => Ok(Some(Arc::new(DiskFile { file, path }))),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(self.failed("open", name, &cause)),
        }
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.refuse_if_read_only()?;
        fs::rename(self.path.join(from), self.path.join(to))
            .map_err(|cause| self.failed("rename", from, &cause))?;
        if let Some(claim) = lock(&self.claim).as_mut().filter(|claim| claim.name == from) {
            to.clone_into(&mut claim.name);
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.refuse_if_read_only()?;
        match fs::remove_file(self.path.join(name)) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => {
                Err(self.failed("remove", name, &cause))
            }
            _ => Ok(()),
        }
    }

    fn list(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(|cause| self.failed("list", "", &cause))? {
            let entry = entry.map_err(|cause| self.failed("list", "", &cause))?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    }

    fn sync_dir(&self) -> Result<()> {
        self.folder.sync_all().map_err(|cause| self.failed("sync", "", &cause))
    }

    fn is_read_only(&self) -> bool {
        self.access == Access::ReadOnly
    }

    fn claim(&self, name: &str) -> Result<()> {
        let mut claim = lock(&self.claim);
        *claim = None;
        *claim = Some(Claim::take(&self.path, name, self.access)?);
        Ok(())
    }

    fn check_claim(&self) -> Result<()> {
        match &*lock(&self.claim) {
            Some(claim) => claim.check(&self.path),
            None => Err(given_up(&self.path)),
        }
    }

    fn lacks_descriptors(&self) -> bool {
        self.lacks_descriptors.load(Ordering::Relaxed)
    }

    fn unlock(&self) {
        let claim = lock(&self.claim).take().map(|claim| claim.file);
        for file in claim.into_iter().chain(lock(&self.owned).take()) {
            // Explicitly, because a child that was forked meanwhile still holds the open file. The
            // child itself never gets here: it must not take the folder from its parent.
            if !forked_since(self.generation) {
                let _ = file.unlock();
            }
        }
    }
}

/// Creates the folder and makes its entry in the parent folder durable.
fn make_folder(path: &Path) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    fs::create_dir_all(path).map_err(|cause| unusable(path, &cause))?;
    for folder in missing {
        let above = match folder.parent() {
            Some(above) if above != Path::new("") => above,
            Some(_) => Path::new("."),
            None => continue,
        };
        let synced = fs::File::open(above).and_then(|folder| folder.sync_all());
        synced.map_err(|cause| storage_error("sync", above, &cause))?;
    }
    Ok(())
}
