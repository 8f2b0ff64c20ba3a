//! The errors of buckets.

use trunkline_types::{Code, Error};

#[cold]
pub(super) fn no_such_bucket(name: &str) -> Error {
    Error::new(Code::NoSuchBucket, format!("Bucket {name} does not exist."))
}

#[cold]
pub(super) fn bucket_exists(name: &str) -> Error {
    Error::new(Code::BucketAlreadyExists, format!("Bucket {name} already exists."))
}

#[cold]
pub(super) fn not_empty(name: &str) -> Error {
    let text = format!("Bucket {name} is not empty. Delete its objects, versions and uploads.");
    Error::new(Code::BucketNotEmpty, text)
}

#[cold]
pub(super) fn no_such_key(key: &str) -> Error {
    Error::new(Code::NoSuchKey, format!("There is no object {key:?}."))
}

#[cold]
pub(super) fn no_such_version(key: &str) -> Error {
    Error::new(Code::NoSuchVersion, format!("Object {key:?} has no such version."))
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
    let text = format!("Part {number} is smaller than 5 MiB and is not the last one.");
    Error::new(Code::EntityTooSmall, text)
}

#[cold]
pub(super) fn cut_short(body: u64) -> Error {
    let text = format!("The file of body {body:016x} is shorter than it was written.");
    Error::new(Code::CorruptJournal, text)
}
