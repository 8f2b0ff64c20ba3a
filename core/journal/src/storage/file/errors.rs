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
            format!("data folder {} cannot be used: {cause}{}", path.display(), remedy(cause)),
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
        _ => Error::new(
            Code::StorageFailure,
            format!("cannot {verb} {shown}: {cause}{}", remedy(cause)),
        ),
    }
}

/// What the user of a folder can do, where that is the same for all that failed.
fn remedy(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        ErrorKind::PermissionDenied => "; give this user the rights to it, or use another folder",
        ErrorKind::ReadOnlyFilesystem => "; use a folder on a disk that can be written",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_rights_say_what_the_user_can_do() {
        let denied = std::io::Error::from(ErrorKind::PermissionDenied);
        let path = Path::new("data");
        for error in [unusable(path, &denied), storage_error("open", path, &denied)] {
            let told = error.to_string();
            assert!(told.ends_with("give this user the rights to it, or use another folder"));
        }
        let lost = unusable(path, &std::io::Error::from(ErrorKind::NotFound)).to_string();
        assert!(!lost.contains(';'), "{lost}");
    }
}
