//! Errors of the operating system as errors of the journal.

use std::io::ErrorKind;
use std::path::Path;

use trunkline_types::{Code, Error};

/// The process, or the whole system, has no free file descriptor.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

pub(super) fn lacks_descriptors(cause: &std::io::Error) -> bool {
    matches!(cause.raw_os_error(), Some(EMFILE | ENFILE))
}

pub(super) fn unusable(path: &Path, cause: &std::io::Error) -> Error {
    match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => storage_error("create", path, cause),
        _ => Error::new(
            Code::DataFolderUnusable,
            format!("data folder {} cannot be used: {cause}", path.display()),
        ),
    }
}

pub(super) fn storage_error(verb: &str, path: &Path, cause: &std::io::Error) -> Error {
    let shown = path.display();
    match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::new(
            Code::StorageFull,
            format!("cannot {verb} {shown}: {cause}; free some space and open the engine again"),
        ),
        _ if lacks_descriptors(cause) => Error::new(
            Code::StorageFailure,
            format!(
                "cannot {verb} {shown}: {cause}; close some files, or raise the limit of open files"
            ),
        ),
        _ => Error::new(Code::StorageFailure, format!("cannot {verb} {shown}: {cause}")),
    }
}
