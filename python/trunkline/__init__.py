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
    BatchResult,
    Envelope,
    Failure,
    FolderReport,
    Message,
    QueueReport,
    SendBatchResult,
    SendResult,
    Statistics,
    Ticket,
    VirtualClock,
    __version__,
)
from trunkline.engine import Engine, open
from trunkline.entry import Entry
from trunkline.errors import (
    BatchRequestTooLong,
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
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidEvent,
    InvalidEventPatternException,
    InvalidMessageContents,
    InvalidParameterException,
    InvalidParameterValue,
    MessageNotInflight,
    MissingParameter,
    NewerFormat,
    OverLimit,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueDoesNotExist,
    QueueNameExists,
    ReceiptHandleIsInvalid,
    ResourceNotFound,
    StorageFailure,
    StorageFull,
    TrunklineError,
    UnsupportedOperation,
)
from trunkline.inspection import inspect, verify
from trunkline.limits import Limits
from trunkline.queue import Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline import aio as aio
    from trunkline import patterns as patterns
    from trunkline.faults import Faults
    from trunkline.handling import ConsumeReport
    from trunkline.moves import MoveTask
    from trunkline.worker import Worker

__all__ = [
    "BatchRequestTooLong",
    "BatchResult",
    "ConsumeReport",
    "CorruptJournal",
    "DataFolderInUse",
    "DataFolderUnusable",
    "Engine",
    "EngineClosed",
    "EngineForked",
    "EnginePoisoned",
    "EngineReadOnly",
    "Entry",
    "Envelope",
    "Failure",
    "Faults",
    "FolderReport",
    "ForeignFormat",
    "InjectedFault",
    "InternalError",
    "InvalidAttributeName",
    "InvalidAttributeValue",
    "InvalidEvent",
    "InvalidEventPatternException",
    "InvalidMessageContents",
    "InvalidParameterException",
    "InvalidParameterValue",
    "Limits",
    "Message",
    "MessageNotInflight",
    "MissingParameter",
    "MoveTask",
    "NewerFormat",
    "OverLimit",
    "PurgeQueueInProgress",
    "Queue",
    "QueueDeletedRecently",
    "QueueDoesNotExist",
    "QueueNameExists",
    "QueueReport",
    "ReceiptHandleIsInvalid",
    "ResourceNotFound",
    "SendBatchResult",
    "SendResult",
    "Statistics",
    "StorageFailure",
    "StorageFull",
    "Ticket",
    "TrunklineError",
    "UnsupportedOperation",
    "VirtualClock",
    "Worker",
    "__version__",
    "inspect",
    "open",
    "verify",
]

# Imported at first use, so that `import trunkline` stays light: asyncio, threading and argparse
# cost more than the rest together.
_LAZY = {
    "ConsumeReport": "trunkline.handling",
    "Faults": "trunkline.faults",
    "MoveTask": "trunkline.moves",
    "Worker": "trunkline.worker",
}
_LAZY_MODULES = ("aio", "aws", "bench", "capi", "patterns", "server")


def __getattr__(name: str) -> Any:
    from importlib import import_module

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
