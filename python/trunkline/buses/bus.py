"""An event bus: put events, and rules that say where they go."""

from __future__ import annotations

import json

from trunkline import validation
from trunkline._core import milliseconds
from trunkline.buses import targets
from trunkline.buses.events import delivered, pattern_text, to_text
from trunkline.buses.rule import Rule
from trunkline.errors import ResourceInUse
from trunkline.queues.messages import as_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from trunkline._core import Bus as CoreBus
    from trunkline._core import Explanation, PutEventResult, PutEventsResult
    from trunkline._resource_types import EventTarget
    from trunkline._types import Event, RetryPolicy, Seconds
    from trunkline.buses.archive import Archive
    from trunkline.engine import Engine
    from trunkline.queues.queue import Queue


class Bus:
    """An event bus of an engine; :meth:`Engine.bus` makes it. Any thread may call every method.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> bus, paid = engine.bus(), engine.queue("paid")
    >>> rule = bus.rule("paid", {"detail": {"state": ["paid"]}}, paid)
    >>> put = bus.put({"source": "shop", "detail-type": "Order", "detail": {"state": "paid"}})
    >>> with paid.receive()[0] as message:
    ...     message.json()["detail"]
    {'state': 'paid'}
    """

    __slots__ = ("_core", "_engine")

    def __init__(self, engine: Engine, core: CoreBus) -> None:
        self._engine = engine
        self._core = core

    @property
    def name(self) -> str:
        """The name, unique in its account and region."""
        return self._core.name

    @property
    def account(self) -> str:
        """The account, 12 digits: what events have that name none."""
        return self._core.account

    @property
    def region(self) -> str:
        """The region: what events have that name none."""
        return self._core.region

    @property
    def created_at(self) -> float:
        """When the bus was created, in seconds since the epoch."""
        return self._core.created_at

    def put(self, event: Event, *, trace_header: str | None = None) -> PutEventResult:
        """Put an event; return once what rules made of it is as durable as the engine promises.

        `event` is a mapping, or JSON as str or bytes. It has ``source``, ``detail-type`` and
        ``detail`` (an object), and may have ``resources``, ``time`` (also a datetime), ``id``,
        ``account``, ``region`` and ``version``; what is absent is filled in. `trace_header` says
        which trace it belongs to, in the form of AWS X-Ray; a queue behind a rule has it as the
        ``trace_header`` of its message.

        Raises InvalidParameterValue for an event that is not valid, UnsupportedOperation if rules
        of several buses lead it in a circle: then nothing is delivered.

        >>> import trunkline
        >>> bus = trunkline.open().bus()
        >>> bus.put({"source": "shop", "detail-type": "Order", "detail": {}}).matched
        0
        """
        if trace_header is None:
            return self._core.put(to_text(event))
        return self._core.put(to_text(event), validation.text(trace_header, "trace_header"))

    def put_batch(
        self, events: Iterable[Event], *, trace_header: str | None = None
    ) -> PutEventsResult:
        """Put many events in order, with one wait for the disk; each succeeds or fails for itself.

        >>> import trunkline
        >>> bus = trunkline.open().bus()
        >>> event = {"source": "shop", "detail-type": "Order", "detail": {}}
        >>> len(bus.put_batch([event, event]).successful)
        2
        """
        texts = [to_text(event) for event in as_list(events, "events")]
        if trace_header is None:
            return self._core.put_batch(texts)
        return self._core.put_batch(texts, validation.text(trace_header, "trace_header"))

    def rule(
        self,
        name: str,
        pattern: str | Mapping[str, Any],
        target: EventTarget,
        *,
        input: Any = None,
        input_path: str | Mapping[str, str] | None = None,
        input_template: str | None = None,
        dead_letter: Queue | None = None,
        retry: RetryPolicy | None = None,
        group: str | None = None,
        partition_key_path: str | None = None,
        enabled: bool = True,
    ) -> Rule:
        """Create the rule `name`, or replace it: events that match `pattern` go to `target`.

        :meth:`Rule.add_target` gives it more targets. `target` is a queue, a topic, another bus, a
        stream, a URL, or a function that is called with each event by a thread of this program. A
        function is not stored: give it again after a restart, and it gets what has waited. A
        delivery to a function or a URL that fails is tried again, later and later, as `retry` says:
        ``{"max_attempts": 185, "max_age": 86_400}``.

        What the target gets is the event; or `input`, a constant; or the part at `input_path`, such
        as ``"$.detail.id"``; or `input_template`, whose ``<name>`` stands for the value at the path
        that `input_path` maps the name to.

        `dead_letter` is a standard queue for events that the target does not take; without one they
        are counted and gone. `group` is the message group of a FIFO queue or topic;
        `partition_key_path` is where a stream finds the key of an event, by default ``"$.id"``.

        Raises InvalidEventPatternException, InvalidParameterValue, ResourceNotFound for a
        target that is gone. Then the rule stays as it was.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> queue = engine.queue("orders")
        >>> rule = engine.bus().rule(
        ...     "ids", {"source": ["shop"]}, queue,
        ...     input_path={"id": "$.detail.id"}, input_template='{"order": <id>}',
        ... )
        >>> event = {"source": "shop", "detail-type": "Order", "detail": {"id": 7}}
        >>> put = engine.bus().put(event)
        >>> queue.receive()[0].json()
        {'order': 7}
        """
        validation.flag(enabled, "enabled")
        settings = targets.settings(
            self._engine,
            target,
            targets.TARGET_ID,
            input=input,
            input_path=input_path,
            input_template=input_template,
            dead_letter=dead_letter,
            retry=retry,
            group=group,
            partition_key_path=partition_key_path,
        )
        function = targets.handler_of(self._engine, target)
        self._core.put_rule(name, pattern_text(pattern), enabled, [settings], b"")
        self._stop_handlers(name, None if function is None else targets.TARGET_ID)
        self._start_handler(name, targets.TARGET_ID, function)
        return Rule(self, name)

    def rules(self) -> list[Rule]:
        """The rules, sorted by name.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> rule = engine.bus().rule("all", {"source": ["shop"]}, engine.queue("orders"))
        >>> engine.bus().rules()
        [<Rule 'all' of 'default'>]
        """
        return [Rule(self, rule["name"]) for rule in self._core.rules()]

    def explain(self, event: Event) -> dict[str, Explanation]:
        """Why each rule matches an event, or the first field that does not. Delivers nothing.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> rule = engine.bus().rule("paid", {"source": ["shop"]}, engine.queue("orders"))
        >>> why = engine.bus().explain({"source": "bank", "detail-type": "t", "detail": {}})
        >>> print(why["paid"])
        The field "source" is "bank"; wanted "shop".
        """
        return dict(self._core.explain(to_text(event)))

    def archive(
        self,
        name: str,
        *,
        pattern: str | Mapping[str, Any] | None = None,
        retention: Seconds | None = None,
    ) -> Archive:
        """Get the archive `name`, or create it: it keeps events, to be replayed.

        It keeps what matches `pattern`, or everything, for `retention` seconds, or for ever. What
        is given is compared with an existing archive; what is left out is not.

        Raises InvalidEventPatternException, InvalidParameterValue, ResourceInUse if the archive
        exists with another pattern or retention.

        >>> import trunkline
        >>> bus = trunkline.open().bus()
        >>> archive = bus.archive("paid", pattern={"detail": {"state": ["paid"]}}, retention=86_400)
        >>> put = bus.put({"source": "s", "detail-type": "t", "detail": {"state": "paid"}})
        >>> put = bus.put({"source": "s", "detail-type": "t", "detail": {"state": "open"}})
        >>> archive.events
        1
        """
        from trunkline._replays import FOREVER_MS
        from trunkline.buses.archive import Archive

        text = None if pattern is None else pattern_text(pattern)
        span = None if retention is None else milliseconds(retention, "retention", 1, FOREVER_MS)
        found = self._core.archives().get_or_create(name, text, span)
        differs = [text is not None and json.loads(text) != json.loads(found["pattern"] or "null")]
        differs.append(span is not None and span / 1_000 != found["retention"])
        if any(differs):
            raise ResourceInUse(
                f"Archive {name} already exists with another pattern or retention; leave them out, "
                "or remove it first."
            )
        return Archive(self, name)

    def archives(self) -> list[Archive]:
        """The archives, in the order of their creation.

        >>> import trunkline
        >>> bus = trunkline.open().bus()
        >>> archive = bus.archive("all")
        >>> bus.archives()
        [<Archive 'all' of 'default'>]
        """
        from trunkline.buses.archive import Archive

        return [Archive(self, one["name"]) for one in self._core.archives().list()]

    def statistics(self) -> dict[str, int]:
        """How the bus stands: its rules, and what became of events since the engine was opened.

        >>> import trunkline
        >>> trunkline.open().bus().statistics()["events"]
        0
        """
        return self._core.statistics()

    def remove(self) -> None:
        """Remove the bus with its rules.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> engine.bus("orders").remove()
        >>> engine.buses()
        []
        """
        for rule in self._core.rules():
            self._stop_handlers(rule["name"])
        self._core.remove()

    @property
    def _as_target(self) -> tuple[str, int]:
        """How rules and schedules name the bus as their target: its kind and its id."""
        return "bus", self._core.id

    def _start_handler(
        self, rule: str, target: str, function: Callable[[Any], object] | None
    ) -> None:
        """Has a function called with the events of a target, or none any more."""
        key = ("bus", self._core.id, rule, target)
        if function is None:
            if self._engine._running_handlers is not None:
                self._engine._running_handlers.stop(key)
            return
        kept = [one for one in self._core.rule(rule)["targets"] if one["id"] == target]
        if kept:
            self._engine._handlers.start(key, kept[0]["resource"], function, delivered)

    def _stop_handlers(self, rule: str, keep: str | None = None) -> None:
        """Calls the functions of a rule no more, apart from that of the target `keep`."""
        if self._engine._running_handlers is not None:
            self._engine._running_handlers.stop_under(("bus", self._core.id, rule), keep)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Bus):
            return NotImplemented
        return self._engine is other._engine and self._core.id == other._core.id

    def __hash__(self) -> int:
        return hash((id(self._engine), self._core.id))

    def __repr__(self) -> str:
        return f"<Bus {self.name!r}>"
