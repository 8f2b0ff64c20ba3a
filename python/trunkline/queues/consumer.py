"""Rules that the thread and the asyncio worker share: handlers, their results, retry delays."""

from __future__ import annotations

from trunkline import validation
from trunkline._core import PeekedMessage, milliseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeAlias, TypeVar

    from trunkline._core import AsyncMessage, Message
    from trunkline._types import RetryDelay, Seconds
    from trunkline.queues.queue import Queue

    AnyMessage: TypeAlias = Message | AsyncMessage
    M = TypeVar("M", bound=AnyMessage)

CONCURRENCY_MAX = 1_000
"""The most messages or batches that one worker handles at once."""

BATCH_MAX = 10_000
"""The most messages that one call of a handler gets."""

HEARTBEATS_PER_LEASE = 3
"""How often a lease is extended within its length: two lost heartbeats do no harm."""

HEARTBEAT_SECONDS_MIN, HEARTBEAT_SECONDS_MAX = 0.01, 60.0
"""The shortest and the longest pause between two heartbeats."""

RETRIES_WITHOUT_DELAY = 10
"""Deliveries that are retried without a delay: as many as a usual `max_receive_count`."""

BACK_OFF_MS, BACK_OFF_MS_MAX = 100, 60_000
"""The first delay of the back-off, which doubles with each delivery, and the longest."""

IDS_SHOWN_MAX = 10
"""The most messages that one line of the log names."""


class ConsumeReport:
    """What a worker has done.

    >>> ConsumeReport(handled=2, failed=1)
    <ConsumeReport: 2 handled, 1 failed>
    >>> ConsumeReport(handled=2, failed=0, released=3)
    <ConsumeReport: 2 handled, 0 failed, 3 released>
    """

    __slots__ = {
        "failed": "Messages whose handling failed, each time counted.",
        "handled": "Messages that were handled and deleted.",
        "released": "Messages that their handler gave back itself, each time counted.",
    }

    def __init__(self, handled: int, failed: int, released: int = 0) -> None:
        self.handled: int = handled
        self.failed: int = failed
        self.released: int = released

    def as_dict(self) -> dict[str, int]:
        """The counts by name.

        >>> ConsumeReport(handled=2, failed=1).as_dict()
        {'handled': 2, 'failed': 1, 'released': 0}
        """
        return {"handled": self.handled, "failed": self.failed, "released": self.released}

    def __repr__(self) -> str:
        released = f", {self.released} released" if self.released else ""
        return f"<ConsumeReport: {self.handled} handled, {self.failed} failed{released}>"


class ConsumerConfig:
    """The validated configuration of a worker."""

    __slots__ = (
        "_most",
        "_retry_delay",
        "batch_size",
        "concurrency",
        "heartbeat_seconds",
        "lease",
        "queue",
        "until_empty",
    )

    def __init__(
        self,
        queue: Queue,
        concurrency: int,
        batch_size: int,
        visibility_timeout: Seconds | None,
        retry_delay: RetryDelay | None,
        until_empty: bool,
    ) -> None:
        self.queue: Queue = queue
        self.concurrency: int = validation.count(concurrency, "concurrency", 1, CONCURRENCY_MAX)
        self.batch_size: int = validation.count(batch_size, "batch_size", 1, BATCH_MAX)
        self.until_empty: bool = validation.flag(until_empty, "until_empty")
        self._most = queue.engine.limits.visibility_max
        if visibility_timeout is None:
            visibility_timeout = queue.settings()["visibility_timeout"]
        # A lease of no time could not be kept alive.
        self.lease: int = milliseconds(visibility_timeout, "visibility_timeout", 1, self._most)
        self.heartbeat_seconds: float = max(
            HEARTBEAT_SECONDS_MIN,
            min(self.lease / 1_000 / HEARTBEATS_PER_LEASE, HEARTBEAT_SECONDS_MAX),
        )
        self._retry_delay = (
            retry_delay if retry_delay is None or callable(retry_delay) else self._span(retry_delay)
        )

    def delays(self, messages: Sequence[AnyMessage]) -> list[int]:
        """The retry delay of each failed message, in milliseconds."""
        delay = self._retry_delay
        if delay is None:
            return [min(retry_delay_ms(message.receive_count), self._most) for message in messages]
        if isinstance(delay, int):
            return [delay] * len(messages)
        return [self._span(delay(message)) for message in messages]

    def log(self, messages: Sequence[AnyMessage]) -> None:
        """Log the current failure; of a message that keeps failing only at powers of two."""
        worst = max(message.receive_count for message in messages)
        fresh = min(message.receive_count for message in messages)
        if fresh > RETRIES_WITHOUT_DELAY and worst & (worst - 1):
            return
        import logging

        ids = ", ".join(message.message_id for message in messages[:IDS_SHOWN_MAX])
        logging.getLogger("trunkline").exception(
            "the handler failed; queue %s, delivery %d, messages %s", self.queue.name, worst, ids
        )

    def _span(self, delay: Seconds) -> int:
        return milliseconds(delay, "retry_delay", 0, self._most)


