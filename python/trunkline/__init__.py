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
    StreamStatistics,
    VirtualClock,
    __version__,
)
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
from trunkline.inspection import inspect, repair, verify
from trunkline.limits import Limits
from trunkline.queues.messages import SendEntry
from trunkline.queues.queue import Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline import aio as aio
    from trunkline import patterns as patterns
    from trunkline import states as states
    from trunkline._core import StoredObject
    from trunkline._resource_types import QueueOptions
    from trunkline._types import PublishEntry, RetryPolicy, SendOptions
    from trunkline.apis.api import Api, ApiAnswer, ServedApi
    from trunkline.buckets.bucket import Bucket
    from trunkline.buckets.content import ObjectReader
    from trunkline.buses.archive import Archive, Replay
    from trunkline.buses.bus import Bus
    from trunkline.buses.rule import Rule
    from trunkline.delivery_streams.delivery_stream import DeliveryStream
    from trunkline.faults import Faults
    from trunkline.functions.context import FunctionContext
    from trunkline.functions.function import Function
    from trunkline.functions.source import EventSource
    from trunkline.machines.machine import Execution, StateMachine
    from trunkline.queues.consumer import ConsumeReport
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

# Imported at first use, so that `import trunkline` stays light: asyncio, threading and argparse
# cost more than the rest together.
_LAZY = {
    "Api": "trunkline.apis.api",
    "ApiAnswer": "trunkline.apis.api",
    "Archive": "trunkline.buses.archive",
    "Bucket": "trunkline.buckets.bucket",
    "Bus": "trunkline.buses.bus",
    "ConsumeReport": "trunkline.queues.consumer",
    "DeliveryStream": "trunkline.delivery_streams.delivery_stream",
    "EventSource": "trunkline.functions.source",
    "Execution": "trunkline.machines.machine",
    "Faults": "trunkline.faults",
    "Function": "trunkline.functions.function",
    "FunctionContext": "trunkline.functions.context",
    "ObjectReader": "trunkline.buckets.content",
    "Occurrence": "trunkline.schedules.occurrence",
    "PublishEntry": "trunkline._types",
    "Notification": "trunkline.topics.notification",
    "QueueOptions": "trunkline._resource_types",
    "Reader": "trunkline.streams.reader",
    "RedriveTask": "trunkline.queues.redrive",
    "Replay": "trunkline.buses.archive",
    "RetryPolicy": "trunkline._types",
    "Rule": "trunkline.buses.rule",
    "Schedule": "trunkline.schedules.schedule",
    "ScheduleStatistics": "trunkline.schedules.schedule",
    "StateMachine": "trunkline.machines.machine",
    "SendOptions": "trunkline._types",
    "StoredObject": "trunkline._core",
    "Stream": "trunkline.streams.stream",
    "Subscription": "trunkline.topics.subscription",
    "Topic": "trunkline.topics.topic",
    "TopicReplay": "trunkline.topics.replay",
    "Trace": "trunkline.traces.trace",
    "TraceEntry": "trunkline.traces.trace",
    "TraceStatistics": "trunkline.traces.trace",
    "Tracing": "trunkline.traces.trace",
    "Worker": "trunkline.queues.worker",
    "connect": "trunkline.remote.engine",
    "ServedApi": "trunkline.apis.api",
}
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
    elif name in _LAZY_MODULES:
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
