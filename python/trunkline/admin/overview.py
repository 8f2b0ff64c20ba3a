"""Verbs of the engine as a whole."""

from __future__ import annotations

from trunkline.admin.registry import reading
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.engine import Engine

KINDS = ("queue", "topic", "bus", "stream", "machine", "bucket")
"""The kinds of resources that can be created."""

_STATES = ("visible", "in_flight", "delayed", "oldest_age")


@reading
def stats(engine: Engine) -> dict[str, Any]:
    """How the engine stands: resources by kind, messages by state, the journal, the clock."""
    import trunkline
    from trunkline._core import journal_statistics, queue_totals
    from trunkline.admin.machines import defined

    core = engine._core
    queues, messages = queue_totals(core)
    return {
        "version": trunkline.__version__,
        "durability": engine.durability,
        "now": core.now(),
        "virtual_clock": engine.clock is not None,
        "resources": {
            "queues": queues,
            "topics": len(core.topics(None, None, "")),
            "buses": len(core.buses(None, None, "")),
            "streams": len(core.streams(None, None, "")),
            "machines": sum(1 for _ in defined(engine)),
            "functions": len(engine.functions()),
            "buckets": len(engine.buckets()),
        },
        "messages": {name: getattr(messages, name) for name in _STATES},
        "journal": journal_statistics(core),
    }


def create(
    engine: Engine,
    kind: str,
    name: str,
    options: dict[str, Any] | None = None,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Create a resource, or find one that is there: `options` are those of ``engine.KIND()``."""
    if kind not in KINDS:
        raise InvalidParameterValue(f"kind must be one of {', '.join(KINDS)}, not {kind!r}.")
    made = getattr(engine, kind)(name, account=account, region=region, **(options or {}))
    return {"kind": kind, "name": made.name}


def remove(
    engine: Engine,
    kind: str,
    name: str,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Remove a resource with everything in it; a bucket has to be empty."""
    if kind not in KINDS:
        raise InvalidParameterValue(f"kind must be one of {', '.join(KINDS)}, not {kind!r}.")
    # A state machine has no `create`: without a definition it is found.
    options = {} if kind == "machine" else {"create": False}
    getattr(engine, kind)(name, account=account, region=region, **options).remove()
    return {}


@reading
def limits(engine: Engine) -> dict[str, Any]:
    """The table of bounds of the engine."""
    return {"limits": dict(engine.limits.items())}


@reading
def settings(
    engine: Engine, queue: str, account: str | None = None, region: str | None = None
) -> dict[str, Any]:
    """The options of a queue, and which queues send their dead letters to it."""
    found = engine.queue(queue, create=False, account=account, region=region)
    sources = [one.name for one in found.dead_letter_sources()]
    return {"settings": found.settings(), "dead_letter_sources": sources}


def snapshot(engine: Engine, path: str) -> dict[str, Any]:
    """Write a copy of everything into a new folder, on the machine of the engine."""
    engine.snapshot(path)
    return {"path": path}


def advance(engine: Engine, seconds: float) -> dict[str, Any]:
    """Let time pass on a virtual clock; what falls due is run."""
    if engine.clock is None:
        raise InvalidParameterValue(
            "The engine follows the system's time; start the server with --virtual-clock."
        )
    engine.clock.advance(seconds)
    return {"now": engine.clock.now}


@reading
def trace(engine: Engine, id: str) -> dict[str, Any]:
    """What happened to the message, event or record of an id, and to what led to it."""
    found = engine.trace(id)
    return {
        "entries": [one.as_dict() for one in found],
        "left_out": found.left_out,
        "dropped": found.dropped,
    }
