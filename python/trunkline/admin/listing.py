"""Verbs that list the resources of a kind, a page at a time."""

from __future__ import annotations

from trunkline.admin.forms import LIMIT, check_limit, full_name, name_after, page, shown
from trunkline.admin.registry import reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.engine import Engine


@reading
def queues(
    engine: Engine,
    prefix: str = "",
    after: str | None = None,
    limit: int = LIMIT,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """The queues of all accounts and regions, or of those given, with their depths."""
    from trunkline._core import queue_window

    check_limit(limit)
    # One more than is shown tells whether there is a next page.
    behind = None if after is None else name_after(after)
    found, total = queue_window(engine._core, (account, region), prefix, behind, limit + 1)

    def row(core: Any) -> dict[str, Any]:
        statistics, dead_letter = core.statistics(), None
        if core.settings.dead_letter is not None:
            named = engine._core.name_of(core.settings.dead_letter[0])
            dead_letter = named and named[-1]
        return {
            "fifo": core.fifo,
            "visible": statistics.visible,
            "in_flight": statistics.in_flight,
            "delayed": statistics.delayed,
            "oldest_age": statistics.oldest_age,
            "dead_letter": dead_letter,
        }

    return shown([(full_name(core), core) for core in found], row, total, limit)


@reading
def topics(
    engine: Engine,
    prefix: str = "",
    after: str | None = None,
    limit: int = LIMIT,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """The topics, with what became of their messages."""
    found = [(full_name(core), core) for core in engine._core.topics(account, region, prefix)]
    return page(found, lambda core: dict(core.statistics()), after, limit)


@reading
def buses(
    engine: Engine,
    prefix: str = "",
    after: str | None = None,
    limit: int = LIMIT,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """The event buses, with what became of their events."""
    found = [(full_name(core), core) for core in engine._core.buses(account, region, prefix)]
    return page(found, lambda core: dict(core.statistics()), after, limit)


@reading
def streams(
    engine: Engine,
    prefix: str = "",
    after: str | None = None,
    limit: int = LIMIT,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """The streams, with their shards and readers."""
    cores = engine._core.streams(account, region, prefix)
    named = [(engine._core.name_of(core.id), core) for core in cores]
    found = [(name[1:], core) for name, core in named if name is not None]
    return page(found, lambda core: core.statistics().as_dict(), after, limit)


@reading
def machines(
    engine: Engine,
    prefix: str = "",
    after: str | None = None,
    limit: int = LIMIT,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """The state machines, with their executions by status."""
    from trunkline.admin.machines import counts, defined

    found = [
        (name, (name, document))
        for name, document in defined(engine)
        if name[2].startswith(prefix) and account in (None, name[0]) and region in (None, name[1])
    ]

    def row(one: tuple[tuple[str, str, str], dict[str, Any]]) -> dict[str, Any]:
        name, document = one
        kind, arn = document["type"], document["arn"]
        return {"type": kind, "arn": arn, "executions": counts(engine, name)}

    return page(found, row, after, limit)


@reading
def functions(
    engine: Engine,
    prefix: str = "",
    after: str | None = None,
    limit: int = LIMIT,
) -> dict[str, Any]:
    """The functions of the default account that this process has code for."""
    found = [(full_name(one), one) for one in engine.functions(prefix)]
    return page(found, lambda one: dict(one.statistics()), after, limit)


@reading
def buckets(
    engine: Engine,
    prefix: str = "",
    after: str | None = None,
    limit: int = LIMIT,
    account: str | None = None,
) -> dict[str, Any]:
    """The buckets, with the objects in them."""
    found = [(full_name(one), one) for one in engine.buckets(prefix, account=account)]
    return page(found, lambda one: one.statistics(), after, limit)
