"""Every failure has a class with a stable ``code``; codes that AWS has carry the AWS name.

Catch :class:`TrunklineError` for all of them, a kind (:class:`NotFound`, :class:`AlreadyExists`,
:class:`InvalidArgument`, :class:`LimitExceeded`, :class:`InvalidState`, :class:`EngineUnavailable`,
:class:`StorageError`), which means the same for every noun, or one class. Where Python has the
word a kind inherits it too: a NotFound is a ``LookupError``, an InvalidArgument a ``ValueError``,
a StorageError an ``OSError``.

>>> import trunkline
>>> try:
...     trunkline.open().queue("no spaces")
... except trunkline.InvalidArgument as error:
...     error.code
'InvalidParameterValue'
"""

from __future__ import annotations

from trunkline.errors.engine import (
    CorruptJournal,
    DataFolderInUse,
    DataFolderUnusable,
    EngineClosed,
    EngineForked,
    EnginePoisoned,
    EngineReadOnly,
    ForeignFormat,
    InjectedFault,
    InternalError,
    NewerFormat,
    StorageFailure,
    StorageFull,
)
from trunkline.errors.kinds import (
    KINDS,
    AlreadyExists,
    EngineUnavailable,
    InvalidArgument,
    InvalidState,
    LimitExceeded,
    NotFound,
    StorageError,
    TrunklineError,
)
from trunkline.errors.patterns import (
    InvalidEvent,
    InvalidEventPatternException,
    InvalidParameterException,
)
from trunkline.errors.queues import (
    BatchRequestTooLong,
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidMessageContents,
    InvalidParameterValue,
    MessageNotInflight,
    MissingParameter,
    OverLimit,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueDoesNotExist,
    QueueNameExists,
    ReceiptHandleIsInvalid,
    UnsupportedOperation,
)
from trunkline.errors.remote import ServerUnreachable
from trunkline.errors.resources import (
    BucketNotEmpty,
    ConflictException,
    ExecutionFailed,
    FunctionError,
    InvalidPart,
    LeaseLost,
    NoSuchBucket,
    NoSuchKey,
    NoSuchUpload,
    PreconditionFailed,
    ResourceInUse,
    ResourceNotFound,
    TooManyRequests,
    ValidationException,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "KINDS",
    "AlreadyExists",
    "BatchRequestTooLong",
    "BucketNotEmpty",
    "ConflictException",
    "CorruptJournal",
    "DataFolderInUse",
    "DataFolderUnusable",
    "EngineClosed",
    "EngineForked",
    "EnginePoisoned",
    "EngineReadOnly",
    "EngineUnavailable",
    "ExecutionFailed",
    "ForeignFormat",
    "FunctionError",
    "InjectedFault",
    "InternalError",
    "InvalidArgument",
    "InvalidAttributeName",
    "InvalidAttributeValue",
    "InvalidEvent",
    "InvalidEventPatternException",
    "InvalidMessageContents",
    "InvalidParameterException",
    "InvalidParameterValue",
    "InvalidPart",
    "InvalidState",
    "LeaseLost",
    "LimitExceeded",
    "MessageNotInflight",
    "MissingParameter",
    "NewerFormat",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchUpload",
    "NotFound",
    "OverLimit",
    "PreconditionFailed",
    "PurgeQueueInProgress",
    "QueueDeletedRecently",
    "QueueDoesNotExist",
    "QueueNameExists",
    "ReceiptHandleIsInvalid",
    "ResourceInUse",
    "ResourceNotFound",
    "ServerUnreachable",
    "StorageError",
    "StorageFailure",
    "StorageFull",
    "TooManyRequests",
    "TrunklineError",
    "UnsupportedOperation",
    "ValidationException",
    "execution_failed",
    "failures",
    "from_code",
    "function_failed",
    "invalid_event",
    "invalid_pattern",
]


def failures() -> list[type[TrunklineError]]:
    """Every class of one failure, without the kinds; sorted by code.

    >>> [failure.code for failure in failures()][:2]
    ['BatchRequestTooLong', 'BucketNotEmpty']
    """
    of_kinds = [leaf for kind in KINDS for leaf in kind.__subclasses__()]
    of_none = [leaf for leaf in TrunklineError.__subclasses__() if leaf not in KINDS]
    return sorted((*of_kinds, *of_none), key=lambda leaf: leaf.code)


_CLASSES: dict[str, type[TrunklineError]] = {leaf.code: leaf for leaf in (*failures(), *KINDS)}

# They are imported from here and pickled by this name, whichever module defines them.
for _class in (TrunklineError, *_CLASSES.values()):
    _class.__module__ = __name__


def from_code(code: str, message: str) -> TrunklineError:
    """The exception for a code of the engine's catalogue.

    >>> from_code("QueueDoesNotExist", "The specified queue does not exist.")
    QueueDoesNotExist('The specified queue does not exist.')
    """
    leaf = _CLASSES.get(code)
    if leaf is not None:
        return leaf(message)
    error = TrunklineError(message)
    error.code = code
    return error


def invalid_pattern(
    code: str, message: str, reason: str, line: int | None, column: int | None
) -> TrunklineError:
    """The exception for a pattern that was refused.

    >>> invalid_pattern("InvalidParameter", "…: Empty arrays are not allowed", "…", 1, 9).column
    9
    """
    error = from_code(code, message)
    if isinstance(error, InvalidEventPatternException | InvalidParameterException):
        error.reason, error.line, error.column = reason, line, column
    return error


def function_failed(told: dict[str, Any]) -> FunctionError:
    """The exception for what Lambda's runtimes tell of a function that failed.

    >>> function_failed({"errorType": "KeyError", "errorMessage": "'total'"})
    FunctionError("KeyError: 'total'")
    """
    type, message = str(told.get("errorType", "Error")), str(told.get("errorMessage", ""))
    error = FunctionError(f"{type}: {message}")
    error.error_type, error.error_message = type, message
    error.stack_trace = tuple(told.get("stackTrace") or ())
    return error


def execution_failed(status: str, error: str | None, cause: str | None) -> ExecutionFailed:
    """The exception for an execution that did not end well.

    >>> execution_failed("FAILED", "Refused", "no money")
    ExecutionFailed('Refused: no money')
    """
    text = ": ".join(part for part in (error or status, cause) if part)
    failed = ExecutionFailed(text)
    failed.error, failed.cause = error, cause
    return failed


def invalid_event(message: str, offset: int) -> InvalidEvent:
    """The exception for an event that cannot be read.

    >>> invalid_event("The event is not valid.", 7).offset
    7
    """
    error = InvalidEvent(message)
    error.offset = offset
    return error
