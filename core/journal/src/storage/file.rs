//! Real files in a real folder, owned by one process at a time.
//!
//! The owner holds an advisory lock on the file `LOCK` and writes its process id into it, for the
//! error message of whoever comes second. The lock belongs to the open file, so a second engine of
//! the same process is refused as well. A forked child shares it, and must not be able to take it
//! from its parent: only the process that took it unlocks it.

use std::fs::{self, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trunkline_types::sync::{Mutex, lock};
use trunkline_types::{Code, Error, Result, forked_since, process_generation};

use super::{File, Storage};
use crate::folder::refuse_foreign;

/// The file whose lock is the ownership of the folder.
pub(crate) const LOCK_NAME: &str = "LOCK";

/// Longest process id that is believed when `LOCK` is read.
const PID_BYTES_MAX: u64 = 20;

/// What a folder is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To write: the folder is made when it is absent, and belongs to nobody else.
    ReadWrite,
    /// To read: nothing in the folder is changed; several readers may share it.
    ReadOnly,
}

/// A folder of the file system.
#[derive(Debug)]
pub struct FileStorage {
    path: PathBuf,
    access: Access,
    owned: Mutex<Option<fs::File>>,
    /// The process that took the folder.
    generation: u32,
}

impl FileStorage {
    /// Takes the folder at `path`. `DataFolderInUse` names the process that has it.
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
        let mut storage = Self { path, access, owned: Mutex::new(None), generation };
        if access == Access::ReadWrite {
            // Before anything is written there: others too call a file `LOCK`.
            refuse_foreign(&storage.list()?)?;
        }
        storage.owned = Mutex::new(take_lock(&storage.path, access)?);
        Ok(storage)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
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
    fn create(&self, name: &str) -> Result<Arc<dyn File>> {
        self.refuse_if_read_only()?;
        let path = self.path.join(name);
        let opened =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path);
        let file = opened.map_err(|cause| self.failed("create", name, &cause))?;
        Ok(Arc::new(DiskFile { file, path }))
    }

    fn open(&self, name: &str) -> Result<Option<Arc<dyn File>>> {
        let path = self.path.join(name);
        let writable = self.access == Access::ReadWrite;
        match OpenOptions::new().read(true).write(writable).open(&path) {
            Ok(file) => Ok(Some(Arc::new(DiskFile { file, path }))),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(self.failed("open", name, &cause)),
        }
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.refuse_if_read_only()?;
        fs::rename(self.path.join(from), self.path.join(to))
            .map_err(|cause| self.failed("rename", from, &cause))
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
        let synced = fs::File::open(&self.path).and_then(|folder| folder.sync_all());
        synced.map_err(|cause| self.failed("sync", "", &cause))
    }

    fn is_read_only(&self) -> bool {
        self.access == Access::ReadOnly
    }

    fn unlock(&self) {
        if let Some(file) = lock(&self.owned).take() {
            // Said aloud, because a child that was forked meanwhile still holds the open file. The
            // child itself never gets here: it must not take the folder from its parent.
            if !forked_since(self.generation) {
                let _ = file.unlock();
            }
        }
    }
}

#[derive(Debug)]
struct DiskFile {
    file: fs::File,
    path: PathBuf,
}

impl DiskFile {
    fn failed(&self, verb: &str, cause: &std::io::Error) -> Error {
        storage_error(verb, &self.path, cause)
    }
}

impl File for DiskFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.file.write_all_at(bytes, offset).map_err(|cause| self.failed("write", &cause))
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<usize> {
        let mut count = 0;
        while count < bytes.len() {
            match self.file.read_at(&mut bytes[count..], offset + count as u64) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
                Err(cause) => return Err(self.failed("read", &cause)),
            }
        }
        Ok(count)
    }

    fn sync_data(&self) -> Result<()> {
        self.file.sync_data().map_err(|cause| self.failed("sync", &cause))
    }

    fn len(&self) -> Result<u64> {
        let metadata = self.file.metadata().map_err(|cause| self.failed("measure", &cause))?;
        Ok(metadata.len())
    }

    fn set_len(&self, bytes: u64) -> Result<()> {
        self.file.set_len(bytes).map_err(|cause| self.failed("resize", &cause))
    }
}

/// Makes the folder, and its entry in the folder above durable: a journal in a folder that
/// vanishes with the power would be no journal.
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

fn take_lock(folder: &Path, access: Access) -> Result<Option<fs::File>> {
    let path = folder.join(LOCK_NAME);
    let writable = access == Access::ReadWrite;
    let opened =
        OpenOptions::new().read(true).write(writable).create(writable).truncate(false).open(&path);
    let mut file = match opened {
        Ok(file) => file,
        // Nobody ever wrote here, or the file was left out of a copy: nothing to wait for.
        Err(cause) if !writable && cause.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(unusable(folder, &cause)),
    };
    let locked = if writable { file.try_lock() } else { file.try_lock_shared() };
    match locked {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(folder, &mut file)),
        Err(TryLockError::Error(cause)) => return Err(unusable(folder, &cause)),
    }
    if writable {
        // Only for the words of an error message, so neither synced nor needed after a crash.
        let written = file
            .set_len(0)
            .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
        written.map_err(|cause| storage_error("write", &path, &cause))?;
    }
    Ok(Some(file))
}

fn in_use(folder: &Path, file: &mut fs::File) -> Error {
    // Readers share the lock and leave no number: the one in the file is of the last owner.
    if file.try_lock_shared().is_ok() {
        return Error::new(
            Code::DataFolderInUse,
            format!(
                "data folder {} is being read, by another process or in this one; end that, or \
                 use another folder",
                folder.display()
            ),
        );
    }
    let mut text = String::new();
    let read = file.take(PID_BYTES_MAX).read_to_string(&mut text);
    let owner = match text.trim().parse::<u32>() {
        Ok(pid) if read.is_ok() && pid == std::process::id() => {
            format!("this process (pid {pid}); close the other engine, or use that one")
        }
        // A child that was forked while the engine was open holds the lock as long as it lives.
        Ok(pid) if read.is_ok() => {
            format!(
                "the process with pid {pid} or one that it started; stop it, or use another folder"
            )
        }
        _ => "another process; stop it, or use another folder".to_owned(),
    };
    Error::new(
        Code::DataFolderInUse,
        format!("data folder {} is in use by {owner}", folder.display()),
    )
}

fn unusable(path: &Path, cause: &std::io::Error) -> Error {
    match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => storage_error("create", path, cause),
        _ => Error::new(
            Code::DataFolderUnusable,
            format!("data folder {} cannot be used: {cause}", path.display()),
        ),
    }
}

fn storage_error(verb: &str, path: &Path, cause: &std::io::Error) -> Error {
    let shown = path.display();
    match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::new(
            Code::StorageFull,
            format!("cannot {verb} {shown}: {cause}; free some space and open the engine again"),
        ),
        _ => Error::new(Code::StorageFailure, format!("cannot {verb} {shown}: {cause}")),
    }
}
