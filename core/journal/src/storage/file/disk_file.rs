//! One open file of the folder.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use trunkline_types::{Error, Result};

use super::errors::storage_error;
use crate::storage::File;

#[derive(Debug)]
pub(super) struct DiskFile {
    pub(super) file: fs::File,
    pub(super) path: PathBuf,
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
