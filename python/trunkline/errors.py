"""Every failure has a class with a stable ``code``; codes that AWS has carry the AWS name.

Catch :class:`TrunklineError` for all of them, or the word you can do something about. Classes also
inherit the builtin where Python has the word: a value outside its range is a ``ValueError``, a
refusal of the disk an ``OSError``.

>>> import trunkline
>>> try:
...     trunkline.open().queue("no spaces")
... except trunkline.TrunklineError as error:
...     error.code
'InvalidParameterValue'
"""

from __future__ import annotations


class TrunklineError(Exception):
    """The root of all errors of Trunkline.

    ``code`` is the stable name of the failure, to compare with.

    >>> TrunklineError("something").code
    'InternalError'
    """

    code: str = "InternalError"


class QueueDoesNotExist(TrunklineError, LookupError):
    """No queue has this name, or the queue behind this handle was removed."""

    code = "QueueDoesNotExist"


class QueueNameExists(TrunklineError):
    """A queue of this name exists with a different value for an option that was given."""

    code = "QueueNameExists"


class QueueDeletedRecently(TrunklineError):
    """The name was removed less than 60 seconds ago."""

    code = "QueueDeletedRecently"


class PurgeQueueInProgress(TrunklineError):
    """A purge of this queue ran less than 60 seconds ago."""

    code = "PurgeQueueInProgress"


class ReceiptHandleIsInvalid(TrunklineError, ValueError):
    """The receipt was not issued by this queue, or is damaged."""

    code = "ReceiptHandleIsInvalid"


class InvalidParameterValue(TrunklineError, ValueError):
    """A value is outside its range or does not fit this kind of queue."""

    code = "InvalidParameterValue"


class MissingParameter(TrunklineError, ValueError):
    """A value that is required is absent."""

    code = "MissingParameter"


class InvalidAttributeName(TrunklineError, ValueError):
    """An option of this name does not exist for this kind of queue."""

    code = "InvalidAttributeName"


class InvalidAttributeValue(TrunklineError, ValueError):
    """The value of an option is outside its range."""

    code = "InvalidAttributeValue"


class InvalidMessageContents(TrunklineError, ValueError):
    """The body holds characters that the queue does not accept."""

    code = "InvalidMessageContents"


class OverLimit(TrunklineError):
    """A limit of the limits table is reached."""

    code = "OverLimit"


class MessageNotInflight(TrunklineError):
    """The message is not in flight."""

    code = "MessageNotInflight"


class BatchRequestTooLong(TrunklineError, ValueError):
    """The entries of a batch are larger together than allowed."""

    code = "BatchRequestTooLong"


class ResourceNotFound(TrunklineError, LookupError):
    """A resource named by an argument does not exist."""

    code = "ResourceNotFoundException"


class UnsupportedOperation(TrunklineError):
    """The operation does not apply here."""

    code = "UnsupportedOperation"


class EngineClosed(TrunklineError):
    """The engine was closed."""

    code = "EngineClosed"


class EngineForked(TrunklineError):
    """The process was forked after the engine was opened; open a new engine in the child."""

    code = "EngineForked"


class EngineReadOnly(TrunklineError):
    """The engine was opened read-only."""

    code = "EngineReadOnly"


class EnginePoisoned(TrunklineError, OSError):
    """An earlier write failed, so nothing more is accepted; reopening replays what is durable."""

    code = "EnginePoisoned"


class DataFolderInUse(TrunklineError, OSError):
    """Another process, or another engine of this one, owns the data folder."""

    code = "DataFolderInUse"


class DataFolderUnusable(TrunklineError, OSError):
    """The data folder cannot be used: missing, not a folder, or without permission."""

    code = "DataFolderUnusable"


class StorageFull(TrunklineError, OSError):
    """The disk is full."""

    code = "StorageFull"


class StorageFailure(TrunklineError, OSError):
    """The disk or the operating system refused an operation."""

    code = "StorageFailure"


class ForeignFormat(TrunklineError):
    """The folder holds files that are not Trunkline's."""

    code = "ForeignFormat"


class NewerFormat(TrunklineError):
    """The folder was written by a newer version of the format."""

    code = "NewerFormat"


class CorruptJournal(TrunklineError):
    """Bytes that were durable are damaged or missing."""

    code = "CorruptJournal"


class InvalidEventPatternException(TrunklineError, ValueError):
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


class InvalidParameterException(TrunklineError, ValueError):
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


class InvalidEvent(TrunklineError, ValueError):
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


_CLASSES: dict[str, type[TrunklineError]] = {
    leaf.code: leaf for leaf in TrunklineError.__subclasses__()
}


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


def invalid_event(message: str, offset: int) -> InvalidEvent:
    """The exception for an event that cannot be read.

    >>> invalid_event("The event is not valid.", 7).offset
    7
    """
    error = InvalidEvent(message)
    error.offset = offset
    return error
