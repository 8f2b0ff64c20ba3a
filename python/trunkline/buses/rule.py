"""A rule of an event bus."""

from __future__ import annotations

import json

from trunkline._targets import address_of
from trunkline.buses import targets
from trunkline.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._resource_types import EventTarget
    from trunkline._types import RetryPolicy
    from trunkline.buses.bus import Bus
    from trunkline.queues.queue import Queue


class Rule:
    """A rule of an event bus; :meth:`Bus.rule` makes it. Reads the truth when asked.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> rule = engine.bus().rule("paid", {"detail": {"state": ["paid"]}}, engine.queue("paid"))
    >>> rule.name, rule.enabled, rule.pattern
    ('paid', True, {'detail': {'state': ['paid']}})
    """

    __slots__ = {
        "bus": "The bus of the rule.",
        "name": "The name, unique in its bus.",
    }

    bus: Bus
    name: str

    def __init__(self, bus: Bus, name: str) -> None:
        self.bus = bus
        self.name = name

    @property
    def pattern(self) -> dict[str, Any]:
        """The pattern, as a dict."""
        pattern: dict[str, Any] = json.loads(self._read()["pattern"])
        return pattern

    @property
    def enabled(self) -> bool:
        """Whether events are matched against the rule."""
        enabled: bool = self._read()["enabled"]
        return enabled

    def enable(self) -> None:
        """Match events against the rule again."""
        self.bus._core.enable_rule(self.name, True)

    def disable(self) -> None:
        """Match no events against the rule until :meth:`enable`.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> rule = engine.bus().rule("all", {"source": ["shop"]}, engine.queue("orders"))
        >>> rule.disable()
        >>> rule.enabled
        False
        """
        self.bus._core.enable_rule(self.name, False)

    def add_target(
        self,
        target: EventTarget,
        *,
        id: str,
        input: Any = None,
        input_path: str | Mapping[str, str] | None = None,
        input_template: str | None = None,
        dead_letter: Queue | None = None,
        retry: RetryPolicy | None = None,
        group: str | None = None,
        partition_key_path: str | None = None,
    ) -> None:
        """Send the events of the rule to `target`, too: to five targets at most.

        `id` names it in the rule; the target that a rule is created with is ``"main"``. A target
        that has this id already is replaced. The rest is as for :meth:`Bus.rule`.

        Raises OverLimit for a sixth target, InvalidParameterValue, ResourceNotFound for a rule or a
        target that is gone. Then the rule stays as it was.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> rule = engine.bus().rule("all", {"source": ["shop"]}, engine.queue("orders"))
        >>> rule.add_target(engine.stream("history"), id="history", input_path="$.detail")
        >>> [target["id"] for target in rule.targets()]
        ['main', 'history']
        """
        engine = self.bus._engine
        settings = targets.settings(
            engine,
            target,
            id,
            input=input,
            input_path=input_path,
            input_template=input_template,
            dead_letter=dead_letter,
            retry=retry,
            group=group,
            partition_key_path=partition_key_path,
        )
        function = targets.handler_of(engine, target)
        self.bus._core.put_targets(self.name, [settings])
        self.bus._start_handler(self.name, id, function)

    def remove_target(self, id: str) -> None:
        """Send no more events to the target of this id. One that is gone is a success.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> rule = engine.bus().rule("all", {"source": ["shop"]}, engine.queue("orders"))
        >>> rule.remove_target("main")
        >>> rule.targets()
        []
        """
        self.bus._core.remove_targets(self.name, [id])
        self.bus._start_handler(self.name, id, None)

    def targets(self) -> list[dict[str, Any]]:
        """The targets: for each its id, its address, and what it was given.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> rule = engine.bus().rule("all", {"source": ["shop"]}, engine.queue("orders"))
        >>> rule.targets()[0]["address"]
        'queue orders of account 000000000000 in us-east-1'
        """
        found: list[dict[str, Any]] = self._read()["targets"]
        for target in found:
            # What the AWS surface keeps with a target is its own.
            del target["document"]
            dead = target["dead_letter"]
            name = None if dead is None else self.bus._engine._core.name_of(dead)
            target["address"] = address_of(self.bus._engine._core, target)
            target["dead_letter"] = None if name is None else name[3]
            target["input_paths"] = dict(target["input_paths"] or {})
        return found

    def statistics(self) -> dict[str, int]:
        """What became of events since the engine was opened.

        ``matched`` counts events; ``delivered``, ``dead_lettered`` and ``failed`` count deliveries
        to targets. A delivery that leaves the engine is delivered when it is accepted; what becomes
        of it then is the target's.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> rule = engine.bus().rule("all", {"source": ["shop"]}, engine.queue("orders"))
        >>> rule.statistics()
        {'matched': 0, 'delivered': 0, 'dead_lettered': 0, 'failed': 0}
        """
        rule = self._read()
        return {name: rule[name] for name in ("matched", "delivered", "dead_lettered", "failed")}

    def remove(self) -> None:
        """Remove the rule, with events that wait for targets outside the engine.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> engine.bus().rule("all", {"source": ["shop"]}, engine.queue("orders")).remove()
        >>> engine.bus().rules()
        []
        """
        self.bus._stop_handlers(self.name)
        self.bus._core.remove_rule(self.name)

    def _read(self) -> dict[str, Any]:
        return self.bus._core.rule(self.name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rule):
            return NotImplemented
        return (self.bus, self.name) == (other.bus, other.name)

    def __hash__(self) -> int:
        return hash((self.bus, self.name))

    def __repr__(self) -> str:
        try:
            state = "" if self.enabled else ", disabled"
        except NotFound:
            state = ", removed"
        return f"<Rule {self.name!r} of {self.bus.name!r}{state}>"
