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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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


class QueueDoesNotExist(NotFound):
    """No queue has this name, or the queue behind this handle was removed."""

    code = "QueueDoesNotExist"


class QueueNameExists(AlreadyExists):
    """A queue of this name exists with a different value for an option that was given."""

    code = "QueueNameExists"


class QueueDeletedRecently(InvalidState):
    """The name was removed less than `Limits.recreate_interval` ago (AWS: 60 seconds)."""

    code = "QueueDeletedRecently"


class PurgeQueueInProgress(InvalidState):
    """A purge of this queue ran less than `Limits.purge_interval` ago (AWS: 60 seconds)."""

    code = "PurgeQueueInProgress"


class ReceiptHandleIsInvalid(InvalidArgument):
    """The receipt was not issued by this queue, or is damaged."""

    code = "ReceiptHandleIsInvalid"


class InvalidParameterValue(InvalidArgument):
    """A value is outside its range or does not fit this kind of queue."""

    code = "InvalidParameterValue"


class MissingParameter(InvalidArgument):
    """A value that is required is absent."""

    code = "MissingParameter"


class InvalidAttributeName(InvalidArgument):
    """An option of this name does not exist for this kind of queue."""

    code = "InvalidAttributeName"


class InvalidAttributeValue(InvalidArgument):
    """The value of an option is outside its range."""

    code = "InvalidAttributeValue"


class InvalidMessageContents(InvalidArgument):
    """The body holds characters that the queue does not accept."""

    code = "InvalidMessageContents"


class OverLimit(LimitExceeded):
    """A limit of the limits table is reached."""

    code = "OverLimit"


class MessageNotInflight(InvalidState):
    """The message is not in flight."""

    code = "MessageNotInflight"


class BatchRequestTooLong(InvalidArgument):
    """The entries of a batch are larger together than allowed."""

    code = "BatchRequestTooLong"


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
    """A bucket that is to be removed has objects, versions or uploads."""

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


class UnsupportedOperation(InvalidState):
    """The operation does not apply here."""

    code = "UnsupportedOperation"


class EngineClosed(EngineUnavailable):
    """The engine was closed."""

    code = "EngineClosed"


class EngineForked(EngineUnavailable):
    """The process was forked after the engine was opened; open a new engine in the child."""

    code = "EngineForked"


class EngineReadOnly(EngineUnavailable):
    """The engine was opened read-only."""

    code = "EngineReadOnly"


class EnginePoisoned(EngineUnavailable, OSError):
    """An earlier write failed, so nothing more is accepted; reopening replays what is durable."""

    code = "EnginePoisoned"


class DataFolderInUse(StorageError):
    """Another process, or another engine of this one, owns the data folder."""

    code = "DataFolderInUse"


class DataFolderUnusable(StorageError):
    """The data folder cannot be used: missing, not a folder, or without permission."""

    code = "DataFolderUnusable"


class StorageFull(StorageError):
    """The disk is full."""

    code = "StorageFull"


class StorageFailure(StorageError):
    """The disk or the operating system refused an operation."""

    code = "StorageFailure"


class ForeignFormat(StorageError):
    """The folder holds files that are not Trunkline's."""

    code = "ForeignFormat"


class NewerFormat(StorageError):
    """The folder was written by a newer version of the format."""

    code = "NewerFormat"


class CorruptJournal(StorageError):
    """Bytes that were durable are damaged or missing."""

    code = "CorruptJournal"


class InvalidEventPatternException(InvalidArgument):
    """An event pattern is not valid; the text and the place are those that AWS gives.

    >>> import trunkline
    >>> from trunkline import patterns
    >>> try:
    ...     patterns.compile('{"detail": {"state": "running"}}')
    ... except trunkline.InvalidEventPatternException as error:
    ...     error.reason, error.line, error.column
    ('"state" must be an object or an array', 1, 23)
    """

    code = "InvalidEventPatternException"
    reason: str = ""
    """What is wrong, without AWS's words around it."""
    line: int | None = None
    """The line that AWS names, from one; None where AWS names none."""
    column: int | None = None
    """The column that AWS names, from one."""


class InvalidParameterException(InvalidArgument):
    """A filter policy is not valid; the text and the place are those that Amazon SNS gives.

    >>> import trunkline
    >>> from trunkline import patterns
    >>> try:
    ...     patterns.filter_policy({"store": []})
    ... except trunkline.InvalidParameterException as error:
    ...     error.code, error.reason
    ('InvalidParameter', 'Empty arrays are not allowed')
    """

    code = "InvalidParameter"
    reason: str = ""
    """What is wrong, without AWS's words around it."""
    line: int | None = None
    """The line that AWS names, from one; None where AWS names none."""
    column: int | None = None
    """The column that AWS names, from one."""


class InvalidEvent(InvalidArgument):
    """An event cannot be read, so that it neither matches nor does not."""

    code = "InvalidEvent"
    offset: int = 0
    """The byte at which it was noticed."""


class InjectedFault(TrunklineError):
    """A fault that was injected on purpose."""

    code = "InjectedFault"


class InternalError(TrunklineError):
    """A mistake of ours: please report it."""

    code = "InternalError"


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


def failures() -> list[type[TrunklineError]]:
    """Every class of one failure, without the kinds; sorted by code.

    >>> [failure.code for failure in failures()][:2]
    ['BatchRequestTooLong', 'ConflictException']
    """
    of_kinds = [leaf for kind in KINDS for leaf in kind.__subclasses__()]
    of_none = [leaf for leaf in TrunklineError.__subclasses__() if leaf not in KINDS]
    return sorted((*of_kinds, *of_none), key=lambda leaf: leaf.code)


_CLASSES: dict[str, type[TrunklineError]] = {leaf.code: leaf for leaf in (*failures(), *KINDS)}


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
