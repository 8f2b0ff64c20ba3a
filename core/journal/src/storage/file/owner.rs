//! Ownership of a data folder: one process owns it for writing, or several read it.
//!
//! The owner holds an advisory lock on a file that the journal cannot do without, the superblock.
//! So a second owner is refused even when the file `LOCK` was removed. `LOCK` guards the creation
//! of the folder, when there is no superblock yet, and holds the process id of the owner for error
//! messages.
//!
//! A lock belongs to the open file, so a second engine of the same process is refused as well. A
//! forked child shares it, and must not be able to take it from its parent: only the process that
//! took it unlocks it.

use std::fs::{self, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use trunkline_types::{Code, Error, Result};

use super::Access;
use super::errors::{storage_error, unusable};
use crate::storage::LOCK_NAME;

/// Longest process id that is read from `LOCK`.
const PID_BYTES_MAX: u64 = 20;

/// A locked file that the journal cannot do without.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) file: fs::File,
    /// Its present name: a snapshot renames it.
    pub(super) name: String,
    device: u64,
    inode: u64,
}

impl Claim {
    /// Locks the file `name`, which exists.
    pub(super) fn take(folder: &Path, name: &str, access: Access) -> Result<Claim> {
        let path = folder.join(name);
        let opened = OpenOptions::new().read(true).open(&path);
        let file = opened.map_err(|cause| storage_error("open", &path, &cause))?;
        match if access == Access::ReadWrite { file.try_lock() } else { file.try_lock_shared() } {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(claimed(folder, name)),
            Err(TryLockError::Error(cause)) => return Err(unusable(folder, &cause)),
        }
        let metadata = file.metadata().map_err(|cause| storage_error("measure", &path, &cause))?;
        let (device, inode) = (metadata.dev(), metadata.ino());
        Ok(Claim { file, name: name.to_owned(), device, inode })
    }

    /// Fails when the file in the folder is not the locked one any more.
    pub(super) fn check(&self, folder: &Path) -> Result<()> {
        let is_ours = fs::metadata(folder.join(&self.name))
            .is_ok_and(|now| (now.dev(), now.ino()) == (self.device, self.inode));
        if is_ours {
            return Ok(());
        }
        Err(Error::new(
            Code::DataFolderUnusable,
            format!(
                "file {} of data folder {} was removed or replaced while the engine was open, so \
                 the folder may have another owner; close the engine, and restore the folder",
                self.name,
                folder.display()
            ),
        ))
    }
}

/// The error for a writer that goes on after `unlock`.
pub(super) fn given_up(folder: &Path) -> Error {
    Error::new(
        Code::EngineClosed,
        format!(
            "data folder {} was given up, so nothing more is written there; open it again",
            folder.display()
        ),
    )
}

fn claimed(folder: &Path, name: &str) -> Error {
    Error::new(
        Code::DataFolderInUse,
        format!(
            "data folder {} is in use: its file {name} is locked although {LOCK_NAME} is not, so that file was \
             removed; stop the other process, or use another folder",
            folder.display()
        ),
    )
}

pub(super) fn take_lock(folder: &Path, access: Access) -> Result<Option<fs::File>> {
    let path = folder.join(LOCK_NAME);
    let writable = access == Access::ReadWrite;
    let opened =
        OpenOptions::new().read(true).write(writable).create(writable).truncate(false).open(&path);
    let mut file = match opened {
        Ok(file) => file,
        // The folder was never opened for writing, or the file was left out of a copy.
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
        // Best effort: the process id is for an error message only, and a full disk must not stop
        // an opening.
        let _written = file
            .set_len(0)
            .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
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
