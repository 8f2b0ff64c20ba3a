"""The types of our signatures. Imported by type checkers, and by programs that name a type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from os import PathLike
from typing import Any, Literal, TypeAlias, TypedDict

from trunkline._core import AsyncMessage, Message

Body: TypeAlias = bytes | str | bytearray | memoryview
"""What a message may carry. Text is sent as UTF-8."""

Seconds: TypeAlias = float | timedelta
"""A span of time: seconds as int or float, or a timedelta."""

StreamStart: TypeAlias = str | datetime
"""Where a read starts: "earliest", "latest", the sequence of a record, or a datetime."""

RetryDelay: TypeAlias = Seconds | Callable[[Any], Seconds]
"""When a message whose handling failed is visible again: a span, or a function of the message."""

Moment: TypeAlias = datetime | float
"""A moment: a datetime with a time zone, or seconds since the epoch."""

ScheduleInput: TypeAlias = str | Mapping[str, Any] | Iterable[Any] | float | None
"""What a schedule sends: text as it is, anything else as JSON."""


Durability: TypeAlias = Literal["disk", "os", "memory"]
"""What "acknowledged" means."""

TraceMode: TypeAlias = Literal["off", "on"] | float
"""Which part of what comes in is traced."""

_Plain: TypeAlias = str | float | Decimal | bytes
AttributeValue: TypeAlias = _Plain | tuple[str, _Plain]
"""str is a String, a number a Number, bytes a Binary; a pair names its type itself."""

Attributes: TypeAlias = Mapping[str, AttributeValue]
"""Message attributes by name."""

Delivery: TypeAlias = Message | AsyncMessage | str
"""A delivery, named by its message or by its receipt."""

Event: TypeAlias = Mapping[str, Any] | bytes | str
"""An event: a mapping, or its JSON text."""


FilterScope: TypeAlias = Literal["attributes", "body"]
"""What the filter of a subscription is about."""

TopicDedupScope: TypeAlias = Literal["topic", "group"]
"""Where a deduplication id of a FIFO topic counts."""

Path: TypeAlias = str | PathLike[str]
"""A path of the file system."""


class RetryPolicy(TypedDict, total=False):
    """When a delivery that leaves the engine is tried again: what :meth:`Bus.rule` and
    :meth:`Topic.subscribe` take.

    >>> import trunkline
    >>> once: trunkline.RetryPolicy = {"max_attempts": 1, "max_age": 600}
    """

    max_attempts: int
    """How often at most, beside the first time: 0 to 185; 185."""

    max_age: Seconds
    """How old the event may be, in seconds: 60 to 86,400; 86,400."""


class PublishEntry(TypedDict, total=False):
    """A message of a batch: what :meth:`Topic.publish_batch` takes. Only the body is required.

    >>> import trunkline
    >>> entry: trunkline.PublishEntry = {"body": "one coffee", "subject": "order"}
    >>> len(trunkline.open().topic("orders").publish_batch([entry]).successful)
    1
    """

    body: Body
    """What is published: bytes or text."""

    attributes: Attributes | None
    """Message attributes by name."""

    subject: str | None
    """The subject in envelopes."""

    group: str | None
    """The message group; required in a FIFO topic."""

    dedup_id: str | None
    """The deduplication id, in a FIFO topic."""


class SendOptions(TypedDict, total=False):
    """The options of one send: what :meth:`Queue.send` and :meth:`Queue.send_nowait` take.

    >>> import trunkline
    >>> queue = trunkline.open().queue("orders")
    >>> later: trunkline.SendOptions = {"delay": 60, "attributes": {"table": 4}}
    >>> queue.send("one coffee", **later).duplicate
    False
    """

    group: str | None
    """FIFO: the order the message belongs to, required. Standard: the tenant of a fair queue."""

    dedup_id: str | None
    """FIFO: the identity of the message; the same one within 5 minutes is a duplicate."""

    delay: Seconds | None
    """Standard: seconds before the message may be received (0 to 900), instead of the queue's."""

    attributes: Attributes | None
    """Values by name: str, int, float, Decimal, bytes, or a pair ``(type, value)``; at most 10."""

    durability: Durability | None
    """What "acknowledged" means for this call: the engine's level or a lower one."""


class ScheduleDefinition(TypedDict):
    """What a schedule is, in the core's units. Names are kind, account, region and name."""

    expression: str
    timezone: str
    start: int | None
    end: int | None
    window: int | None
    target: tuple[str, str, str, str]
    group: str | None
    input: str | None
    dead_letter: tuple[str, str, str, str] | None
    enabled: bool
    delete_after_completion: bool
    document: bytes
