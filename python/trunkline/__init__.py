"""Trunkline: queues with the semantics of Amazon SQS inside your process, durable on your disk.

>>> import trunkline
>>> with trunkline.open() as engine:
...     queue = engine.queue("orders")
...     sent = queue.send("one coffee")
...     for message in queue.receive(max=10):
...         with message:
...             message.text()
'one coffee'
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline import aio as aio
    from trunkline import patterns as patterns
    from trunkline import states as states
    from trunkline._core import (
        BatchFailure,
        BatchResult,
        FolderReport,
        Message,
        PeekedMessage,
        PendingSend,
        PublishBatchResult,
        PublishResult,
        PutEventResult,
        PutEventsResult,
        PutResult,
        QueueReport,
        QueueStatistics,
        Record,
        RecordBatch,
        RepairReport,
        SendBatchResult,
        SendResult,
        Shard,
        StoredObject,
        StreamStatistics,
        VirtualClock,
        __version__,
    )
    from trunkline._resource_types import QueueOptions
    from trunkline._types import PublishEntry, RetryPolicy, SendOptions
    from trunkline.apis.api import Api, ApiAnswer, ServedApi
    from trunkline.buckets.bucket import Bucket
    from trunkline.buckets.content import ObjectReader
    from trunkline.buses.archive import Archive, Replay
    from trunkline.buses.bus import Bus
    from trunkline.buses.rule import Rule
    from trunkline.delivery_streams.delivery_stream import DeliveryStream
    from trunkline.engine import Engine, open
    from trunkline.errors import (
        AlreadyExists,
        BatchRequestTooLong,
        BucketNotEmpty,
        ConflictException,
        CorruptJournal,
        DataFolderInUse,
        DataFolderUnusable,
        EngineClosed,
        EngineForked,
        EnginePoisoned,
        EngineReadOnly,
        EngineUnavailable,
        ExecutionFailed,
        ForeignFormat,
        FunctionError,
        InjectedFault,
        InternalError,
        InvalidArgument,
        InvalidAttributeName,
        InvalidAttributeValue,
        InvalidEvent,
        InvalidEventPatternException,
        InvalidMessageContents,
        InvalidParameterException,
        InvalidParameterValue,
        InvalidPart,
        InvalidState,
        LeaseLost,
        LimitExceeded,
        MessageNotInflight,
        MissingParameter,
        NewerFormat,
        NoSuchBucket,
        NoSuchKey,
        NoSuchUpload,
        NotFound,
        OverLimit,
        PreconditionFailed,
        PurgeQueueInProgress,
        QueueDeletedRecently,
        QueueDoesNotExist,
        QueueNameExists,
        ReceiptHandleIsInvalid,
        ResourceInUse,
        ResourceNotFound,
        ServerUnreachable,
        StorageError,
        StorageFailure,
        StorageFull,
        TooManyRequests,
        TrunklineError,
        UnsupportedOperation,
        ValidationException,
    )
    from trunkline.faults import Faults
    from trunkline.functions.context import FunctionContext
    from trunkline.functions.function import Function
    from trunkline.functions.source import EventSource
    from trunkline.inspection import inspect, repair, verify
    from trunkline.limits import Limits
    from trunkline.machines.machine import Execution, StateMachine
    from trunkline.queues.consumer import ConsumeReport
    from trunkline.queues.messages import SendEntry
    from trunkline.queues.queue import Queue
    from trunkline.queues.redrive import RedriveTask
    from trunkline.queues.worker import Worker
    from trunkline.remote.engine import connect
    from trunkline.schedules.occurrence import Occurrence
    from trunkline.schedules.schedule import Schedule, ScheduleStatistics
    from trunkline.streams.reader import Reader
    from trunkline.streams.stream import Stream
    from trunkline.topics.notification import Notification
    from trunkline.topics.replay import TopicReplay
    from trunkline.topics.subscription import Subscription
    from trunkline.topics.topic import Topic
    from trunkline.traces.trace import Trace, TraceEntry, TraceStatistics, Tracing

__all__ = [
    "AlreadyExists",
    "Api",
    "ApiAnswer",
    "Archive",
    "BatchFailure",
    "BatchRequestTooLong",
    "BatchResult",
    "Bucket",
    "BucketNotEmpty",
    "Bus",
    "ConflictException",
    "ConsumeReport",
    "CorruptJournal",
    "DataFolderInUse",
    "DataFolderUnusable",
    "DeliveryStream",
    "Engine",
    "EngineClosed",
    "EngineForked",
    "EnginePoisoned",
    "EngineReadOnly",
    "EngineUnavailable",
    "EventSource",
    "Execution",
    "ExecutionFailed",
    "Faults",
    "FolderReport",
    "ForeignFormat",
    "Function",
    "FunctionContext",
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
    "Limits",
    "Message",
    "MessageNotInflight",
    "MissingParameter",
    "NewerFormat",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchUpload",
    "NotFound",
    "Notification",
    "ObjectReader",
    "Occurrence",
    "OverLimit",
    "PeekedMessage",
    "PendingSend",
    "PreconditionFailed",
    "PublishBatchResult",
    "PublishEntry",
    "PublishResult",
    "PurgeQueueInProgress",
    "PutEventResult",
    "PutEventsResult",
    "PutResult",
    "Queue",
    "QueueDeletedRecently",
    "QueueDoesNotExist",
    "QueueNameExists",
    "QueueOptions",
    "QueueReport",
    "QueueStatistics",
    "Reader",
    "ReceiptHandleIsInvalid",
    "Record",
    "RecordBatch",
    "RedriveTask",
    "RepairReport",
    "Replay",
    "ResourceInUse",
    "ResourceNotFound",
    "RetryPolicy",
    "Rule",
    "Schedule",
    "ScheduleStatistics",
    "SendBatchResult",
    "SendEntry",
    "SendOptions",
    "SendResult",
    "ServedApi",
    "ServerUnreachable",
    "Shard",
    "StateMachine",
    "StorageError",
    "StorageFailure",
    "StorageFull",
    "StoredObject",
    "Stream",
    "StreamStatistics",
    "Subscription",
    "TooManyRequests",
    "Topic",
    "TopicReplay",
    "Trace",
    "TraceEntry",
    "TraceStatistics",
    "Tracing",
    "TrunklineError",
    "UnsupportedOperation",
    "ValidationException",
    "VirtualClock",
    "Worker",
    "__version__",
    "connect",
    "inspect",
    "open",
    "repair",
    "verify",
]

# Imported at first use: `import trunkline` and `trunkline --version` cost next to nothing, and a
# program pays for what it uses alone. `tests/python/package/test_imports.py` counts the modules.
_LAZY_NAMES = {
    "trunkline._core": (
        "BatchFailure",
        "BatchResult",
        "FolderReport",
        "Message",
        "PeekedMessage",
        "PendingSend",
        "PublishBatchResult",
        "PublishResult",
        "PutEventResult",
        "PutEventsResult",
        "PutResult",
        "QueueReport",
        "QueueStatistics",
        "Record",
        "RecordBatch",
        "RepairReport",
        "SendBatchResult",
        "SendResult",
        "Shard",
        "StoredObject",
        "StreamStatistics",
        "VirtualClock",
        "__version__",
    ),
    "trunkline._resource_types": ("QueueOptions",),
    "trunkline._types": ("PublishEntry", "RetryPolicy", "SendOptions"),
    "trunkline.apis.api": ("Api", "ApiAnswer", "ServedApi"),
    "trunkline.buckets.bucket": ("Bucket",),
    "trunkline.buckets.content": ("ObjectReader",),
    "trunkline.buses.archive": ("Archive", "Replay"),
    "trunkline.buses.bus": ("Bus",),
    "trunkline.buses.rule": ("Rule",),
    "trunkline.delivery_streams.delivery_stream": ("DeliveryStream",),
    "trunkline.engine": ("Engine", "open"),
    "trunkline.errors": (
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
    ),
    "trunkline.faults": ("Faults",),
    "trunkline.functions.context": ("FunctionContext",),
    "trunkline.functions.function": ("Function",),
    "trunkline.functions.source": ("EventSource",),
    "trunkline.inspection": ("inspect", "repair", "verify"),
    "trunkline.limits": ("Limits",),
    "trunkline.machines.machine": ("Execution", "StateMachine"),
    "trunkline.queues.consumer": ("ConsumeReport",),
    "trunkline.queues.messages": ("SendEntry",),
    "trunkline.queues.queue": ("Queue",),
    "trunkline.queues.redrive": ("RedriveTask",),
    "trunkline.queues.worker": ("Worker",),
    "trunkline.remote.engine": ("connect",),
    "trunkline.schedules.occurrence": ("Occurrence",),
    "trunkline.schedules.schedule": ("Schedule", "ScheduleStatistics"),
    "trunkline.streams.reader": ("Reader",),
    "trunkline.streams.stream": ("Stream",),
    "trunkline.topics.notification": ("Notification",),
    "trunkline.topics.replay": ("TopicReplay",),
    "trunkline.topics.subscription": ("Subscription",),
    "trunkline.topics.topic": ("Topic",),
    "trunkline.traces.trace": ("Trace", "TraceEntry", "TraceStatistics", "Tracing"),
}
_LAZY = {name: module for module, names in _LAZY_NAMES.items() for name in names}
_LAZY_MODULES = (
    *("admin", "aio", "analytics", "aws", "bench"),
    *("capi", "patterns", "remote", "server", "states"),
)

# Names of version 0.1, which serves them once more with a warning.
_RENAMED = {
    "Entry": "SendEntry",
    "Envelope": "PeekedMessage",
    "Failure": "BatchFailure",
    "MoveTask": "RedriveTask",
    "Statistics": "QueueStatistics",
    "Ticket": "PendingSend",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _RENAMED:
        from warnings import warn

        new = _RENAMED[name]
        warn(f"trunkline.{name} is now trunkline.{new}", DeprecationWarning, stacklevel=2)
        # Not kept in the module: each place that uses the old name is told.
        return getattr(import_module("trunkline"), new)
    if name == "queue":
        raise AttributeError("trunkline has no queue(); use trunkline.open().queue(...)")
    if name in _LAZY:
        value = getattr(import_module(_LAZY[name]), name)
    elif name in _LAZY_MODULES or name == "errors":
        try:
            value = import_module(f"trunkline.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"trunkline.{name}":
                raise
            raise AttributeError(f"module 'trunkline' has no attribute {name!r}") from None
    else:
        raise AttributeError(f"module 'trunkline' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_LAZY_MODULES})
