"""Failures of streams, functions, state machines and buckets."""

from __future__ import annotations

from trunkline.errors.kinds import (
    AlreadyExists,
    InvalidArgument,
    InvalidState,
    LimitExceeded,
    NotFound,
    TrunklineError,
)


class ValidationException(InvalidArgument):
    """A field of a request is invalid."""

    code = "ValidationException"


class ConflictException(AlreadyExists):
    """A resource of this name exists, or is being changed."""

    code = "ConflictException"


class ResourceNotFound(NotFound):
    """A resource named by an argument does not exist."""

    code = "ResourceNotFoundException"


class ResourceInUse(AlreadyExists):
    """A resource of this name exists with a different value for an option that was given."""

    code = "ResourceInUseException"


class TooManyRequests(LimitExceeded):
    """The function runs as often at once as its concurrency allows."""

    code = "TooManyRequestsException"


class FunctionError(TrunklineError):
    """A function failed or timed out.

    ``error_type``, ``error_message`` and ``stack_trace`` are what Lambda tells of the failure.
    """

    code = "FunctionError"
    error_type: str = "Error"
    error_message: str = ""
    stack_trace: tuple[str, ...] = ()


class ExecutionFailed(TrunklineError):
    """An execution of a state machine failed, timed out or was stopped.

    ``error`` and ``cause`` are those that the execution ended with.
    """

    code = "ExecutionFailed"
    error: str | None = None
    cause: str | None = None


class LeaseLost(InvalidState):
    """Another member of the reader has taken the shard over."""

    code = "LeaseLost"


class NoSuchBucket(NotFound):
    """No bucket has this name, or the bucket behind this handle was removed."""

    code = "NoSuchBucket"


class BucketNotEmpty(InvalidState):
    """A bucket that is to be removed has objects or versions."""

    code = "BucketNotEmpty"


class NoSuchKey(NotFound):
    """The bucket has no object of this key."""

    code = "NoSuchKey"


class NoSuchUpload(NotFound):
    """The upload was completed or aborted, or never began."""

    code = "NoSuchUpload"


class InvalidPart(InvalidArgument):
    """An upload has no such part."""

    code = "InvalidPart"


class PreconditionFailed(InvalidState):
    """An object is not as the condition of a call says."""

    code = "PreconditionFailed"