def retry_delay_ms(deliveries: int) -> int:
    """The retry delay in milliseconds after `deliveries` failed ones.

    0 for the first 10, then 100 ms, doubled with each delivery up to 60 s.

    >>> [retry_delay_ms(deliveries) for deliveries in (1, 10, 11, 12, 20, 1_000_000)]
    [0, 0, 100, 200, 51200, 60000]
    """
    if deliveries <= RETRIES_WITHOUT_DELAY:
        return 0
    # The exponent is bounded first: a power of a million would be a number of a million digits.
    doublings = min(deliveries - RETRIES_WITHOUT_DELAY - 1, BACK_OFF_MS_MAX.bit_length())
    return min(BACK_OFF_MS << doublings, BACK_OFF_MS_MAX)


def check_handler(handler: Callable[..., object], batches: bool) -> None:
    """Refuse a handler whose call would do no work: a coroutine or a generator function."""
    from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction

    if not callable(handler):
        raise TypeError(f"handler must be callable, not {type(handler).__name__}")
    for code in (handler, type(handler).__call__):
        if iscoroutinefunction(code) or isasyncgenfunction(code):
            raise TypeError(
                "handler must be a plain function: a thread cannot await a coroutine function; "
                "use trunkline.aio for handlers that are coroutines"
            )
        if not batches and isgeneratorfunction(code):
            raise TypeError(
                "handler must be a plain function: a generator function (one with yield) does "
                "nothing when it is called"
            )


def check_result(answer: object) -> TypeError | None:
    """The error of a handler that returned an awaitable; None if it has done its work."""
    if not hasattr(answer, "__await__"):
        return None
    if hasattr(answer, "close"):
        # Otherwise the interpreter warns that it was never awaited, which this error says.
        answer.close()
    return TypeError(
        f"handler must do its work before it returns, not return an awaitable "
        f"({type(answer).__name__}); use trunkline.aio for handlers that are coroutines"
    )


def failed_of(messages: list[M], answer: Iterable[Any] | None) -> list[M]:
    """The messages that a batch handler returned as failed, named by themselves or by receipt."""
    if answer is None:
        return []
    named = list(answer)
    receipts = {item for item in named if isinstance(item, str)}
    objects = {id(item) for item in named if _is_message(item)}
    unknown = [item for item in named if not _is_message(item) and not isinstance(item, str)]
    if unknown:
        raise TypeError(
            f"a handler of batches must return messages or receipts, not {unknown[0]!r}"
        )
    return [
        message
        for message in messages
        if id(message) in objects or (receipts and message.receipt in receipts)
    ]


def _is_message(item: object) -> bool:
    # One whose body is in a bucket stands for one of the core.
    return isinstance(item, PeekedMessage) or hasattr(type(item), "receipt")


def partition(messages: list[M], failed: list[M]) -> tuple[list[M], ConsumeReport]:
    """The messages to delete, and the counts of those that the handler settled itself or failed."""
    bad = {id(message) for message in failed}
    good = [message for message in messages if id(message) not in bad]
    settled = [message._outcome for message in good]
    report = ConsumeReport(settled.count("deleted"), len(failed), settled.count("released"))
    return [message for message in good if message._outcome is None], report
