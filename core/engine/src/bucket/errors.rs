//! The errors of buckets.

use trunkline_types::{Code, Error};

/// What the message starts with if the key is there and the version is not.
pub const NO_SUCH_VERSION: &str = "There is no such version";
/// What the message starts with if a part is there and too small.
pub const TOO_SMALL: &str = "A part has at least 5 MiB";

#[cold]
pub(super) fn no_such_bucket(name: &str) -> Error {
    Error::new(Code::NoSuchBucket, format!("Bucket {name} does not exist."))
}

#[cold]
pub(super) fn bucket_exists(name: &str) -> Error {
    Error::new(Code::ConflictException, format!("Bucket {name} already exists."))
}

#[cold]
pub(super) fn not_empty(name: &str) -> Error {
    let text = format!("Bucket {name} is not empty. Delete its objects and versions.");
    Error::new(Code::BucketNotEmpty, text)
}

#[cold]
pub(super) fn no_such_key(key: &str) -> Error {
    Error::new(Code::NoSuchKey, format!("There is no object {key:?}."))
}

#[cold]
pub(super) fn no_such_version(key: &str) -> Error {
    Error::new(Code::NoSuchKey, format!("{NO_SUCH_VERSION}, of object {key:?}."))
}

#[cold]
pub(super) fn no_such_upload() -> Error {
    let text = "The upload does not exist. It was completed or aborted, or its id is wrong.";
    Error::new(Code::NoSuchUpload, text)
}

#[cold]
pub(super) fn precondition_failed(key: &str) -> Error {
    let text = format!("Object {key:?} is not as the condition of the call says.");
    Error::new(Code::PreconditionFailed, text)
}

#[cold]
pub(super) fn invalid_part(number: u32) -> Error {
    let text = format!("Part {number} was not uploaded, or has another entity tag.");
    Error::new(Code::InvalidPart, text)
}

#[cold]
pub(super) fn too_small(number: u32) -> Error {
    let text = format!("{TOO_SMALL}, and part {number} is not the last one.");
    Error::new(Code::InvalidPart, text)
}

#[cold]
pub(super) fn cut_short(body: u64) -> Error {
    let text = format!("The file of body {body:016x} is shorter than it was written.");
    Error::new(Code::CorruptJournal, text)
}

#[cold]
pub(super) fn no_target() -> Error {
    let text = "The target of the notification does not exist. Create it first.";
    Error::new(Code::ResourceNotFoundException, text)
}
