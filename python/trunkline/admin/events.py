"""Verbs of event buses and patterns."""

from __future__ import annotations

from trunkline.admin.registry import reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.buses.bus import Bus
    from trunkline.engine import Engine


def _bus(engine: Engine, name: str, account: str | None, region: str | None) -> Bus:
    return engine.bus(name, create=False, account=account, region=region)


def put(
    engine: Engine,
    event: dict[str, Any],
    bus: str = "default",
    trace_header: str | None = None,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Put an event (``source``, ``detail-type``, ``detail``) on a bus."""
    to = engine.bus(bus, create=bus == "default", account=account, region=region)
    result = to.put(event, trace_header=trace_header)
    return {"event_id": result.event_id}


@reading
def rules(
    engine: Engine, bus: str = "default", account: str | None = None, region: str | None = None
) -> dict[str, Any]:
    """The rules of a bus with their patterns, targets and counters."""
    return {
        "rules": [
            {
                "name": rule.name,
                "enabled": rule.enabled,
                "pattern": rule.pattern,
                "targets": [_plain(target) for target in rule.targets()],
                "statistics": rule.statistics(),
            }
            for rule in _bus(engine, bus, account, region).rules()
        ]
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


@reading
def explain(
    engine: Engine,
    event: dict[str, Any],
    bus: str = "default",
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """For each rule of a bus: whether the event would match, and if not, why not."""
    found = _bus(engine, bus, account, region).explain(event)
    return {"rules": {name: explanation.as_dict() for name, explanation in found.items()}}


@reading
def match(engine: Engine, pattern: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """Whether an event matches a pattern, and if not, why not."""
    from trunkline import patterns

    return patterns.compile(pattern).explain(event).as_dict()


@reading
def archives(
    engine: Engine, bus: str = "default", account: str | None = None, region: str | None = None
) -> dict[str, Any]:
    """The archives of a bus."""
    return {
        "archives": [
            {
                "name": one.name,
                "events": one.events,
                "pattern": one.pattern,
                "retention": one.retention,
                "created_at": one.created_at,
            }
            for one in _bus(engine, bus, account, region).archives()
        ]
    }


def replay(
    engine: Engine,
    archive: str,
    bus: str = "default",
    start: float | None = None,
    end: float | None = None,
    rules: list[str] | None = None,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Put the archived events of a span (seconds since 1970) on the bus again."""
    from trunkline.errors import InvalidParameterValue, ResourceNotFound

    is_names = isinstance(rules, list) and all(isinstance(one, str) for one in rules)
    if rules is not None and not is_names:
        raise InvalidParameterValue("rules must be an array with the names of rules.")
    for one in _bus(engine, bus, account, region).archives():
        if one.name == archive:
            started = one.replay(start, end, rules=rules)
            return {
                "name": started.name,
                "status": started.status,
                "replayed": started.replayed,
                "failure": started.failure,
            }
    raise ResourceNotFound(f"The bus {bus!r} has no archive {archive!r}.")
