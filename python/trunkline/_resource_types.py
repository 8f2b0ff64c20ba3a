"""The types of our signatures that name resources: targets, and the options of a queue."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from trunkline._types import Seconds

if TYPE_CHECKING:
    from trunkline.aio.buckets.bucket import Bucket as AsyncBucket
    from trunkline.aio.buses.bus import Bus as AsyncBus
    from trunkline.aio.functions.function import Function as AsyncFunction
    from trunkline.aio.machines.machine import StateMachine as AsyncStateMachine
    from trunkline.aio.queues.queue import Queue as AsyncQueue
    from trunkline.aio.streams.stream import Stream as AsyncStream
    from trunkline.aio.topics.topic import Topic as AsyncTopic
    from trunkline.buckets.bucket import Bucket
    from trunkline.buses.bus import Bus
    from trunkline.functions.function import Function
    from trunkline.machines.machine import StateMachine
    from trunkline.queues.queue import Queue
    from trunkline.schedules.occurrence import Occurrence
    from trunkline.streams.stream import Stream
    from trunkline.topics.notification import Notification
    from trunkline.topics.topic import Topic

FunctionTarget: TypeAlias = (
    "Queue | AsyncQueue | Topic | AsyncTopic | Bus | AsyncBus | Function | AsyncFunction"
)
"""What is told of the asynchronous invocations of a function."""

# In one piece: pyright reads no type from strings that stand side by side.
FolderTarget: TypeAlias = "FunctionTarget | Stream | AsyncStream | Bucket | AsyncBucket"
"""Where the files of a watched folder go."""

PayloadBucket: TypeAlias = "Bucket | AsyncBucket"
"""Where large bodies of a queue go."""

_Stored: TypeAlias = "Queue | AsyncQueue | Bus | AsyncBus | Stream | AsyncStream"
_Run: TypeAlias = "StateMachine | AsyncStateMachine | Function | AsyncFunction"
Resource: TypeAlias = "_Stored | _Run"
"""What takes a message of another resource: a queue, a bus, a stream, a state machine or a
function."""

ScheduleTarget: TypeAlias = "Resource | Topic | AsyncTopic | str | Callable[[Occurrence], object]"
"""What a schedule sends to: a queue, a topic, a bus, a stream, a state machine, a URL, or a
function."""

AsyncScheduleTarget: TypeAlias = "ScheduleTarget | Callable[[Occurrence], Awaitable[object]]"
"""The same, or a coroutine function."""

EventTarget: TypeAlias = "str | Resource | Topic | AsyncTopic | Callable[[Any], object]"
"""Where a rule sends events: a queue, a topic, a bus, a stream, a state machine, a function, or a
URL."""

AsyncEventTarget: TypeAlias = "EventTarget | Callable[[Any], Awaitable[object]]"
"""The same for asyncio: also a coroutine function."""

TopicTarget: TypeAlias = "str | Resource | Callable[[Notification], object]"
"""What may be subscribed to a topic: a queue, a bus, a stream, a state machine, a function, or a
URL."""

AsyncTopicTarget: TypeAlias = "TopicTarget | Callable[[Notification], Awaitable[object]]"
"""The same for asyncio: also a coroutine function."""

QueueRef: TypeAlias = "str | Queue | AsyncQueue"
"""A queue, named by its name or by itself."""


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
