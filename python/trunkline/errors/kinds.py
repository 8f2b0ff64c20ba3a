"""The root of all errors, and the kinds that every noun's failures are divided into."""

from __future__ import annotations


class TrunklineError(Exception):
    """The root of all errors of Trunkline.

    ``code`` is the stable name of the failure, to compare with. Of a kind it is the name of the
    class; of a failure that AWS knows it is AWS's.

    >>> TrunklineError("something").code
    'InternalError'
    """

    code: str = "InternalError"


class NotFound(TrunklineError, LookupError):
    """A resource that an argument names does not exist."""

    code = "NotFound"


class AlreadyExists(TrunklineError):
    """A resource of this name exists and differs from what was asked for."""

    code = "AlreadyExists"


class InvalidArgument(TrunklineError, ValueError):
    """An argument is missing, malformed, outside its range, or does not fit the resource."""

    code = "InvalidArgument"


class LimitExceeded(TrunklineError):
    """A limit of :class:`trunkline.Limits` is reached, such as that of messages in flight."""

    code = "LimitExceeded"


class InvalidState(TrunklineError):
    """The resource exists, but its present state does not allow the operation."""

    code = "InvalidState"


class EngineUnavailable(TrunklineError):
    """The engine was closed, belongs to another process, or accepts no writes."""

    code = "EngineUnavailable"


class StorageError(TrunklineError, OSError):
    """The disk, the operating system or the data folder does not allow the operation."""

    code = "StorageError"


KINDS: tuple[type[TrunklineError], ...] = (
    NotFound,
    AlreadyExists,
    InvalidArgument,
    LimitExceeded,
    InvalidState,
    EngineUnavailable,
    StorageError,
)
"""What every noun's failures are divided into."""
