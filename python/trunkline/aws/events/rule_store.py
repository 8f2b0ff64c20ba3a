"""Rules as EventBridge sees them, over those of the engine.

The engine keeps a rule with its pattern and its targets; what only EventBridge knows of it (tags,
the expression of a schedule) lies in the rule's document.
"""

from __future__ import annotations

import json
from typing import Any

from trunkline._dataclasses import dataclass, field
from trunkline.aws.events import stored
from trunkline.aws.events.errors import managed_rule, no_such_rule
from trunkline.aws.events.names import rule_arn
from trunkline.aws.events.rule_schedules import plan_schedule, remove_schedule, trigger_pattern
from trunkline.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Bus
    from trunkline.aws.operation import Call


ARCHIVES = "prod.vhs.events.aws.internal"
"""Who manages the rules of archives."""

_ARCHIVE = "Events-Archive-"
"""How the names of these rules begin."""


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
    def archive(self) -> str | None:
        """The archive whose events come through the rule, if it is one's."""
        is_archives = self.kept.get("managed_by") == ARCHIVES
        return self.name.removeprefix(_ARCHIVE) if is_archives else None

    @property
    def state(self) -> str:
        """Its state, as EventBridge names it."""
        if not self.enabled:
            return "DISABLED"
        state: str = self.kept.get("state", "ENABLED")
        return state

    def check_changeable(self, *, force: bool) -> None:
        """Raises if a service manages the rule, unless the caller may force the change."""
        owner = self.kept.get("managed_by")
        if owner == ARCHIVES:
            raise managed_rule(self.name, owner, ": change or delete the archive")
        if owner is not None and not force:
            raise managed_rule(self.name, owner, ", unless the request says Force")

    def write(self, call: Call) -> None:
        """Puts the rule as it is now; its targets stay."""
        self.check_changeable(force=True)
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
    rule = find_rule(bus, name)
    if rule is None:
        raise no_such_rule(name, bus.name)
    return rule


def find_rule(bus: Bus, name: str) -> StoredRule | None:
    """The rule of this name, if there is one."""
    try:
        return of_plain(bus, bus.rule(name))
    except NotFound:
        if not name.startswith(_ARCHIVE):
            return None
    try:
        return _archive_rule(bus, bus.archives().find(name.removeprefix(_ARCHIVE)))
    except NotFound:
        return None


def archive_rules(
    call: Call, bus: Bus, prefix: str, after: str | None, limit: int
) -> list[StoredRule]:
    """Up to `limit` rules through which archives of a bus get their events, as AWS shows them: in
    order of their names, those that start with `prefix` and come behind `after`.

    The engine needs none: they tell of its archives, and only a change of an archive changes one.
    """
    short = min(prefix, _ARCHIVE, key=len)
    if not (prefix.startswith(short) and _ARCHIVE.startswith(short)):
        return []
    if after is not None and not after.startswith(_ARCHIVE):
        if after > _ARCHIVE:
            return []
        after = None
    behind = None if after is None else after.removeprefix(_ARCHIVE)
    below = prefix[len(_ARCHIVE) :]
    found = call.store.archives((bus.account, bus.region), below, behind, limit, bus)
    return [_archive_rule(bus, archive) for _, archive in found]


def _archive_rule(bus: Bus, archive: dict[str, Any]) -> StoredRule:
    pattern = json.loads(archive["pattern"] or "{}") | {"replay-name": [{"exists": False}]}
    kept = {"managed_by": ARCHIVES}
    return StoredRule(bus, f"{_ARCHIVE}{archive['name']}", kept, stored.text(pattern))


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
