"""Rules as EventBridge sees them, over those of the engine.

The engine keeps a rule with its pattern and its targets; what only EventBridge knows of it (tags,
the expression of a schedule) lies in the rule's document.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trunkline.aws.events import stored
from trunkline.aws.events.errors import no_such_rule
from trunkline.aws.events.names import rule_arn
from trunkline.aws.events.rule_schedules import plan_schedule, remove_schedule, trigger_pattern
from trunkline.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Bus
    from trunkline.aws.operation import Call


@dataclass
class StoredRule:
    """A rule that is read, changed and written back; the caller holds the lock of the service."""

    bus: Bus
    name: str
    kept: dict[str, Any]
    """What only EventBridge knows of the rule."""
    pattern: str | None = None
    """The event pattern in the caller's words; None for a rule that has a schedule alone."""
    enabled: bool = True
    targets: list[dict[str, Any]] = field(default_factory=list)
    """The targets as the engine tells of them."""

    @property
    def arn(self) -> str:
        """The resource name."""
        return rule_arn(self.bus, self.name)

    @property
    def schedule(self) -> str | None:
        """The expression of the schedule, if it has one."""
        schedule: str | None = self.kept.get("schedule")
        return schedule

    @property
    def state(self) -> str:
        """Its state, as EventBridge names it."""
        if not self.enabled:
            return "DISABLED"
        state: str = self.kept.get("state", "ENABLED")
        return state

    def write(self, call: Call) -> None:
        """Puts the rule as it is now; its targets stay."""
        pattern = trigger_pattern(self)
        document = stored.write(self._document(), self.kept)
        self.bus.put_rule(self.name, pattern, self.enabled, None, document)
        plan_schedule(call, self)

    def _document(self) -> bytes:
        try:
            document: bytes = self.bus.rule(self.name)["document"]
        except NotFound:
            return b""
        return document


def read_rule(bus: Bus, name: str) -> StoredRule:
    """The rule of this name; raises if there is none."""
    try:
        return of_plain(bus, bus.rule(name))
    except NotFound:
        raise no_such_rule(name, bus.name) from None


def of_plain(bus: Bus, plain: dict[str, Any]) -> StoredRule:
    """A rule from what the engine tells of it."""
    kept = stored.read(plain["document"])
    # A rule with a schedule has a pattern of its own in the engine.
    pattern = kept.get("pattern") if "schedule" in kept else plain["pattern"]
    rule = StoredRule(bus, plain["name"], kept, pattern, plain["enabled"])
    rule.targets = plain["targets"]
    return rule


def forget_rule(call: Call, bus: Bus, name: str) -> None:
    """Removes what belongs to a rule outside of its bus."""
    remove_schedule(call, bus, name)
