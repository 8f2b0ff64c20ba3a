"""Faults on purpose: what a program does when the engine fails, is slow, or delivers twice."""

from __future__ import annotations

from trunkline import validation
from trunkline._core import milliseconds
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from trunkline._core import Engine as CoreEngine
    from trunkline._types import Seconds

    Verb: TypeAlias = Literal[
        "send",
        "receive",
        "delete",
        "extend",
        "put",
        "read",
        "publish",
        "put_event",
        "put_object",
        "get_object",
        "delete_object",
        "list_objects",
        "commit",
    ]

DELAY_MAX_MS = 3_600_000
"""The longest delay that may be injected, in milliseconds: an hour."""


class Faults:
    """The faults of one engine, as :attr:`Engine.faults`. None strikes unless it was asked for.

    Each rule names a verb: of queues ``send``, ``receive``, ``delete`` or ``extend``, which a
    release is too; of streams ``put`` or ``read``, which a fetch is too; of topics ``publish``; of
    buses ``put``, which is ``put_event`` in a rule that names no bus; of buckets ``put_object``,
    ``get_object``, ``delete_object`` or ``list_objects``; or ``commit``. It may name one queue,
    stream, topic or bus; it lets `after` calls pass and strikes `times` times, or always. A call
    counts once, however often it looks for a message or a record, and so does each entry of a batch
    of topics and buses.

    A ``commit`` is what follows a verb: the wait for the disk, in memory the moment where it would
    be. A commit that fails leaves the verb done, as a disk that fails does: the message is there,
    and its sender got an error and does not know.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> queue = engine.queue("orders")
    >>> engine.faults.error("send", times=1)
    >>> queue.send("one coffee")
    Traceback (most recent call last):
    trunkline.errors.InjectedFault: injected
    >>> sent = queue.send("one coffee")
    """

    __slots__ = ("_core",)

    def __init__(self, core: CoreEngine) -> None:
        self._core = core

    def error(
        self,
        verb: Verb,
        message: str = "injected",
        *,
        queue: str | None = None,
        stream: str | None = None,
        topic: str | None = None,
        bus: str | None = None,
        after: int = 0,
        times: int | None = None,
    ) -> None:
        """Let `verb` fail with InjectedFault before it does anything; a ``commit`` fails after."""
        self._add(verb, "error", message, (queue, stream, topic, bus), after, times)

    def delay(
        self,
        verb: Verb,
        seconds: Seconds,
        *,
        queue: str | None = None,
        stream: str | None = None,
        topic: str | None = None,
        bus: str | None = None,
        after: int = 0,
        times: int | None = None,
    ) -> None:
        """Let `verb` start `seconds` later. An event loop does not stand still meanwhile."""
        span = milliseconds(seconds, "seconds", 0, DELAY_MAX_MS)
        self._add(verb, "delay", span, (queue, stream, topic, bus), after, times)

    def duplicate(
        self, *, queue: str | None = None, after: int = 0, times: int | None = None
    ) -> None:
        """Deliver messages and leave them visible, to be delivered again."""
        self._add("receive", "duplicate", None, (queue, None, None, None), after, times)

    def crash(
        self,
        verb: Verb,
        *,
        queue: str | None = None,
        stream: str | None = None,
        topic: str | None = None,
        bus: str | None = None,
        after: int = 0,
        times: int | None = None,
    ) -> None:
        """End the process before `verb`, as a kill would: no clean-up, no flush."""
        self._add(verb, "crash", None, (queue, stream, topic, bus), after, times)

    def clear(self) -> None:
        """Take every rule back."""
        self._core.clear_faults()

    def __len__(self) -> int:
        return len(self._core.faults())

    def __repr__(self) -> str:
        try:
            rules = [f"{effect} on {verb}" for verb, effect, *_ in self._core.faults()]
        except TrunklineError as error:
            return f"<Faults: {error.code}>"
        return f"<Faults: {', '.join(rules) or 'none'}>"

    def _add(
        self,
        verb: str,
        effect: str,
        detail: str | int | None,
        names: tuple[str | None, str | None, str | None, str | None],
        after: int,
        times: int | None,
    ) -> None:
        validation.count(after, "after", 0, validation.COUNT_MAX)
        if times is not None:
            validation.count(times, "times", 1, validation.COUNT_MAX)
        named = dict(zip(("queue", "stream", "topic", "bus"), names, strict=True))
        self._core.add_fault(verb, effect, detail, named, after, times)
