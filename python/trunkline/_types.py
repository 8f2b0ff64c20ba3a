"""The types of our signatures. Imported by type checkers, and by programs that name a type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from trunkline._core import AsyncMessage, Message

if TYPE_CHECKING:
    from trunkline.aio.buckets.bucket import Bucket as AsyncBucket
    from trunkline.aio.buses.bus import Bus as AsyncBus
    from trunkline.aio.functions.function import Function as AsyncFunction
    from trunkline.aio.queues.queue import Queue as AsyncQueue
    from trunkline.aio.streams.stream import Stream as AsyncStream
    from trunkline.aio.topics.topic import Topic as AsyncTopic
    from trunkline.buckets.bucket import Bucket
    from trunkline.buses.bus import Bus
    from trunkline.functions.function import Function
    from trunkline.queues.queue import Queue
    from trunkline.schedules.occurrence import Occurrence
    from trunkline.streams.stream import Stream
    from trunkline.topics.notification import Notification
    from trunkline.topics.topic import Topic

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

FunctionTarget: TypeAlias = (
    "Queue | AsyncQueue | Topic | AsyncTopic | Bus | AsyncBus | Function | AsyncFunction"
)
"""What is told of the asynchronous invocations of a function."""

FolderTarget: TypeAlias = (
    "Queue | AsyncQueue | Topic | AsyncTopic | Bus | AsyncBus | Stream | AsyncStream"
    " | Function | AsyncFunction | Bucket | AsyncBucket"
)
"""Where the files of a watched folder go."""

PayloadBucket: TypeAlias = "Bucket | AsyncBucket"
"""Where large bodies of a queue go."""

Resource: TypeAlias = (
    "Queue | AsyncQueue | Bus | AsyncBus | Stream | AsyncStream | Function | AsyncFunction"
)
"""What takes a message of another resource: a queue, a bus, a stream or a function."""

ScheduleTarget: TypeAlias = "Resource | Topic | AsyncTopic | str | Callable[[Occurrence], object]"
"""What a schedule sends to: a queue, a topic, a bus, a stream, a URL, or a function."""

AsyncScheduleTarget: TypeAlias = "ScheduleTarget | Callable[[Occurrence], Awaitable[object]]"
"""The same, or a coroutine function."""

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

EventTarget: TypeAlias = "str | Resource | Topic | AsyncTopic | Callable[[Any], object]"
"""Where a rule sends events: a queue, a topic, a bus, a stream, a function, or a URL."""

AsyncEventTarget: TypeAlias = "EventTarget | Callable[[Any], Awaitable[object]]"
"""The same for asyncio: also a coroutine function."""

TopicTarget: TypeAlias = "str | Resource | Callable[[Notification], object]"
"""What may be subscribed to a topic: a queue, a bus, a stream, a function, or a URL."""

AsyncTopicTarget: TypeAlias = "TopicTarget | Callable[[Notification], Awaitable[object]]"
"""The same for asyncio: also a coroutine function."""

FilterScope: TypeAlias = Literal["attributes", "body"]
"""What the filter of a subscription is about."""

TopicDedupScope: TypeAlias = Literal["topic", "group"]
"""Where a deduplication id of a FIFO topic counts."""

Path: TypeAlias = str | PathLike[str]
"""A path of the file system."""

QueueRef: TypeAlias = "str | Queue | AsyncQueue"
"""A queue, named by its name or by itself."""


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


class QueueOptions(TypedDict, total=False):
    """The options of a queue: what :meth:`Engine.queue` and :meth:`Queue.configure` take.

    The ranges are AWS's; :class:`trunkline.Limits` changes them. An option that is None counts as
    not given, except where None has a meaning.

    >>> import trunkline
    >>> patient: trunkline.QueueOptions = {"visibility_timeout": 600, "receive_wait": 20}
    >>> trunkline.open().queue("reports", **patient).settings()["receive_wait"]
    20.0
    """

    delay: Seconds | None
    """Seconds before a message may be received: 0 to 900; 0."""

    retention: Seconds | None
    """Seconds after which a message is dropped: 60 to 1,209,600; 345,600 (4 days)."""

    visibility_timeout: Seconds | None
    """Seconds of a lease: 0 to 43,200; 30."""

    receive_wait: Seconds | None
    """Seconds that a receive waits if it does not say: 0 to 20; 0."""

    max_message_size: int | None
    """Bytes of body and attributes together: 1,024 to 1,048,576; 1,048,576."""

    content_based_dedup: bool | None
    """FIFO: the SHA-256 of the body stands in for a missing dedup_id; False."""

    dedup_scope: Literal["queue", "group"] | None
    """FIFO: where a dedup_id has to be unique; ``"queue"``."""

    dead_letter: QueueRef | None
    """The queue that takes what was delivered `max_receive_count` times; None for no such queue."""

    max_receive_count: int | None
    """Deliveries before a message goes to `dead_letter`: 1 to 1,000."""

    redrive_allow: Literal["all", "none"] | Iterable[QueueRef] | None
    """Which queues may name this one as their `dead_letter`; ``"all"``."""


class StoredQueueOptions(QueueOptions, total=False):
    """The same, with those of a queue whose large bodies are in a bucket."""

    payload_store: PayloadBucket | None
    payload_threshold: int | None
    payload_delete: bool


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
