"""Failures of queues, and those of arguments that other nouns share with them."""

from __future__ import annotations

from trunkline.errors.kinds import (
    AlreadyExists,
    InvalidArgument,
    InvalidState,
    LimitExceeded,
    NotFound,
)


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


class UnsupportedOperation(InvalidState):
    """The operation does not apply here."""

    code = "UnsupportedOperation"
