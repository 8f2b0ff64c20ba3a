"""A topic: publish messages, and subscriptions that say where they go.

The verb that a program calls for every message is the core's own method, of `BlockingPublish`; it
calls `_publish_with` here where there is anything to check.
"""

from __future__ import annotations

from trunkline._core import BlockingPublish, milliseconds
from trunkline._targets import queue_id
from trunkline.errors import InvalidParameterValue
from trunkline.queues.attributes import encode
from trunkline.queues.messages import as_list
from trunkline.topics.settings import (
    by_group,
    check_takes,
    name_of,
    names_function,
    names_machine,
    settings,
    target_of,
)
from trunkline.topics.subscription import Subscription

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from trunkline._core import PublishBatchResult, PublishResult
    from trunkline._core import Topic as CoreTopic
    from trunkline._resource_types import TopicTarget
    from trunkline._types import (
        Attributes,
        Body,
        FilterScope,
        PublishEntry,
        RetryPolicy,
        Seconds,
        TopicDedupScope,
    )
    from trunkline.aio.queues.queue import Queue as AsyncQueue
    from trunkline.engine import Engine
    from trunkline.queues.queue import Queue

ARCHIVE_RETENTION_MS_MAX = 365 * 86_400_000
"""For how long an archive keeps messages at most: SNS's bound, 365 days."""

_FIELDS = ("body", "attributes", "subject", "group", "dedup_id")


