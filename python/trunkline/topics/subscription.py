"""A subscription of a topic."""

from __future__ import annotations

import json

from trunkline import _replays
from trunkline._resources import find_target
from trunkline._targets import queue_id
from trunkline.errors import InvalidParameterValue, NotFound, ResourceNotFound
from trunkline.topics.notification import Notification
from trunkline.topics.replay import TopicReplay
from trunkline.topics.settings import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Any

    from trunkline._types import FilterScope, RetryPolicy
    from trunkline.aio.queues.queue import Queue as AsyncQueue
    from trunkline.buses.bus import Bus
    from trunkline.functions.function import Function
    from trunkline.machines.machine import StateMachine
    from trunkline.queues.queue import Queue
    from trunkline.streams.stream import Stream
    from trunkline.topics.topic import Topic

    Handler = Callable[[Notification], object]


class Subscription:
    """A subscription of a topic; :meth:`Topic.subscribe` makes it. Reads the truth when asked.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> subscription = engine.topic("orders").subscribe(engine.queue("kitchen"))
    >>> subscription.target.name, subscription.raw, subscription.filter
    ('kitchen', True, None)
    """

    __slots__ = {
        "_id": "",
        "topic": "The topic of the subscription.",
    }

    topic: Topic

    def __init__(self, topic: Topic, id: int) -> None:
        self.topic = topic
        self._id = id

    @property
    def arn(self) -> str:
        """The ARN, as envelopes name the subscription."""
        arn: str = self._read()["arn"]
        return arn

    @property
    def name(self) -> str | None:
        """The name that it was given, or that of its function."""
        name: str | None = self._read()["name"]
        return name

    @property
    def target(self) -> Queue | Stream | Bus | StateMachine | Function | str | Handler | None:
        """What gets the messages: a resource, a URL or a function.

        None for a function that was not subscribed again since the program started; messages wait
        for it. Raises ResourceNotFound if the resource was removed.
        """
        status = self._read()
        if not status["outside"]:
            target = find_target(self.topic._engine, status["target"])
            if target is None:
                raise ResourceNotFound(
                    "The target of the subscription was removed. Remove the subscription, too."
                )
            return target
        return status["endpoint"] or self.topic._engine._handlers.find(self._key)

    @property
    def raw(self) -> bool:
        """Whether messages come as they were published, without an envelope."""
        raw: bool = self._read()["raw"]
        return raw

    @property
    def filter(self) -> dict[str, Any] | None:
        """The filter policy; None if every message passes."""
        text = self._read()["filter"]
        return None if text is None else json.loads(text)

    @property
    def filter_scope(self) -> str:
        """What the filter is about: the ``"attributes"`` or the ``"body"``."""
        return "body" if self._read()["filters_body"] else "attributes"

    @property
    def dead_letter(self) -> Queue | None:
        """The queue that takes messages which the target does not."""
        id = self._read()["dead_letter"]
        return None if id is None else self._queue(id)

    def configure(
        self,
        *,
        filter: str | Mapping[str, Any] | None = None,
        filter_scope: FilterScope | None = None,
        raw: bool | None = None,
        dead_letter: Queue | AsyncQueue | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        """Change what is given, from the next message on; the rest stays as it is.

        An empty filter, ``{}``, lets every message pass. The target never changes.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> topic = engine.topic("orders")
        >>> subscription = topic.subscribe(engine.queue("kitchen"))
        >>> subscription.configure(filter={"state": ["paid"]})
        >>> topic.publish("one coffee").matched
        0
        """
        if all(given is None for given in (filter, filter_scope, raw, dead_letter, retry)):
            raise InvalidParameterValue(
                "configure() was given nothing to change. Give filter, filter_scope, raw, "
                "dead_letter or retry."
            )
        status = self._read()
        told = settings(
            None if status["outside"] else status["target"],
            status["endpoint"] or None,
            filter=status["filter"] if filter is None else filter,
            filter_scope=self._scope(status) if filter_scope is None else filter_scope,
            raw=status["raw"] if raw is None else raw,
            dead_letter=(
                status["dead_letter"]
                if dead_letter is None
                else queue_id(self.topic._engine, dead_letter, "dead_letter")
            ),
            retry=retry,
            name=status["name"],
        )
        self.topic._core.configure_subscription(self._id, told)

    def replay(
        self, start: datetime | float | None = None, end: datetime | float | None = None
    ) -> TopicReplay:
        """Get the messages of the topic's archive again, in the order of their groups.

        Those that were published from `start` on come first, then the new ones. Each is marked as
        ``Replayed``: in its envelope, or as an attribute. With an `end` only the messages before it
        come, and new ones are held back until the replay is stopped. A time is a datetime with a
        time zone, or seconds since the epoch. A replay takes the place of an earlier one, goes on
        after a restart, and delivers nothing twice.

        Raises InvalidParameterValue for a topic without an archive and for a span without time in
        it, OverLimit while ten replays of the topic run.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> topic = engine.topic("orders.fifo", content_based_dedup=True)
        >>> topic.archive(86_400)
        >>> subscription = topic.subscribe(engine.queue("late.fifo"))
        >>> subscription.replay(start=0).wait(timeout=10)
        'COMPLETED'
        """
        first = 0 if start is None else _replays.moment(start, "start")
        last = None if end is None else _replays.moment(end, "end")
        self.topic._core.archive().start_replay(self._id, first, last)
        return TopicReplay(self)

    @property
    def current_replay(self) -> TopicReplay | None:
        """The replay that runs, or the last one; None if there was none, or it was stopped."""
        found = self.topic._core.archive().replay(self._id)
        return None if found is None else TopicReplay(self)

    def remove(self) -> None:
        """Remove the subscription, and what waits for a URL or a function.

        One that is gone is a success.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> topic = engine.topic("orders")
        >>> topic.subscribe(engine.queue("kitchen")).remove()
        >>> topic.subscriptions()
        []
        """
        handlers = self.topic._engine._running_handlers
        if handlers is not None:
            handlers.stop(self._key)
        self.topic._core.unsubscribe(self._id)

    def _start(self, function: Callable[[Notification], object]) -> None:
        """Has the function called with the messages, in place of an earlier one."""
        destination: int = self._read()["target"]
        self.topic._engine._handlers.start(self._key, destination, function, Notification)

    @property
    def _key(self) -> tuple[str, int, int]:
        return ("topic", self.topic._core.id, self._id)

    def _read(self) -> dict[str, Any]:
        return self.topic._core.subscription(self._id)

    def _scope(self, status: dict[str, Any]) -> FilterScope:
        return "body" if status["filters_body"] else "attributes"

    def _queue(self, id: int) -> Queue:
        from trunkline.queues.queue import Queue

        engine = self.topic._engine
        core = engine._core.queue_by_id(id)
        if core is None:
            raise ResourceNotFound(
                "The dead-letter queue of the subscription was removed. Configure another one."
            )
        return Queue(engine, core)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Subscription):
            return NotImplemented
        return (self.topic, self._id) == (other.topic, other._id)

    def __hash__(self) -> int:
        return hash((self.topic, self._id))

    def __repr__(self) -> str:
        try:
            status = self._read()
            target = self.target if not status["outside"] else status["endpoint"]
        except NotFound:
            return f"<Subscription of {self.topic.name!r}, removed>"
        # The subscription of a function always has a name.
        name = getattr(target, "name", target) or status["name"]
        return f"<Subscription of {self.topic.name!r}: {name!r}>"
