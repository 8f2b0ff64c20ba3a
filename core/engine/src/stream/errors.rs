//! The errors of streams.

use trunkline_stream::{ReshardError, ShardId};
use trunkline_types::{Code, Error, ResourceName};

#[cold]
pub(super) fn no_such_stream(name: &ResourceName) -> Error {
    Error::new(
        Code::ResourceNotFoundException,
        format!("Stream {} under account {} not found.", name.name, name.account),
    )
}

#[cold]
pub(super) fn stream_exists(name: &ResourceName) -> Error {
    Error::new(
        Code::ResourceInUseException,
        format!("Stream {} under account {} already exists.", name.name, name.account),
    )
}

#[cold]
pub(super) fn no_such_shard(shard: ShardId, name: &ResourceName) -> Error {
    Error::new(
        Code::ResourceNotFoundException,
        format!(
            "Shard {shard} in stream {} under account {} does not exist",
            name.name, name.account
        ),
    )
}

#[cold]
pub(super) fn no_such_reader(reader: &str, name: &ResourceName) -> Error {
    Error::new(
        Code::ResourceNotFoundException,
        format!("Reader {reader} of stream {} does not exist; it was removed.", name.name),
    )
}

#[cold]
pub(super) fn lost_lease(shard: ShardId, reader: &str) -> Error {
    Error::new(
        Code::LeaseLost,
        format!(
            "The commit was refused. Reason: Another member of the reader {reader} has taken over \
             shard {shard}, because this one did not fetch or commit within its lease; nothing was \
             committed. Fetch the next batch."
        ),
    )
}

#[cold]
pub(super) fn invalid(field: &str, value: impl std::fmt::Display, reason: &str) -> Error {
    Error::new(
        Code::InvalidParameterValue,
        format!("Value {value} for parameter {field} is invalid. Reason: {reason}"),
    )
}

#[cold]
pub(super) fn reshard(error: ReshardError, name: &ResourceName) -> Error {
    match error {
        ReshardError::NoSuchShard(shard) => no_such_shard(shard, name),
        other => Error::new(Code::InvalidParameterValue, format!("The {other}.")),
    }
}

#[cold]
pub(super) fn too_many_shards(limits: &trunkline_types::Limits) -> Error {
    Error::new(
        Code::OverLimit,
        format!(
            "The stream would have more than {} shards, closed ones that are still readable \
             included; wait for their retention, or raise limits.stream_shards_max.",
            limits.stream_shards_max
        ),
    )
}