class Topic(BlockingPublish):
    """A topic of an engine; :meth:`Engine.topic` makes it. Any thread may call every method.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> topic, paid = engine.topic("orders"), engine.queue("paid")
    >>> subscription = topic.subscribe(paid, filter={"state": ["paid"]})
    >>> topic.publish("one coffee", attributes={"state": "paid"}).matched
    1
    >>> topic.publish("one tea", attributes={"state": "open"}).matched
    0
    >>> paid.receive()[0].text()
    'one coffee'
    """

    __slots__ = ("_core", "_engine")

    def __init__(self, engine: Engine, core: CoreTopic) -> None:
        self._engine = engine
        self._core = core

    @property
    def name(self) -> str:
        """The name, unique in its account and region."""
        return self._core.name

    @property
    def _as_target(self) -> tuple[str, int]:
        """How rules and schedules name the topic: its kind and its id."""
        return "topic", self._core.id

    @property
    def account(self) -> str:
        """The account, 12 digits."""
        return self._core.account

    @property
    def region(self) -> str:
        """The region."""
        return self._core.region

    @property
    def arn(self) -> str:
        """The ARN, as envelopes name the topic."""
        return self._core.arn

    @property
    def fifo(self) -> bool:
        """Whether it keeps order by group and deduplicates."""
        return self._core.config()[0]

    @property
    def created_at(self) -> float:
        """When the topic was created, in seconds since the epoch."""
        return self._core.created_at

    def _publish_with(
        self,
        body: Body,
        subject: str | None,
        attributes: Attributes | None,
        group: str | None,
        dedup_id: str | None,
    ) -> PublishResult:
        block = None if attributes is None else encode(attributes, self._engine.limits)
        return self._core.publish(body, block, subject, group, dedup_id)

    def publish_batch(self, entries: Iterable[Body | PublishEntry]) -> PublishBatchResult:
        """Publish many messages in order, with one wait for the disk; each succeeds for itself.

        An entry is a body, or a dict with the arguments of :meth:`publish`.

        >>> import trunkline
        >>> topic = trunkline.open().topic("orders")
        >>> len(topic.publish_batch(["one", {"body": "two", "subject": "tea"}]).successful)
        2
        """
        return self._core.publish_batch([self._entry(one) for one in as_list(entries, "entries")])

    def subscribe(
        self,
        target: TopicTarget,
        *,
        filter: str | Mapping[str, Any] | None = None,
        filter_scope: FilterScope = "attributes",
        raw: bool = True,
        dead_letter: Queue | AsyncQueue | None = None,
        retry: RetryPolicy | None = None,
        name: str | None = None,
    ) -> Subscription:
        """Let `target` have what is published: a queue, a stream, a bus, a state machine, a
        function, or a URL.

        `filter` is a filter policy of SNS, over the ``"attributes"`` of a message or over its
        ``"body"``. With ``raw=False`` the target gets SNS's envelope, as JSON, instead of the
        message alone; envelopes carry no signature. What the target does not take goes to the queue
        `dead_letter`. A delivery to a URL or a function that fails is tried again as `retry` says:
        ``{"max_attempts": 3, "max_age": 3_600}``.

        A stream keeps the body as a record under the key `group`, or else the message's id. A bus
        puts the body, which has to be an event; with ``raw=False`` an event of the source
        ``"trunkline.topic"`` whose detail is the envelope. Queues and streams have the message in
        one step; a bus has it in a step of its own before them.

        A thread of this program calls the function with each :class:`Notification`. A function is
        not stored: subscribe it again after a restart, and it gets what has waited. A
        :class:`Function` gets the event that SNS sends to AWS Lambda, whatever `raw` says. A state
        machine is started with the body as its input; text that is no JSON is a JSON string there.

        A subscription is found again by its `name`, that of a function by default by the function's
        own, and by its queue, stream or bus; it has to be the same, but another function of that
        `name` takes the place of the first.

        Raises InvalidParameterValue for a filter that is not valid, a target that does not fit the
        topic, or a subscription that differs; ResourceNotFound for a queue that is gone;
        UnsupportedOperation for a target that cannot be subscribed yet.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> topic, large = engine.topic("orders"), engine.queue("large")
        >>> policy = {"order": {"total": [{"numeric": [">", 100]}]}}
        >>> subscription = topic.subscribe(large, filter=policy, filter_scope="body")
        >>> topic.publish('{"order": {"total": 101}}').matched
        1
        """
        if names_function(target):
            check_takes("Function", fifo=self.fifo)
            raw = False
        if names_machine(target):
            check_takes("StateMachine", fifo=self.fifo)
            if not raw:
                raise InvalidParameterValue(
                    "Value False for parameter raw is invalid. Reason: A StateMachine gets the "
                    "message alone, as its input."
                )
        resource, url = target_of(self._engine, target)
        is_function = resource is None and url is None
        told = settings(
            resource,
            url,
            filter=filter,
            filter_scope=filter_scope,
            raw=raw,
            dead_letter=(
                None if dead_letter is None else queue_id(self._engine, dead_letter, "dead_letter")
            ),
            retry=retry,
            name=name_of(target) if is_function and name is None else name,
        )
        subscription = Subscription(self, self._core.subscribe(told))
        if is_function:
            if name is None:
                _check_same(subscription.target, target)
            subscription._start(target)  # type: ignore[arg-type]
        return subscription

    def subscriptions(self) -> list[Subscription]:
        """The subscriptions, in the order of their creation.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> topic = engine.topic("orders")
        >>> subscription = topic.subscribe(engine.queue("kitchen"))
        >>> topic.subscriptions() == [subscription]
        True
        """
        return [Subscription(self, id) for id in self._core.subscriptions()]

    def settings(self) -> dict[str, Any]:
        """What the topic is.

        >>> import trunkline
        >>> trunkline.open().topic("orders").settings()["fifo"]
        False
        """
        fifo, content_based_dedup, dedup_by_group = self._core.config()
        archive = self._core.archive().status()
        return {
            "archive_retention": None if archive is None else archive["retention"],
            "fifo": fifo,
            "content_based_dedup": content_based_dedup,
            "dedup_scope": "group" if dedup_by_group else "topic",
        }

    def configure(
        self,
        *,
        content_based_dedup: bool | None = None,
        dedup_scope: TopicDedupScope | None = None,
    ) -> None:
        """Change what is given of a FIFO topic; the rest stays as it is.

        >>> import trunkline
        >>> topic = trunkline.open().topic("orders.fifo")
        >>> topic.configure(content_based_dedup=True)
        >>> topic.publish("one coffee", group="table 7").duplicate
        False
        """
        self._core.configure(content_based_dedup, by_group(dedup_scope))

    def archive(self, retention: Seconds | None) -> None:
        """Keep what the FIFO topic publishes for `retention` seconds, to be replayed.

        A call for a topic that has an archive changes how long its messages are kept. None switches
        the archive off: its messages are gone, replays that run fail, and the topic can be removed.

        Raises InvalidParameterValue for a topic that is not FIFO, and for more than 365 days.

        >>> import trunkline
        >>> topic = trunkline.open().topic("orders.fifo")
        >>> topic.archive(30 * 86_400)
        >>> topic.settings()["archive_retention"]
        2592000.0
        """
        span = retention
        if span is not None:
            span = milliseconds(span, "retention", 1, ARCHIVE_RETENTION_MS_MAX)
        self._core.archive().set(span)

    def statistics(self) -> dict[str, int]:
        """How the topic stands: its subscriptions, and since the engine was opened what was
        published, delivered, dead-lettered, and what nothing took.

        >>> import trunkline
        >>> trunkline.open().topic("orders").statistics()["published"]
        0
        """
        return self._core.statistics()

    def remove(self) -> None:
        """Remove the topic with its subscriptions. What was delivered stays where it is.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> engine.topic("orders").remove()
        >>> engine.topics()
        []
        """
        handlers = self._engine._running_handlers
        if handlers is not None:
            for subscription in self.subscriptions():
                handlers.stop(subscription._key)
        self._core.remove()

    def _entry(
        self, entry: Body | PublishEntry
    ) -> tuple[Body, bytes | None, str | None, str | None, str | None]:
        if not isinstance(entry, dict):
            return entry, None, None, None, None
        unknown = sorted(set(entry) - set(_FIELDS))
        if unknown or "body" not in entry:
            problem = f"it has no {unknown[0]!r}" if unknown else "'body' is required"
            raise InvalidParameterValue(
                f"An entry of the batch is invalid. Reason: {problem}; its fields are "
                f"{', '.join(_FIELDS)}."
            )
        attributes = entry.get("attributes")
        block = None if attributes is None else encode(attributes, self._engine.limits)
        return (
            entry["body"],
            block,
            entry.get("subject"),
            entry.get("group"),
            entry.get("dedup_id"),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Topic):
            return NotImplemented
        return (self._engine, self._core.id) == (other._engine, other._core.id)

    def __hash__(self) -> int:
        return hash(self._core.id)

    def __repr__(self) -> str:
        return f"<Topic {self.name!r}>"


def _check_same(running: object, function: object) -> None:
    """Refuses a function that is called like another one, which it would silently replace."""

    def original(function: object) -> object:
        return getattr(function, "__wrapped__", function)

    if running is not None and original(running) != original(function):
        raise InvalidParameterValue(
            f"Another function called {name_of(function)!r} is subscribed to the topic. Give name=."
        )
